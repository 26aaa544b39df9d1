import Synchronization

/// Signs people in and out, and remembers briefly who a token belongs to.
///
/// The memory spares the database one look-up for each request. A session that ends elsewhere (another process of the
/// Storefront) is noticed within `memoryMilliseconds`.
final class Sessions: Sendable {
    static let lifetimeMilliseconds: Int64 = 30 * 86_400_000
    static let memoryMilliseconds: Int64 = 10_000
    static let memoryLimit = 20_000

    private struct Entry {
        var user: User
        var until: Int64
    }

    private let store: Store
    private let clock: WallClock
    private let memory = Mutex<[String: Entry]>([:])

    init(store: Store, clock: WallClock) {
        self.store = store
        self.clock = clock
    }

    /// The token of a new session; only its hash is kept.
    func start(_ user: User) async throws -> String {
        let token = Token.random()
        let now = clock.now()
        try await store.createSession(
            tokenHash: Token.hash(token), user: user.id, at: now, expires: now + Self.lifetimeMilliseconds)
        return token
    }

    func user(token: String) async throws -> User? {
        guard Token.isWellFormed(token) else { return nil }
        let hash = Token.hash(token)
        let now = clock.now()
        if let entry = memory.withLock({ $0[hash] }), entry.until > now { return entry.user }
        guard let user = try await store.sessionUser(tokenHash: hash, at: now) else { return nil }
        memory.withLock { memory in
            if memory.count >= Self.memoryLimit { memory.removeAll(keepingCapacity: true) }
            memory[hash] = Entry(user: user, until: now + Self.memoryMilliseconds)
        }
        return user
    }

    func end(token: String) async throws {
        let hash = Token.hash(token)
        try await store.deleteSession(tokenHash: hash)
        _ = memory.withLock { $0.removeValue(forKey: hash) }
    }
}
