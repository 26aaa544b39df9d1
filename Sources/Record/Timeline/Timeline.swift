import Decide
import SQL

/// One line of the timeline as it was written.
package struct TimelineEntry: Hashable, Sendable, Codable {
    package var id: Int64
    package var at: Instant
    package var actor: Actor
    package var subject: Subject
    package var entry: Entry
}

package enum Timeline {
    /// Which lines: all given conditions hold.
    package struct Filter: Hashable, Sendable {
        package var incident: String?
        package var change: String?
        package var service: String?

        package init(incident: String? = nil, change: String? = nil, service: String? = nil) {
            self.incident = incident
            self.change = change
            self.service = service
        }
    }

    package static let pageLimit = 500

    static func append(
        _ lines: [(Entry, Actor, Subject)], at now: Instant, _ connection: any SQLConnection
    ) throws -> [TimelineEntry] {
        guard !lines.isEmpty else { return [] }
        let last = try Counters.take("timeline", lines.count, connection)
        var written: [TimelineEntry] = []
        for (offset, (entry, actor, subject)) in lines.enumerated() {
            let id = last - Int64(lines.count - 1 - offset)
            try connection.execute(
                """
                INSERT INTO timeline
                    (id, at, kind, text, actor_kind, actor, subject_kind, subject, service, feature, incident, change_id, data)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .integer(id), .integer(now.milliseconds), .text(entry.kind), .text(entry.text),
                    .text(actor.kind.rawValue), .text(actor.name), .text(subject.kind.rawValue), .text(subject.id),
                    SQLValue(entry.service), SQLValue(entry.feature), SQLValue(entry.incident), SQLValue(entry.change),
                    .text(try Stored.encode(entry.data)),
                ])
            written.append(TimelineEntry(id: id, at: now, actor: actor, subject: subject, entry: entry))
        }
        return written
    }

    static func read(_ row: SQLRow) throws -> TimelineEntry {
        let id = try row.int("id")
        guard let actorKind = Actor.Kind(rawValue: try row.text("actor_kind")),
            let subjectKind = Subject.Kind(rawValue: try row.text("subject_kind"))
        else { throw SQLError(.decoding, "timeline line \(id) has an unknown actor or subject kind") }
        let entry = Entry(
            try row.text("kind"), try row.text("text"), service: try row.optionalText("service"),
            feature: try row.optionalText("feature"), incident: try row.optionalText("incident"),
            change: try row.optionalText("change_id"),
            data: try Stored.decode([String: JSONValue].self, row.text("data"), of: "timeline line \(id)"))
        return TimelineEntry(
            id: id, at: Instant(milliseconds: try row.int("at")), actor: Actor(actorKind, try row.text("actor")),
            subject: Subject(subjectKind, try row.text("subject")), entry: entry)
    }
}

enum Counters {
    /// Adds `count` to a counter and returns its new value; holds the row until commit.
    static func take(_ name: String, _ count: Int, _ connection: any SQLConnection) throws -> Int64 {
        let rows = try connection.query(
            "UPDATE counters SET value = value + ? WHERE name = ? RETURNING value",
            [.integer(Int64(count)), .text(name)])
        guard let row = rows.first else { throw SQLError(.decoding, "counter \(name) is missing") }
        return try row.int("value")
    }
}

extension Record {
    /// Lines after an id, oldest first, at most `limit` (bounded by `Timeline.pageLimit`).
    package func timeline(
        after id: Int64 = 0, _ filter: Timeline.Filter = Timeline.Filter(), limit: Int = Timeline.pageLimit
    ) async throws -> [TimelineEntry] {
        try await lines("id > ?", id, filter, order: "ASC", limit)
    }

    /// Lines before an id, newest first.
    package func timeline(
        before id: Int64, _ filter: Timeline.Filter = Timeline.Filter(), limit: Int = Timeline.pageLimit
    ) async throws -> [TimelineEntry] {
        try await lines("id < ?", id, filter, order: "DESC", limit)
    }

    private func lines(
        _ bound: String, _ id: Int64, _ filter: Timeline.Filter, order: String, _ limit: Int
    ) async throws -> [TimelineEntry] {
        var conditions = [bound]
        var arguments: [SQLValue] = [.integer(id)]
        for (column, value) in [
            ("incident", filter.incident), ("change_id", filter.change), ("service", filter.service),
        ] {
            guard let value else { continue }
            conditions.append("\(column) = ?")
            arguments.append(.text(value))
        }
        arguments.append(.integer(Int64(min(limit, Timeline.pageLimit))))
        let sql = "SELECT * FROM timeline WHERE \(conditions.joined(separator: " AND ")) ORDER BY id \(order) LIMIT ?"
        return try await database.read { [arguments] connection in
            try connection.query(sql, arguments).map(Timeline.read)
        }
    }

    /// The newest line's id; 0 when there is none.
    package func timelineHead() async throws -> Int64 {
        try await database.read { connection in
            try connection.query("SELECT value FROM counters WHERE name = 'timeline'").first?.int("value") ?? 0
        }
    }
}
