/// What a change did to the traffic of databases: the queries after it, held against those before it.
///
/// Thresholds are the ones of the guard's design; where a choice was left, its reason stands beside it. A finding is
/// never made from figures that could as well be chance, and no finding is no proof: `verdict` says whether there was
/// enough to look at.
package struct QueryDiff: Hashable, Sendable {
    package enum Verdict: String, Hashable, Sendable, Codable, CaseIterable {
        /// There are findings.
        case different
        /// There was enough to look at, and nothing was found.
        case noDifference
        /// Nothing was found, and there was too little to say that there is nothing.
        case tooLittle
    }

    package var verdict: Verdict
    /// The worst first.
    package var findings: [QueryFinding]
    /// Why it could not all be looked at, in sentences.
    package var gaps: [String]
    /// What to keep in mind while reading.
    package var notes: [String]

    /// A query is new when it was absent this long.
    package static let baseline: Span = .days(7)
    /// Calls of a database on each side, below which the absence of findings says nothing.
    package static let enoughCalls = 100
    /// Time before the change, below which it is no picture of what is usual.
    package static let enoughBefore: Span = .hours(1)

    package static func compare(before: QueryPeriod, after: QueryPeriod) -> QueryDiff {
        let (old, new) = (QueryDatabase.all(before), QueryDatabase.all(after))
        var findings: [QueryFinding] = []
        var gaps: [String] = []
        for name in Set(old.keys).union(new.keys).sorted() {
            let pair = QueryPair(
                name: name, before: old[name] ?? QueryDatabase(), after: new[name] ?? QueryDatabase(),
                spanBefore: before.span, spanAfter: after.span)
            findings += pair.findings
            gaps += pair.gaps
        }
        if old.isEmpty, new.isEmpty { gaps.append("No query was counted, neither before nor after.") }
        if !old.isEmpty, before.span < enoughBefore {
            gaps.append("The time before covers only \(before.span.spoken): that is no picture of what is usual.")
        }
        var notes: [String] = []
        if !old.isEmpty, before.span >= enoughBefore, before.span < baseline {
            notes.append("The time before covers \(before.span.spoken): a query that runs more rarely looks new.")
        }
        return QueryDiff(
            verdict: findings.isEmpty ? gaps.isEmpty ? .noDifference : .tooLittle : .different,
            findings: findings.sorted(by: QueryFinding.precedes), gaps: gaps, notes: notes)
    }
}

/// One database on one side of a comparison.
struct QueryDatabase: Hashable, Sendable {
    var uses: [QueryKey: QueryUse] = [:]
    var calls = 0
    /// Those of them that are to be expected on the other side too.
    var expected = 0
    var nanoseconds: Int64 = 0
    /// Calls of queries that were too many to be told apart.
    var untold = 0

    static func all(_ period: QueryPeriod) -> [String: QueryDatabase] {
        var all: [String: QueryDatabase] = [:]
        for use in period.uses where use.figures.calls > 0 && use.query != .transactionControl {
            all[use.database, default: QueryDatabase()].add(use)
        }
        return all
    }

    private mutating func add(_ use: QueryUse) {
        calls += use.figures.calls
        expected += use.expectedCalls
        nanoseconds += use.figures.nanoseconds
        if use.query.isOne {
            uses[use.query] = use
        } else {
            untold += use.figures.calls
        }
    }
}
