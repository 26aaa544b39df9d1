import PGWire

/// What each query cost, by release and fingerprint; bounded.
final class QueryStatistics {
    static let limit = 5_000

    struct Key: Hashable {
        var fingerprint: UInt64
        var release: String
    }

    private(set) var entries: [Key: QueryEntry] = [:]
    private(set) var dropped = 0

    func text(of fingerprint: UInt64) -> String? {
        entries.first { $0.key.fingerprint == fingerprint }?.value.query.normalizedText
    }

    /// Nil when there are too many already.
    func entry(of query: QueryInfo, release: String) -> QueryEntry? {
        let key = Key(fingerprint: query.fingerprint, release: release)
        if let entry = entries[key] { return entry }
        guard entries.count < Self.limit else {
            dropped += 1
            return nil
        }
        let entry = QueryEntry(query)
        entries[key] = entry
        return entry
    }
}

/// One query of one release.
final class QueryEntry {
    let query: QueryInfo
    private(set) var calls = 0
    private(set) var nanoseconds: Int64 = 0
    private(set) var rows = 0
    private(set) var errors: [SQLState: Int] = [:]
    /// Writes that changed no row.
    private(set) var emptyWrites = 0
    private(set) var latency = LatencyHistogram()

    init(_ query: QueryInfo) {
        self.query = query
    }

    func add(_ statement: RunningStatement, _ span: Int64) {
        calls += 1
        nanoseconds += span
        rows += statement.rows
        latency.add(span)
        if let state = statement.sqlState {
            errors[state, default: 0] += 1
        } else if statement.tag.isWrite, statement.rows == 0 {
            emptyWrites += 1
        }
    }
}
