import Decide
import SQL

/// A thing with the times that lists show.
package struct ListedThing: Sendable {
    package var id: String
    package var thing: Thing
    package var createdAt: Instant
    package var updatedAt: Instant
}

extension Record {
    package static let listLimit = 200

    /// Things of one kind, newest first, a page at a time.
    /// - Parameter before: only things created before this; the next page starts at the last one's `createdAt`.
    package func things(
        _ kind: Subject.Kind, service: String? = nil, statuses: [String] = [], before: Instant? = nil,
        limit: Int = Record.listLimit
    ) async throws -> [ListedThing] {
        var conditions = ["kind = ?"]
        var arguments: [SQLValue] = [.text(kind.rawValue)]
        if let service {
            conditions.append("service = ?")
            arguments.append(.text(service))
        }
        if !statuses.isEmpty {
            conditions.append("status IN (\(statuses.map { _ in "?" }.joined(separator: ", ")))")
            arguments += statuses.map { .text($0) }
        }
        if let before {
            conditions.append("created_at < ?")
            arguments.append(.integer(before.milliseconds))
        }
        arguments.append(.integer(Int64(min(limit, 2_000))))
        let sql = """
            SELECT id, body, created_at, updated_at FROM things WHERE \(conditions.joined(separator: " AND "))
            ORDER BY created_at DESC, id DESC LIMIT ?
            """
        return try await database.read { [arguments] connection in
            try connection.query(sql, arguments).map { row in
                let id = try row.text("id")
                return ListedThing(
                    id: id, thing: try Stored.decode(Thing.self, row.text("body"), of: "\(kind.rawValue) \(id)"),
                    createdAt: Instant(milliseconds: try row.int("created_at")),
                    updatedAt: Instant(milliseconds: try row.int("updated_at")))
            }
        }
    }

    package func incident(_ id: String) async throws -> Incident? { try await thing(Subject(.incident, id))?.incident }
    package func release(_ id: String) async throws -> Release? { try await thing(Subject(.release, id))?.release }
    package func rollout(_ id: String) async throws -> Rollout? { try await thing(Subject(.rollout, id))?.rollout }
    package func page(_ id: String) async throws -> Page? { try await thing(Subject(.page, id))?.page }
    package func check(_ id: String) async throws -> CheckState? { try await thing(Subject(.check, id))?.check }

    package func flag(service: String, key: String) async throws -> Flag? {
        try await thing(Subject(.flag, Flag.id(service, key)))?.flag
    }

    package func feature(_ service: String, _ feature: String) async throws -> FeatureState? {
        try await thing(Subject(.feature, "\(service)/\(feature)"))?.feature
    }

    /// Pages of one incident, oldest first.
    package func pages(ofIncident id: String) async throws -> [Page] {
        try await database.read { connection in
            // The prefix ends in a slash, which no incident id holds, so `-1` cannot match `-12`.
            let rows = try connection.query(
                "SELECT id, body FROM things WHERE kind = 'page' AND id >= ? AND id < ? ORDER BY created_at, id LIMIT 500",
                [.text("\(id)/"), .text("\(id)0")])
            return try rows.compactMap { row in
                try Stored.decode(Thing.self, row.text("body"), of: "page \(row.text("id"))").page
            }.filter { $0.delivery.incident == id }
        }
    }
}
