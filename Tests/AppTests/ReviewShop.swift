import Decide
import SQL
import TestSupport

@testable import App

/// A shop of the size of the outage, and reviews against it.
enum ReviewShop {
    static let tables = [
        "CREATE TABLE users (id BIGINT PRIMARY KEY, name TEXT NOT NULL)",
        """
        CREATE TABLE posts (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
            created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX posts_by_user ON posts (user_id)",
        "INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 2000) i",
        """
        INSERT INTO posts SELECT i, 1 + i % 2000, 'title ' || i % 50000, repeat('word ', 20), i
        FROM generate_series(1, 200000) i
        """,
        "ANALYZE users", "ANALYZE posts",
    ]

    /// A schema of the test's own with these tables; gone afterwards.
    static func with(
        _ statements: [String] = tables,
        _ body: @escaping @Sendable (any SQLDatabase, TestDatabase) async throws -> Void
    ) async throws {
        try await withDatabase(.postgres) { database, place in
            try await database.write { connection in
                for statement in statements { try connection.execute(statement) }
            }
            try await body(database, place)
        }
    }

    static func review(
        _ text: String, _ place: TestDatabase, isExport: Bool = false,
        _ change: (inout QueryReviewer.Options) -> Void = { _ in }
    ) async throws -> QueryReview {
        var options = QueryReviewer.Options(url: place.location)
        change(&options)
        let source = SourceText(file: "q.sql", text: text)
        let statements = try isExport ? ExportedQueries.read(source) : StatementSplitter.split(source)
        return try await QueryReviewer(options: options).review(statements)
    }

    /// `block unknown-table 2:3`.
    static func told(_ review: QueryReview) -> [String] {
        review.findings.map { "\($0.severity) \($0.rule.rawValue) \($0.place.line):\($0.place.column)" }
    }

    private static let columns = "posts.id, posts.user_id, users.name, posts.title, posts.body, posts.created_at"

    /// The list of posts as it was before the outage.
    static let good = """
        -- name: list_posts
        /* calls_per_second=50 feature=posts */
        SELECT \(columns) FROM posts JOIN users ON users.id = posts.user_id
        WHERE posts.id < $1 ORDER BY posts.id DESC LIMIT $2
        """

    /// The fault of the posts outage, word for word (`PostsV2` of the Storefront).
    static let bad = """
        -- name: list_posts
        SELECT \(columns), COUNT(others.id) AS same_title
        FROM posts CROSS JOIN posts AS others JOIN users ON users.id = posts.user_id
        WHERE posts.id < $1 AND (LOWER(others.title) = LOWER(posts.title) OR others.id <> posts.id)
        GROUP BY posts.id, posts.user_id, users.name, posts.title, posts.body, posts.created_at
        ORDER BY posts.created_at DESC, posts.id DESC LIMIT $2
        """
}
