import Decide

/// What the guard does now and did so far: values, for whoever shows them.
package struct GuardSnapshot: Sendable {
    package var counters = GuardCounters()
    package var clients = 0
    package var pools: [GuardOverview.Pool] = []
    /// Pairs of database and user that something is kept for.
    package var groups = 0
    /// Queries told apart, by database and release, and statements that found no place among them.
    package var queries = 0
    package var uncountedStatements: Int64 = 0

    package init() {}
}

extension GuardCore {
    func snapshot() -> GuardSnapshot {
        refreshClock()
        var snapshot = GuardSnapshot()
        snapshot.counters = counters
        snapshot.clients = clients.count
        snapshot.queries = statistics.entries.count
        snapshot.uncountedStatements = statistics.dropped
        snapshot.pools = poolStates()
        snapshot.groups = groups.count
        return snapshot
    }
}
