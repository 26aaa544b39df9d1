import HTTPTypes
import Hummingbird

/// Counts each answer with its route and its duration. Comes after `LoadVisitor`, which knows synthetic users.
struct CountRequests: RouterMiddleware {
    typealias Context = StorefrontContext

    let metrics: Metrics

    func handle(
        _ request: Request, context: StorefrontContext,
        next: (Request, StorefrontContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        let elapsed = (ContinuousClock.now - context.started).components
        metrics.observe(
            Metrics.Request(
                route: Self.route(context.endpointPath), method: Self.label(request.method),
                status: response.status.code, synthetic: context.visitor.synthetic),
            seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
        return response
    }

    /// Hummingbird's name for "no route" is `NotFound`.
    private static func route(_ path: String?) -> String {
        guard let path, path.hasPrefix("/") else { return "none" }
        return path
    }

    /// Anyone can send any method: only known ones become series.
    private static func label(_ method: HTTPRequest.Method) -> String {
        switch method {
        case .get, .head, .post, .put, .delete, .patch, .options: method.rawValue
        default: "other"
        }
    }
}
