import Decide
import Logging
import NIOCore
import NIOSSL
import PGWire

/// Everything of one event loop: clients, pools, and what they share. Used on its loop only.
final class GuardCore {
    let loop: any EventLoop
    let logger: Logger
    let connector: Connector
    let catalog: QueryCatalog
    let mock: MockSecret
    private(set) var settings: GuardSettings
    var counters = GuardCounters()
    /// Nanoseconds of the loop's clock, read once a chunk of bytes.
    private(set) var now: Int64
    private let wallClock: @Sendable () -> Instant
    private(set) var isDraining = false

    /// Derived at an earlier log-in to a server; deriving takes about a millisecond.
    private var serverKeys: [[UInt8]: ScramKeys] = [:]
    private(set) var clients: [Int32: ClientLink] = [:]
    private(set) var pools: [PoolKey: Pool] = [:]
    private var groups: [PoolKey: PoolGroup] = [:]
    private var tlsContext: NIOSSLContext?
    private var parameterSets: Set<SessionParameters> = []
    /// What was learned of users at their log-in, to log in to servers with.
    private var credentials: [[UInt8]: ServerAuthentication.Credential] = [:]
    private var generator = SystemRandomNumberGenerator()
    let statistics = QueryStatistics()
    /// Reads the settings anew.
    var reading: (@Sendable () throws -> GuardSettings)?
    var onDecision: (@Sendable (GuardDecision) -> Void)?

    init(loop: any EventLoop, settings: GuardSettings, logger: Logger, wallClock: @escaping @Sendable () -> Instant)
        throws
    {
        self.loop = loop
        self.logger = logger
        self.settings = settings
        self.wallClock = wallClock
        connector = Connector(loop: loop)
        now = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
        var random = SystemRandomNumberGenerator()
        catalog = QueryCatalog(seed: random.next())
        guard
            let mock = settings.mock
                ?? MockSecret((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        else {
            throw WireError(.internalFault, sqlState: "XX000", "no random bytes")
        }
        self.mock = mock
        tlsContext = try TLSContexts.server(settings.tls)
    }

    var instant: Instant { wallClock() }

    func refreshClock() {
        now = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
    }

    // MARK: Clients

    /// Connections beyond the limit that are kept until they can be told so.
    private static let refusalsAtOnce = 100

    /// A new connection; nil: it is not even told that there are too many.
    func makeClient() -> ClientLink? {
        refreshClock()
        let isOneTooMany = clients.count >= settings.limits.clients
        if isOneTooMany { counters.refusedClients += 1 }
        guard clients.count < settings.limits.clients + Self.refusalsAtOnce else { return nil }
        var key = CancelKey(using: &generator)
        while clients[key.processID] != nil { key = CancelKey(using: &generator) }
        let client = ClientLink(core: self, key: key)
        client.isOneTooMany = isOneTooMany
        clients[key.processID] = client
        counters.clients += 1
        return client
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

    func authentication(for startup: StartupParameters, isEncrypted: Bool) -> ClientAuthentication {
        let secret = settings.users.secret(of: startup.user)
        return ClientAuthentication(
            method: settings.authentication.method,
            account: ClientAuthentication.Account(user: startup.user, secret: secret), isEncrypted: isEncrypted,
            chance: ClientAuthentication.Chance(md5Salt: generator.next(), nonce: makeNonce()), mock: mock)
    }

    func makeNonce() -> ScramNonce { ScramNonce(generator.next(), generator.next(), generator.next()) }

    func remember(_ credential: ServerAuthentication.Credential, of user: String) {
        if credential != .none { credentials[Array(user.utf8)] = credential }
    }

    func serverStart(for pool: Pool, _ target: Target) -> ServerStart {
        let user = target.user ?? pool.key.user
        var startup: [StartupParameters.Parameter] = [
            .init(name: "user", value: user),
            .init(name: "database", value: pool.database.database ?? pool.key.database),
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
        if target.user == nil, let learned = credentials[Array(user.utf8)] { return learned }
        switch settings.users.secret(of: target.user ?? user) {
        case .plain(let password, verifier: _): return .password(password)
        case .md5(let secret): return .md5(secret)
        case .scram, nil: return .none
        }
    }

    // MARK: Pools

    /// - Throws: when the database is not there any more: a reload may have come during the log-in.
    func pool(for startup: StartupParameters) throws(WireError) -> Pool {
        let key = PoolKey(startup, keepsName: settings.mode == .session)
        if let pool = pools[key] { return pool }
        let database = try requireDatabase(startup)
        let groupKey = PoolKey(database: key.database, user: key.user)
        let group =
            groups[groupKey]
            ?? PoolGroup(
                name: "\(key.database)/\(key.user)", limit: database.poolSize ?? settings.limits.poolSize, core: self)
        groups[groupKey] = group
        let pool = Pool(key, group: group, database: database, core: self)
        group.add(pool)
        pools[key] = pool
        return pool
    }

    /// The budgets decided something: whoever is responsible has to hear of it.
    func decided(_ decision: BudgetDecision, in group: PoolGroup) {
        counters.decisions[decision.name, default: 0] += 1
        let text = decision.query.flatMap { catalogText($0) } ?? ""
        logger.notice(
            "\(decision.explanation)",
            metadata: ["pool": "\(group.name)", "decision": "\(decision.name)", "query": "\(text)"])
        onDecision?(GuardDecision(pool: group.name, queryText: text, decision: decision))
    }

    private func catalogText(_ key: QueryKey) -> String? {
        statistics.text(of: key.fingerprint)
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
        if let account = client?.account, account.query === query {
            return account.add(statement, now - statement.sentAt)
        }
        let account = statistics.entry(of: query, release: client?.release ?? "")
        account?.add(statement, now - statement.sentAt)
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

    func add(_ handler: NIOSSLServerHandler, before client: ClientLink, _ context: ChannelHandlerContext) {
        do {
            try context.pipeline.syncOperations.addHandler(handler, position: .before(client))
        } catch {
            logger.error("TLS cannot be started", metadata: ["cause": "\(error)"])
            context.close(promise: nil)
        }
    }

    func setAutoRead(_ context: ChannelHandlerContext?, _ isOn: Bool) {
        guard let context else { return }
        do {
            try context.channel.syncOptions?.setOption(.autoRead, value: isOn)
        } catch {
            logger.error("a connection's flow cannot be controlled", metadata: ["cause": "\(error)"])
            context.close(promise: nil)
        }
    }

    // MARK: Operations

    func tick() {
        refreshClock()
        for client in clients.values { client.tick(now) }
        for group in groups.values { group.tick(now) }
        for pool in pools.values {
            pool.tick(now)
            for server in pool.servers.values { server.tick(now) }
        }
        for (key, pool) in pools where pool.isUnused && !clients.values.contains(where: { $0.pool === pool }) {
            pool.group.remove(pool)
            pools[key] = nil
        }
    }

    /// Takes new settings in force. Clients stay; servers of databases that changed are replaced as they come to rest.
    func reload(_ new: GuardSettings) throws {
        let tlsContext = try TLSContexts.server(new.tls)
        let old = settings
        settings = new
        self.tlsContext = tlsContext
        for (key, pool) in pools where new.database(key.database)?.targets != old.database(key.database)?.targets {
            pool.retireAll()
            pool.database = new.database(key.database) ?? pool.database
        }
        for (key, group) in groups {
            group.apply(new, limit: new.database(key.database)?.poolSize ?? new.limits.poolSize)
        }
        serverKeys = [:]
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
        for client in clients.values {
            client.fail(WireError(.internalFault, sqlState: "57P01", "the guard is shutting down"))
        }
        for pool in pools.values {
            for server in Array(pool.servers.values) { server.close() }
        }
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
