import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Record

/// Turns what was thrown into an answer: problem details for programs, a page for people, OFREP's own for OFREP.
struct RenderErrors: RouterMiddleware {
    let methods: MethodTable

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as CancellationError {
            throw error
        } catch {
            let problem = problem(for: error, request, context)
            return ErrorAnswer.make(problem, to: request, requestID: context.id)
        }
    }

    private func problem(for error: any Error, _ request: Request, _ context: WebContext) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case let refusal as Refusal: return Problem(refusal)
        case is NIOTooManyBytesError: return Problem(.contentTooLarge, "The body is too large.")
        case let error as HTTPError where error.status == .notFound: return notFound(request)
        case let error as HTTPError: return Problem(error.status, error.body ?? error.status.reasonPhrase)
        default: return fault(error, context)
        }
    }

    private func notFound(_ request: Request) -> Problem {
        let allowed = methods.allowed(at: request.uri.path)
        guard !allowed.isEmpty else { return Problem(.notFound, "There is nothing at this address.") }
        return Problem(
            .methodNotAllowed, "Here one can only \(allowed.joined(separator: ", ")).",
            headers: [.allow: allowed.joined(separator: ", ")])
    }

    private func fault(_ error: any Error, _ context: WebContext) -> Problem {
        switch RecordFailure(error) {
        case .unavailable:
            context.logger.warning("the record did not answer", metadata: ["cause": "\(error)"])
            return .unavailable("Mainstay's database does not answer now; nothing was changed. Try again.")
        case .broken, nil:
            context.logger.error("a request failed", metadata: ["cause": "\(error)"])
            return Problem(
                .internalServerError, "Mainstay made a mistake. Its log says more under request \(context.id).")
        }
    }
}
