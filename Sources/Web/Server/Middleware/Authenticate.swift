import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Record

/// Finds out who asks: by `Authorization: Bearer`, else by the session cookie. Refuses forged writes: a cookie comes
/// with every request a browser makes, also with those that another site made it make.
struct Authenticate: RouterMiddleware {
    static let csrfHeader = HTTPField.Name("X-CSRF-Token")!
    static let csrfField = "csrf"

    let services: WebServices

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var (request, context) = (request, context)
        context.address = address(of: request, context)
        if let token = try bearer(of: request) {
            guard let (known, account) = try await services.record.authenticate(token: token) else {
                throw Problem(
                    .unauthorized, "The token is not known, or no longer in force.",
                    headers: [.wwwAuthenticate: "Bearer realm=\"Mainstay\", error=\"invalid_token\""])
            }
            context.identity = Identity(token: known, account: account)
        } else if let token = request.sessionToken, let session = try await services.record.session(token) {
            context.identity = Identity(session: session)
            if !request.isSafe { try await refuseForgery(&request, csrf: session.csrf) }
        }
        return try await next(request, context)
    }

    /// Nil without one; other schemes are not ours.
    private func bearer(of request: Request) throws -> String? {
        guard let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer ") else { return nil }
        let token = String(header.dropFirst("bearer ".count).drop { $0 == " " })
        return token.utf8.count <= 512 ? token : String(token.prefix(512))
    }

    private func refuseForgery(_ request: inout Request, csrf: String) async throws {
        guard SameSite.allows(request, services.settings) else { throw Problem.crossSite }
        var sent = request.headers[Authenticate.csrfHeader]
        if sent == nil, request.mediaType == "application/x-www-form-urlencoded" {
            do {
                _ = try await request.collectBody(upTo: Forms.maximumBytes)
            } catch is NIOTooManyBytesError {
                throw Problem.tooLarge(Forms.maximumBytes)
            }
            sent = try await Forms.read(request)[Authenticate.csrfField]
        }
        guard let sent, isEqualInConstantTime(sent, csrf) else {
            throw Problem(
                .forbidden, "The form's secret is missing or old: load the page again. Programs send X-CSRF-Token.")
        }
    }

    private func address(of request: Request, _ context: WebContext) -> String {
        guard services.settings.trustsForwardedFor, let header = request.headers[values: .xForwardedFor].last,
            let last = header.split(separator: ",").last
        else { return network(context.address) }
        return network(last.filter { $0 != " " })
    }

    /// Whoever has one IPv6 address has its whole /64: the first four groups stand for all.
    private func network(_ address: String) -> String {
        guard address.contains(":"), address.utf8.count <= 64 else { return String(address.prefix(64)) }
        let groups = address.split(separator: ":", omittingEmptySubsequences: false).prefix(4)
        return groups.prefix { !$0.isEmpty }.joined(separator: ":") + "::/64"
    }
}

extension HTTPField.Name {
    static let xForwardedFor = HTTPField.Name("X-Forwarded-For")!
}

extension Request {
    /// Changes nothing, by its method (RFC 9110 §9.2.1).
    var isSafe: Bool { [.get, .head, .options, .trace].contains(method) }
}
