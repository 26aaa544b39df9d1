import Decide
import Logging
import PGWire

/// The pools of one database and user, which share its servers, and the budgets that share out their time.
final class PoolGroup {
    /// `database/user`, for people.
    let name: String
    let database: String
    let user: String
    /// Of the database, for statistics.
    let number: UInt32
    /// As the servers name it.
    let serverDatabase: String
    /// Shared with the groups of the same database.
    let schema: SchemaVersion
    /// When clients were last seen.
    var usedAt: Int64
    /// What clients that name no release are counted under; 0: none.
    private(set) var releaseNumber: UInt32 = 0
    private var ruleIDs: [String: RuleID] = [:]
    private let core: GuardCore
    private(set) var limit: Int
    /// Servers of all pools, those that are being opened included.
    var count = 0
    private(set) var pools: [Pool] = []
    private(set) var budgets: QueryBudgets
    private var isServing = false

    init(
        _ key: PoolKey, number: UInt32, limit: Int, serverDatabase: String, schema: SchemaVersion, core: GuardCore
    ) {
        name = "\(key.database)/\(key.user)" + (key.role == .replica ? " (replicas)" : "")
        (database, user) = (key.database, key.user)
        self.number = number
        self.serverDatabase = serverDatabase
        self.schema = schema
        usedAt = core.now
        self.limit = limit
        self.core = core
        budgets = QueryBudgets(Self.settings(core.settings, limit), now: core.now)
        releaseNumber = core.catalog.releases.number(of: core.currentRelease(of: key.database))
    }

    private static func settings(_ settings: GuardSettings, _ limit: Int) -> BudgetSettings {
        var budgets = settings.budgets
        budgets.slots = max(1, limit)
        budgets.queueTimeout = .milliseconds(settings.timeouts.queue / 1_000_000)
        budgets.queueCapacity = settings.limits.waiting
        let idle = settings.timeouts.idleTransaction
        budgets.idleCap = idle > 0 ? .milliseconds(idle / 1_000_000) : nil
        return budgets
    }

    func add(_ pool: Pool) { pools.append(pool) }
    func remove(_ pool: Pool) { pools.removeAll { $0 === pool } }

    func apply(_ settings: GuardSettings, limit: Int) {
        self.limit = limit
        budgets.apply(Self.settings(settings, limit))
        serveNext()
    }

    // MARK: Servers

    /// There is room: whoever waits may open a server.
    func serve() {
        for pool in pools { pool.openIfNeeded() }
    }

    /// Whether one more server may be opened, after closing another pool's idle one if need be.
    func makeRoom(for pool: Pool) -> Bool {
        if count < limit { return true }
        for other in pools where other !== pool { if other.giveOne() { return count < limit } }
        return false
    }

    /// Whether a pool with nobody waiting should give its server up for one that has.
    func givesUp(_ pool: Pool) -> Bool {
        pools.count > 1 && count >= limit
            && pools.contains { $0 !== pool && ($0.waitingCount > 0 && $0.servers.isEmpty) }
    }

    // MARK: Turns

    func classify(_ identity: ClientIdentity) -> ClientClass { budgets.classify(identity) }
    var classVersion: UInt32 { budgets.currentClassVersion() }

    func admit(_ client: ClientLink, _ request: SlotRequest) -> Admission {
        budgets.admit(request, expected: client.usualQuery, waiter: Int(client.key.processID), now: core.now)
    }

    func leave(_ handle: WaiterHandle) {
        _ = budgets.removeWaiter(handle, now: core.now)
    }

    func started(_ token: SlotToken) { budgets.started(token, now: core.now) }

    func statementEnded(_ token: SlotToken, _ result: StatementResult) {
        budgets.statementEnded(token, result, now: core.now)
    }

    func statementStarted(_ token: SlotToken, _ request: SlotRequest) -> StatementVerdict {
        budgets.statementStarted(token, request, now: core.now)
    }

    func finished(_ token: SlotToken, _ result: StatementResult) {
        budgets.finished(token, result, now: core.now)
        serveNext()
    }

    /// The client keeps server and slot.
    func rested(_ token: SlotToken, _ result: StatementResult) {
        budgets.rested(token, result, now: core.now)
    }

    func abandoned(_ token: SlotToken) {
        budgets.abandoned(token, now: core.now)
        serveNext()
    }

    /// Gives free slots to whoever is next.
    func serveNext() {
        guard !isServing, budgets.hasWaiters() else { return }
        isServing = true
        defer { isServing = false }
        while let turn = budgets.next(now: core.now) {
            guard let client = core.clients[Int32(truncatingIfNeeded: turn.waiter)] else {
                budgets.abandoned(turn.token, now: core.now)
                continue
            }
            client.hasTurn(turn.token)
        }
    }

    func tick(_ now: Int64) {
        let report = budgets.tick(now: now, busySlots: pools.reduce(0) { $0 + $1.busyCount })
        for decision in report.decisions { core.decided(decision, in: self) }
        for (waiter, rejection) in report.rejected {
            core.clients[Int32(truncatingIfNeeded: waiter)]?.refuse(WireError(rejection))
        }
        for token in report.cancel { client(with: token)?.cancelledByBudget() }
        for token in report.endIdle { client(with: token)?.endIdleTransaction() }
        serveNext()
    }

    private func client(with token: SlotToken) -> ClientLink? {
        core.clients.values.first { $0.token == token && $0.pool?.group === self }
    }

    var statuses: [QueryStatus] { budgets.queries }

    // MARK: What people and releases say

    func add(_ rule: GuardRule, _ instant: Instant) {
        remove(rule.id)
        guard rule.until > instant, rule.rule.pattern.database.map({ $0 == database }) ?? true else { return }
        var rest = rule.rule
        rest.lasts = rule.until - instant
        ruleIDs[rule.id] = budgets.addRule(rest, now: core.now)
    }

    func remove(_ rule: String) {
        guard let id = ruleIDs.removeValue(forKey: rule) else { return }
        _ = budgets.removeRule(id)
    }

    func releaseStarted(_ release: String) {
        releaseNumber = core.catalog.releases.number(of: release)
        budgets.releaseStarted(release, now: core.now)
    }

    /// The current release was started then, before there was this group.
    func releaseStarted(at start: Int64) {
        guard releaseNumber != 0 else { return }
        budgets.releaseStarted(core.catalog.releases.name(of: releaseNumber), now: start)
    }

    func releaseProven() { budgets.releaseProven() }

    /// False: it has no limit.
    func letIn(_ query: QueryKey) -> Bool {
        let isLimited = budgets.releaseQuery(query, now: core.now)
        if isLimited { serveNext() }
        return isLimited
    }

    func restore(_ kept: [BaselineRecord]) {
        budgets.restoreBaselines(kept, now: core.now)
    }

    /// It limits somebody now.
    var holdsBack: Bool { budgets.holdsBack }
    /// A release has started and is not proven yet.
    var isFrozen: Bool { budgets.isFrozen(now: core.now) }
    var baselines: [BaselineRecord] { budgets.exportBaselines(now: core.now) }
}

extension WireError {
    init(_ rejection: Rejection) {
        self.init(.unsupported, sqlState: Rejection.sqlState, rejection.message)
    }
}

extension QueryInfo {
    var key: QueryKey {
        kind.isTransactionControl ? .transactionControl : QueryKey(fingerprint: fingerprint)
    }

    var statementKind: StatementKind {
        switch kind {
        case .begin, .commit, .rollback, .savepoint, .set, .show, .prepare, .empty: .transactionControl
        case .copy: .copy
        case .ddl, .utility: .maintenance
        default: isReadOnly ? .select : .write
        }
    }
}
