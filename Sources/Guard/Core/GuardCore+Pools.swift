import Decide
import NIOCore
import PGWire

/// Pools, and their groups by database and user: made for clients that have proven who they are, and gone when nobody
/// needs them, since clients may choose the names (`*`, trust) and their sessions' settings.
///
/// Rules:
/// 1. Nothing is made for a client before its log-in has ended.
/// 2. There are at most `limits.pools` groups. Then the one that nobody has used for longest makes room; where all are
///    in use the new client is told, and nobody else notices.
/// 3. A group that holds a query back stays until that has ended.
/// 4. What a group's queries usually take outlives it.
extension GuardCore {
    /// - Throws: when there are too many, or the database is not there: it is not configured, or a reload came during
    ///   the log-in.
    func pool(for startup: StartupParameters) throws(WireError) -> Pool {
        let key = PoolKey(startup, keepsName: settings.mode == .session)
        if let pool = pools[key] { return pool }
        var database = try requireDatabase(startup)
        if let target = switched[key.database] { database.targets = [target] }
        guard let group = group(of: key, database, size: database.poolSize) else {
            counters.refusedClients += 1
            throw WireError(
                .notAuthorized, sqlState: "53300",
                "too many different databases and users are in use at once (the guard's max-pools)")
        }
        return add(Pool(key, group: group, targets: database.targets, core: self), database)
    }

    /// Servers that only read, beside the pool's own; nil when its database has none, or there is no room for more.
    func replicas(of pool: Pool) -> Pool? {
        if let known = pool.replicas { return known }
        guard pool.key.role == .primary, let database = settings.database(pool.key.database),
            let replicas = database.replicas
        else { return nil }
        var key = pool.key
        key.role = .replica
        guard let group = group(of: key, database, size: replicas.poolSize ?? database.poolSize) else { return nil }
        let made = Pool(key, group: group, targets: replicas.targets, statements: pool.statements, core: self)
        pool.replicas = add(made, database)
        return made
    }

    private func add(_ pool: Pool, _ database: DatabaseSettings) -> Pool {
        pool.serverDatabase = database.database
        pool.group.add(pool)
        pools[pool.key] = pool
        if pauseEnd(of: pool.key.database) != nil { pool.pause() }
        return pool
    }

    /// Nil: there are too many, and all are in use.
    private func group(of key: PoolKey, _ database: DatabaseSettings, size: Int?) -> PoolGroup? {
        let groupKey = PoolKey(database: key.database, user: key.user, role: key.role)
        if let group = groups[groupKey] { return group }
        guard groups.count < settings.limits.pools || makeRoom() else { return nil }
        let serverDatabase = database.database ?? key.database
        let group = PoolGroup(
            groupKey, number: number(of: key.database), limit: size ?? settings.limits.poolSize,
            serverDatabase: serverDatabase, schema: schema(of: serverDatabase), core: self)
        groups[groupKey] = group
        if let kept = baselines.take(group.name, now) { group.restore(kept) }
        // What was usual before the release is what it is measured by, for those too that come later.
        if let start = watchedSince(of: key.database) { group.releaseStarted(at: start) }
        for rule in rules.values { group.add(rule, instant) }
        return group
    }

    /// Users of one database see the same tables.
    private func schema(of serverDatabase: String) -> SchemaVersion {
        groups.values.first { $0.serverDatabase == serverDatabase }?.schema ?? SchemaVersion()
    }

    // MARK: Numbers of databases

    private func number(of database: String) -> UInt32 {
        if let number = databaseNumbers[database] { return number }
        lastDatabaseNumber &+= 1
        databaseNumbers[database] = lastDatabaseNumber
        return lastDatabaseNumber
    }

    /// Those that nothing is counted under any more.
    func forgetDatabaseNumbers() {
        let used = Set(groups.values.map(\.number)).union(statistics.entries.map(\.key.database))
        databaseNumbers = databaseNumbers.filter { settings.databases[$0.key] != nil || used.contains($0.value) }
    }

    // MARK: What nobody needs

    /// How long a pool without clients keeps the texts of their statements.
    private static let textsKeptFor = 60 * GuardSettings.Timeouts.second

    /// Pools that clients have their sessions in; notes the use.
    private func homes() -> Set<ObjectIdentifier> {
        var homes: Set<ObjectIdentifier> = []
        for client in clients.values {
            guard let home = client.home else { continue }
            homes.insert(ObjectIdentifier(home))
            (home.usedAt, home.group.usedAt) = (now, now)
            if let replicas = home.replicas { replicas.group.usedAt = now }
        }
        return homes
    }

    /// Called once a second.
    func sweep() {
        let homes = homes()
        for pool in pools.values where pool.key.role == .primary && !homes.contains(ObjectIdentifier(pool)) {
            if pool.isUnused, pool.replicas?.isUnused ?? true {
                remove(pool)
            } else if now - pool.usedAt > Self.textsKeptFor {
                pool.statements.forgetUnused()
            }
        }
        let limit = settings.timeouts.poolIdle
        for (key, group) in groups where group.pools.isEmpty && limit > 0 && now - group.usedAt > limit {
            // Thawed by being forgotten, a release that is being watched would be measured against itself.
            let isWatched = group.isFrozen && settings.databases[group.database] != nil && !group.baselines.isEmpty
            if !group.holdsBack, !isWatched { forget(group, key) }
        }
    }

    private func remove(_ pool: Pool) {
        for unused in [pool.replicas, pool].compactMap(\.self) {
            unused.group.remove(unused)
            pools[unused.key] = nil
        }
    }

    private func forget(_ group: PoolGroup, _ key: PoolKey) {
        baselines.keep(group.baselines, of: group.name, now)
        groups[key] = nil
    }

    /// Gives up the group that nobody has used for longest, with its idle servers. False: all are in use.
    private func makeRoom() -> Bool {
        let homes = homes()
        func isFree(_ group: PoolGroup) -> Bool {
            !group.holdsBack
                && group.pools.allSatisfy { pool in
                    pool.key.role == .primary && !homes.contains(ObjectIdentifier(pool)) && pool.isAtRest
                        && pool.replicas?.isAtRest ?? true
                }
        }
        let free = groups.filter { isFree($0.value) }
        guard let (key, group) = free.min(by: { $0.value.usedAt < $1.value.usedAt }) else { return false }
        for pool in group.pools {
            pool.replicas?.retireAll()
            pool.retireAll()
            remove(pool)
        }
        forget(group, key)
        return true
    }
}
