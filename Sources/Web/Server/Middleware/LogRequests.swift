import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging

/// One line a request, and its figures. The path is left out, and so is the query: they hold ids, and links that are
/// secrets; the route and the request's id say enough.
struct LogRequests: RouterMiddleware {
    let metrics: WebMetrics

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        let took = ContinuousClock.now - context.startedAt
        let route = context.endpointPath ?? "NotFound"
        metrics.count(request.method, route, response.status, took: took)
        context.logger.log(
            level: response.status.code >= 500 ? .error : .debug, "request",
            metadata: [
                "method": "\(request.method.rawValue)", "route": "\(route)", "status": "\(response.status.code)",
                "took_ms": "\(took / .milliseconds(1))",
            ])
        return response
    }
}
