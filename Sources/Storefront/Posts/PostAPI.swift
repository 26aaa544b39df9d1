import HTTPTypes
import Hummingbird

/// Posts for programs.
struct PostAPI: Sendable {
    let shop: Shop

    var routes: [Route] {
        [
            Route(.get, "/api/posts", list),
            Route(.post, "/api/posts", create),
            Route(.get, "/api/posts/{post}", show),
            Route(.delete, "/api/posts/{post}", delete),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let range = try PostRange(try request.queryFields())
        let posts = try await shop.store.posts(
            before: range.before, size: range.size, variant: shop.postsVariant(for: context.visitor))
        let next = posts.count == range.size ? posts.last.map { String($0.id) } : nil
        return .json(ListBody(items: posts.map(PostBody.init), next: next))
    }

    @Sendable private func show(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        guard let id = parseID(context.parameters.get("post")), let post = try await shop.store.post(id) else {
            throw Problem.notFound("There is no such post.")
        }
        return .json(PostBody(post))
    }

    @Sendable private func create(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let user = try context.visitor.signedIn()
        let input = try await request.json(PostInput.self)
        try input.validate()
        let post = try await shop.store.createPost(
            author: user, title: input.title, body: input.body, at: shop.clock.now())
        var response = Response.json(PostBody(post), status: .created)
        response.headers[.location] = "/api/posts/\(post.id)"
        return response
    }

    @Sendable private func delete(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let user = try context.visitor.signedIn()
        guard let id = parseID(context.parameters.get("post")) else { throw Problem.notFound("There is no such post.") }
        try await shop.store.deletePost(id, author: user.id)
        return .noContent
    }

    private struct ListBody: Encodable {
        var items: [PostBody]
        /// The value of `before` that continues the list; nil at its end.
        var next: String?
    }
}

/// A post on the wire.
struct PostBody: Encodable, Sendable {
    var id: String
    var author: String
    var authorName: String
    var title: String
    var body: String
    var createdAt: String

    init(_ post: Post) {
        id = String(post.id)
        author = String(post.author)
        authorName = post.authorName
        title = post.title
        body = post.body
        createdAt = rfc3339(post.createdAt)
    }

    private enum CodingKeys: String, CodingKey {
        case id, author, title, body
        case authorName = "author_name"
        case createdAt = "created_at"
    }
}
