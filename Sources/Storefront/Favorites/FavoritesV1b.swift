import SQL

/// The good successor: one upsert that counts how often the button was pressed, and tells from the count whether the
/// row is new. The first press keeps its time.
enum FavoritesV1b {
    static func add(
        user: Int64, product: Int64, at now: Int64, on connection: any SQLConnection
    ) throws -> FavoriteOutcome {
        let rows = try connection.query(
            """
            INSERT INTO favorites (user_id, product_id, added_at, presses) VALUES (?, ?, ?, 1)
            ON CONFLICT (user_id, product_id) DO UPDATE SET presses = favorites.presses + 1
            RETURNING presses
            """, [.integer(user), .integer(product), .integer(now)])
        guard let row = rows.first else { throw SQLError(.decoding, "an upsert returned no row") }
        return try row.int("presses") == 1 ? .added : .alreadyThere
    }
}
