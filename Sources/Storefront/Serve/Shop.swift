import Logging
import MainstayKit

/// Everything that the Storefront's operations work with.
struct Shop: Sendable {
    let store: Store
    let guardian: Guardian
    let passwords: PasswordHasher
    let sessions: Sessions
    let accounts: Accounts
    let reports: Reports
    let cookies: CookieJar
    let metrics = Metrics()
    let active = ActiveUsers()
    let clock: WallClock
    let logger: Logger

    init(
        store: Store, guardian: Guardian, cookies: CookieJar = CookieJar(), clock: WallClock = .system,
        logger: Logger
    ) {
        self.store = store
        self.guardian = guardian
        self.cookies = cookies
        self.clock = clock
        self.logger = logger
        passwords = PasswordHasher(clock: clock)
        sessions = Sessions(store: store, clock: clock)
        accounts = Accounts(store: store, sessions: sessions, passwords: passwords, clock: clock)
        reports = Reports(guardian: guardian, clock: clock, logger: logger)
    }

    /// The implementation of "Add to Favorites" for this visitor; an unknown variant is served the first one.
    func favoritesVariant(for visitor: Visitor) -> FavoritesVariant {
        let fallback = FavoritesVariant.v1
        let name = guardian.variant(FavoritesVariant.flag, fallback.rawValue, visitor.flags)
        return FavoritesVariant(rawValue: name) ?? fallback
    }

    func postsVariant(for visitor: Visitor) -> PostsVariant {
        let fallback = PostsVariant.v1
        let name = guardian.variant(PostsVariant.flag, fallback.rawValue, visitor.flags)
        return PostsVariant(rawValue: name) ?? fallback
    }
}
