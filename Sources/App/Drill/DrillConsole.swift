import Decide
import Foundation

/// Prints a drill as it goes: Mainstay's clock on the left, the original's beside it.
struct DrillConsole: Sendable {
    /// With `--json`, standard output belongs to the one object; people read along on standard error.
    var isJSON: Bool

    func say(_ text: String) {
        let line = text + "\n"
        (isJSON ? FileHandle.standardError : FileHandle.standardOutput).write(Data(line.utf8))
    }

    func title(_ plan: DrillPlan) {
        say("")
        say("  Drill: \(plan.title)")
        say(
            "  \(plan.users) users, \(percent(basisPoints: plan.featureUsers)) of them use "
                + "\(plan.release.feature); about \(plan.requestsPerSecond) requests a second; real processes, real database"
        )
        say("")
    }

    func step(_ text: String) { say("  · \(text)") }

    /// One line of the record's timeline, timed from the first serving.
    func line(_ after: Span?, _ text: String, original: DrillPlan.Original.Moment?) {
        let clock = after.map { "+" + Self.clock($0) } ?? ""
        say("  " + clock.leftPadded(to: 9) + "  " + text)
        if let original {
            say(
                "  " + "".leftPadded(to: 9)
                    + "  \u{21B3} originally \(original.after == .zero ? "at the start" : "after \(original.after.spoken)"): \(original.what)"
            )
        }
    }

    func summary(_ plan: DrillPlan, _ report: DrillReport) {
        say("")
        if let original = plan.original { comparison(original, report) }
        let share = percent(basisPoints: Int((report.affectedShare * 10_000).rounded()))
        say(
            "  Users affected: \(report.usersAffected) of \(report.usersActive) active (\(share))"
                + (plan.original.map { "; originally \(percent(basisPoints: $0.affectedShare))" } ?? ""))
        if let suspect = report.suspect {
            say("  Suspect \(suspect.rank): \(suspect.name)" + (suspect.proof ? ", proven by experiment" : ""))
        }
        say(
            "  Wrong undos: \(report.wrongUndos). Lost events: \(report.lostEvents). "
                + "Requests: \(report.requests), failed: \(report.requestFailures). Took \(report.took) s.")
        say("")
        if report.passed {
            say("  Passed: every expectation of the drill is met.")
        } else {
            say("  FAILED:")
            for failure in report.failures { say("    - \(failure)") }
        }
        say("")
    }

    private func comparison(_ original: DrillPlan.Original, _ report: DrillReport) {
        say("  " + "".rightPadded(to: 12) + "Mainstay".leftPadded(to: 12) + original.name.leftPadded(to: 26))
        let rows: [(String, Double?, Span?)] = [
            ("detected", report.detectedAfterS, original.after("detected")),
            ("paged", report.pagedAfterS, original.after("paged")),
            ("undone", report.undoneAfterS, original.after("undone")),
            ("verified", report.verifiedAfterS, nil),
        ]
        for (name, seconds, then) in rows {
            let now = seconds.map { "\($0) s" } ?? "—"
            let before = then.map(\.spoken) ?? "—"
            say("  " + name.rightPadded(to: 12) + now.leftPadded(to: 12) + before.leftPadded(to: 26))
        }
        say("")
    }

    private static func clock(_ span: Span) -> String {
        let tenths = span.milliseconds / 100
        return "\(tenths / 10).\(tenths % 10) s"
    }
}

extension String {
    func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
    func rightPadded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
