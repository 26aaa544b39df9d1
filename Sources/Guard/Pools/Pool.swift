import DequeModule
import Logging
import NIOCore
import PGWire

/// The servers for one kind of session, and the clients whose turn it is and that wait for one to be opened.
///
/// Invariants:
/// 1. A server is in `idle` only at rest, without a client, and its connection open.
/// 2. `servers` never holds more than the group's limit allows, whatever is waiting.
/// 3. A client is in `waiting` or `held` at most once, and has no server then.
/// 4. While it is paused no server is opened and none is given to anybody.
final class Pool {
    let key: PoolKey
    let group: PoolGroup
    private(set) var targets: [Target]
    /// As the servers name it; nil: as the clients do.
    var serverDatabase: String?
    let core: GuardCore
    /// Shared with the replicas: a client's statement may go to either.
    let statements: StatementRegistry
    var replicas: Pool?
    /// Until then its servers are not tried again (replicas).
    private(set) var downUntil: Int64 = 0

    /// What a client is told at log-in; nil before the first server was reached.
    private(set) var welcome: SessionParameters? {
        didSet { if welcome !== oldValue { named = [:] } }
    }
    /// The same for each name of an application, as clients come with again and again.
    private var named: [String: SessionParameters] = [:]
    private static let namesKept = 100
    /// Last in, first out: the others may grow old.
    private var idle: [ServerLink] = []
    private(set) var servers: [ObjectIdentifier: ServerLink] = [:]
    private var waiting = Deque<ClientLink>()
    /// Clients that are known and wait for `welcome`.
    private var newcomers: [ClientLink] = []
    /// Clients that may not begin while it is paused, in order; they have no slot.
    private var held = Deque<ClientLink>()
    private var nextTarget = 0
    /// Targets that did not answer, one after the other.
    private var failures = 0
    private(set) var isPaused = false
    /// When clients were last seen that have their sessions here.
    var usedAt: Int64

    init(
        _ key: PoolKey, group: PoolGroup, targets: [Target], statements: StatementRegistry? = nil, core: GuardCore
    ) {
        self.key = key
        self.group = group
        self.targets = targets
        self.statements = statements ?? StatementRegistry(schema: group.schema)
        usedAt = core.now
        self.core = core
    }

    /// Where the next server is opened.
    var target: Target { targets[nextTarget % targets.count] }

    var idleCount: Int { idle.count }
    var busyCount: Int { servers.count - idle.count }
    var waitingCount: Int { waiting.count }
    var isUnused: Bool { servers.isEmpty && waiting.isEmpty && newcomers.isEmpty && held.isEmpty }
    /// Nobody waits for anything here, and no server does anything.
    var isAtRest: Bool { busyCount == 0 && waiting.isEmpty && newcomers.isEmpty && held.isEmpty }

    // MARK: Clients

    /// Calls `client.welcome` now or when a server was reached.
    func greet(_ client: ClientLink) {
        if welcome != nil { return client.welcome() }
        newcomers.append(client)
        openIfNeeded()
    }

    /// What a client of that application begins with.
    func parameters(of application: String) -> SessionParameters? {
        if let known = named[application] { return known }
        guard var values = welcome?.values else { return nil }
        values[SessionParameters.applicationName] = application
        let made = core.intern(values)
        if named.count >= Self.namesKept { named = [:] }
        named[application] = made
        return made
    }

    /// A server for the client, whose turn it is; nil: it waits, and is called when one is open.
    func acquire(_ client: ClientLink) -> ServerLink? {
        if !isPaused, waiting.isEmpty {
            while let server = idle.popLast() { if server.isFitForNext() { return server } }
        }
        waiting.append(client)
        openIfNeeded()
        return nil
    }

    func leave(_ client: ClientLink) {
        waiting.removeAll { $0 === client }
        newcomers.removeAll { $0 === client }
        held.removeAll { $0 === client }
    }

    /// Nobody may begin now. False: there are too many already.
    func hold(_ client: ClientLink) -> Bool {
        guard held.count < core.settings.limits.waiting else { return false }
        held.append(client)
        return true
    }

    // MARK: Servers

    private var wanted: Int { waiting.count + (welcome == nil && !newcomers.isEmpty ? 1 : 0) }

    func openIfNeeded() {
        guard !isPaused else { return }
        while servers.values.count(where: \.isStarting) < wanted, group.makeRoom(for: self) { open() }
    }

    private func open() {
        let server = ServerLink(pool: self, target: target, core: core)
        servers[ObjectIdentifier(server)] = server
        group.count += 1
        server.connect()
    }

    func started(_ server: ServerLink, _ parameters: SessionParameters) {
        welcome = parameters
        failures = 0
        if key.role == .replica { nextTarget += 1 }
        let greeted = newcomers
        newcomers = []
        release(server)
        for client in greeted { client.welcome() }
    }

    /// The server is at rest and nobody's: it serves whoever waits longest.
    func release(_ server: ServerLink) {
        if server.isRetired { return server.close() }
        guard server.isFitForNext() else { return }
        if !isPaused {
            while let client = waiting.popFirst() {
                if client.take(server) { return }
            }
            if group.givesUp(self) { return server.close() }
        }
        server.restedAt = core.now
        idle.append(server)
    }

    func closed(_ server: ServerLink, _ failure: WireError?, wasStarted: Bool) {
        guard servers.removeValue(forKey: ObjectIdentifier(server)) != nil else { return }
        idle.removeAll { $0 === server }
        group.count -= 1
        // One that was not wanted any more when it was there, or was not, says nothing about where it was.
        if wasStarted || server.isRetired && !server.saidGoodbye { return group.serve() }
        nextTarget += 1
        failures += 1
        let failure = failure ?? WireError(.internalFault, sqlState: "08006", "the server closed the connection")
        if failures % targets.count != 0 { return openIfNeeded() }
        guard servers.isEmpty else { return }
        fail(failure)
    }

    private static let restOfReplicas = 5 * GuardSettings.Timeouts.second

    /// No target answers.
    private func fail(_ failure: WireError) {
        let (greeted, waited) = (newcomers, waiting)
        newcomers = []
        waiting = []
        for client in greeted { client.fail(failure) }
        if key.role == .replica {
            // The primary has the same rows.
            downUntil = core.now + Self.restOfReplicas
            core.logger.warning(
                "no replica answers; the primary takes over",
                metadata: ["database": "\(key.database)", "cause": "\(failure)"])
            for client in waited { client.reroute() }
        } else {
            for client in waited { client.refuse(failure) }
        }
    }

    /// The longest idle, to make room for another pool of the group. False: none is idle.
    func giveOne() -> Bool {
        guard !idle.isEmpty else { return false }
        idle.removeFirst().close()
        return true
    }

    // MARK: Operations

    func pause() {
        guard !isPaused else { return }
        isPaused = true
        // They have slots and no servers: the time is not their queries'.
        let stopped = waiting
        waiting = []
        for client in stopped { client.holdAgain() }
    }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        let rested = idle
        idle = []
        for server in rested { release(server) }
        let freed = held
        held = []
        for client in freed { client.goOn() }
        for client in core.clients.values where client.pool === self && client.isHeld { client.goOn() }
        openIfNeeded()
    }

    /// No server runs anything, is asked anything, or is in a transaction.
    var isStill: Bool { servers.values.allSatisfy { $0.isStarting || $0.isStill } }

    /// Servers in use, for whoever waits for them.
    var unstillCount: Int { servers.values.count { !$0.isStarting && !$0.isStill } }

    /// New settings. Servers of other targets are replaced as they come to rest.
    func apply(_ new: GuardSettings, _ old: GuardSettings, isSwitched: Bool) {
        guard let database = new.database(key.database) else { return retireAll() }
        let before = old.database(key.database)
        serverDatabase = database.database
        switch key.role {
        case .primary:
            if !isSwitched, database.targets != targets { move(to: database.targets) }
        case .replica:
            guard let replicas = database.replicas else { return retireAll() }
            if before?.replicas?.targets != replicas.targets { move(to: replicas.targets) }
        }
    }

    /// Servers are opened there from now on; those that are in use are closed when they come to rest.
    func move(to new: [Target]) {
        targets = new
        (nextTarget, failures) = (0, 0)
        retireAll()
    }

    /// Servers that are now in use are closed when they come to rest.
    func retireAll() {
        for server in servers.values { server.isRetired = true }
        let rested = idle
        idle = []
        for server in rested { server.close() }
    }

    func tick(_ now: Int64) {
        let timeouts = core.settings.timeouts
        while let client = waiting.first, timeouts.queue > 0, now - client.waitingSince > timeouts.queue {
            waiting.removeFirst()
            let seconds = timeouts.queue / GuardSettings.Timeouts.second
            client.refuse(
                WireError(
                    .unsupported, sqlState: "53000",
                    "[mainstay] no server of \(key.database) became free within \(seconds) s"))
        }
        while let client = held.first, timeouts.queue > 0, now - client.waitingSince > timeouts.queue {
            held.removeFirst()
            client.refuse(
                WireError(.unsupported, sqlState: "53000", "[mainstay] database \(key.database) is paused; retry later")
            )
        }
        for server in idle where server.isStale(now, timeouts) { server.close() }
    }
}
