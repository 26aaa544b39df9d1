import SQL

extension Store {
    func createSession(tokenHash: String, user: Int64, at now: Int64, expires: Int64) async throws {
        _ = try await database.write { connection in
            try connection.execute(
                "INSERT INTO sessions (token_hash, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
                [.text(tokenHash), .integer(user), .integer(now), .integer(expires)])
        }
    }

    /// The user of a session that has not expired.
    func sessionUser(tokenHash: String, at now: Int64) async throws -> User? {
        try await database.read { connection in
            let rows = try connection.query(
                """
                SELECT users.id AS id, users.email AS email, users.name AS name, users.synthetic AS synthetic
                FROM sessions JOIN users ON users.id = sessions.user_id
                WHERE sessions.token_hash = ? AND sessions.expires_at > ?
                """, [.text(tokenHash), .integer(now)])
            return try rows.first.map(User.init)
        }
    }

    func deleteSession(tokenHash: String) async throws {
        _ = try await database.write { connection in
            try connection.execute("DELETE FROM sessions WHERE token_hash = ?", [.text(tokenHash)])
        }
    }

    /// Returns how many sessions had expired.
    func deleteExpiredSessions(at now: Int64) async throws -> Int {
        try await database.write { connection in
            try connection.execute("DELETE FROM sessions WHERE expires_at <= ?", [.integer(now)])
        }
    }
}
