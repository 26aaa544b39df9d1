import HTTPTypes
import Hummingbird

/// Products for programs.
struct ProductAPI: Sendable {
    let shop: Shop

    var routes: [Route] {
        [
            Route(.get, "/api/products", list),
            Route(.get, "/api/products/{product}", show),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let search = try ProductSearch(try request.queryFields())
        let found = try await shop.store.products(search)
        return .json(PageBody(found, search.paging, ProductBody.init))
    }

    @Sendable private func show(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        guard let id = parseID(context.parameters.get("product")), let product = try await shop.store.product(id) else {
            throw Problem.notFound("There is no such product.")
        }
        return .json(ProductBody(product))
    }
}

/// A product on the wire; prices are text, so that no reader rounds them.
struct ProductBody: Encodable, Sendable {
    var id: String
    var name: String
    var category: String
    var description: String
    var price: String
    var currency = "EUR"

    init(_ product: Product) {
        id = String(product.id)
        name = product.name
        category = product.category.rawValue
        description = product.description
        price = product.price
    }
}

/// One page of a list on the wire.
struct PageBody<Item: Encodable & Sendable>: Encodable, Sendable {
    var items: [Item]
    var page: Int
    var pageSize: Int
    var total: Int

    init<Value>(_ listing: Listing<Value>, _ paging: Paging, _ body: (Value) -> Item) {
        items = listing.items.map(body)
        page = paging.page
        pageSize = paging.size
        total = listing.total
    }

    private enum CodingKeys: String, CodingKey {
        case items, page, total
        case pageSize = "page_size"
    }
}
