import Decide
import Explain
import HTTPTypes
import Hummingbird
import Record

/// One's own password, and for administrators accounts and tokens.
enum AccountPages {
    static let title = "Settings"

    static func add(to routes: PageRoutes) {
        let page: PageRoutes.Show = { call, notice in try await show(call, notice) }
        routes.get("/account", .viewer, page)
        routes.post("/account/password", .viewer, on: page) { call in try await setPassword(call) }
        routes.post("/account/tokens", .admin, on: page) { call in try await createToken(call) }
        routes.post("/account/tokens/revoke", .admin, on: page) { call in
            let digest = try await call.form().trimmed("digest")
            try await call.record.revokeToken(digest, by: call.identity.actor)
            return call.done("/account", "revoked")
        }
        routes.post("/account/accounts", .admin, on: page) { call in try await createAccount(call) }
        routes.post("/account/accounts/state", .admin, on: page) { call in try await setState(call) }
    }

    // MARK: Acts

    /// The present password is asked for anew, so that a screen left open is not enough to take an account over.
    private static func setPassword(_ call: PageCall) async throws -> Response {
        guard call.identity.csrf != nil else { throw Problem(.forbidden, "Sign in by name and password first.") }
        let form = try await call.form()
        let (name, new) = (call.identity.account, form["password"] ?? "")
        guard new == form["again"] else { throw Problem.invalid("again", "is not the same as the new password") }
        guard Record.passwordLengths.contains(new.utf8.count) else {
            throw Problem.invalid(
                "password",
                "must have \(Record.passwordLengths.lowerBound) to \(Record.passwordLengths.upperBound) bytes")
        }
        _ = try await SignIn.attempt(
            name: name, password: form["present"] ?? "", request: call.request, context: call.context,
            services: call.services)
        try await call.record.setPassword(name, new, by: call.identity.actor)
        let success = try await SignIn.attempt(
            name: name, password: new, request: call.request, context: call.context, services: call.services)
        var response = call.done("/account", "password")
        response.headers[.setCookie] = success.cookie
        return response
    }

    private static func createToken(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        let scopes = Set(form.all("scope").compactMap { Scope(rawValue: $0) })
        let account = form.trimmed("account")
        let token = try await call.record.createToken(
            form.trimmed("name"), account: account.isEmpty ? call.identity.account : account, scopes: scopes,
            by: call.identity.actor)
        return try await show(call, nil, newToken: token)
    }

    private static func createAccount(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        guard let role = Role(rawValue: form.trimmed("role")) else { throw Problem.invalid("role", "is missing") }
        try await call.record.createAccount(
            form.trimmed("name"), role: role, password: form["password"] ?? "", by: call.identity.actor)
        return call.done("/account", "account")
    }

    private static func setState(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        let name = form.trimmed("name")
        guard name != call.identity.account else {
            throw Problem(.conflict, "You cannot disable your own account: ask another administrator.")
        }
        try await call.record.setDisabled(name, form["disabled"] == "yes", by: call.identity.actor)
        return call.done("/account", "account")
    }

    // MARK: Page

    private static func show(_ call: PageCall, _ notice: Notice?, newToken: String? = nil) async throws -> Response {
        let isAdmin = call.identity.may(.admin)
        let tokens = isAdmin ? try await call.record.tokens().filter { !$0.isRevoked } : []
        let accounts = isAdmin ? try await call.record.accounts() : []
        return try await call.respond(
            PageContent(
                title, nil, "account",
                [
                    "name": call.identity.account, "role": call.identity.role.rawValue, "csrf": call.csrf,
                    "isAdmin": isAdmin, "newToken": newToken, "minimum": String(Record.passwordLengths.lowerBound),
                    "tokens": tokens.map(token), "hasTokens": !tokens.isEmpty,
                    "accounts": accounts.map { account($0, own: call.identity.account) },
                    "scopes": Scope.allCases.map { ["scope": $0.rawValue, "words": words($0)] as Fields },
                    "roles": Role.allCases.map { ["role": $0.rawValue] as Fields },
                ], notice: notice))
    }

    private static func token(_ token: AccessToken) -> Fields {
        [
            "name": token.name, "account": token.account, "digest": token.digest,
            "short": String(token.digest.prefix(12)),
            "scopes": token.scopes.map(\.rawValue).sorted().joined(separator: ", "), "at": Words.time(token.createdAt),
        ]
    }

    private static func account(_ account: Account, own: String) -> Fields {
        [
            "name": account.name, "role": account.role.rawValue, "at": Words.time(account.createdAt),
            "badge": account.isDisabled
                ? Words.badge(.calm, "wait", "disabled") : Words.badge(.well, "ok", "may sign in"),
            "isOwn": account.name == own, "word": account.isDisabled ? "Enable" : "Disable",
            "disable": account.isDisabled ? "no" : "yes",
        ]
    }

    private static func words(_ scope: Scope) -> String {
        switch scope {
        case .all: "everything its account may"
        case .service: "stream flags and report exposures: for a service"
        case .releases: "create releases and attach evidence: for CI"
        case .heartbeats: "ping heartbeats"
        case .read: "read everything"
        }
    }
}
