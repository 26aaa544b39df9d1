/// One database before and after a change: the rules of the query diff.
struct QueryPair {
    var name: String
    var before: QueryDatabase
    var after: QueryDatabase
    var spanBefore: Span
    var spanAfter: Span

    /// Failing: errors since, and how many times the rate of before.
    static let enoughErrors = 5
    static let errorFactor = 2.0
    /// Slower: how much, and of how many calls. Before, a 95th percentile has to have calls above it to mean anything.
    static let slowerFactor = 1.5
    static let slowerBy: Int64 = 5_000
    static let slowerCalls = 100
    static let slowerCallsBefore = 20
    /// Vanished and writes that change nothing: that it is chance has a probability below exp(−7), 0.001.
    static let evidence = 7.0
    /// Writes that change nothing: fewer may all be of one user who pressed a button again.
    static let emptyWrites = 5
    /// Before, fewer writes say too little about how many of them change nothing anyway.
    static let writesBefore = 10
    /// Share of the database's time from which on a new or slower query is what people should look at.
    static let largeShare = 0.25

    var findings: [QueryFinding] {
        guard before.calls > 0 else { return [] }
        return before.uses.keys.filter { after.uses[$0] == nil }.compactMap(vanished)
            + after.uses.keys.flatMap { query in
                [zeroRowWrites(query), failing(query), slower(query), new(query)].compactMap { $0 }
            }
    }

    var gaps: [String] {
        var gaps: [String] = []
        if before.calls == 0 {
            gaps.append("\(name): no query was counted before, so there is nothing to compare with.")
        } else if before.calls < QueryDiff.enoughCalls {
            gaps.append("\(name): only \(calls(before.calls)) before; \(QueryDiff.enoughCalls) are needed.")
        }
        if after.calls == 0 {
            gaps.append("\(name): no query was counted since, so nothing can be said.")
        } else if after.calls < QueryDiff.enoughCalls {
            gaps.append("\(name): only \(calls(after.calls)) since; \(QueryDiff.enoughCalls) are needed.")
        }
        if before.calls > 0, after.calls > 0, before.expected == 0 {
            gaps.append("\(name): no earlier release sent the same queries, so what is missing cannot be told.")
        }
        if before.untold + after.untold > 0 {
            gaps.append(
                "\(name): \(calls(before.untold + after.untold)) of too many different queries were not told apart.")
        }
        return gaps
    }

    // MARK: The rules

    private func new(_ query: QueryKey) -> QueryFinding? {
        guard let use = after.uses[query], before.uses[query] == nil else { return nil }
        let share = self.share(use)
        var sentence =
            "It was not called in the \(spanBefore.spoken) before; since then \(calls(use.figures.calls)), "
            + "\(mean(use.figures)) on average."
        if share >= Self.largeShare { sentence += " It takes \(Figures.share(share)) of the database's time." }
        return finding(.new, share >= Self.largeShare ? .high : .low, use, sentence)
    }

    private func failing(_ query: QueryKey) -> QueryFinding? {
        guard let use = after.uses[query], use.figures.errorCount >= Self.enoughErrors else { return nil }
        let usual = before.uses[query].map { errorRate($0.figures) }
        let rate = errorRate(use.figures)
        guard rate > Self.errorFactor * (usual ?? 0) else { return nil }
        let states = use.figures.errors.filter { $0.value > 0 }
            .sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3)
            .map { "\($0.key) ×\($0.value)" }.joined(separator: ", ")
        let past = usual.map { "before, \($0 > 0 ? Figures.share($0) : "none") did" } ?? "it was not called before"
        return finding(
            .failing, rate >= 0.5 ? .critical : .high, use,
            "\(use.figures.errorCount) of \(calls(use.figures.calls)) failed (\(Figures.share(rate))); \(past). "
                + "SQLSTATE \(states).")
    }

    private func slower(_ query: QueryKey) -> QueryFinding? {
        guard let old = before.uses[query], let use = after.uses[query],
            old.figures.latency.total >= Self.slowerCallsBefore, use.figures.latency.total >= Self.slowerCalls,
            let usual = old.figures.latency.percentile(0.95), let now = use.figures.latency.percentile(0.95),
            Double(now) >= Self.slowerFactor * Double(usual), now - usual >= Self.slowerBy
        else { return nil }
        let share = self.share(use)
        var sentence = "95 % of its calls took up to \(time(now)); before, up to \(time(usual))."
        if share >= Self.largeShare { sentence += " It takes \(Figures.share(share)) of the database's time." }
        return finding(.slower, share >= Self.largeShare ? .high : .low, use, sentence)
    }

    /// As many of the calls since would have changed nothing anyway as before, each by itself: that all did has the
    /// probability `share ^ calls`.
    private func zeroRowWrites(_ query: QueryKey) -> QueryFinding? {
        guard let old = before.uses[query]?.figures, let use = after.uses[query] else { return nil }
        let now = use.figures
        guard old.writes >= Self.writesBefore, old.emptyWrites < old.writes, now.writes >= Self.emptyWrites,
            now.emptyWrites >= now.writes
        else { return nil }
        // One more of each (Laplace): none in ten is not proof of never.
        let share = Double(old.emptyWrites + 1) / Double(old.writes + 2)
        guard -UserSketch.logarithm(share) * Double(now.writes) >= Self.evidence else { return nil }
        let changed = Double(old.writes - old.emptyWrites) / Double(old.writes)
        return finding(
            .zeroRowWrites, .critical, use,
            "None of \(calls(now.writes)) changed a row; before, \(Figures.share(changed)) did. "
                + "What it should save is probably lost.")
    }

    /// λ = rate × window × (traffic now / traffic then). Traffic is the calls of those queries that are there on both
    /// sides, so that a new query of many calls does not make others look missing; the spans cancel out.
    private func vanished(_ query: QueryKey) -> QueryFinding? {
        guard let use = before.uses[query], after.untold == 0 else { return nil }
        let (then, now) = sharedCalls
        guard then > 0, now > 0 else { return nil }
        let expected = Double(use.expectedCalls) * Double(now) / Double(then)
        let traffic = Double(now) / Double(then) * Double(spanBefore.milliseconds) / Double(spanAfter.milliseconds)
        let bursts = use.rhythm.map { $0.bursts(in: spanAfter) * min(1, traffic) } ?? expected
        guard spanAfter > .zero, min(expected, bursts) >= Self.evidence else { return nil }
        return QueryFinding(
            kind: .vanished, severity: use.figures.writes > 0 ? .high : .low, database: name, query: query,
            text: use.text, before: use.figures, after: nil,
            sentence: "It is no longer called. After \(calls(use.expectedCalls)) in the \(spanBefore.spoken) before, "
                + "and with today's traffic, about \(Figures.count(expected)) were to be expected.")
    }

    private var sharedCalls: (then: Int, now: Int) {
        let shared = before.uses.keys.filter { after.uses[$0] != nil }
        // Nothing is left of what was called before: all traffic is the only measure that there is.
        guard !shared.isEmpty else { return (before.expected, after.calls) }
        return shared.reduce(into: (0, 0)) { sum, query in
            sum.0 += before.uses[query]?.expectedCalls ?? 0
            sum.1 += after.uses[query]?.figures.calls ?? 0
        }
    }

    // MARK: Words

    private func finding(
        _ kind: QueryFinding.Kind, _ severity: Severity, _ use: QueryUse, _ sentence: String
    ) -> QueryFinding {
        QueryFinding(
            kind: kind, severity: severity, database: name, query: use.query, text: use.text,
            before: before.uses[use.query]?.figures, after: use.figures, sentence: sentence)
    }

    private func share(_ use: QueryUse) -> Double {
        after.nanoseconds > 0 ? Double(use.figures.nanoseconds) / Double(after.nanoseconds) : 0
    }

    private func errorRate(_ figures: QueryFigures) -> Double {
        figures.calls > 0 ? Double(figures.errorCount) / Double(figures.calls) : 0
    }

    private func calls(_ count: Int) -> String {
        "\(Figures.count(Double(count))) \(count == 1 ? "call" : "calls")"
    }

    private func mean(_ figures: QueryFigures) -> String {
        Figures.time(milliseconds: Double(figures.nanoseconds) / 1e6 / Double(max(1, figures.calls)))
    }

    private func time(_ microseconds: Int64) -> String { Figures.time(milliseconds: Double(microseconds) / 1_000) }
}
