import Decide
import Record

/// What queries cost in a window of time, the most expensive first.
package struct QueryTrafficView: Sendable {
    package struct Line: Hashable, Sendable {
        package var database: String
        package var query: QueryKey
        package var text: String
        /// Of all releases.
        package var figures: QueryFigures
        /// Of its database's time, 0…1.
        package var share: Double
        /// The most expensive first; one with an empty name when clients named none.
        package var releases: [Part]
    }

    /// One release's part in a query.
    package struct Part: Hashable, Sendable {
        package var release: String
        package var figures: QueryFigures
    }

    package static let pageSize = 50

    package var database: String?
    package var release: String?
    package var start: Instant
    package var end: Instant
    package var lines: [Line]
    /// Queries that there are, shown or not.
    package var count: Int
    package var databases: [String]
    /// Latest first.
    package var releases: [NamedRelease]

    package var span: Span { end - start }

    package static func load(
        since: Instant, database: String? = nil, release: String? = nil, limit: Int = pageSize, _ record: Record,
        now: Instant
    ) async throws -> QueryTrafficView {
        var filter = QueryFilter(database: database)
        if let release { filter.releases = try await record.names(ofReleases: [release], database: database) }
        let window = try await record.queries(from: since, to: now, filter)
        let all = lines(window.samples)
        // A filter must not take away the other choices.
        let databases =
            database == nil && release == nil
            ? Set(all.map(\.database)) : Set(try await record.queries(from: since, to: now).samples.map(\.database))
        return QueryTrafficView(
            database: database, release: release, start: window.start, end: window.end,
            lines: Array(all.prefix(limit)), count: all.count, databases: databases.sorted(),
            releases: try await record.releases(inQueriesSince: now - .days(7), database: database))
    }

    static func lines(_ samples: [QuerySample]) -> [Line] {
        var lines: [QueryUse.Key: Line] = [:]
        var time: [String: Int64] = [:]
        for sample in samples {
            let key = QueryUse.Key(database: sample.database, query: sample.query)
            var line =
                lines[key]
                ?? Line(
                    database: sample.database, query: sample.query, text: sample.text, figures: QueryFigures(),
                    share: 0, releases: [])
            line.figures.add(sample.figures)
            line.releases.append(Part(release: sample.release, figures: sample.figures))
            lines[key] = line
            time[sample.database, default: 0] += sample.figures.nanoseconds
        }
        return lines.values.map { line in
            var line = line
            line.share = Double(line.figures.nanoseconds) / Double(max(1, time[line.database] ?? 1))
            line.releases.sort { ($1.figures.nanoseconds, $0.release) < ($0.figures.nanoseconds, $1.release) }
            return line
        }.sorted {
            ($1.figures.nanoseconds, $0.database, $0.query.fingerprint)
                < ($0.figures.nanoseconds, $1.database, $1.query.fingerprint)
        }
    }
}

/// One query over time.
package struct QueryHistoryView: Sendable {
    /// All that was counted in one hour, by release.
    package struct Hour: Hashable, Sendable {
        package var at: Instant
        package var figures: QueryFigures
    }

    package static let past: Span = .days(2)

    package var query: QueryKey
    package var text: String
    package var databases: [String]
    /// The latest first; hours without a call are left out.
    package var hours: [Hour]
    /// Of the last seven days, the latest first by their first hour.
    package var releases: [QueryTrafficView.Part]

    /// Nil: the query was never counted.
    package static func load(_ query: QueryKey, _ record: Record, now: Instant) async throws -> QueryHistoryView? {
        guard let text = try await record.text(ofQuery: query) else { return nil }
        let slots = try await record.history(ofQuery: query, database: nil, .hour, since: now - .days(7))
        var (hours, releases) = ([Instant: QueryFigures](), [String: QueryFigures]())
        for slot in slots {
            if slot.at >= now - past { hours[slot.at, default: QueryFigures()].add(slot.figures) }
            releases[slot.release, default: QueryFigures()].add(slot.figures)
        }
        let order = slots.reduce(into: [String]()) { if !$0.contains($1.release) { $0.append($1.release) } }
        return QueryHistoryView(
            query: query, text: text, databases: Set(slots.map(\.database)).sorted(),
            hours: hours.map { Hour(at: $0.key, figures: $0.value) }.sorted { $0.at > $1.at },
            releases: order.reversed().map {
                QueryTrafficView.Part(release: $0, figures: releases[$0] ?? QueryFigures())
            })
    }
}
