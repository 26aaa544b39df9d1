import HTTPTypes
import Hummingbird

/// The Storefront's two cookies: the session, and the form token of a signed-out visitor.
struct CookieJar: Sendable {
    static let session = "storefront_session"
    static let form = "storefront_form"

    /// True behind TLS: browsers then send the cookies over TLS only.
    var secure = false

    func session(_ token: String) -> String {
        cookie(Self.session, token, maxAge: Sessions.lifetimeMilliseconds / 1000)
    }

    func endOfSession() -> String { cookie(Self.session, "", maxAge: 0) }

    func form(_ token: String) -> String { cookie(Self.form, token, maxAge: 86_400) }

    /// A bearer token counts before a cookie: who sends one means it.
    func credential(of request: Request) -> Visitor.Credential {
        if let header = request.headers[.authorization] {
            let parts = header.split(separator: " ", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == "bearer" { return .bearer(String(parts[1])) }
        }
        if let token = value(Self.session, in: request), Token.isWellFormed(token) { return .cookie(token) }
        return .none
    }

    func formToken(of request: Request) -> String? {
        value(Self.form, in: request).flatMap { Token.isWellFormed($0) ? $0 : nil }
    }

    private func value(_ name: String, in request: Request) -> String? {
        for header in request.headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let text = pair.drop { $0 == " " }
                if text.hasPrefix(name + "=") { return String(text.dropFirst(name.count + 1)) }
            }
        }
        return nil
    }

    private func cookie(_ name: String, _ value: String, maxAge: Int64) -> String {
        "\(name)=\(value); Max-Age=\(maxAge); Path=/; HttpOnly; SameSite=Lax\(secure ? "; Secure" : "")"
    }
}
