import HTTPTypes
import Hummingbird

/// Posts for people: the list, one, a new one.
struct PostPages: Sendable {
    let shop: Shop

    var routes: [Route] {
        [
            Route(.get, "/posts", list),
            Route(.get, "/posts/new", compose),
            Route(.post, "/posts", create),
            Route(.get, "/posts/{post}", show),
            Route(.post, "/posts/{post}/delete", delete),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let fields = try request.queryFields()
        let range = try PostRange(fields)
        let posts = try await shop.store.posts(
            before: range.before, size: range.size, variant: shop.postsVariant(for: context.visitor))
        let layout = Layout("Posts", section: .posts, feature: .posts, request, context, notice: Notice(fields))
        let older: HTML =
            posts.count == range.size ? Self.older(than: posts[posts.count - 1].id, size: range.size) : .empty
        return layout.response(
            """
            <div class="title-row"><h1>Posts</h1><a class="button" href="/posts/new">Write a post</a></div>
            \(posts.isEmpty ? "<p class=\"empty\">There is nothing here yet.</p>" : .empty)
            <ul class="rows posts">\(posts.map(Self.row))</ul>
            \(older)
            """)
    }

    private static func older(than id: Int64, size: Int) -> HTML {
        """
        <nav class="pager" aria-label="Pages"><span></span>\
        <a rel="next" href="/posts?before=\(id)&amp;page_size=\(size)">Older posts →</a></nav>
        """
    }

    private static func row(_ post: Post) -> HTML {
        """
        <li><div><a class="name" href="/posts/\(post.id)">\(post.title)</a>
        <p class="small">\(byline(post))</p>
        <p>\(beginning(of: post.body))</p></div></li>
        """
    }

    /// The first words, so that a list stays short.
    private static func beginning(of text: String) -> String {
        let start = text.prefix(160)
        guard start.endIndex < text.endIndex else { return text }
        return String(start[..<(start.lastIndex(of: " ") ?? start.endIndex)]) + " …"
    }

    private static func byline(_ post: Post) -> HTML {
        let time = rfc3339(post.createdAt)
        return "\(post.authorName) · <time datetime=\"\(time)\">\(String(time.prefix(10)))</time>"
    }

    @Sendable private func show(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let fields = try request.queryFields()
        guard let id = parseID(context.parameters.get("post")), let post = try await shop.store.post(id) else {
            throw Problem.notFound("There is no such post.")
        }
        let layout = Layout(post.title, section: .posts, feature: .posts, request, context, notice: Notice(fields))
        let removal: HTML =
            context.visitor.user?.id == post.author
            ? """
            <form method="post" action="/posts/\(post.id)/delete">\(Layout.token(context.visitor))
            <button class="plain">Delete this post</button></form>
            """ : .empty
        return layout.response(
            """
            <nav class="trail" aria-label="Where you are"><a href="/posts">Posts</a></nav>
            <article class="post">
            <h1>\(post.title)</h1>
            <p class="small">\(Self.byline(post))</p>
            <div class="text">\(post.body)</div>
            \(removal)
            </article>
            """)
    }

    @Sendable private func compose(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        guard try AccountPages.user(context) != nil else { return AccountPages.signInFirst(back: "/posts/new") }
        return page(FormDraft(), request, context)
    }

    private func page(_ draft: FormDraft, _ request: Request, _ context: StorefrontContext) -> Response {
        let layout = Layout("Write a post", section: .posts, feature: .posts, request, context)
        return layout.response(
            """
            <section class="narrow"><h1>Write a post</h1>
            \(draft.summary)
            <form class="stack" method="post" action="/posts">\(Layout.token(context.visitor))
            \(draft.field("title", "Title", "type=\"text\" maxlength=\"\(PostInput.titleLimit)\""))
            \(draft.area("body", "Text", rows: 8, limit: PostInput.bodyLimit))
            <button class="big">Publish</button>
            </form></section>
            """, status: draft.problem?.status ?? .ok)
    }

    @Sendable private func create(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let form = try await request.form(context)
        guard let user = try AccountPages.user(context) else { return AccountPages.signInFirst(back: "/posts/new") }
        let input = PostInput(title: form["title"] ?? "", body: form["body"] ?? "")
        do {
            try input.validate()
        } catch let problem as Problem {
            let draft = FormDraft(values: ["title": input.title, "body": input.body], problem: problem)
            return page(draft, request, context)
        }
        let post = try await shop.store.createPost(
            author: user, title: input.title, body: input.body, at: shop.clock.now())
        return .seeOther("/posts/\(post.id)?notice=\(Notice.postCreated.rawValue)")
    }

    @Sendable private func delete(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        _ = try await request.form(context)
        guard let id = parseID(context.parameters.get("post")) else { throw Problem.notFound("There is no such post.") }
        guard let user = try AccountPages.user(context) else { return AccountPages.signInFirst(back: "/posts/\(id)") }
        try await shop.store.deletePost(id, author: user.id)
        return .seeOther("/posts?notice=\(Notice.postDeleted.rawValue)")
    }
}
