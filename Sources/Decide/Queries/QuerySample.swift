/// What one query of one release did in a span of time, as a guard counted it.
package struct QuerySample: Hashable, Sendable, Codable {
    /// As clients name it.
    package var database: String
    package var query: QueryKey
    /// Empty: nobody said.
    package var release: String
    /// Without constants; may be cut.
    package var text: String
    package var figures: QueryFigures

    package init(database: String, query: QueryKey, release: String, text: String, figures: QueryFigures) {
        self.database = database
        self.query = query
        self.release = release
        self.text = text
        self.figures = figures
    }
}

/// Counts that can be added up: over time, over machines.
package struct QueryFigures: Hashable, Sendable, Codable {
    package var calls = 0
    /// From the moment a call was sent to the server to its end, added up.
    package var nanoseconds: Int64 = 0
    /// Sent to clients, or touched.
    package var rows = 0
    /// Calls of INSERT, UPDATE, DELETE or MERGE that ended well, and those of them that changed no row.
    package var writes = 0
    package var emptyWrites = 0
    /// By SQLSTATE.
    package var errors: [String: Int] = [:]
    package var latency = LatencyCounts()

    package init() {}

    package var errorCount: Int { errors.values.reduce(0, +) }

    package mutating func add(_ other: QueryFigures) {
        calls += other.calls
        nanoseconds += other.nanoseconds
        rows += other.rows
        writes += other.writes
        emptyWrites += other.emptyWrites
        errors.merge(other.errors, uniquingKeysWith: +)
        latency.add(other.latency)
    }
}

/// How many calls took how long: pairs of a time and a count, in order of time, without zeros. Only the times that
/// were met are held, so that thousands of queries can have one each.
package struct LatencyCounts: Hashable, Sendable, Codable {
    package struct Pair: Hashable, Sendable, Codable {
        package var microseconds: Int64
        package var count: Int

        package init(microseconds: Int64, count: Int) {
            self.microseconds = microseconds
            self.count = count
        }
    }

    package private(set) var pairs: [Pair] = []

    package init() {}

    /// In any order; pairs of one time are added up, counts below 1 left out.
    package init(_ pairs: some Sequence<Pair>) {
        for pair in pairs.sorted(by: { $0.microseconds < $1.microseconds }) where pair.count > 0 {
            if self.pairs.last?.microseconds == pair.microseconds {
                self.pairs[self.pairs.count - 1].count += pair.count
            } else {
                self.pairs.append(pair)
            }
        }
    }

    package var total: Int { pairs.reduce(0) { $0 + $1.count } }

    package mutating func add(_ other: LatencyCounts) {
        if !other.pairs.isEmpty { self = LatencyCounts(pairs + other.pairs) }
    }

    /// Microseconds that `share` (0…1) of all calls did not exceed; nil without any.
    package func percentile(_ share: Double) -> Int64? {
        let rank = max(1, Int((Double(total) * share).rounded(.up)))
        var seen = 0
        for pair in pairs {
            seen += pair.count
            if seen >= rank { return pair.microseconds }
        }
        return pairs.last?.microseconds
    }
}
