import Decide
import SQL

extension Record {
    package static let sessionLifetime: Span = .days(14)
    package static let passwordLengths = 12...200

    // MARK: Accounts

    package func accounts() async throws -> [Account] {
        try await database.read { connection in
            try connection.query("SELECT name, role, created_at, disabled_at FROM accounts ORDER BY name LIMIT 1000")
                .map(Self.account)
        }
    }

    package func hasAccounts() async throws -> Bool {
        try await database.read { connection in
            try !connection.query("SELECT name FROM accounts LIMIT 1").isEmpty
        }
    }

    package func createAccount(_ name: String, role: Role, password: String, by actor: Actor) async throws {
        guard (1...64).contains(name.utf8.count),
            name.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") })
        else {
            throw Refusal(
                .invalid, "An account's name has 1 to 64 printable ASCII characters without spaces and slashes.")
        }
        try Self.check(password)
        let hash = try await Passwords.hash(password)
        let now = self.now()
        try await note("account.created", "Account \(name) created as \(role.rawValue).", actor) { connection in
            let changed = try connection.execute(
                "INSERT INTO accounts (name, role, password, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [.text(name), .text(role.rawValue), .text(hash), .integer(now.milliseconds)])
            guard changed == 1 else { throw Refusal(.conflict, "There is already an account named \(name).") }
        }
    }

    package func setPassword(_ name: String, _ password: String, by actor: Actor) async throws {
        try Self.check(password)
        let hash = try await Passwords.hash(password)
        try await note("account.password_changed", "Password of \(name) changed.", actor) { connection in
            let changed = try connection.execute(
                "UPDATE accounts SET password = ? WHERE name = ?", [.text(hash), .text(name)])
            guard changed == 1 else { throw Refusal(.notFound, "There is no account named \(name).") }
            try connection.execute("DELETE FROM sessions WHERE account = ?", [.text(name)])
        }
    }

    package func setDisabled(_ name: String, _ isDisabled: Bool, by actor: Actor) async throws {
        let now = self.now()
        let text = "Account \(name) \(isDisabled ? "disabled" : "enabled")."
        try await note(isDisabled ? "account.disabled" : "account.enabled", text, actor) { connection in
            let changed = try connection.execute(
                "UPDATE accounts SET disabled_at = ? WHERE name = ?",
                [isDisabled ? .integer(now.milliseconds) : .null, .text(name)])
            guard changed == 1 else { throw Refusal(.notFound, "There is no account named \(name).") }
            if isDisabled { try connection.execute("DELETE FROM sessions WHERE account = ?", [.text(name)]) }
        }
    }

    private static func check(_ password: String) throws {
        guard passwordLengths.contains(password.utf8.count) else {
            throw Refusal(
                .invalid,
                "A password has \(passwordLengths.lowerBound) to \(passwordLengths.upperBound) bytes.")
        }
    }

    // MARK: Sessions

    /// Nil when name or password is wrong; which of them is not said.
    package func signIn(_ name: String, password: String) async throws -> (token: String, session: Session)? {
        let stored = try await database.read { connection in
            try connection.query(
                "SELECT password, name, role, created_at, disabled_at FROM accounts WHERE name = ?", [.text(name)]
            ).first.map { (try $0.text("password"), try Self.account($0)) }
        }
        let isRight = try await Passwords.verify(password, against: stored?.0)
        guard isRight, let account = stored?.1, !account.isDisabled else { return nil }
        let (token, csrf, now) = (Secrets.random(), Secrets.random(), self.now())
        let session = Session(account: account, csrf: csrf, expiresAt: now + Record.sessionLifetime)
        let actor = Actor(.person, account.name)
        try await note("session.started", "\(account.name) signed in.", actor) { connection in
            try connection.execute(
                "INSERT INTO sessions (digest, account, csrf, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
                [
                    .text(Secrets.digest(token)), .text(account.name), .text(csrf), .integer(now.milliseconds),
                    .integer(session.expiresAt.milliseconds),
                ])
        }
        return (token, session)
    }

    package func session(_ token: String) async throws -> Session? {
        let now = self.now()
        return try await database.read { connection in
            try connection.query(
                """
                SELECT s.csrf, s.expires_at, a.name, a.role, a.created_at, a.disabled_at
                FROM sessions s JOIN accounts a ON a.name = s.account
                WHERE s.digest = ? AND s.expires_at > ? AND a.disabled_at IS NULL
                """, [.text(Secrets.digest(token)), .integer(now.milliseconds)]
            ).first.map { row in
                Session(
                    account: try Self.account(row), csrf: try row.text("csrf"),
                    expiresAt: Instant(milliseconds: try row.int("expires_at")))
            }
        }
    }

    package func signOut(_ token: String) async throws {
        _ = try await database.write { connection in
            try connection.execute("DELETE FROM sessions WHERE digest = ?", [.text(Secrets.digest(token))])
        }
    }

    // MARK: Tokens

    /// Makes a token and returns it; it is never shown again.
    package func createToken(
        _ name: String, account: String, scopes: Set<Scope>, by actor: Actor
    ) async throws -> String {
        guard (1...100).contains(name.utf8.count) else { throw Refusal(.invalid, "A token's name has 1 to 100 bytes.") }
        guard !scopes.isEmpty else { throw Refusal(.invalid, "A token needs at least one scope.") }
        let (token, now) = ("mst_" + Secrets.random(), self.now())
        try await adopt(token, name: name, account: account, scopes: scopes, at: now, by: actor)
        return token
    }

    /// Keeps a token that was made elsewhere (by the operator, in a file); keeping it twice is keeping it once.
    package func adoptToken(_ token: String, name: String, account: String, scopes: Set<Scope>) async throws {
        guard token.utf8.count >= 32 else { throw Refusal(.invalid, "Token \(name) is too short: at least 32 bytes.") }
        try await adopt(token, name: name, account: account, scopes: scopes, at: now(), by: .mainstay)
    }

    private func adopt(
        _ token: String, name: String, account: String, scopes: Set<Scope>, at now: Instant, by actor: Actor
    ) async throws {
        let digest = Secrets.digest(token)
        let known = try await database.read { connection in
            try !connection.query("SELECT digest FROM tokens WHERE digest = ?", [.text(digest)]).isEmpty
        }
        if known { return }
        try await note("token.created", "Token \(name) of \(account) created.", actor) { connection in
            guard try !connection.query("SELECT name FROM accounts WHERE name = ?", [.text(account)]).isEmpty else {
                throw Refusal(.notFound, "There is no account named \(account).")
            }
            try connection.execute(
                """
                INSERT INTO tokens (digest, name, account, scopes, created_at) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                """,
                [
                    .text(digest), .text(name), .text(account),
                    .text(scopes.map(\.rawValue).sorted().joined(separator: " ")), .integer(now.milliseconds),
                ])
        }
    }

    package func tokens() async throws -> [AccessToken] {
        try await database.read { connection in
            try connection.query("SELECT * FROM tokens ORDER BY created_at, digest LIMIT 1000").map(Self.token)
        }
    }

    /// The account a token acts for, unless it is revoked or its account disabled.
    package func authenticate(token: String) async throws -> (token: AccessToken, account: Account)? {
        try await database.read { connection in
            let rows = try connection.query(
                "SELECT * FROM tokens WHERE digest = ? AND revoked_at IS NULL", [.text(Secrets.digest(token))])
            guard let row = rows.first else { return nil }
            let token = try Self.token(row)
            let account = try connection.query(
                "SELECT * FROM accounts WHERE name = ? AND disabled_at IS NULL", [.text(token.account)]
            ).first.map(Self.account)
            return account.map { (token, $0) }
        }
    }

    package func revokeToken(_ digest: String, by actor: Actor) async throws {
        let now = self.now()
        try await note("token.revoked", "Token \(digest.prefix(12))… revoked.", actor) { connection in
            let changed = try connection.execute(
                "UPDATE tokens SET revoked_at = ? WHERE digest = ? AND revoked_at IS NULL",
                [.integer(now.milliseconds), .text(digest)])
            guard changed == 1 else { throw Refusal(.notFound, "There is no such token in force.") }
        }
    }

    // MARK: Rows

    /// Writes to the access tables and its line of the timeline in one transaction.
    private func note(
        _ kind: String, _ text: String, _ actor: Actor,
        _ body: @escaping @Sendable (any SQLConnection) throws -> Void
    ) async throws {
        let now = self.now()
        try await database.write { connection in
            try body(connection)
            _ = try Timeline.append(
                [(Entry(kind, text), actor, Subject(.access, actor.name))], at: now, connection)
        }
        signals.send(.timeline)
    }

    private static func account(_ row: SQLRow) throws -> Account {
        guard let role = Role(rawValue: try row.text("role")) else {
            throw SQLError(.decoding, "account \(try row.text("name")) has an unknown role")
        }
        return Account(
            name: try row.text("name"), role: role, createdAt: Instant(milliseconds: try row.int("created_at")),
            isDisabled: try row.optionalInt("disabled_at") != nil)
    }

    private static func token(_ row: SQLRow) throws -> AccessToken {
        AccessToken(
            digest: try row.text("digest"), name: try row.text("name"), account: try row.text("account"),
            scopes: Set(try row.text("scopes").split(separator: " ").compactMap { Scope(rawValue: String($0)) }),
            createdAt: Instant(milliseconds: try row.int("created_at")),
            isRevoked: try row.optionalInt("revoked_at") != nil)
    }
}
