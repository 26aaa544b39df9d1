import HTTPTypes
import Hummingbird
import Logging

/// Finds out who sent the request, and counts signed-in users as active.
///
/// A database that does not answer is no reason to fail here: pages that need no user still work, the button "Report a
/// problem" above all. What needs the user fails with the reason.
struct LoadVisitor: RouterMiddleware {
    typealias Context = StorefrontContext

    let shop: Shop

    func handle(
        _ request: Request, context: StorefrontContext,
        next: (Request, StorefrontContext) async throws -> Response
    ) async throws -> Response {
        guard Self.concernsVisitors(request.uri.path) else { return try await next(request, context) }
        var context = context
        context.visitor = await visitor(of: request, context)
        var response = try await next(request, context)
        if let token = context.visitor.newFormCookie,
            response.headers[.contentType]?.hasPrefix("text/html") == true
        {
            response.headers.append(
                HTTPField(name: .setCookie, value: shop.cookies.form(token)))
        }
        return response
    }

    private func visitor(of request: Request, _ context: StorefrontContext) async -> Visitor {
        var visitor = Visitor.stranger
        visitor.credential = shop.cookies.credential(of: request)
        do {
            switch visitor.credential {
            case .none: break
            case .cookie(let token), .bearer(let token): visitor.user = try await shop.sessions.user(token: token)
            }
        } catch {
            context.logger.error("A session could not be looked up.", metadata: ["error": "\(error)"])
            visitor.failure = error
        }
        if case .cookie(let token) = visitor.credential {
            visitor.csrf = Token.csrf(session: token)
        } else if let token = shop.cookies.formToken(of: request) {
            visitor.csrf = token
        } else {
            visitor.csrf = Token.random()
            visitor.newFormCookie = visitor.csrf
        }
        let header = request.headers[.mainstaySynthetic]
        visitor.flags = shop.guardian.context(visitor.user?.key, header, visitor.user?.synthetic ?? false)
        if let user = visitor.user {
            if !visitor.synthetic { shop.active.saw(user, at: shop.clock.now()) }
            shop.guardian.sawActive(visitor.flags)
        }
        return visitor
    }

    private static func concernsVisitors(_ path: String) -> Bool {
        !(path.hasPrefix("/static/") || path == "/healthz" || path == "/metrics" || path == "/openapi.json")
    }
}
