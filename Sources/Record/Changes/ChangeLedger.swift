import Decide
import SQL

package enum ChangeLedger {
    static func write(_ change: Change, _ connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO changes (id, kind, service, feature, at, body) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET body = excluded.body
            """,
            [
                .text(change.id), .text(change.kind.rawValue), .text(change.service), SQLValue(change.feature),
                .integer(change.at.milliseconds), .text(try Stored.encode(change)),
            ])
    }

    static func since(_ instant: Instant, limit: Int64, _ connection: any SQLConnection) throws -> [Change] {
        try connection.query(
            "SELECT id, body FROM changes WHERE at >= ? ORDER BY at DESC, id DESC LIMIT ?",
            [.integer(instant.milliseconds), .integer(limit)]
        ).map(read)
    }

    static func read(_ row: SQLRow) throws -> Change {
        try Stored.decode(Change.self, row.text("body"), of: "change \(row.text("id"))")
    }
}

extension Record {
    /// The ledger, newest first.
    package func changes(
        service: String? = nil, before: Instant? = nil, limit: Int = 100
    ) async throws -> [Change] {
        var conditions: [String] = []
        var arguments: [SQLValue] = []
        if let service {
            conditions.append("service = ?")
            arguments.append(.text(service))
        }
        if let before {
            conditions.append("at < ?")
            arguments.append(.integer(before.milliseconds))
        }
        arguments.append(.integer(Int64(min(limit, 500))))
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return try await database.read { [arguments] connection in
            try connection.query(
                "SELECT id, body FROM changes \(filter) ORDER BY at DESC, id DESC LIMIT ?", arguments
            ).map(ChangeLedger.read)
        }
    }

    package func change(_ id: String) async throws -> Change? {
        try await database.read { connection in
            try connection.query("SELECT id, body FROM changes WHERE id = ?", [.text(id)]).first.map(ChangeLedger.read)
        }
    }
}
