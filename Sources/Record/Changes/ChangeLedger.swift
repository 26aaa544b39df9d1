import Decide
import SQL

package enum ChangeLedger {
    private static let columns = "INSERT INTO changes (id, kind, service, feature, at, body) VALUES (?, ?, ?, ?, ?, ?)"

    private static func values(_ change: Change) throws -> [SQLValue] {
        [
            .text(change.id), .text(change.kind.rawValue), .text(change.service), SQLValue(change.feature),
            .integer(change.at.milliseconds), .text(try Stored.encode(change)),
        ]
    }

    static func write(_ change: Change, _ connection: any SQLConnection) throws {
        try connection.execute("\(columns) ON CONFLICT (id) DO UPDATE SET body = excluded.body", try values(change))
    }

    /// Writes it if there is none of this id.
    ///
    /// - Returns: nil, or the one that is there, which nobody else changes before the transaction ends.
    static func begin(_ change: Change, _ connection: any SQLConnection) throws -> Change? {
        let isNew = try !connection.query(
            "\(columns) ON CONFLICT (id) DO NOTHING RETURNING id", try values(change)
        ).isEmpty
        if isNew { return nil }
        let lock = connection.dialect == .postgres ? " FOR UPDATE" : ""
        return try connection.query("SELECT id, body FROM changes WHERE id = ?\(lock)", [.text(change.id)])
            .first.map(read)
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
