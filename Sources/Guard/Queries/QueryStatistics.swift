import Decide
import Histogram
import PGWire

/// What each query cost, by database, release and fingerprint; bounded.
///
/// Past the limit the ones that were not called for a while make room; when all are busy, the new one is counted only
/// as one that found no place.
final class QueryStatistics {
    static let limit = 5_000
    /// A query called within this is not dropped for another.
    static let keptFor: Int64 = 60 * 1_000_000_000
    /// Looked at for one that can be dropped: this is on the path of a query.
    private static let looks = 8

    struct Key: Hashable {
        var fingerprint: UInt64
        var release: UInt32
        var database: UInt32
    }

    private(set) var entries: [QueryEntry] = []
    private var index: [Key: Int] = [:]
    private var hand = 0
    /// Statements that found no place.
    private(set) var dropped: Int64 = 0
    /// Somebody takes samples: what is dropped was told first.
    private var collects = false
    private var orphans: [QuerySample] = []

    func text(of fingerprint: UInt64) -> String? {
        entries.first { $0.query.fingerprint == fingerprint }?.query.normalizedText
    }

    /// Nil when there are too many already.
    ///
    /// - Parameter names: of the database and of the release, for an entry that is made now.
    func entry(
        of query: QueryInfo, release: UInt32, database: UInt32, now: Int64,
        names: () -> (database: String, release: String)
    ) -> QueryEntry? {
        let key = Key(fingerprint: query.fingerprint, release: release, database: database)
        if let place = index[key] { return entries[place] }
        guard let place = makePlace(now) else {
            dropped += 1
            return nil
        }
        let (database, release) = names()
        let entry = QueryEntry(query, key: key, database: database, release: release, collects: collects)
        if place == entries.count { entries.append(entry) } else { entries[place] = entry }
        index[key] = place
        return entry
    }

    private func makePlace(_ now: Int64) -> Int? {
        if entries.count < Self.limit { return entries.count }
        for _ in 0..<Self.looks {
            hand = hand + 1 < entries.count ? hand + 1 : 0
            let entry = entries[hand]
            guard now - entry.lastAt > Self.keptFor else { continue }
            entry.isDropped = true
            index[entry.key] = nil
            entry.fold()
            if collects, let sample = entry.takeUnsent(), orphans.count < Self.limit { orphans.append(sample) }
            return hand
        }
        return nil
    }

    /// Once a minute or so, so that no count of a histogram runs over.
    func fold() {
        for entry in entries { entry.fold() }
    }

    /// What was counted since this was last asked.
    func takeSamples() -> [QuerySample] {
        fold()
        if !collects {
            collects = true
            for entry in entries { entry.startCollecting() }
        }
        let taken = orphans + entries.compactMap { $0.takeUnsent() }
        orphans = []
        return taken
    }
}

/// One query of one release in one database.
final class QueryEntry {
    let query: QueryInfo
    let key: QueryStatistics.Key
    let database: String
    let release: String
    /// Another has its place: whoever holds on to it has to ask anew.
    var isDropped = false
    private var collects: Bool
    private(set) var lastAt: Int64 = 0

    // Since the last fold.
    private var calls = 0
    private var nanoseconds: Int64 = 0
    private var rows = 0
    private var writes = 0
    private var emptyWrites = 0
    private var errors: [SQLState: Int] = [:]
    /// Of microseconds, within one percent.
    private var latency = Histogram<UInt32>(numberOfSignificantValueDigits: .two)

    private(set) var total = QueryFigures()
    private var unsent = QueryFigures()

    init(_ query: QueryInfo, key: QueryStatistics.Key, database: String, release: String, collects: Bool) {
        self.query = query
        self.collects = collects
        self.key = key
        self.database = database
        self.release = release
    }

    /// The longest time told apart from a longer one.
    private static let longest: Int64 = 3_600_000_000

    func add(_ statement: RunningStatement, _ now: Int64) {
        let span = now - statement.sentAt
        lastAt = now
        calls += 1
        nanoseconds += span
        rows += statement.rows
        latency.record(UInt64(min(max(0, span / 1_000), Self.longest)))
        if let state = statement.sqlState {
            errors[state, default: 0] += 1
        } else if statement.tag.isWrite {
            writes += 1
            if statement.rows == 0 { emptyWrites += 1 }
        }
    }

    func fold() {
        guard calls > 0 else { return }
        var figures = QueryFigures()
        figures.calls = calls
        figures.nanoseconds = nanoseconds
        figures.rows = rows
        figures.writes = writes
        figures.emptyWrites = emptyWrites
        figures.errors = Dictionary(uniqueKeysWithValues: errors.map { ("\($0.key)", $0.value) })
        figures.latency = LatencyCounts(
            latency.recordedValues().map {
                LatencyCounts.Pair(microseconds: Int64(clamping: $0.value), count: Int($0.count))
            })
        total.add(figures)
        if collects { unsent.add(figures) }
        (calls, nanoseconds, rows, writes, emptyWrites) = (0, 0, 0, 0, 0)
        errors.removeAll(keepingCapacity: true)
        latency.reset()
    }

    /// Every call is told, those before included.
    func startCollecting() {
        collects = true
        unsent = total
    }

    func takeUnsent() -> QuerySample? {
        guard unsent.calls > 0 else { return nil }
        defer { unsent = QueryFigures() }
        return QuerySample(
            database: database, query: QueryKey(fingerprint: query.fingerprint), release: release,
            text: query.normalizedText, figures: unsent)
    }
}
