import Decide
import EndToEndSupport
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `mainstay drill` as a person runs it. Only facts are expected, no times: machines differ.
    @Suite(.serialized) struct DrillTests {
        struct Drill: Sendable, CustomTestStringConvertible {
            var name: String
            var text: String
            var check: @Sendable (JSONValue) -> Void

            var testDescription: String { name }
        }

        static let head = """
            users: 40
            feature-users: 36%
            requests-per-second: 60
            check-interval: 2s
            limit: 4m

            """

        static let favorites = Drill(
            name: "the outage is blocked, found, proven, undone and verified",
            text: head + """
                scenario: small
                title: Small
                journeys: on
                rollout: [ { share: 5%, hold: 60s }, { share: 100%, hold: 5s } ]
                release: { feature: favorites, variant: v2, commit: 5f2c1e7a90b4, author: dora, force: For the test. }
                end: resolved
                expect: { blocked-by-gate: on, suspect-rank: 1, proof: on, wrong-undos: 0, lost-events: 0 }
                original:
                  name: Then
                  affected-share: 36%
                  moments: [ { after: 0s, what: deployed, beside: served }, { after: 111m, what: back, beside: undone } ]
                """
        ) { report in
            #expect(report["blocked_by_gate"]?.bool == true)
            #expect(report["suspect"]?["rank"]?.integer == 1)
            #expect(report["suspect"]?["proof"]?.bool == true)
            #expect(report["verified_after_s"]?.number != nil)
            #expect(report["original"]?["undone_after_s"]?.number == 6_660)
            let moments = ["detected_after_s", "undone_after_s", "verified_after_s"].map { report[$0]?.number ?? -1 }
            #expect(moments == moments.sorted() && moments[0] >= 0, "\(moments)")
        }

        static let healthy = Drill(
            name: "a good release reaches everyone untouched",
            text: head + """
                scenario: small-healthy
                title: Small and healthy
                journeys: on
                rollout: [ { share: 5%, hold: 3s }, { share: 100%, hold: 3s } ]
                release: { feature: favorites, variant: v1b, commit: 8c41d09e3b77, author: dora, evidence: on }
                end: completed
                expect: { blocked-by-gate: off, reaches: 100%, wrong-undos: 0, lost-events: 0 }
                """
        ) { report in
            #expect(report["blocked_by_gate"]?.bool == false)
            #expect(report["reached_share"]?.number == 1)
            #expect(report["undone_after_s"] == .null)
            #expect(report["suspect"] == .null)
        }

        static let unnoticed = Drill(
            name: "customers' reports alone raise it, and the mail's link undoes it",
            text: head + """
                scenario: small-unnoticed
                title: Small and unnoticed
                journeys: off
                rollout: [ { share: 100%, hold: 5s } ]
                release: { feature: favorites, variant: v2, commit: 5f2c1e7a90b4, author: dora, force: For the test. }
                on-call: undo
                end: resolved
                expect: { blocked-by-gate: on, suspect-rank: 1, wrong-undos: 0, lost-events: 0 }
                """
        ) { report in
            #expect(report["blocked_by_gate"]?.bool == true)
            #expect(report["suspect"]?["rank"]?.integer == 1)
            #expect(report["paged_after_s"]?.number != nil)
            #expect(report["undone_after_s"]?.number != nil)
            #expect((report["reports"]?.integer ?? 0) >= 3)
        }

        static let keys: Set = [
            "scenario", "blocked_by_gate", "detected_after_s", "paged_after_s", "undone_after_s", "verified_after_s",
            "users_active", "users_affected", "affected_share", "suspect", "wrong_undos", "lost_events", "original",
        ]

        @Test("drills tell what happened and leave nothing behind", arguments: [favorites, healthy, unnoticed])
        func drill(_ drill: Drill) async throws {
            let outcome = try await run(drill.text)
            let report = outcome.report
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(report.object.map { Self.keys.subtracting($0.keys) } == [])
            #expect(report["users_active"]?.integer == 40)
            #expect(report["wrong_undos"]?.integer == 0)
            #expect(report["lost_events"]?.integer == 0)
            #expect(report["failures"] == [])
            drill.check(report)
        }

        @Test("a drill whose expectation is not met says which and exits with 1")
        func unmet() async throws {
            let outcome = try await run(
                Self.head + """
                    scenario: impossible
                    title: Expects what cannot be
                    journeys: on
                    rollout: [ { share: 100%, hold: 1s } ]
                    release: { feature: favorites, variant: v1b, commit: 8c41d09e3b77, author: dora, evidence: on }
                    end: completed
                    expect: { blocked-by-gate: on }
                    """)
            #expect(outcome.code == 1)
            #expect(outcome.report["passed"]?.bool == false)
            #expect(outcome.report["failures"]?.array?.first?.string?.contains("blocked by the gate") == true)
        }

        @Test("a drill file with an unknown key is refused with its line")
        func broken() async throws {
            let place = try TemporaryDirectory("drill")
            let file = try place.write("scenario: x\ntitle: y\nuserz: 3\n", to: "drill.yaml")
            let outcome = try await Command.run(Binaries.mainstay, ["drill", file])
            try place.remove()
            #expect(outcome.code != 0)
            #expect(outcome.errors.contains("drill.yaml"), "\(outcome.errors)")
        }

        private func run(_ text: String) async throws -> (code: Int32, report: JSONValue, errors: String) {
            let place = try TemporaryDirectory("drill")
            let file = try place.write(text, to: "drill.yaml")
            let temporary = place.path + "/tmp"
            try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
            let outcome = try await within(.seconds(300), what: "the drill ends") {
                try await Command.run(
                    Binaries.mainstay, ["drill", file, "--json"], environment: ["TMPDIR": temporary + "/"])
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: temporary)
            #expect(left.filter { $0.hasPrefix("mainstay-drill") } == [], "the drill's directory is left behind")
            #expect(try Self.processes(mentioning: temporary) == [], "processes are left behind")
            try place.remove()
            guard let report = try? JSONDecoder().decode(JSONValue.self, from: Data(outcome.output.utf8)) else {
                throw Complaint(
                    "exit code \(outcome.code), not one JSON object: \(outcome.output)\n\(outcome.errors.suffix(3_000))"
                )
            }
            return (outcome.code, report, String(outcome.errors.suffix(4_000)))
        }

        /// Command lines of running processes that contain the text.
        private static func processes(mentioning text: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.compactMap { id in
                guard let data = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else { return nil }
                let line = String(decoding: data, as: UTF8.self).replacingOccurrences(of: "\0", with: " ")
                return line.contains(text) ? line : nil
            }
        }
    }
}
