import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Lets the pages of guarded services send reports from the browser (CORS), and no other page.
struct ReportOrigins: RouterMiddleware {
    let services: WebServices

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        guard request.uri.path == ReportAPI.path else { return response }
        response.headers[.vary] = "Origin"
        guard let origin = request.headers[.origin], services.reportOrigins().contains(origin.lowercased()) else {
            return response
        }
        response.headers[.accessControlAllowOrigin] = origin
        if request.method == .options {
            response.headers[.accessControlAllowMethods] = "POST"
            response.headers[.accessControlAllowHeaders] = "Content-Type"
            response.headers[.accessControlMaxAge] = "600"
        }
        return response
    }
}
