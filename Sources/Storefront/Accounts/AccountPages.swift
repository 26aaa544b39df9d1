import HTTPTypes
import Hummingbird

/// Signing up, in and out, for people.
struct AccountPages: Sendable {
    let shop: Shop

    var routes: [Route] {
        [
            Route(.get, "/sign-in", showSignIn),
            Route(.post, "/sign-in", signIn),
            Route(.get, "/sign-up", showSignUp),
            Route(.post, "/sign-up", signUp),
            Route(.post, "/sign-out", signOut),
        ]
    }

    /// The signed-in user, or nil; throws when the session could not be looked up.
    static func user(_ context: StorefrontContext) throws -> User? {
        if let failure = context.visitor.failure { throw failure }
        return context.visitor.user
    }

    /// To the sign-in page, and from there to `back`.
    static func signInFirst(back: String) -> Response {
        .seeOther("/sign-in?back=\(FormFields.encode(back))")
    }

    /// A path of ours that a form may lead back to; anything else, another site above all, leads home.
    static func safePath(_ path: String?) -> String {
        guard let path, path.first == "/", !path.hasPrefix("//"), path.utf8.count <= 300,
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") })
        else { return "/" }
        return path
    }

    @Sendable private func showSignIn(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let fields = try request.queryFields()
        return signInPage(FormDraft(values: ["back": Self.safePath(fields["back"])]), request, context)
    }

    private func signInPage(_ draft: FormDraft, _ request: Request, _ context: StorefrontContext) -> Response {
        let layout = Layout("Sign in", section: .accounts, feature: .accounts, request, context)
        return layout.response(
            """
            <section class="narrow"><h1>Sign in</h1>
            \(draft.summary)
            <form class="stack" method="post" action="/sign-in">\(Layout.token(context.visitor))
            <input type="hidden" name="back" value="\(draft["back"])">
            \(draft.field("email", "E-mail address", "type=\"email\" autocomplete=\"username\" maxlength=\"254\""))
            \(draft.field(
                "password", "Password",
                "type=\"password\" autocomplete=\"current-password\" maxlength=\"200\""))
            <button class="big">Sign in</button>
            </form>
            <p>New here? <a href="/sign-up">Make an account</a>.</p></section>
            """, status: draft.problem?.status ?? .ok)
    }

    @Sendable private func signIn(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let form = try await request.form(context)
        let back = Self.safePath(form["back"])
        do {
            let (_, token) = try await shop.accounts.signIn(
                email: form["email"] ?? "", password: form["password"] ?? "", from: context.address)
            let mark = back.contains("?") ? "&" : "?"
            return signedIn(token, to: "\(back)\(mark)notice=\(Notice.signedIn.rawValue)")
        } catch let problem as Problem {
            let draft = FormDraft(values: ["email": form["email"] ?? "", "back": back], problem: problem)
            return signInPage(draft, request, context)
        }
    }

    @Sendable private func showSignUp(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        signUpPage(FormDraft(), request, context)
    }

    private func signUpPage(_ draft: FormDraft, _ request: Request, _ context: StorefrontContext) -> Response {
        let layout = Layout("Sign up", section: .accounts, feature: .accounts, request, context)
        return layout.response(
            """
            <section class="narrow"><h1>Sign up</h1>
            \(draft.summary)
            <form class="stack" method="post" action="/sign-up">\(Layout.token(context.visitor))
            \(draft.field("name", "Your name", "type=\"text\" autocomplete=\"name\" maxlength=\"80\""))
            \(draft.field("email", "E-mail address", "type=\"email\" autocomplete=\"username\" maxlength=\"254\""))
            \(draft.field(
                "password", "Password (8 characters or more)",
                "type=\"password\" autocomplete=\"new-password\" minlength=\"8\" maxlength=\"200\""))
            <button class="big">Make my account</button>
            </form>
            <p>You have one? <a href="/sign-in">Sign in</a>.</p></section>
            """, status: draft.problem?.status ?? .ok)
    }

    @Sendable private func signUp(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let form = try await request.form(context)
        do {
            let user = try await shop.accounts.signUp(
                email: form["email"] ?? "", name: form["name"] ?? "", password: form["password"] ?? "",
                from: context.address)
            let token = try await shop.sessions.start(user)
            return signedIn(token, to: "/?notice=\(Notice.signedUp.rawValue)")
        } catch let problem as Problem {
            let draft = FormDraft(values: ["name": form["name"] ?? "", "email": form["email"] ?? ""], problem: problem)
            return signUpPage(draft, request, context)
        }
    }

    private func signedIn(_ token: String, to path: String) -> Response {
        var response = Response.seeOther(path)
        response.headers.append(HTTPField(name: .setCookie, value: shop.cookies.session(token)))
        return response
    }

    @Sendable private func signOut(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        _ = try await request.form(context)
        if case .cookie(let token) = context.visitor.credential { try await shop.sessions.end(token: token) }
        var response = Response.seeOther("/?notice=\(Notice.signedOut.rawValue)")
        response.headers.append(HTTPField(name: .setCookie, value: shop.cookies.endOfSession()))
        return response
    }
}
