/// THE FAULT OF THE POSTS OUTAGE (2024-08-18), prepared so that it can be rehearsed. Do not repair it.
///
/// A misconfigured query. It was to count the posts that share a title with the one shown; the join lost its condition,
/// and what is compared is computed for each row, so that no index helps: every post is read with every other. On a
/// developer's dozen of posts the answer is right and quick. On the shop's 50 000, sorted by a column without an index,
/// it is 2.5 billion comparisons a request, which starve the database until nothing else gets through. Served only when
/// the flag `posts` says `v2`.
enum PostsV2 {
    static let statement = """
        SELECT \(Post.columns), COUNT(others.id) AS same_title
        FROM posts CROSS JOIN posts AS others JOIN users ON users.id = posts.user_id
        WHERE posts.id < ? AND (LOWER(others.title) = LOWER(posts.title) OR others.id <> posts.id)
        GROUP BY posts.id, posts.user_id, users.name, posts.title, posts.body, posts.created_at
        ORDER BY posts.created_at DESC, posts.id DESC LIMIT ?
        """
}
