import SQL

extension Store {
    /// Adds a favorite with one of the implementations. Throws 404 when there is no such product.
    func addFavorite(
        user: Int64, product: Int64, variant: FavoritesVariant, at now: Int64
    ) async throws -> FavoriteOutcome {
        try await database.write { connection in
            guard try !connection.query("SELECT id FROM products WHERE id = ?", [.integer(product)]).isEmpty else {
                throw Problem.notFound("There is no product \(product).")
            }
            return try variant.add(user: user, product: product, at: now, on: connection)
        }
    }

    func removeFavorite(user: Int64, product: Int64) async throws {
        _ = try await database.write { connection in
            try connection.execute(
                "DELETE FROM favorites WHERE user_id = ? AND product_id = ?", [.integer(user), .integer(product)])
        }
    }

    func isFavorite(user: Int64, product: Int64) async throws -> Bool {
        try await database.read { connection in
            try !connection.query(
                "SELECT added_at FROM favorites WHERE user_id = ? AND product_id = ?",
                [.integer(user), .integer(product)]
            ).isEmpty
        }
    }

    /// One page of a user's favorites, newest first.
    func favorites(user: Int64, paging: Paging) async throws -> Listing<Favorite> {
        try await database.read { connection in
            let items = try connection.query(
                """
                SELECT products.id AS id, products.name AS name, products.category AS category,
                    products.description AS description, products.price_cents AS price_cents,
                    favorites.added_at AS added_at
                FROM favorites JOIN products ON products.id = favorites.product_id
                WHERE favorites.user_id = ?
                ORDER BY favorites.added_at DESC, favorites.product_id DESC LIMIT ? OFFSET ?
                """, [.integer(user), SQLValue(paging.size), SQLValue(paging.offset)]
            ).map { Favorite(product: try Product($0), addedAt: try $0.int("added_at")) }
            let count = try connection.query(
                "SELECT COUNT(*) AS total FROM favorites WHERE user_id = ?", [.integer(user)])
            return Listing(items: items, total: try count.first.map { Int(try $0.int("total")) } ?? 0)
        }
    }
}
