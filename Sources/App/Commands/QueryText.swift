import Decide

/// The API's answers on queries as text for a terminal.
enum QueryText {
    static func diff(_ diff: JSONValue) -> String {
        var lines = [diff["title"]?.string ?? "", diff["method"]?.string ?? ""].map(plain)
        for (side, name) in [("before", "before"), ("after", "after ")] {
            let times = ["from", "to"].map { diff[side]?[$0]?.string ?? "?" }.joined(separator: " to ")
            lines.append("  \(name)  \(times), \(count(diff[side], "calls")) calls")
        }
        if let ended = diff["endedBy"]?.string { lines.append("  then \(plain(ended))") }
        lines += texts(diff["gaps"]).map { "  ! \($0)" } + texts(diff["notes"]).map { "  - \($0)" }
        let findings = diff["findings"]?.array ?? []
        for finding in findings {
            lines += [
                "",
                "\(finding["severity"]?.string ?? "?")  \(finding["kind"]?.string ?? "?")  "
                    + "\(plain(finding["database"]?.string ?? "")) \(finding["fingerprint"]?.string ?? "")",
                "  \(plain(finding["sentence"]?.string ?? ""))", "  \(short(finding["query"]?.string ?? ""))",
                "  before  \(figures(finding["before"]))", "  after   \(figures(finding["after"]))",
            ]
        }
        lines += ["", verdict(diff["verdict"]?.string, findings.count)]
        return lines.joined(separator: "\n")
    }

    private static func verdict(_ word: String?, _ findings: Int) -> String {
        switch word {
        case QueryDiff.Verdict.noDifference.rawValue: "No difference was found."
        case QueryDiff.Verdict.tooLittle.rawValue: "Too little to say: this is no proof that nothing changed."
        default: "\(findings) \(findings == 1 ? "difference" : "differences")."
        }
    }

    static func list(_ answer: JSONValue) -> String {
        let items = answer["items"]?.array ?? []
        guard !items.isEmpty else { return "No query was counted in this time." }
        var lines = ["Share of the database's time, the most first."]
        for item in items {
            let share = (item["share"]?.number ?? 0) / 10_000
            lines.append("")
            lines.append("\(Figures.share(share))  \(figures(item["figures"]))")
            lines.append("  \(short(item["query"]?.string ?? ""))")
            let releases = (item["releases"]?.array ?? []).compactMap { part in
                part["release"]?.string.map { "\(plain($0)): \(count(part["figures"], "calls")) calls" }
            }.joined(separator: ", ")
            lines.append(
                "  \(plain(item["database"]?.string ?? "")) \(item["fingerprint"]?.string ?? "")"
                    + (releases.isEmpty ? "" : "  (\(releases))"))
        }
        return lines.joined(separator: "\n")
    }

    private static func figures(_ figures: JSONValue?) -> String {
        guard let figures, figures != .null else { return "not called" }
        func time(_ name: String) -> String {
            figures[name]?.number.map { Figures.time(milliseconds: $0 / 1_000) } ?? "–"
        }
        let errors = (figures["errors"]?.object ?? [:]).sorted { $0.key < $1.key }
            .map { "\($0.key) ×\(Figures.count($0.value.number ?? 0))" }.joined(separator: " ")
        var parts = [
            "\(count(figures, "calls")) calls", "mean \(time("meanUs"))", "p95 \(time("p95Us"))",
            "p99 \(time("p99Us"))", "\(count(figures, "rows")) rows", errors.isEmpty ? "no errors" : "errors \(errors)",
        ]
        if figures["writes"]?.number ?? 0 > 0 {
            parts.append("\(count(figures, "emptyWrites")) of \(count(figures, "writes")) writes changed nothing")
        }
        return parts.joined(separator: ", ")
    }

    private static func count(_ value: JSONValue?, _ name: String) -> String {
        Figures.count(value?[name]?.number ?? 0)
    }

    private static func texts(_ list: JSONValue?) -> [String] {
        (list?.array ?? []).compactMap(\.string).map(plain)
    }

    private static func short(_ text: String) -> String {
        let line = plain(text)
        return line.count > 400 ? line.prefix(400) + "…" : line
    }

    /// One line: what a client wrote must not move a terminal's cursor.
    private static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}
