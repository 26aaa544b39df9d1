import Hummingbird

/// What stands around every page: the shop's head, and "Report a problem" at its foot.
struct Layout: Sendable {
    /// The parts of the shop that the head leads to.
    enum Section: Sendable { case products, favorites, posts, accounts, none }

    var title: String
    var section: Section
    /// What a report from this page is most likely about.
    var feature: Feature
    var visitor: Visitor
    /// Path and query of the page, which a report names.
    var path: String
    var notice: Notice?

    init(
        _ title: String, section: Section, feature: Feature, _ request: Request, _ context: StorefrontContext,
        notice: Notice? = nil
    ) {
        self.init(title, section: section, feature: feature, request, context.visitor, notice: notice)
    }

    init(
        _ title: String, section: Section, feature: Feature, _ request: Request, _ visitor: Visitor,
        notice: Notice? = nil
    ) {
        self.title = title
        self.section = section
        self.feature = feature
        self.visitor = visitor
        self.notice = notice
        path = String(request.uri.string.prefix(500))
    }

    func response(_ content: HTML, status: HTTPResponse.Status = .ok) -> Response {
        .page(render(content), status: status)
    }

    private func render(_ content: HTML) -> HTML {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(title) · Storefront</title>
        <link rel="icon" href="/static/favicon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="\(Assets.stylePath)">
        <script src="\(Assets.scriptPath)" defer></script>
        </head>
        <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header class="head"><div class="bar">
        <a class="brand" href="/">Storefront</a>
        <nav aria-label="Shop">\(link("/", "Products", .products))\(link("/favorites", "Favorites", .favorites))\
        \(link("/posts", "Posts", .posts))</nav>
        <div class="account">\(account)</div>
        </div></header>
        <main id="content">
        <p class="notice" role="status" data-notice>\(notice?.text ?? "")</p>
        \(content)
        </main>
        <footer class="foot"><div class="bar">
        <details class="report"><summary>Report a problem</summary>
        \(ReportPages.form(feature: feature, text: "", page: path, csrf: visitor.csrf, prefix: "foot"))
        </details>
        <p>Storefront is a demonstration shop. Nothing here is for sale.</p>
        </div></footer>
        </body>
        </html>

        """
    }

    private func link(_ path: String, _ label: String, _ target: Section) -> HTML {
        let current: HTML = target == section ? " aria-current=\"page\"" : ""
        return "<a href=\"\(path)\"\(current)>\(label)</a>"
    }

    private var account: HTML {
        guard let user = visitor.user else {
            return "<a href=\"/sign-in\">Sign in</a> <a class=\"button\" href=\"/sign-up\">Sign up</a>"
        }
        return """
            <span class="who">\(user.name)</span>
            <form method="post" action="/sign-out">\(Layout.token(visitor))\
            <button class="plain">Sign out</button></form>
            """
    }

    /// The hidden field that every form carries.
    static func token(_ visitor: Visitor) -> HTML {
        "<input type=\"hidden\" name=\"csrf\" value=\"\(visitor.csrf)\">"
    }
}
