import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Record

/// Signing in and out; the same for the API and for the form.
package enum SignIn {
    package static let cookieName = "mainstay_session"

    package struct Success: Sendable {
        package var session: Session
        /// For the header `Set-Cookie`.
        package var cookie: String
    }

    /// Checks name and password and starts a session.
    /// - Throws: `Problem` 401 (wrong name or password), 403 (sent by another site), 429 (too many tries), 503.
    package static func attempt(
        name: String, password: String, request: Request, context: WebContext, services: WebServices
    ) async throws -> Success {
        guard SameSite.allows(request, services.settings) else { throw Problem.crossSite }
        let now = services.record.now()
        try limit(services.limits.signInByAddress, context.address, "tries to sign in", at: now)
        try limit(services.limits.signInByAccount, name, "tries to sign in", at: now)
        let wrong = Problem(.unauthorized, "Name or password is wrong.")
        guard !name.isEmpty, name.utf8.count <= 64, password.utf8.count <= Record.passwordLengths.upperBound,
            !name.hasControlCharacters, !password.hasControlCharacters
        else { throw wrong }
        guard let (token, session) = try await services.record.signIn(name, password: password) else { throw wrong }
        services.limits.signInByAccount.giveBack(name)
        return Success(
            session: session,
            cookie: cookie(token, maxAge: Record.sessionLifetime, isSecure: services.settings.secureCookies))
    }

    /// Ends the session of the request's cookie, if there is one.
    /// - Returns: the value for `Set-Cookie` that makes browsers forget it.
    package static func end(_ request: Request, services: WebServices) async throws -> String {
        if let token = request.sessionToken { try await services.record.signOut(token) }
        return cookie("", maxAge: .zero, isSecure: services.settings.secureCookies)
    }

    private static func cookie(_ token: String, maxAge: Span, isSecure: Bool) -> String {
        "\(cookieName)=\(token); Path=/; Max-Age=\(maxAge.milliseconds / 1_000); HttpOnly; SameSite=Lax"
            + (isSecure ? "; Secure" : "")
    }
}

extension Problem {
    static let crossSite = Problem(.forbidden, "This request was sent by another site.")
}

extension Request {
    /// The session cookie, as sent.
    var sessionToken: String? {
        for header in headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
                if parts.count == 2, parts[0] == SignIn.cookieName, parts[1].utf8.count <= 200 {
                    return String(parts[1])
                }
            }
        }
        return nil
    }
}

/// Whether a browser says that a request comes from Mainstay's own pages. A client that says nothing is no browser,
/// or an old one, for which the secret in every form must do.
enum SameSite {
    static func allows(_ request: Request, _ settings: WebSettings) -> Bool {
        if let site = request.headers[HTTPField.Name("Sec-Fetch-Site")!], site != "same-origin", site != "none" {
            return false
        }
        guard let origin = request.headers[.origin]?.lowercased() else { return true }
        if origin == settings.origin { return true }
        // Reached by another name than the public one, by way of an address or a tunnel: the host must be its own.
        guard let host = request.head.authority?.lowercased(), !host.isEmpty else { return false }
        return origin == "http://\(host)" || origin == "https://\(host)"
    }
}

/// Compares secrets in a time that depends on their length only.
func isEqualInConstantTime(_ one: String, _ other: String) -> Bool {
    let (one, other) = (Array(one.utf8), Array(other.utf8))
    guard one.count == other.count else { return false }
    return zip(one, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
