import Decide

/// A review for people to read, in a terminal or a log.
struct ReviewText {
    /// Colour is an addition: the words say everything.
    var isColoured: Bool

    func render(_ review: QueryReview) -> String {
        var lines: [String] = []
        for statement in review.statements where !statement.findings.isEmpty {
            lines += heading(statement)
            for finding in statement.findings { lines += self.lines(finding) }
            lines.append("")
        }
        lines += summary(review)
        return lines.joined(separator: "\n") + "\n"
    }

    private func heading(_ statement: ReviewedStatement) -> [String] {
        var about = [statement.kind]
        if let cost = statement.cost { about.append("cost \(Figures.count(cost))") }
        if let milliseconds = statement.milliseconds, let source = statement.timeSource {
            let isMeasured = source.hasPrefix("measured")
            about.append("\(isMeasured ? "" : "about ")\(Figures.time(milliseconds: milliseconds)) a call")
        }
        if let calls = statement.callsPerSecond { about.append("\(Figures.count(calls)) calls a second") }
        let text = Self.oneLine(statement.sql)
        return [
            bold("\(Self.oneLine("\(statement.place)"))  \(Self.oneLine(statement.id))") + "  "
                + about.joined(separator: ", "),
            "  " + (text.count <= 110 ? text : text.prefix(109) + "…"),
        ]
    }

    private func lines(_ finding: Finding) -> [String] {
        let place = finding.allowed == nil ? "" : " (allowed)"
        return [
            "  \(label(finding))\(place)  \(finding.rule.rawValue)  at \(finding.place.line):\(finding.place.column)",
            "      \(Self.oneLine(finding.what))",
            "      Why: \(Self.oneLine(finding.why))",
            finding.allowed.map { "      Allowed: \(Self.oneLine($0))" } ?? "      Do: \(Self.oneLine(finding.remedy))",
        ]
    }

    private func label(_ finding: Finding) -> String {
        switch finding.severity {
        case .block: paint("BLOCK", "31")
        case .warn: paint("WARN", "33")
        case .note: paint("NOTE", "36")
        }
    }

    private func summary(_ review: QueryReview) -> [String] {
        let database = review.database
        let clean = review.statements.count { $0.findings.isEmpty }
        let allowed = review.findings.count { !$0.counts }
        let ran =
            database.isRehearsed
            ? "Migrations, and statements without parameters, ran in a transaction that was rolled back."
            : "No statement was run."
        let verdict =
            switch review.verdict {
            case .pass: paint("PASS", "32") + ": nothing speaks against the release."
            case .warn: paint("PASS WITH WARNINGS", "33") + ": the release may go out; look at the warnings."
            case .block: paint("BLOCK", "31") + ": the release must not go out like this."
            }
        return [
            "Reviewed \(Self.counted(review.statements.count, "statement")), \(clean) without findings, against "
                + "\(Self.oneLine(database.summary)) (PostgreSQL \(Self.oneLine(database.version)), "
                + "role \(Self.oneLine(database.role)), search path \(Self.oneLine(database.searchPath))). \(ran)",
            "\(review.count(.block)) block, \(review.count(.warn)) warn, \(review.count(.note)) note, \(allowed) allowed.",
            bold(verdict),
        ]
    }

    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    /// Texts of other people must not steer the terminal.
    static func oneLine(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            if isControl || scalar == " " {
                if line.last != " " { line += " " }
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }

    private func paint(_ text: String, _ colour: String) -> String {
        isColoured ? "\u{1B}[1;\(colour)m\(text)\u{1B}[0m" : text
    }

    private func bold(_ text: String) -> String { isColoured ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
}
