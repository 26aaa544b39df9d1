import SQL

/// THE FAULT OF THE FAVORITES OUTAGE (2023-10-07), kept so that it can be rehearsed. Do not repair it.
///
/// A semantic error: an UPDATE where an INSERT was meant. For a product that is not a favorite yet no row matches, so
/// that nothing is stored; the number of changed rows is not looked at, so that success is answered (201) all the same.
/// It compiles, it throws nothing, it logs nothing, and its status is right: only reading the list back shows it.
enum FavoritesV2 {
    static func add(
        user: Int64, product: Int64, at now: Int64, on connection: any SQLConnection
    ) throws -> FavoriteOutcome {
        try connection.execute(
            "UPDATE favorites SET added_at = ? WHERE user_id = ? AND product_id = ?",
            [.integer(now), .integer(user), .integer(product)])
        return .added
    }
}
