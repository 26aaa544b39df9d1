import Decide
import NIOCore
import PGWire
import Synchronization

/// What others in this process ask of the guard, from any thread.
extension Guard {
    package func overview() async throws -> GuardOverview {
        try await onLoop { $0.overview() }
    }

    package func connections() async throws -> GuardConnections {
        try await onLoop { $0.connections() }
    }

    package func reload() async throws {
        try await onLoop { try $0.requestReload() }
    }

    /// What was counted since this was last asked; every statement is in exactly one answer. Once more after the end.
    package func takeSamples() async throws -> [QuerySample] {
        let last = lastSamples.withLock { samples in
            defer { if samples != nil { samples = [] } }
            return samples
        }
        if let last { return last }
        return try await onLoop { $0.statistics.takeSamples() }
    }

    package func pause(database: String?, deadline: Span) async throws {
        try await loop.flatSubmit { [core] () -> EventLoopFuture<Void> in
            core.value?.pause(database, within: deadline.milliseconds * 1_000_000)
                ?? core.eventLoop.makeSucceededVoidFuture()
        }.get()
    }

    package func resume(database: String?) async throws {
        try await onLoop { try $0.resume(database) }
    }

    package func switchTarget(database: String, to target: String, deadline: Span) async throws {
        try await loop.flatSubmit { [core] () -> EventLoopFuture<Void> in
            core.value?.switchTarget(of: database, to: target, within: deadline.milliseconds * 1_000_000).map { _ in }
                ?? core.eventLoop.makeSucceededVoidFuture()
        }.get()
    }

    package func setRules(_ rules: [GuardRule]) async throws {
        try await onLoop { $0.setRules(rules) }
    }

    package func releaseStarted(_ release: String, database: String?) async throws {
        try await onLoop { $0.releaseStarted(release, database: database) }
    }

    package func releaseProven(database: String?) async throws {
        try await onLoop { $0.releaseProven(database: database) }
    }

    package func state() async throws -> GuardState {
        try await onLoop { $0.state }
    }

    /// Only while it runs.
    private func onLoop<Value: Sendable>(
        _ body: @escaping @Sendable (GuardCore) throws -> Value
    ) async throws -> Value {
        try await loop.submit { [core] in
            guard let core = core.value else {
                throw WireError(.internalFault, sqlState: "57P03", "the guard is not running")
            }
            return try body(core)
        }.get()
    }
}

extension GuardCore {
    func overview() -> GuardOverview {
        refreshClock()
        var overview = GuardOverview()
        overview.clients = clients.count
        overview.mode = settings.budgets.mode
        overview.databases = settings.databases.keys.sorted()
        overview.pools = poolStates()
        overview.limited = groups.values.sorted { $0.name < $1.name }.flatMap { limited(in: $0) }
        overview.queries = counters.queries
        overview.transactions = counters.transactions
        overview.refusedQueries = counters.refusedQueries
        overview.violations = counters.violations
        overview.figures = Dictionary(uniqueKeysWithValues: GuardFigure.allCases.map { ($0, counters[$0]) })
        overview.startedAt = startedAt
        return overview
    }

    /// By database, user and role; pools that differ only in their sessions' settings are one to people.
    func poolStates() -> [GuardOverview.Pool] {
        var states: [PoolKey: GuardOverview.Pool] = [:]
        var byPool: [ObjectIdentifier: (active: Int, waiting: Int, pinned: Int, longest: Int64)] = [:]
        for client in clients.values {
            guard let pool = client.pool else { continue }
            var counts = byPool[ObjectIdentifier(pool)] ?? (0, 0, 0, 0)
            if client.server != nil { counts.active += 1 }
            if client.isWaiting || client.isHeld {
                counts.waiting += 1
                counts.longest = max(counts.longest, now - client.waitingSince)
            }
            if !(client.conversation?.taint.isEmpty ?? true) { counts.pinned += 1 }
            byPool[ObjectIdentifier(pool)] = counts
        }
        for pool in pools.values {
            let key = PoolKey(database: pool.key.database, user: pool.key.user, role: pool.key.role)
            var state = states[key] ?? GuardOverview.Pool()
            state.database = pool.key.database
            state.user = pool.key.user
            state.isReplica = pool.key.role == .replica
            let counts = byPool[ObjectIdentifier(pool)] ?? (0, 0, 0, 0)
            state.clientsActive += counts.active
            state.clientsWaiting += counts.waiting
            state.clientsPinned += counts.pinned
            state.serversBusy += pool.busyCount
            state.serversIdle += pool.idleCount
            state.serversStarting += pool.servers.values.count(where: \.isStarting)
            state.size = pool.group.limit
            state.isPaused = pool.isPaused
            state.waitMilliseconds = max(state.waitMilliseconds, Int(counts.longest / 1_000_000))
            state.target = "\(pool.target)"
            states[key] = state
        }
        return states.values.sorted { ($0.database, $0.user, $0.target) < ($1.database, $1.user, $1.target) }
    }

    func limited(in group: PoolGroup) -> [GuardOverview.Limited] {
        group.statuses.filter { $0.limit != nil || $0.isBreakerOpen }.map { status in
            var limited = GuardOverview.Limited()
            (limited.database, limited.user) = (group.database, group.user)
            limited.query = status.query
            limited.release = status.release
            limited.text = catalogText(status.query) ?? ""
            limited.limit = status.isBreakerOpen ? nil : status.limit
            limited.size = group.limit
            (limited.usage, limited.budget) = (status.usage, status.baseline)
            (limited.waiting, limited.turnedAway) = (status.queued, status.turnedAway)
            limited.isCrowd = status.isCrowd && !status.isBreakerOpen
            limited.isObserved = settings.budgets.mode != .enforce
            limited.until = status.limitedUntil.map { instant + Span(milliseconds: ($0 - now) / 1_000_000) }
            return limited
        }
    }
}
