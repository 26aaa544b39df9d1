import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// Every route of Mainstay. The order of the middleware matters: it is counted whatever comes out, headers are on every
/// answer, errors become answers, and only then it is asked who is there.
package func buildRouter(_ services: WebServices) -> Router<WebContext> {
    let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
    let methods = MethodTable()
    router.addMiddleware {
        LogRequests(metrics: services.metrics)
        SecurityHeaders(isSecure: services.settings.secureCookies)
        ReportOrigins(services: services)
        RenderErrors(methods: methods)
        Authenticate(services: services)
    }
    for endpoint in API.endpoints { endpoint.register(on: router, services) }
    LinkRoutes(services: services).add(to: router)
    addPages(to: router, services)
    methods.fill(router.routes.map { ($0.path.description, $0.method) })
    return router
}

/// The server, with what it needs running beside it. Run it in the process's service group.
/// - Parameter onReady: is told the port once connections are taken.
package func buildApplication(
    _ services: WebServices, host: String, port: Int, onReady: @escaping @Sendable (Int) async -> Void = { _ in }
) -> Application<RouterResponder<WebContext>> {
    Application(
        router: buildRouter(services),
        server: .http1(configuration: .init(idleTimeout: .seconds(75))),
        configuration: ApplicationConfiguration(
            address: .hostname(host, port: port),
            availableConnectionsDelegate: MaximumAvailableConnections(services.settings.maxConnections)),
        services: [services.flagHub],
        onServerRunning: { channel in await onReady(channel.localAddress?.port ?? port) },
        logger: services.logger)
}
