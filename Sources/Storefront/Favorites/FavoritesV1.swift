import SQL

/// The first implementation: inserts a row unless it is there.
enum FavoritesV1 {
    static func add(
        user: Int64, product: Int64, at now: Int64, on connection: any SQLConnection
    ) throws -> FavoriteOutcome {
        let changed = try connection.execute(
            """
            INSERT INTO favorites (user_id, product_id, added_at) VALUES (?, ?, ?)
            ON CONFLICT (user_id, product_id) DO NOTHING
            """, [.integer(user), .integer(product), .integer(now)])
        return changed == 1 ? .added : .alreadyThere
    }
}
