import DequeModule
import NIOCore
import PGWire

/// The servers for one kind of session, and the clients whose turn it is and that wait for one to be opened.
///
/// Invariants:
/// 1. A server is in `idle` only at rest, without a client, and its connection open.
/// 2. `servers` never holds more than the group's limit allows, whatever is waiting.
/// 3. A client is in `waiting` at most once, and has no server then.
final class Pool {
    let key: PoolKey
    let group: PoolGroup
    var database: DatabaseSettings
    unowned let core: GuardCore
    let statements = StatementRegistry()

    /// What a client is told at log-in; nil before the first server was reached.
    private(set) var welcome: SessionParameters?
    /// Last in, first out: the others may grow old.
    private var idle: [ServerLink] = []
    private(set) var servers: [ObjectIdentifier: ServerLink] = [:]
    private var waiting = Deque<ClientLink>()
    /// Clients that are known and wait for `welcome`.
    private var newcomers: [ClientLink] = []
    private var nextTarget = 0
    private(set) var isPaused = false

    init(_ key: PoolKey, group: PoolGroup, database: DatabaseSettings, core: GuardCore) {
        self.key = key
        self.group = group
        self.database = database
        self.core = core
    }

    var idleCount: Int { idle.count }
    var busyCount: Int { servers.count - idle.count }
    var waitingCount: Int { waiting.count }
    var isUnused: Bool { servers.isEmpty && waiting.isEmpty && newcomers.isEmpty }
    var oldestWaiting: ClientLink? { waiting.first }

    // MARK: Clients

    /// Calls `client.welcome` now or when a server was reached.
    func greet(_ client: ClientLink) {
        if let welcome { return client.welcome(welcome) }
        newcomers.append(client)
        openIfNeeded()
    }

    /// A server for the client, whose turn it is; nil: it waits, and is called when one is open.
    func acquire(_ client: ClientLink) -> ServerLink? {
        if !isPaused, waiting.isEmpty, let server = idle.popLast() { return server }
        waiting.append(client)
        openIfNeeded()
        return nil
    }

    func leave(_ client: ClientLink) {
        waiting.removeAll { $0 === client }
        newcomers.removeAll { $0 === client }
    }

    // MARK: Servers

    private var wanted: Int { waiting.count + (welcome == nil && !newcomers.isEmpty ? 1 : 0) }

    func openIfNeeded() {
        while servers.values.count(where: \.isStarting) < wanted, group.makeRoom(for: self) { open() }
    }

    private func open() {
        let target = database.targets[nextTarget % database.targets.count]
        let server = ServerLink(pool: self, target: target, core: core)
        servers[ObjectIdentifier(server)] = server
        group.count += 1
        server.connect()
    }

    func started(_ server: ServerLink, _ parameters: SessionParameters) {
        welcome = parameters
        let greeted = newcomers
        newcomers = []
        release(server)
        for client in greeted { client.welcome(parameters) }
    }

    /// The server is at rest and nobody's: it serves whoever waits longest.
    func release(_ server: ServerLink) {
        if server.isRetired { return server.close() }
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
        guard !wasStarted else { return group.serve() }
        nextTarget += 1
        let failure = failure ?? WireError(.internalFault, sqlState: "08006", "the server closed the connection")
        if nextTarget % database.targets.count != 0 { return openIfNeeded() }
        guard servers.isEmpty else { return }
        fail(failure)
    }

    /// No target answers.
    private func fail(_ failure: WireError) {
        let (greeted, waited) = (newcomers, waiting)
        newcomers = []
        waiting = []
        for client in greeted { client.fail(failure) }
        for client in waited { client.refuse(failure) }
    }

    /// The longest idle, to make room for another pool of the group. False: none is idle.
    func giveOne() -> Bool {
        guard !idle.isEmpty else { return false }
        idle.removeFirst().close()
        return true
    }

    // MARK: Operations

    func pause() { isPaused = true }

    func resume() {
        isPaused = false
        let rested = idle
        idle = []
        for server in rested { release(server) }
        openIfNeeded()
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
        for server in idle where server.isStale(now, timeouts) { server.close() }
    }
}
