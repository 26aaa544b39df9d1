import Decide
import SQL

/// Which samples of queries are asked for; nil: of any.
package struct QueryFilter: Hashable, Sendable {
    package var database: String?
    package var query: QueryKey?
    /// Names of one release (`Record.names(ofReleases:)`).
    package var releases: [String]?
    /// All but of these.
    package var excludedReleases: [String] = []

    package init(
        database: String? = nil, query: QueryKey? = nil, releases: [String]? = nil, excludedReleases: [String] = []
    ) {
        self.database = database
        self.query = query
        self.releases = releases
        self.excludedReleases = excludedReleases
    }

    var conditions: (sql: String, arguments: [SQLValue]) {
        var (sql, arguments) = ("", [SQLValue]())
        if let database {
            sql += " AND database_name = ?"
            arguments.append(.text(database))
        }
        if let query {
            sql += " AND fingerprint = ?"
            arguments.append(.text(query.hex))
        }
        for (names, word) in [(releases, "IN"), (excludedReleases.isEmpty ? nil : excludedReleases, "NOT IN")] {
            guard let names else { continue }
            sql += " AND release_name \(word) (\(names.map { _ in "?" }.joined(separator: ", ")))"
            arguments += names.map { .text($0) }
        }
        return (sql, arguments)
    }
}

/// What was counted in a window of time.
package struct QueryWindow: Hashable, Sendable {
    /// What was asked for, as far as samples of that time can be told apart.
    package var start: Instant
    package var end: Instant
    /// The beginning of the span in which anything was counted first; nil: nothing was.
    package var firstAt: Instant?
    /// One for each database, query and release; in order of these.
    package var samples: [QuerySample]

    package var span: Span { end - start }
    /// From the first count on: before it, nobody counted.
    package var covered: Span { firstAt.map { end - max(start, $0) } ?? .zero }
}

extension Record {
    /// Adds what a guard counted, in one transaction.
    /// - Parameter at: when it was taken; nil: now.
    package func sample(queries samples: [QuerySample], at: Instant? = nil) async throws {
        guard !samples.isEmpty else { return }
        let at = at ?? now()
        try await database.write { connection in try QueryStore.add(samples, at: at, connection) }
        signals.send(.samples)
    }

    /// What was counted from `start` to `end`.
    package func queries(from start: Instant, to end: Instant, _ filter: QueryFilter = .init()) async throws
        -> QueryWindow
    {
        let tiles = QueryTiles(from: start, to: end, now: now())
        return try await database.read { connection in
            var sums: [QueryRow: QueryFigures] = [:]
            var first: Instant?
            for tile in tiles.tiles {
                let rows = try QueryReader.rows(tile, filter, connection)
                if first == nil, !rows.isEmpty { first = try QueryReader.start(in: tile, filter, connection) }
                for (row, figures) in rows { sums[row, default: QueryFigures()].add(figures) }
            }
            let texts = try QueryReader.texts(of: Set(sums.keys.map(\.query)), connection)
            return QueryWindow(
                start: tiles.start, end: tiles.end, firstAt: first,
                samples: sums.sorted { $0.key < $1.key }.map { row, figures in
                    QuerySample(
                        database: row.database, query: row.query, release: row.release,
                        text: texts[row.query] ?? "", figures: figures)
                })
        }
    }

    /// One query over time, oldest first; releases apart.
    package func history(
        ofQuery query: QueryKey, database name: String?, _ resolution: SampleResolution, since: Instant
    ) async throws -> [QuerySlot] {
        let (sql, arguments) = QueryFilter(database: name, query: query).conditions
        return try await database.read { connection in
            try connection.query(
                """
                SELECT * FROM query_samples WHERE resolution = ? AND at >= ?\(sql)
                ORDER BY at, database_name, release_name LIMIT 10000
                """, [.integer(resolution.rawValue), .integer(resolution.start(of: since))] + arguments
            ).map { row in
                QuerySlot(
                    at: Instant(milliseconds: try row.int("at")), database: try row.text("database_name"),
                    release: try row.text("release_name"), figures: try QueryReader.figures(row))
            }
        }
    }

    /// Nil: it was never counted.
    package func text(ofQuery query: QueryKey) async throws -> String? {
        try await database.read { connection in try QueryReader.texts(of: [query], connection)[query] }
    }

    /// Releases that clients named, latest first.
    package func releases(inQueriesSince start: Instant, database name: String? = nil) async throws -> [NamedRelease] {
        let (sql, arguments) = QueryFilter(database: name).conditions
        return try await database.read { connection in
            try connection.query(
                """
                SELECT release_name, MIN(at) AS first_at, MAX(at) AS last_at, CAST(SUM(calls) AS BIGINT) AS called
                FROM query_samples
                WHERE resolution = ? AND at >= ? AND release_name <> ''\(sql)
                GROUP BY release_name ORDER BY MAX(at) DESC, MIN(at) DESC, release_name LIMIT 100
                """,
                [
                    .integer(SampleResolution.hour.rawValue), .integer(SampleResolution.hour.start(of: start)),
                ] + arguments
            ).map { row in
                NamedRelease(
                    name: try row.text("release_name"), firstAt: Instant(milliseconds: try row.int("first_at")),
                    lastAt: Instant(milliseconds: try row.int("last_at")), calls: Int(try row.int("called")))
            }
        }
    }

    /// These names, and those that clients gave with a program's name before them: `shop@5f2c1e7` for `5f2c1e7`.
    package func names(ofReleases releases: [String], database name: String?) async throws -> [String] {
        let endings = releases.filter { ReleaseName($0).program == nil && !$0.isEmpty }
        guard !endings.isEmpty else { return releases }
        let (sql, arguments) = QueryFilter(database: name).conditions
        let likes = endings.map { _ in "release_name LIKE ? ESCAPE '!'" }.joined(separator: " OR ")
        let patterns = endings.map { ending in
            SQLValue.text("%@" + String(ending.flatMap { "!%_".contains($0) ? ["!", $0] : [$0] }))
        }
        let found = try await database.read { connection in
            try connection.query(
                """
                SELECT DISTINCT release_name FROM query_samples WHERE resolution = ?\(sql) AND (\(likes))
                ORDER BY release_name LIMIT 100
                """, [.integer(SampleResolution.day.rawValue)] + arguments + patterns
            ).map { try $0.text("release_name") }
        }
        // By the rule of all others: LIKE takes letters of any case in one of the databases.
        return releases
            + found.filter { endings.contains(ReleaseName($0).release) && !releases.contains($0) }.sorted()
    }

    /// When clients first named a release by one of these names, to the minute if that is still kept; nil: never.
    package func firstUse(ofReleases names: [String], database name: String?) async throws -> Instant? {
        guard !names.isEmpty else { return nil }
        return try await database.read { connection in
            let (sql, arguments) = QueryFilter(database: name, releases: names).conditions
            var first: Instant?
            for resolution in SampleResolution.allCases.reversed() {
                let rows = try connection.query(
                    "SELECT MIN(at) AS first_at FROM query_samples WHERE resolution = ?\(sql)",
                    [.integer(resolution.rawValue)] + arguments)
                guard let finer = try rows.first?.optionalInt("first_at").map(Instant.init(milliseconds:)) else {
                    return first
                }
                // Later than the larger span it belongs to: its own beginning is no longer kept.
                if let first, finer >= first + resolution.next { return first }
                first = finer
            }
            return first
        }
    }

    /// In how many spans of one size each query was seen, and each database at all.
    package func rhythms(
        from start: Instant, to end: Instant, _ resolution: SampleResolution, database name: String?
    ) async throws -> [QueryUse.Key: QueryRhythm] {
        let (sql, arguments) = QueryFilter(database: name).conditions
        let window: [SQLValue] = [
            .integer(resolution.rawValue), .integer(start.milliseconds), .integer(end.milliseconds),
        ]
        return try await database.read { connection in
            var slots: [String: Int] = [:]
            for row in try connection.query(
                """
                SELECT database_name, COUNT(DISTINCT at) AS slots FROM query_samples
                WHERE resolution = ? AND at >= ? AND at < ?\(sql) GROUP BY database_name
                """, window + arguments)
            {
                slots[try row.text("database_name")] = Int(try row.int("slots"))
            }
            var rhythms: [QueryUse.Key: QueryRhythm] = [:]
            for row in try connection.query(
                """
                SELECT database_name, fingerprint, COUNT(DISTINCT at) AS slots FROM query_samples
                WHERE resolution = ? AND at >= ? AND at < ?\(sql) GROUP BY database_name, fingerprint
                """, window + arguments)
            {
                let key = QueryUse.Key(database: try row.text("database_name"), query: try QueryReader.key(row))
                rhythms[key] = QueryRhythm(
                    slot: resolution.span, slots: slots[key.database] ?? 0, active: Int(try row.int("slots")))
            }
            return rhythms
        }
    }
}

/// One query of one release in one span of time.
package struct QuerySlot: Hashable, Sendable {
    package var at: Instant
    package var database: String
    package var release: String
    package var figures: QueryFigures
}

/// A release as clients name it; times are starts of hours.
package struct NamedRelease: Hashable, Sendable {
    package var name: String
    package var firstAt: Instant
    package var lastAt: Instant
    package var calls: Int
}

extension SampleResolution {
    /// The span of the next larger one.
    fileprivate var next: Span {
        switch self {
        case .minute: SampleResolution.hour.span
        case .hour, .day: SampleResolution.day.span
        }
    }
}
