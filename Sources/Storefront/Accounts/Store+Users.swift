import SQL

extension Store {
    /// The user with this address, and the hash of the password.
    func account(email: String) async throws -> (user: User, password: String)? {
        try await database.read { connection in
            let rows = try connection.query(
                "SELECT id, email, name, synthetic, password FROM users WHERE email = ?", [.text(email)])
            return try rows.first.map { (try User($0), try $0.text("password")) }
        }
    }

    /// The new user, or nil when the address has an account already.
    func createUser(email: String, name: String, password: String, at now: Int64) async throws -> User? {
        try await database.write { connection in
            let rows = try connection.query(
                """
                INSERT INTO users (email, name, password, synthetic, created_at) VALUES (?, ?, ?, 0, ?)
                ON CONFLICT (email) DO NOTHING RETURNING id, email, name, synthetic
                """, [.text(email), .text(name), .text(password), .integer(now)])
            return try rows.first.map(User.init)
        }
    }

    /// Makes sure that Mainstay's synthetic user exists and has this password.
    func ensureSyntheticUser(email: String, password: String, at now: Int64) async throws -> User {
        try await database.write { connection in
            let rows = try connection.query(
                """
                INSERT INTO users (email, name, password, synthetic, created_at) VALUES (?, 'Synthetic user', ?, 1, ?)
                ON CONFLICT (email) DO UPDATE SET password = excluded.password, synthetic = 1
                RETURNING id, email, name, synthetic
                """, [.text(email), .text(password), .integer(now)])
            guard let row = rows.first else { throw SQLError(.decoding, "an upsert returned no row") }
            return try User(row)
        }
    }
}

extension User {
    init(_ row: SQLRow) throws {
        self.init(
            id: try row.int("id"), email: try row.text("email"), name: try row.text("name"),
            synthetic: try row.int("synthetic") != 0)
    }
}
