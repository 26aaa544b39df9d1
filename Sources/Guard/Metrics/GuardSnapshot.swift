import PGWire

/// What the guard does now and did so far: values, for whoever shows them.
package struct GuardSnapshot: Sendable {
    package struct PoolState: Sendable {
        package var database: String
        package var user: String
        package var clientsActive: Int
        package var clientsWaiting: Int
        package var clientsPinned: Int
        package var serversBusy: Int
        package var serversIdle: Int
        package var size: Int
    }

    package var counters = GuardCounters()
    package var clients = 0
    package var pools: [PoolState] = []
    /// Queries told apart, by release.
    package var queries = 0

    package init() {}
}

extension GuardCore {
    func snapshot() -> GuardSnapshot {
        var snapshot = GuardSnapshot()
        snapshot.counters = counters
        snapshot.clients = clients.count
        snapshot.queries = statistics.entries.count
        for pool in pools.values.sorted(by: { ($0.key.database, $0.key.user) < ($1.key.database, $1.key.user) }) {
            let own = clients.values.filter { $0.pool === pool }
            snapshot.pools.append(
                GuardSnapshot.PoolState(
                    database: pool.key.database, user: pool.key.user,
                    clientsActive: own.count { $0.server != nil },
                    clientsWaiting: own.count { $0.isWaiting },
                    clientsPinned: own.count { !($0.conversation?.taint.isEmpty ?? true) },
                    serversBusy: pool.busyCount, serversIdle: pool.idleCount, size: pool.group.limit))
        }
        return snapshot
    }
}
