import SQL

/// How much there is of everything; what the synthetic user made is left out.
struct Figures: Sendable, Equatable {
    var users: Int64
    var products: Int64
    var favorites: Int64
    var posts: Int64
}

extension Store {
    func figures() async throws -> Figures {
        try await database.read { connection in
            let people = "(SELECT id FROM users WHERE synthetic <> 0)"
            let rows = try connection.query(
                """
                SELECT (SELECT COUNT(*) FROM users WHERE synthetic = 0) AS users,
                    (SELECT COUNT(*) FROM products) AS products,
                    (SELECT COUNT(*) FROM favorites WHERE user_id NOT IN \(people)) AS favorites,
                    (SELECT COUNT(*) FROM posts WHERE user_id NOT IN \(people)) AS posts
                """)
            guard let row = rows.first else { throw SQLError(.decoding, "a count returned no row") }
            return Figures(
                users: try row.int("users"), products: try row.int("products"), favorites: try row.int("favorites"),
                posts: try row.int("posts"))
        }
    }
}
