import HTTPTypes
import Hummingbird

/// Refuses writes to the API that a foreign page makes a browser send: a cookie goes along by itself, our token does
/// not. Forms of pages are checked where they are read (`Request.form`).
struct RefuseForgery: RouterMiddleware {
    typealias Context = StorefrontContext

    func handle(
        _ request: Request, context: StorefrontContext,
        next: (Request, StorefrontContext) async throws -> Response
    ) async throws -> Response {
        guard case .cookie = context.visitor.credential, request.uri.path.hasPrefix("/api/"),
            request.method != .get, request.method != .head, request.method != .options
        else { return try await next(request, context) }
        guard let token = request.headers[.csrfToken], context.visitor.accepts(csrf: token) else {
            throw Problem.forbidden("With a cookie, writes need the page's token in X-CSRF-Token.")
        }
        return try await next(request, context)
    }
}
