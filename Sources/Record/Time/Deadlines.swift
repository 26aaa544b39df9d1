import Decide
import SQL

extension Record {
    /// Things whose deadline has come, earliest first.
    package func overdue(limit: Int = 100) async throws -> [Subject] {
        let now = self.now()
        return try await database.read { connection in
            try connection.query(
                "SELECT kind, id FROM things WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at LIMIT ?",
                [.integer(now.milliseconds), .integer(Int64(limit))]
            ).map { row in
                let kind = try row.text("kind")
                guard let known = Subject.Kind(rawValue: kind) else {
                    throw SQLError(.decoding, "unknown kind of thing '\(kind)'")
                }
                return Subject(known, try row.text("id"))
            }
        }
    }

    /// The earliest deadline of all; nil: none.
    package func nextDeadline() async throws -> Instant? {
        try await database.read { connection in
            try connection.query("SELECT MIN(due_at) AS at FROM things WHERE due_at IS NOT NULL").first?
                .optionalInt("at").map(Instant.init(milliseconds:))
        }
    }

    /// Takes, keeps or takes over a named lease; true when it is held by `owner` now. One process at a time runs what
    /// must not run twice (the check scheduler).
    package func holdLease(_ name: String, owner: String, for span: Span) async throws -> Bool {
        let now = self.now()
        return try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO leases (name, owner, until) VALUES (?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
                WHERE leases.owner = excluded.owner OR leases.until < ?
                """,
                [
                    .text(name), .text(owner), .integer((now + span).milliseconds), .integer(now.milliseconds),
                ]) == 1
        }
    }

    /// For the start of a process that has its database to itself, as with SQLite: whoever held a lease is dead, and
    /// what it had taken on is taken up at once instead of when the lease ends.
    package func forgetLeases() async throws {
        try await database.write { connection in
            try connection.execute("DELETE FROM leases")
            try connection.execute(
                "UPDATE outbox SET lease_owner = NULL, lease_until = NULL WHERE done_at IS NULL AND lease_owner IS NOT NULL"
            )
        }
    }

    /// Until when somebody holds the lease; nil when nobody does.
    package func leaseEnd(_ name: String) async throws -> Instant? {
        let now = self.now()
        return try await database.read { connection in
            try connection.query(
                "SELECT until FROM leases WHERE name = ? AND until >= ?", [.text(name), .integer(now.milliseconds)]
            ).first?.optionalInt("until").map(Instant.init(milliseconds:))
        }
    }

    package func dropLease(_ name: String, owner: String) async throws {
        _ = try await database.write { connection in
            try connection.execute("DELETE FROM leases WHERE name = ? AND owner = ?", [.text(name), .text(owner)])
        }
    }
}
