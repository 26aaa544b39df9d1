import Decide
import Logging
import NIOCore
import NIOSSL
import PGWire

/// Everything of one event loop: clients, pools, and what they share. Used on its loop only.
final class GuardCore {
    let loop: SocketLoop
    let logger: Logger
    let connector: Connector
    let catalog: QueryCatalog
    let mock: MockSecret
    private(set) var settings: GuardSettings
    var counters = GuardCounters()
    /// Nanoseconds of the loop's clock.
    private(set) var now: Int64
    private let wallClock: @Sendable () -> Instant
    private(set) var isDraining = false

    /// Derived at an earlier log-in to a server; deriving takes about a millisecond.
    private var serverKeys: [[UInt8]: ScramKeys] = [:]
    /// By database.
    private var lookups: [String: SecretLookup] = [:]
    /// Replaced, while log-ins that have asked them wait for their answers.
    private var leavingLookups: [SecretLookup] = []
    /// Databases whose new transactions wait, by name (`*`: all), with the time at which they go on by themselves.
    var pauses: [String: Int64] = [:]
    /// Where databases are instead of where the settings say.
    var switched: [String: Target] = [:]
    /// The house's rules by hand and the console's, by their ids.
    var rules: [String: GuardRule] = [:]
    /// What clients that name no release are counted under, by database (`*`: those not named; empty: all).
    var currentReleases: [String: String] = [:]
    /// Likewise, when they were started, of those that have not proven themselves.
    var watchedSince: [String: Int64] = [:]
    var databaseNumbers: [String: UInt32] = [:]
    var lastDatabaseNumber: UInt32 = 0
    /// Of groups that there are not now, from this process or an earlier one; taken when the group is made.
    var baselines = KeptBaselines()
    var nextRule = 1
    let startedAt: Instant
    private(set) var clients: [Int32: ClientLink] = [:]
    var pools: [PoolKey: Pool] = [:]
    var groups: [PoolKey: PoolGroup] = [:]
    private var tlsContext: NIOSSLContext?
    private var parameterSets: Set<SessionParameters> = []
    /// What was learned of users at their log-in, to log in to servers with.
    private var credentials: [[UInt8]: ServerAuthentication.Credential] = [:]
    private var generator = SystemRandomNumberGenerator()
    private var foldedAt: Int64
    private var sweptAt: Int64
    let statistics = QueryStatistics()
    /// Reads the settings anew.
    var reading: (@Sendable () throws -> GuardSettings)?
    var onDecision: (@Sendable (QueryDecision) -> Void)?
    /// What outlives the process has changed.
    var onChange: (@Sendable (GuardState) -> Void)?
    /// Grows with each reload: what was worked out from the settings is to be worked out anew.
    private(set) var settingsVersion = 1

    init(loop: SocketLoop, settings: GuardSettings, logger: Logger, wallClock: @escaping @Sendable () -> Instant)
        throws
    {
        self.loop = loop
        self.logger = logger
        self.settings = settings
        self.wallClock = wallClock
        connector = Connector(loop: loop)
        now = loop.nanoseconds
        (foldedAt, sweptAt) = (now, now)
        var random = SystemRandomNumberGenerator()
        catalog = QueryCatalog(seed: random.next())
        guard
            let mock = settings.mock
                ?? MockSecret((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        else {
            throw WireError(.internalFault, sqlState: "XX000", "no random bytes")
        }
        self.mock = mock
        startedAt = wallClock()
        tlsContext = try TLSContexts.server(settings.tls)
    }

    var instant: Instant { wallClock() }

    func refreshClock() {
        now = loop.nanoseconds
    }

    // MARK: Clients

    /// Connections beyond the limit that are kept until they can be told so.
    private static let refusalsAtOnce = 100

    /// A new connection. Far beyond the limit it is not even told that there are too many.
    func accept(_ socket: SocketChannel) {
        refreshClock()
        let isOneTooMany = clients.count >= settings.limits.clients
        if isOneTooMany { counters.refusedClients += 1 }
        guard clients.count < settings.limits.clients + Self.refusalsAtOnce else { return socket.close() }
        var key = CancelKey(using: &generator)
        while clients[key.processID] != nil { key = CancelKey(using: &generator) }
        let client = ClientLink(core: self, key: key, socket: socket)
        socket.receiver = client
        client.isOneTooMany = isOneTooMany
        clients[key.processID] = client
        counters.clients += 1
    }

    func opened(_ client: ClientLink) {
        counters.logins += 1
    }

    func closed(_ client: ClientLink) {
        clients[client.key.processID] = nil
    }

    func cancel(processID: Int32, secret: [UInt8]) -> EventLoopFuture<Void> {
        guard let client = clients[processID], client.key.matches(secret) else {
            counters.strangeCancels += 1
            return loop.makeSucceededVoidFuture()
        }
        return client.cancelled()
    }

    // MARK: Log-in

    @discardableResult
    func requireDatabase(_ startup: StartupParameters) throws(WireError) -> DatabaseSettings {
        guard let database = settings.database(startup.database) else {
            throw WireError(
                .invalidParameter, sqlState: "3D000", "database \"\(startup.database)\" is not configured in the guard")
        }
        return database
    }

    /// - Parameter found: what the database said of a user who is not in the file.
    func authentication(
        for startup: StartupParameters, isEncrypted: Bool, found: LookedUpSecret? = nil
    ) -> ClientAuthentication {
        let secret = found.map(\.secret) ?? settings.users.secret(of: startup.user)
        return ClientAuthentication(
            method: settings.authentication.method,
            account: ClientAuthentication.Account(user: startup.user, secret: secret, validUntil: found?.validUntil),
            isEncrypted: isEncrypted,
            chance: ClientAuthentication.Chance(md5Salt: generator.next(), nonce: makeNonce()), mock: mock)
    }

    /// Nil: the users file says it all.
    func lookUp(_ startup: StartupParameters) -> EventLoopFuture<LookedUpSecret>? {
        guard let query = settings.authQuery, settings.authentication != .trust, !settings.users.contains(startup.user),
            startup.database != AdminConsole.database, let place = lookupPlace(startup.database)
        else { return nil }
        let lookup =
            lookups[place.name]
            ?? SecretLookup(
                core: self, targets: switched[place.name].map { [$0] } ?? place.database.targets,
                database: query.database ?? place.asked, settings: query)
        lookups[place.name] = lookup
        return lookup.ask(startup.user)
    }

    /// Where users without a proof are asked for: a name that only they chose opens no connection, and where there is
    /// no such database they must not notice.
    ///
    /// - Returns: the name to keep the connection under, and the database to ask as the servers name it.
    private func lookupPlace(_ name: String) -> (name: String, asked: String, database: DatabaseSettings)? {
        if let named = settings.databases[name] { return (name, named.database ?? name, named) }
        if let any = settings.databases[GuardSettings.anyDatabase] {
            let kept = switched[name] == nil ? GuardSettings.anyDatabase : name
            return (kept, any.database ?? Self.usualDatabase, any)
        }
        guard let first = settings.databases.min(by: { $0.key < $1.key }) else { return nil }
        return (first.key, first.value.database ?? first.key, first.value)
    }

    /// Every server has it.
    private static let usualDatabase = "postgres"

    /// Log-ins that come now ask anew; those that have asked already are answered.
    func forgetLookups(where isOld: (String, SecretLookup) -> Bool = { _, _ in true }) {
        leavingLookups.removeAll(where: \.isClosed)
        for (name, lookup) in lookups where isOld(name, lookup) {
            lookups[name] = nil
            leavingLookups.append(lookup)
            lookup.retire()
        }
    }

    func lookupStart(_ query: AuthQuerySettings, database: String, _ target: Target) -> ServerStart {
        let credential: ServerAuthentication.Credential =
            query.password.map { .password(SecretBytes($0.utf8)) } ?? self.credential(for: query.user, ofFile: true)
        let nonce = makeNonce()
        let startup: [StartupParameters.Parameter] = [
            .init(name: "user", value: query.user), .init(name: "database", value: database),
            .init(name: "application_name", value: "mainstay guard log-in"),
            .init(name: "client_encoding", value: "UTF8"), .init(name: "DateStyle", value: "ISO"),
            .init(name: "TimeZone", value: "UTC"), .init(name: "search_path", value: "pg_catalog"),
        ]
        return ServerStart(startup: startup) { isEncrypted in
            ServerAuthentication(
                user: query.user, credential: credential, nonce: nonce, isEncrypted: isEncrypted,
                policy: ServerAuthentication.Policy(allowsCleartextWithoutTLS: target.isLocalSocket), knownKeys: nil)
        }
    }

    func makeNonce() -> ScramNonce { ScramNonce(generator.next(), generator.next(), generator.next()) }

    func remember(_ credential: ServerAuthentication.Credential, of user: String) {
        if credential != .none { credentials[Array(user.utf8)] = credential }
    }

    func serverStart(for pool: Pool, _ target: Target) -> ServerStart {
        let user = target.user ?? pool.key.user
        var startup: [StartupParameters.Parameter] = [
            .init(name: "user", value: user),
            .init(name: "database", value: pool.serverDatabase ?? pool.key.database),
        ]
        startup += pool.key.settings
        let credential = credential(for: pool.key.user, target)
        let nonce = makeNonce()
        let keys = serverKeys[Array(user.utf8)]
        return ServerStart(startup: startup) { isEncrypted in
            ServerAuthentication(
                user: user, credential: credential, nonce: nonce, isEncrypted: isEncrypted,
                policy: ServerAuthentication.Policy(allowsCleartextWithoutTLS: target.isLocalSocket), knownKeys: keys)
        }
    }

    func learn(_ keys: ScramKeys, ofUser user: String) {
        serverKeys[Array(user.utf8)] = keys
    }

    private func credential(for user: String, _ target: Target) -> ServerAuthentication.Credential {
        if let password = target.password { return .password(SecretBytes(password.utf8)) }
        return self.credential(for: target.user ?? user, ofFile: target.user != nil)
    }

    /// - Parameter ofFile: what a client proved itself with does not count.
    private func credential(for user: String, ofFile: Bool) -> ServerAuthentication.Credential {
        if !ofFile, let learned = credentials[Array(user.utf8)] { return learned }
        switch settings.users.secret(of: user) {
        case .plain(let password, verifier: _): return .password(password)
        case .md5(let secret): return .md5(secret)
        case .scram, nil: return .none
        }
    }

    // MARK: What happened

    /// The budgets decided something: whoever is responsible has to hear of it.
    func decided(_ decision: BudgetDecision, in group: PoolGroup) {
        counters.decisions[decision.name, default: 0] += 1
        let text = decision.query.flatMap { catalogText($0) } ?? ""
        logger.notice(
            "\(decision.explanation)",
            metadata: ["pool": "\(group.name)", "decision": "\(decision.name)", "query": "\(text)"])
        onDecision?(QueryDecision(decision, in: group, text: text, now: now, instant: instant))
    }

    /// Of one that was counted, or of one that has not ended yet since the guard knows it: a runaway may never have.
    func catalogText(_ key: QueryKey) -> String? {
        if let counted = statistics.text(of: key.fingerprint) { return counted }
        for pool in pools.values {
            for server in pool.servers.values {
                guard let query = server.conversation.oldestRunning?.query, query.fingerprint == key.fingerprint else {
                    continue
                }
                return query.normalizedText
            }
        }
        return nil
    }

    func released(_ client: ClientLink, _ pool: Pool?, heldFor: Int64) {
        counters.transactions += 1
        counters.serverNanoseconds += heldFor
    }

    func waited(_ span: Int64) {
        counters.waitNanoseconds += span
    }

    /// A statement ended.
    func ended(_ statement: RunningStatement, _ client: ClientLink?, _ pool: Pool, isSkipped: Bool) {
        counters.queries += 1
        guard !isSkipped else { return }
        guard let query = statement.query else { return }
        let release = statement.release != 0 ? statement.release : client?.releaseNumber ?? 0
        let number = release != 0 ? release : pool.group.releaseNumber
        if let account = client?.account, account.query === query, account.key.release == number, !account.isDropped {
            return account.add(statement, now)
        }
        let account = statistics.entry(
            of: query, release: number, database: pool.group.number, now: now,
            names: { (pool.key.database, catalog.releases.name(of: number)) })
        account?.add(statement, now)
        client?.account = account
    }

    func intern(_ values: [String: String]) -> SessionParameters {
        if parameterSets.count > 10_000 { parameterSets.removeAll() }
        return parameterSets.insert(SessionParameters(values)).memberAfterInsert
    }

    // MARK: TLS

    var needsTLS: Bool { if case .files(_, _, let isRequired) = settings.tls { isRequired } else { false } }

    func tlsHandler() -> NIOSSLServerHandler? {
        tlsContext.map { NIOSSLServerHandler(context: $0) }
    }

    // MARK: Operations

    func tick() {
        refreshClock()
        if now - foldedAt > 60 * GuardSettings.Timeouts.second {
            foldedAt = now
            statistics.fold()
            forgetDatabaseNumbers()
        }
        endPauses()
        for client in clients.values { client.tick(now) }
        for group in groups.values { group.tick(now) }
        for pool in pools.values {
            pool.tick(now)
            for server in pool.servers.values { server.tick(now) }
        }
        if now - sweptAt > GuardSettings.Timeouts.second {
            sweptAt = now
            sweep()
        }
    }

    /// Takes new settings in force. Clients stay; servers of databases that changed are replaced as they come to rest.
    func reload(_ new: GuardSettings) throws {
        let tlsContext = try TLSContexts.server(new.tls)
        let old = settings
        settings = new
        settingsVersion += 1
        self.tlsContext = tlsContext
        for (name, _) in switched where new.database(name)?.targets != old.database(name)?.targets {
            // Whoever changes the file means it: a switch by hand ends with it.
            switched[name] = nil
        }
        for (key, pool) in pools { pool.apply(new, old, isSwitched: switched[key.database] != nil) }
        for (key, group) in groups {
            let database = new.database(key.database)
            let size = key.role == .replica ? database?.replicas?.poolSize ?? database?.poolSize : database?.poolSize
            group.apply(new, limit: size ?? new.limits.poolSize)
        }
        serverKeys = [:]
        forgetLookups()
        counters.reloads += 1
    }

    /// - Throws: what is wrong with the new settings; those in force stay.
    func requestReload() throws {
        guard let reading else { return }
        do {
            try reload(try reading())
            logger.info("settings read anew")
        } catch {
            logger.error("the new settings are wrong; those in force stay", metadata: ["cause": "\(error)"])
            throw error
        }
    }

    /// No new clients; those that are here leave at the end of their transaction.
    func drain() {
        isDraining = true
        for client in clients.values { client.leave() }
    }

    /// Whatever is left.
    func close() {
        for lookup in Array(lookups.values) + leavingLookups { lookup.close() }
        (lookups, leavingLookups) = ([:], [])
        for client in clients.values {
            client.fail(ClientLink.shuttingDown)
        }
        for pool in pools.values {
            for server in Array(pool.servers.values) { server.close() }
        }
        // They hold on to one another.
        (pools, groups) = ([:], [:])
    }
}

extension GuardSettings.Authentication {
    var method: ClientAuthentication.Method {
        switch self {
        case .trust: .trust
        case .cleartext: .cleartext
        case .md5: .md5
        case .scram: .scramSHA256
        }
    }
}
