import Hummingbird
import HummingbirdCore
import NIOCore

extension Shop {
    /// Every operation of the Storefront.
    var routes: [Route] {
        ProductPages(shop: self).routes + FavoritePages(shop: self).routes + PostPages(shop: self).routes
            + AccountPages(shop: self).routes + ReportPages(shop: self).routes
            + ProductAPI(shop: self).routes + FavoriteAPI(shop: self).routes + PostAPI(shop: self).routes
            + AccountAPI(shop: self).routes + ReportAPI(shop: self).routes
            + Operations(shop: self).routes
    }

    /// The order of the middleware matters: who it is, how long it took, what browsers may do, errors as answers,
    /// forged writes refused.
    func router() -> Router<StorefrontContext> {
        let routes = routes
        let router = Router(context: StorefrontContext.self, options: .autoGenerateHeadEndpoints)
        router.addMiddleware {
            LoadVisitor(shop: self)
            CountRequests(metrics: metrics)
            SecurityHeaders()
            RenderErrors(table: RouteTable(routes))
            RefuseForgery()
        }
        for route in routes {
            router.on(RouterPath(route.path), method: route.method, use: route.handle)
        }
        return router
    }

    /// Connections held open at once; more wait in the kernel's queue.
    static let connectionLimit = 4_000

    func application(
        host: String = "127.0.0.1", port: Int = 0,
        onReady: @escaping @Sendable (any Channel) async -> Void = { _ in }
    ) -> Application<RouterResponder<StorefrontContext>> {
        Application(
            router: router(),
            server: .http1(configuration: .init(idleTimeout: .seconds(75))),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionLimit)),
            services: [passwords, Housekeeping(store: store, clock: clock, logger: logger)],
            onServerRunning: onReady,
            logger: logger)
    }
}
