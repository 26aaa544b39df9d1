import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SQL

/// Turns every error into an answer: problem details for programs, a page for people. Logs what was not expected.
struct RenderErrors: RouterMiddleware {
    typealias Context = StorefrontContext

    let table: RouteTable

    func handle(
        _ request: Request, context: StorefrontContext,
        next: (Request, StorefrontContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            if request.method == .options, let answer = options(request) { return answer }
            let problem = problem(for: error, request, context)
            if Self.wantsPage(request) { return ErrorPage.response(problem, request, context.visitor) }
            return problem.response(instance: String(request.uri.path.prefix(500)))
        }
    }

    private func options(_ request: Request) -> Response? {
        let allowed = table.allowed(at: request.uri.path)
        guard !allowed.isEmpty else { return nil }
        return Response(status: .noContent, headers: [.allow: allowed.joined(separator: ", ")])
    }

    private func problem(for error: any Error, _ request: Request, _ context: StorefrontContext) -> Problem {
        switch error {
        case let problem as Problem:
            return problem
        case let error as HTTPError where error.status == .notFound:
            let allowed = table.allowed(at: request.uri.path)
            return allowed.isEmpty ? .notFound("There is nothing at this address.") : .methodNotAllowed(allowed)
        case let error as SQLError where error.code == .unavailable || error.code == .timeout:
            context.logger.error("The database does not answer.", metadata: ["error": "\(error)"])
            return .unavailable("The database does not answer. Try again in a moment.")
        case let error as any HTTPResponseError:
            return Problem(
                status: error.status, title: error.status.reasonPhrase, detail: "The request could not be read.")
        default:
            context.logger.error(
                "A request failed.",
                metadata: ["error": "\(error)", "path": "\(request.uri.path)", "method": "\(request.method)"])
            return .unexpected
        }
    }

    /// Programs use `/api`, or do not ask for HTML.
    private static func wantsPage(_ request: Request) -> Bool {
        !request.uri.path.hasPrefix("/api/") && request.headers[.accept]?.contains("text/html") == true
    }
}
