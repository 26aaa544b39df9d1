/// A decision in the words of alerts, pages and the timeline.
extension QueryDecision {
    static let titleText = 60
    static let lineText = 120
    static let pageText = 300

    /// Whether it is worth an event. The rest says how a limit moves from second to second, or that a rule ended, which
    /// the record knows already: those are looked up when somebody asks, and not remembered.
    package var isNews: Bool {
        switch kind {
        case .tripped, .released, .breakerOpened, .breakerClosed, .statementCapped, .idleCapped, .largeResult: true
        case .cancelled, .limitRaised, .limitHalved, .breakerHalfOpen, .ruleExpired: false
        }
    }

    /// Whether somebody may have to be called, or told that it is over: never to be lost.
    package var isVital: Bool {
        switch kind {
        case .tripped, .released, .breakerOpened, .breakerClosed: true
        default: false
        }
    }

    /// The query on one line, at most `limit` characters.
    func text(upTo limit: Int) -> String {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.count > limit ? line.prefix(limit - 1) + "…" : line
    }

    /// `of release 5f2c1e7`
    private var ofRelease: String { release.map { " of release \($0)" } ?? "" }

    var title: String {
        let what =
            switch kind {
            case .breakerOpened: "Database \(database) has no room for a query\(ofRelease)"
            case _ where isCrowd: "A query\(ofRelease) is called far more often than usual in database \(database)"
            default: "A query\(ofRelease) overloads database \(database)"
            }
        let observed = isObserved ? "Observed: \(what)" : what
        return text.isEmpty ? observed : "\(observed): \(text(upTo: Self.titleText))"
    }

    /// One sentence without its full stop: which query, which release, its share, what was done, until when.
    var summary: String {
        var parts = [
            "Query \(query?.hex ?? "unknown")\(text.isEmpty ? "" : " (\(text(upTo: Self.lineText)))")\(ofRelease)"
        ]
        if let share {
            let slots = slots.map { "\($0) servers of \(database)" } ?? "servers of \(database)"
            parts[0] += " took \(Self.percent(share)) of the time of the \(slots)"
            if let budget { parts[0] += ", against a budget of \(Self.decimal(budget))" }
        } else {
            parts[0] += kind == .breakerOpened ? " found no room in database \(database)" : " overloads \(database)"
        }
        parts.append(measure)
        if let until { parts.append("it is let in again at \(RFC3339.format(until)) at the earliest") }
        return parts.joined(separator: "; ")
    }

    /// What the guard did, or would have done.
    private var measure: String {
        let guardWould = isObserved ? "the guard only observes and would " : "the guard "
        if kind == .breakerOpened { return guardWould + (isObserved ? "turn it away" : "turns it away") }
        let servers = limit.map { $0 == 1 ? "1 server" : "\($0) servers" } ?? "fewer servers"
        var text = guardWould + (isObserved ? "hold it to \(servers)" : "holds it to \(servers)") + " at a time"
        if cancelled > 0, !isObserved { text += " and cancelled \(cancelled) of its statements" }
        return isCrowd ? text + "; it waits, and nothing of it is turned away" : text
    }

    /// What a page says beside the summary.
    var pageLines: [String] {
        var lines: [String] = []
        if !text.isEmpty { lines.append("Query: \(text(upTo: Self.pageText))") }
        lines.append("Release: \(release ?? "its client names none").")
        if !explanation.isEmpty { lines.append("The guard: \(explanation)") }
        return lines
    }

    /// A line of the timeline.
    var line: String {
        let said = explanation.isEmpty ? "\(summary)." : explanation
        return text.isEmpty || explanation.isEmpty ? said : "\(said) It reads: \(text(upTo: Self.lineText))"
    }

    static func percent(_ share: Double) -> String { "\(Int((min(max(share, 0), 1_000) * 100).rounded())) %" }

    static func decimal(_ value: Double) -> String {
        let tenths = Int((min(max(value, 0), 1e6) * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
