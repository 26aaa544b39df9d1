import Decide
import Explain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Record

/// Signing in and out.
enum SignInPages {
    static func add(to router: Router<WebContext>, _ services: WebServices) {
        router.get("/sign-in") { request, context in
            let next = target(request.uri.query.flatMap { FormFields(decoding: $0.utf8) }?["next"])
            if context.identity?.csrf != nil { return redirect(next) }
            return Response(html: page(next: next, name: "", notice: nil, version: services.version))
        }
        router.post("/sign-in") { request, context in try await signIn(request, context, services) }
        router.post("/sign-out") { request, _ in
            var response = redirect("/sign-in")
            response.headers[.setCookie] = try await SignIn.end(request, services: services)
            return response
        }
    }

    private static func signIn(
        _ request: Request, _ context: WebContext, _ services: WebServices
    ) async throws -> Response {
        let form = try await Forms.read(request)
        let next = target(form["next"])
        do {
            let success = try await SignIn.attempt(
                name: form.trimmed("name"), password: form["password"] ?? "", request: request, context: context,
                services: services)
            var response = redirect(next)
            response.headers[.setCookie] = success.cookie
            return response
        } catch {
            guard let notice = Notice.refusal(error) else { throw error }
            return Response(
                html: page(next: next, name: form.trimmed("name"), notice: notice, version: services.version),
                status: notice.status)
        }
    }

    static func page(next: String, name: String, notice: Notice?, version: String) -> String {
        Layout.render(
            PageContent(
                "Sign in", nil, "sign-in", ["next": next, "name": name.isEmpty ? nil : String(name.prefix(64))],
                notice: notice), identity: nil, open: nil, version: version)
    }

    /// Only a path of Mainstay's own: anything else would send people elsewhere with Mainstay's name on it.
    static func target(_ next: String?) -> String {
        guard let next, next.hasPrefix("/"), !next.hasPrefix("//"), !next.hasPrefix("/\\"), next.utf8.count <= 1_000,
            next.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\\") }), !next.hasPrefix("/sign-")
        else { return "/" }
        return next
    }

    private static func redirect(_ path: String) -> Response {
        Response(status: .seeOther, headers: [.location: path])
    }

    static let template = """
        <section class="gate">
        <h1>Sign in</h1>
        <form method="post" action="/sign-in" class="card stack">
        <input type="hidden" name="next" value="{{next}}">
        <div><label for="name">Name</label><input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="64"{{#name}} value="{{name}}"{{/name}}{{^name}} autofocus{{/name}}></div>
        <div><label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required maxlength="200"{{#name}} autofocus{{/name}}></div>
        <button class="primary">Sign in</button>
        </form>
        <p class="quiet">The first administrator’s name and password are in <code>first-administrator.txt</code> in Mainstay’s data folder.</p>
        </section>
        """
}
