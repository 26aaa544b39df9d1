import HTTPTypes
import Hummingbird
import Logging

/// What machines ask: health, metrics, and the description of the API.
struct Operations: Sendable {
    let shop: Shop

    var routes: [Route] {
        [
            Route(.get, "/healthz", health),
            Route(.get, "/metrics", metrics),
            Route(.get, "/openapi.json", document),
            Route(.get, "/static/style.css", style),
            Route(.get, "/static/app.js", script),
            Route(.get, "/static/favicon.svg", icon),
        ]
    }

    /// 200 while the database answers.
    @Sendable private func health(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        do {
            try await shop.store.ping()
        } catch {
            context.logger.error("The database does not answer.", metadata: ["error": "\(error)"])
            throw Problem.unavailable("The database does not answer.")
        }
        return .json(Health(flags: shop.guardian.connection().source))
    }

    private struct Health: Encodable {
        var status = "ok"
        var database = "ok"
        /// Where the flags in force come from: `stream`, `cache` or `code`. None of them is unhealthy.
        var flags: String
    }

    @Sendable private func metrics(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        var text = shop.metrics.text()
        text += Metrics.gauge(
            "storefront_users_active", "People seen in the last five minutes.",
            shop.active.count(at: shop.clock.now()))
        text += Metrics.gauge(
            "storefront_mainstay_connected", "1 while Mainstay's stream of flags is open.",
            shop.guardian.connection().isOpen ? 1 : 0)
        do {
            let figures = try await shop.store.figures()
            text += Metrics.gauge("storefront_database_up", "1 while the database answers.", 1)
            text += Metrics.gauge("storefront_users", "Accounts of people.", figures.users)
            text += Metrics.gauge("storefront_products", "Products.", figures.products)
            text += Metrics.gauge("storefront_favorites_stored", "Favorites of people.", figures.favorites)
            text += Metrics.gauge("storefront_posts_stored", "Posts of people.", figures.posts)
        } catch {
            // The other figures are wanted most of all while the database is down.
            context.logger.error("Figures could not be read.", metadata: ["error": "\(error)"])
            text += Metrics.gauge("storefront_database_up", "1 while the database answers.", 0)
        }
        return .text(text, type: "text/plain; version=0.0.4; charset=utf-8")
    }

    @Sendable private func document(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        .text(try OpenAPI.document.get(), type: "application/json", cacheControl: "public, max-age=300")
    }

    @Sendable private func style(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        .text(Assets.style, type: "text/css; charset=utf-8", cacheControl: Assets.cacheControl)
    }

    @Sendable private func script(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        .text(Assets.script, type: "text/javascript; charset=utf-8", cacheControl: Assets.cacheControl)
    }

    @Sendable private func icon(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        .text(Assets.icon, type: "image/svg+xml", cacheControl: Assets.cacheControl)
    }
}
