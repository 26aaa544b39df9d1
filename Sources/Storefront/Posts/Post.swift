import SQL

/// Something a user wrote.
struct Post: Sendable, Equatable {
    var id: Int64
    var author: Int64
    var authorName: String
    var title: String
    var body: String
    /// Milliseconds since 1970, UTC.
    var createdAt: Int64
}

/// The implementations of the list of posts behind the flag `posts`.
enum PostsVariant: String, Sendable, CaseIterable {
    static let flag = "posts"

    case v1
    /// Carries the fault of the posts outage.
    case v2

    /// The statement that reads the posts with an id below the first parameter, newest first, as many as the second.
    var statement: String {
        switch self {
        case .v1: PostsV1.statement
        case .v2: PostsV2.statement
        }
    }
}

extension Post {
    static let columns = """
        posts.id AS id, posts.user_id AS user_id, users.name AS author_name, posts.title AS title,
        posts.body AS body, posts.created_at AS created_at
        """

    init(_ row: SQLRow) throws {
        self.init(
            id: try row.int("id"), author: try row.int("user_id"), authorName: try row.text("author_name"),
            title: try row.text("title"), body: try row.text("body"), createdAt: try row.int("created_at"))
    }
}
