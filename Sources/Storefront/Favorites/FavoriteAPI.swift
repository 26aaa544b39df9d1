import HTTPTypes
import Hummingbird

/// One's favorites for programs.
struct FavoriteAPI: Sendable {
    let shop: Shop

    var routes: [Route] {
        [
            Route(.get, "/api/favorites", list),
            Route(.put, "/api/favorites/{product}", add),
            Route(.delete, "/api/favorites/{product}", remove),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let user = try context.visitor.signedIn()
        let fields = try request.queryFields()
        var validator = Validator()
        let paging = Paging(fields, validator: &validator)
        try validator.finish()
        let found = try await shop.store.favorites(user: user.id, paging: paging)
        return .json(PageBody(found, paging, FavoriteBody.init))
    }

    /// 201 when the product is a favorite now and was none before, 200 when it was one already.
    @Sendable private func add(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let user = try context.visitor.signedIn()
        guard let product = parseID(context.parameters.get("product")) else {
            throw Problem.notFound("There is no such product.")
        }
        let outcome = try await shop.store.addFavorite(
            user: user.id, product: product, variant: shop.favoritesVariant(for: context.visitor),
            at: shop.clock.now())
        return .json(PressBody(product: String(product)), status: outcome == .added ? .created : .ok)
    }

    /// 204 whether or not it was a favorite: afterwards it is none.
    @Sendable private func remove(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let user = try context.visitor.signedIn()
        guard let product = parseID(context.parameters.get("product")) else {
            throw Problem.notFound("There is no such product.")
        }
        try await shop.store.removeFavorite(user: user.id, product: product)
        return .noContent
    }

    private struct PressBody: Encodable {
        var product: String
        var favorite = true
    }
}

/// A favorite on the wire.
struct FavoriteBody: Encodable, Sendable {
    var product: String
    var name: String
    var price: String
    var currency = "EUR"
    var addedAt: String

    init(_ favorite: Favorite) {
        product = String(favorite.product.id)
        name = favorite.product.name
        price = favorite.product.price
        addedAt = rfc3339(favorite.addedAt)
    }

    private enum CodingKeys: String, CodingKey {
        case product, name, price, currency
        case addedAt = "added_at"
    }
}
