import SQL

extension Store {
    func product(_ id: Int64) async throws -> Product? {
        try await database.read { connection in
            try connection.query("SELECT \(Product.columns) FROM products WHERE id = ?", [.integer(id)])
                .first.map(Product.init)
        }
    }

    /// One page of what `search` finds, in the order of the ids.
    func products(_ search: ProductSearch) async throws -> Listing<Product> {
        var conditions: [String] = []
        var arguments: [SQLValue] = []
        if let category = search.category {
            conditions.append("category = ?")
            arguments.append(.text(category.rawValue))
        }
        for word in search.words {
            conditions.append("search_text LIKE ? ESCAPE '!'")
            arguments.append(.text(Self.pattern(containing: word)))
        }
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        let paging = search.paging
        return try await database.read { [arguments] connection in
            let items = try connection.query(
                "SELECT \(Product.columns) FROM products \(filter) ORDER BY id LIMIT ? OFFSET ?",
                arguments + [SQLValue(paging.size), SQLValue(paging.offset)]
            ).map(Product.init)
            // A page that is not full is the last one: its end is the total, without another scan.
            let isLast = items.count < paging.size && (paging.page == 1 || !items.isEmpty)
            if isLast { return Listing(items: items, total: paging.offset + items.count) }
            let count = try connection.query("SELECT COUNT(*) AS total FROM products \(filter)", arguments)
            return Listing(items: items, total: try count.first.map { Int(try $0.int("total")) } ?? 0)
        }
    }
}
