/// What one can do with an account, for the API and the pages alike.
struct Accounts: Sendable {
    let store: Store
    let sessions: Sessions
    let passwords: PasswordHasher
    /// Failed attempts for one account from one address.
    let attempts: RateLimit
    /// New accounts from one address.
    let signUps: RateLimit
    let clock: WallClock

    init(store: Store, sessions: Sessions, passwords: PasswordHasher, clock: WallClock) {
        self.store = store
        self.sessions = sessions
        self.passwords = passwords
        self.clock = clock
        attempts = RateLimit(limit: 10, windowMilliseconds: 5 * 60_000, clock: clock)
        signUps = RateLimit(limit: 500, windowMilliseconds: 60 * 60_000, clock: clock)
    }

    /// Throws 422 for bad input, 409 when the address has an account.
    func signUp(email: String, name: String, password: String, from address: String) async throws -> User {
        var validator = Validator()
        let email = validator.email("email", email)
        let name = validator.text("name", name, length: 1...80)
        let password = validator.text("password", password, length: 8...200)
        try validator.finish()
        try signUps.use(address, detail: "Too many new accounts from your address. Try again later.")
        let hash = try await passwords.hash(password)
        guard let user = try await store.createUser(email: email, name: name, password: hash, at: clock.now()) else {
            throw Problem.conflict("There is an account with this e-mail address already.", field: "email")
        }
        return user
    }

    /// The token of a new session. Throws 401 when address or password is wrong, 429 after too many attempts.
    func signIn(email: String, password: String, from address: String) async throws -> (user: User, token: String) {
        var validator = Validator()
        let email = validator.email("email", email)
        let password = validator.text("password", password, length: 1...200)
        try validator.finish()
        let key = "\(email) \(address)"
        try attempts.use(key, detail: "Too many attempts for this account. Wait before you try again.")
        let account = try await store.account(email: email)
        guard try await passwords.verify(password, account?.password ?? PasswordHash.ofNobody), let account else {
            throw Problem.wrongCredentials
        }
        attempts.forgive(key)
        return (account.user, try await sessions.start(account.user))
    }
}
