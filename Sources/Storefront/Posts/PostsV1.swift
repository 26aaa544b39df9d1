/// The list of posts, read along the primary key: as many rows as the page has, whatever the size of the table.
enum PostsV1 {
    static let statement = """
        SELECT \(Post.columns)
        FROM posts JOIN users ON users.id = posts.user_id
        WHERE posts.id < ? ORDER BY posts.id DESC LIMIT ?
        """
}
