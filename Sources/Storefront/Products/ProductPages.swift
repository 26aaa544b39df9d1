import HTTPTypes
import Hummingbird

/// The shop window: the list with its search, and one product.
struct ProductPages: Sendable {
    let shop: Shop

    var routes: [Route] {
        [
            Route(.get, "/", list),
            Route(.get, "/products/{product}", show),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let fields = try request.queryFields()
        let search = try ProductSearch(fields)
        let found = try await shop.store.products(search)
        let layout = Layout(
            search.text.isEmpty ? "Products" : "Search: \(search.text)", section: .products, feature: .products,
            request, context, notice: Notice(fields))
        return layout.response(
            """
            <h1>\(search.category?.label ?? "Things for good days")</h1>
            <form class="search" role="search" action="/" method="get">
            <label class="hidden" for="q">Search the products</label>
            <input id="q" name="q" type="search" value="\(search.text)" maxlength="\(ProductSearch.textLimit)" \
            placeholder="Lamp, linen, walnut …">
            \(Self.hidden(search.category))<button>Search</button>
            </form>
            \(Self.categories(search))
            <p class="count">\(Self.count(found.total))</p>
            <ul class="grid">\(found.items.map(Self.card))</ul>
            \(Pager.html(search.paging, total: found.total, path: Self.path(search)))
            """)
    }

    @Sendable private func show(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let fields = try request.queryFields()
        guard let id = parseID(context.parameters.get("product")), let product = try await shop.store.product(id) else {
            throw Problem.notFound("There is no such product.")
        }
        var liked = false
        if let user = context.visitor.user {
            liked = try await shop.store.isFavorite(user: user.id, product: id)
        }
        let layout = Layout(
            product.name, section: .products, feature: .favorites, request, context, notice: Notice(fields))
        return layout.response(
            """
            <nav class="trail" aria-label="Where you are"><a href="/">Products</a> › \
            <a href="/?category=\(product.category.rawValue)">\(product.category.label)</a></nav>
            <article class="product">
            \(Self.tile(product, large: true))
            <div>
            <h1>\(product.name)</h1>
            <p class="price">€ \(product.price)</p>
            <p>\(product.description)</p>
            \(FavoritePages.button(product: product.id, liked: liked, context.visitor))
            </div>
            </article>
            """)
    }

    static func card(_ product: Product) -> HTML {
        """
        <li><a class="card" href="/products/\(product.id)">\(tile(product))
        <span class="name">\(product.name)</span><span class="price">€ \(product.price)</span></a></li>
        """
    }

    /// A coloured tile with the product's initials, in place of a picture.
    static func tile(_ product: Product, large: Bool = false) -> HTML {
        let initials = product.name.split(separator: " ").prefix(2).compactMap(\.first).map(String.init).joined()
        let size: HTML = large ? " large" : ""
        return "<span class=\"tile tone-\(product.id % 8)\(size)\" aria-hidden=\"true\">\(initials)</span>"
    }

    private static func categories(_ search: ProductSearch) -> HTML {
        func link(_ category: Category?) -> HTML {
            let current: HTML = category == search.category ? " aria-current=\"true\"" : ""
            var target = search
            target.category = category
            return "<a href=\"\(path(target, ending: false))\"\(current)>\(category?.label ?? "All")</a>"
        }
        let all: [Category?] = [nil] + Category.allCases
        return "<nav class=\"chips\" aria-label=\"Departments\">\(all.map(link))</nav>"
    }

    private static func hidden(_ category: Category?) -> HTML {
        guard let category else { return .empty }
        return "<input type=\"hidden\" name=\"category\" value=\"\(category.rawValue)\">"
    }

    private static func count(_ total: Int) -> String {
        switch total {
        case 0: "Nothing found. Try another word, or fewer of them."
        case 1: "1 product"
        default: "\(total) products"
        }
    }

    /// The address of a search, without its page.
    private static func path(_ search: ProductSearch, ending: Bool = true) -> String {
        var parts: [String] = []
        if !search.text.isEmpty { parts.append("q=\(FormFields.encode(search.text))") }
        if let category = search.category { parts.append("category=\(category.rawValue)") }
        if !ending { return parts.isEmpty ? "/" : "/?" + parts.joined(separator: "&") }
        if search.paging.size != Paging().size { parts.append("page_size=\(search.paging.size)") }
        return parts.isEmpty ? "/?" : "/?" + parts.joined(separator: "&") + "&"
    }
}
