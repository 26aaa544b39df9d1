import Decide
import SQL

/// Samples of queries as tables hold them: by minute for a day, by hour for 35 days and by day for 400 days.
///
/// Minutes are kept for a shorter time than those of checks: there are thousands of queries, and a change is looked at
/// to the minute on the day it is made.
enum QueryStore {
    /// Different queries (by database, query and release) of one day; what comes beyond is counted as one query,
    /// `QueryKey.others`. Bounds every table: hours and minutes of a day have no others than the day.
    static let limit = 5_000
    static let textLength = 4_000
    static let nameLength = 200

    static func kept(_ resolution: SampleResolution) -> Span {
        resolution == .minute ? .days(1) : resolution.kept
    }

    /// Adds samples, all counted at one time.
    /// - Parameter limit: a test's own.
    static func add(
        _ samples: [QuerySample], at now: Instant, limit: Int = limit, _ connection: any SQLConnection
    ) throws {
        let samples = try told(samples.map(cleaned), at: now, limit: limit, connection)
        let texts = Dictionary(samples.map { ($0.query.hex, $0.text) }, uniquingKeysWith: { first, _ in first })
        for (query, text) in texts.sorted(by: { $0.key < $1.key }) { try add(query, text, at: now, connection) }
        for resolution in SampleResolution.allCases {
            for sample in samples { try add(sample, resolution, at: now, connection) }
        }
    }

    /// A client chooses the names of its release and database: they are cut, and have no NUL, which no database takes.
    private static func cleaned(_ sample: QuerySample) -> QuerySample {
        func clean(_ text: String, _ length: Int) -> String { String(text.filter { $0 != "\0" }.prefix(length)) }
        return QuerySample(
            database: clean(sample.database, nameLength), query: sample.query,
            release: clean(sample.release, nameLength), text: clean(sample.text, textLength), figures: sample.figures)
    }

    /// One sample for each database, query and release, in one order: processes that write at the same time would
    /// otherwise wait for each other in a circle.
    private static func told(
        _ samples: [QuerySample], at now: Instant, limit: Int, _ connection: any SQLConnection
    ) throws -> [QuerySample] {
        let today = SQLValue.integer(SampleResolution.day.start(of: now))
        let day = SQLValue.integer(SampleResolution.day.rawValue)
        let held = try connection.query(
            "SELECT COUNT(*) AS held FROM query_samples WHERE resolution = ? AND at = ?", [day, today])
        var free = try limit - Int(held.first?.int("held") ?? 0)
        let isTight = free < samples.count
        var told: [QueryRow: QuerySample] = [:]
        for var sample in samples {
            if isTight, told[QueryRow(sample)] == nil {
                let row = QueryRow(sample)
                let isHeld = try !connection.query(
                    """
                    SELECT 1 AS held FROM query_samples WHERE resolution = ? AND at = ? AND database_name = ?
                        AND fingerprint = ? AND release_name = ?
                    """, [day, today, .text(row.database), .text(row.query.hex), .text(row.release)]
                ).isEmpty
                if !isHeld, free <= 0 { (sample.query, sample.release, sample.text) = (.others, "", "") }
                if !isHeld { free -= 1 }
            }
            let row = QueryRow(sample)
            if told[row] == nil { told[row] = sample } else { told[row]?.figures.add(sample.figures) }
        }
        return told.values.sorted { QueryRow($0) < QueryRow($1) }
    }

    private static func add(
        _ query: String, _ text: String, at now: Instant, _ connection: any SQLConnection
    ) throws {
        // Once a day is often enough to know which texts are no longer used.
        try connection.execute(
            """
            INSERT INTO query_texts (fingerprint, text, last_at) VALUES (?, ?, ?)
            ON CONFLICT (fingerprint) DO UPDATE SET last_at = excluded.last_at
                WHERE query_texts.last_at < excluded.last_at - 86400000
            """, [.text(query), .text(text), .integer(now.milliseconds)])
    }

    /// Counts are added by the upsert, which also holds the row for this transaction; the two texts are read from it,
    /// merged here and written back. A row that is new has empty ones.
    private static func add(
        _ sample: QuerySample, _ resolution: SampleResolution, at now: Instant, _ connection: any SQLConnection
    ) throws {
        let key: [SQLValue] = [
            .integer(resolution.rawValue), .integer(resolution.start(of: now)), .text(sample.database),
            .text(sample.query.hex), .text(sample.release),
        ]
        var figures = sample.figures
        let rows = try connection.query(
            """
            INSERT INTO query_samples (resolution, at, database_name, fingerprint, release_name, calls, nanoseconds,
                row_count, writes, empty_writes, errors, latency)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '')
            ON CONFLICT (resolution, at, database_name, fingerprint, release_name) DO UPDATE SET
                calls = query_samples.calls + excluded.calls,
                nanoseconds = query_samples.nanoseconds + excluded.nanoseconds,
                row_count = query_samples.row_count + excluded.row_count,
                writes = query_samples.writes + excluded.writes,
                empty_writes = query_samples.empty_writes + excluded.empty_writes
            RETURNING errors, latency
            """,
            key + [
                SQLValue(figures.calls), .integer(figures.nanoseconds), SQLValue(figures.rows),
                SQLValue(figures.writes), SQLValue(figures.emptyWrites),
            ])
        if let row = rows.first {
            figures.errors.merge(try QueryTexts.errors(row.text("errors")), uniquingKeysWith: +)
            figures.latency.add(try QueryTexts.latency(row.text("latency")))
        }
        try connection.execute(
            """
            UPDATE query_samples SET errors = ?, latency = ?
            WHERE resolution = ? AND at = ? AND database_name = ? AND fingerprint = ? AND release_name = ?
            """, [.text(QueryTexts.text(figures.errors)), .text(QueryTexts.text(figures.latency))] + key)
    }

    static func prune(_ now: Instant, _ connection: any SQLConnection) throws {
        for resolution in SampleResolution.allCases {
            try connection.execute(
                "DELETE FROM query_samples WHERE resolution = ? AND at < ?",
                [.integer(resolution.rawValue), .integer((now - kept(resolution)).milliseconds)])
        }
        // A day longer than samples: `last_at` is up to a day late.
        try connection.execute(
            "DELETE FROM query_texts WHERE last_at < ?",
            [.integer((now - kept(.day) - .days(2)).milliseconds)])
    }
}

/// What rows of one span are told apart by.
struct QueryRow: Hashable, Comparable, Sendable {
    var database: String
    var query: QueryKey
    var release: String

    init(database: String, query: QueryKey, release: String) {
        self.database = database
        self.query = query
        self.release = release
    }

    init(_ sample: QuerySample) {
        self.init(database: sample.database, query: sample.query, release: sample.release)
    }

    static func < (one: QueryRow, other: QueryRow) -> Bool {
        (one.database, one.query.fingerprint, one.release) < (other.database, other.query.fingerprint, other.release)
    }
}

/// Figures of many parts as JSON: `{"23505":2}`, and times with their counts in turn: `[120,3,450,1]`. Empty for none.
enum QueryTexts {
    static func text(_ errors: [String: Int]) throws -> String {
        errors.isEmpty ? "" : try Stored.encode(errors)
    }

    static func errors(_ text: String) throws -> [String: Int] {
        text.isEmpty ? [:] : try Stored.decode([String: Int].self, text, of: "a query's errors")
    }

    static func text(_ latency: LatencyCounts) -> String {
        latency.pairs.isEmpty
            ? "" : "[" + latency.pairs.map { "\($0.microseconds),\($0.count)" }.joined(separator: ",") + "]"
    }

    /// Read by hand: a week of a busy database is thousands of them, and a general decoder takes seconds for that.
    static func latency(_ text: String) throws -> LatencyCounts {
        guard !text.isEmpty else { return LatencyCounts() }
        let damaged = SQLError(.decoding, "a query's stored latencies cannot be read")
        guard text.hasPrefix("["), text.hasSuffix("]") else { throw damaged }
        let numbers = text.utf8.dropFirst().dropLast().split(separator: UInt8(ascii: ","))
        guard numbers.count.isMultiple(of: 2) else { throw damaged }
        var pairs: [LatencyCounts.Pair] = []
        pairs.reserveCapacity(numbers.count / 2)
        for index in stride(from: 0, to: numbers.count, by: 2) {
            guard let time = Int64(Substring(numbers[index])), let count = Int(Substring(numbers[index + 1])) else {
                throw damaged
            }
            pairs.append(LatencyCounts.Pair(microseconds: time, count: count))
        }
        return LatencyCounts(pairs)
    }
}
