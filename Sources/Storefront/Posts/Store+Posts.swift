import SQL

extension Store {
    /// The posts older than `before` (nil: the newest), newest first.
    func posts(before: Int64?, size: Int, variant: PostsVariant) async throws -> [Post] {
        try await database.read { connection in
            try connection.query(variant.statement, [.integer(before ?? Int64.max), SQLValue(size)]).map(Post.init)
        }
    }

    func post(_ id: Int64) async throws -> Post? {
        try await database.read { connection in
            try connection.query(
                "SELECT \(Post.columns) FROM posts JOIN users ON users.id = posts.user_id WHERE posts.id = ?",
                [.integer(id)]
            ).first.map(Post.init)
        }
    }

    func createPost(author: User, title: String, body: String, at now: Int64) async throws -> Post {
        try await database.write { connection in
            let rows = try connection.query(
                "INSERT INTO posts (user_id, title, body, created_at) VALUES (?, ?, ?, ?) RETURNING id",
                [.integer(author.id), .text(title), .text(body), .integer(now)])
            guard let row = rows.first else { throw SQLError(.decoding, "an insert returned no row") }
            return Post(
                id: try row.int("id"), author: author.id, authorName: author.name, title: title, body: body,
                createdAt: now)
        }
    }

    /// Deletes a post of its author. Throws 404 when there is none, 403 when another wrote it.
    func deletePost(_ id: Int64, author: Int64) async throws {
        try await database.write { connection in
            let rows = try connection.query("SELECT user_id FROM posts WHERE id = ?", [.integer(id)])
            guard let row = rows.first else { throw Problem.notFound("There is no post \(id).") }
            guard try row.int("user_id") == author else { throw Problem.forbidden("Only its author deletes a post.") }
            try connection.execute("DELETE FROM posts WHERE id = ?", [.integer(id)])
        }
    }
}
