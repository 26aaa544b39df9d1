import HTTPTypes
import Hummingbird

/// "Add to Favorites" and one's favorites, for people.
struct FavoritePages: Sendable {
    let shop: Shop

    var routes: [Route] {
        [
            Route(.get, "/favorites", list),
            Route(.post, "/products/{product}/favorite", press),
        ]
    }

    /// The button of a product's page. With script it works in place, without it as a form.
    static func button(product: Int64, liked: Bool, _ visitor: Visitor) -> HTML {
        guard visitor.user != nil else {
            return """
                <p><a class="button big" href="/sign-in?back=/products/\(product)">Sign in to add to Favorites</a></p>
                """
        }
        return """
            <form class="favorite" method="post" action="/products/\(product)/favorite" data-favorite="\(product)">
            \(Layout.token(visitor))
            <input type="hidden" name="action" value="\(liked ? "remove" : "add")">
            <button class="big" aria-pressed="\(liked ? "true" : "false")">\
            \(liked ? "Remove from Favorites" : "Add to Favorites")</button>
            </form>
            """
    }

    @Sendable private func list(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let fields = try request.queryFields()
        var validator = Validator()
        let paging = Paging(fields, validator: &validator)
        try validator.finish()
        guard let user = try AccountPages.user(context) else { return AccountPages.signInFirst(back: "/favorites") }
        let found = try await shop.store.favorites(user: user.id, paging: paging)
        let layout = Layout(
            "My favorites", section: .favorites, feature: .favorites, request, context, notice: Notice(fields))
        let body: HTML =
            found.items.isEmpty
            ? """
            <p class="empty">You have no favorites yet. Open a product you like and press “Add to Favorites”.</p>
            <p><a class="button" href="/">Look around</a></p>
            """ : "<ul class=\"rows\">\(found.items.map { Self.row($0, context.visitor) })</ul>"
        return layout.response(
            """
            <h1>My favorites</h1>
            \(body)
            \(Pager.html(paging, total: found.total, path: "/favorites?"))
            """)
    }

    private static func row(_ favorite: Favorite, _ visitor: Visitor) -> HTML {
        let product = favorite.product
        let time = rfc3339(favorite.addedAt)
        return """
            <li>\(ProductPages.tile(product))
            <div><a class="name" href="/products/\(product.id)">\(product.name)</a>
            <p class="small">€ \(product.price) · added \
            <time datetime="\(time)">\(String(time.prefix(10)))</time></p></div>
            <form method="post" action="/products/\(product.id)/favorite">\(Layout.token(visitor))
            <input type="hidden" name="action" value="remove"><input type="hidden" name="back" value="/favorites">
            <button class="plain" aria-label="Remove \(product.name) from your favorites">Remove</button></form></li>
            """
    }

    @Sendable private func press(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let form = try await request.form(context)
        guard let product = parseID(context.parameters.get("product")) else {
            throw Problem.notFound("There is no such product.")
        }
        let page = "/products/\(product)"
        guard let user = try AccountPages.user(context) else { return AccountPages.signInFirst(back: page) }
        let back = form["back"] == "/favorites" ? "/favorites" : page
        if form["action"] == "remove" {
            try await shop.store.removeFavorite(user: user.id, product: product)
            return .seeOther("\(back)?notice=\(Notice.favoriteRemoved.rawValue)")
        }
        let outcome = try await shop.store.addFavorite(
            user: user.id, product: product, variant: shop.favoritesVariant(for: context.visitor),
            at: shop.clock.now())
        let notice = outcome == .added ? Notice.favoriteAdded : .favoriteAlready
        return .seeOther("\(back)?notice=\(notice.rawValue)")
    }
}
