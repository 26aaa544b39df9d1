import Decide
import SQL

/// Rows of `query_samples` and `query_texts` as values.
enum QueryReader {
    static func rows(
        _ tile: QueryTiles.Tile, _ filter: QueryFilter, _ connection: any SQLConnection
    ) throws -> [(QueryRow, QueryFigures)] {
        let (sql, arguments) = filter.conditions
        return try connection.query(
            "SELECT * FROM query_samples WHERE resolution = ? AND at = ?\(sql)",
            [.integer(tile.resolution.rawValue), .integer(tile.start.milliseconds)] + arguments
        ).map { row in
            (
                QueryRow(
                    database: try row.text("database_name"), query: try key(row),
                    release: try row.text("release_name")), try figures(row)
            )
        }
    }

    /// When a tile's first sample begins, as precisely as it is still kept: a guard that started at noon has not
    /// counted since midnight.
    static func start(
        in tile: QueryTiles.Tile, _ filter: QueryFilter, _ connection: any SQLConnection
    ) throws -> Instant {
        let (sql, arguments) = filter.conditions
        var (start, span) = (tile.start, tile.resolution.span)
        for resolution in [SampleResolution.hour, .minute] where resolution.span < span {
            let rows = try connection.query(
                "SELECT MIN(at) AS first_at FROM query_samples WHERE resolution = ? AND at >= ? AND at < ?\(sql)",
                [
                    .integer(resolution.rawValue), .integer(start.milliseconds), .integer((start + span).milliseconds),
                ] + arguments)
            guard let first = try rows.first?.optionalInt("first_at") else { break }
            (start, span) = (Instant(milliseconds: first), resolution.span)
        }
        return start
    }

    static func figures(_ row: SQLRow) throws -> QueryFigures {
        var figures = QueryFigures()
        figures.calls = Int(try row.int("calls"))
        figures.nanoseconds = try row.int("nanoseconds")
        figures.rows = Int(try row.int("row_count"))
        figures.writes = Int(try row.int("writes"))
        figures.emptyWrites = Int(try row.int("empty_writes"))
        figures.errors = try QueryTexts.errors(row.text("errors"))
        figures.latency = try QueryTexts.latency(row.text("latency"))
        return figures
    }

    static func key(_ row: SQLRow) throws -> QueryKey {
        let hex = try row.text("fingerprint")
        guard let key = QueryKey(hex: hex) else { throw SQLError(.decoding, "'\(hex)' is no fingerprint") }
        return key
    }

    static func texts(
        of queries: Set<QueryKey>, _ connection: any SQLConnection
    ) throws -> [QueryKey: String] {
        var texts: [QueryKey: String] = [:]
        let all = queries.map(\.hex).sorted()
        // SQLite takes at most 32,766 parameters; a few hundred at a time make one plan.
        for start in stride(from: 0, to: all.count, by: 500) {
            let some = all[start..<min(start + 500, all.count)]
            let marks = some.map { _ in "?" }.joined(separator: ", ")
            for row in try connection.query(
                "SELECT fingerprint, text FROM query_texts WHERE fingerprint IN (\(marks))",
                some.map { .text($0) })
            {
                texts[try key(row)] = try row.text("text")
            }
        }
        return texts
    }
}
