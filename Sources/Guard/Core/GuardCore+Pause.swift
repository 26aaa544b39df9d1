import Decide
import Logging
import NIOCore
import PGWire

/// PAUSE, RESUME and SWITCH: clients only see a wait.
///
/// ```
/// running ─ pause ─▶ stopping ─ all servers still ─▶ paused ─ resume, or its time is over ─▶ running
///    ▲                  └─ deadline ────────────────────────────────────────────────────────────┤
///    └──────────────────────────────────────────────────────────────────────────────────────────┘
/// ```
extension GuardCore {
    /// How often a pause looks whether the last transaction has ended.
    private static let look = TimeAmount.milliseconds(2)

    /// When a database goes on by itself; nil: it is not paused.
    func pauseEnd(of database: String) -> Int64? {
        pauses[database] ?? pauses[GuardSettings.anyDatabase]
    }

    private func pools(of database: String?) -> [Pool] {
        pools.values.filter { database == nil || $0.key.database == database }
    }

    /// New transactions wait; ends when those that run have ended. Past the deadline it is taken back.
    func pause(_ database: String?, within span: Int64) -> EventLoopFuture<Void> {
        if let database {
            do throws(WireError) { try requireKnown(database) } catch { return loop.makeFailedFuture(error) }
        }
        let name = database ?? GuardSettings.anyDatabase
        guard pauses[name] == nil else {
            return loop.makeFailedFuture(
                WireError(.invalidParameter, sqlState: "55000", "\(Self.named(database)) is paused already"))
        }
        refreshClock()
        let end = now + settings.timeouts.pause
        pauses[name] = end
        for pool in pools(of: database) { pool.pause() }
        let promise = loop.makePromise(of: Void.self)
        awaitStill(Stopping(database: database, end: end, deadline: now + span, span: span, promise: promise))
        return promise.futureResult
    }

    /// A pause whose transactions have not all ended yet.
    private struct Stopping {
        var database: String?
        /// Tells it from a later pause of the same name.
        var end: Int64
        var deadline: Int64
        var span: Int64
        var promise: EventLoopPromise<Void>
    }

    private func awaitStill(_ stopping: Stopping) {
        refreshClock()
        let database = stopping.database
        guard pauses[database ?? GuardSettings.anyDatabase] == stopping.end else {
            return stopping.promise.fail(WireError(.invalidParameter, sqlState: "55000", "it was resumed meanwhile"))
        }
        let busy = pools(of: database).reduce(0) { $0 + $1.unstillCount }
        if busy == 0 { return stopping.promise.succeed() }
        guard now < stopping.deadline else {
            endPause(of: database)
            let message =
                "not paused: \(busy) \(busy == 1 ? "transaction" : "transactions") still ran after \(stopping.span / 1_000_000) ms; everything goes on as before"
            return stopping.promise.fail(WireError(.invalidParameter, sqlState: "55006", message))
        }
        let bound = NIOLoopBound((self, stopping), eventLoop: loop)
        loop.scheduleTask(in: Self.look) {
            let (core, stopping) = bound.value
            core.awaitStill(stopping)
        }
    }

    /// Asked for by somebody: without a database it ends everybody's pauses.
    ///
    /// - Throws: for one database while everything is paused: it would stay so.
    func resume(_ database: String?) throws(WireError) {
        guard let database else {
            pauses.removeAll()
            return endPause(of: nil)
        }
        guard pauses[GuardSettings.anyDatabase] == nil else {
            throw WireError(.invalidParameter, sqlState: "55000", "everything is paused: resume all databases")
        }
        endPause(of: database)
    }

    /// Ends this pause and no other: pools that another one holds stay paused.
    private func endPause(of database: String?) {
        pauses[database ?? GuardSettings.anyDatabase] = nil
        for pool in pools(of: database) where pauseEnd(of: pool.key.database) == nil { pool.resume() }
    }

    /// A pause that nobody ended.
    func endPauses() {
        guard !pauses.isEmpty else { return }
        for (name, end) in pauses where now >= end {
            logger.warning("a pause has lasted too long and is over", metadata: ["database": "\(name)"])
            endPause(of: name == GuardSettings.anyDatabase ? nil : name)
        }
    }

    private static func named(_ database: String?) -> String {
        database.map { "database \"\($0)\"" } ?? "everything"
    }

    private func requireKnown(_ database: String) throws(WireError) {
        // `*` stands for all in `pauses`: whoever means that names none.
        guard database != GuardSettings.anyDatabase, settings.database(database) != nil else {
            throw WireError(
                .invalidParameter, sqlState: "3D000", "database \"\(database)\" is not configured in the guard")
        }
    }

    // MARK: Switching

    /// How many clients were ended, because their session could not move with them.
    struct Switched {
        var endedClients: Int
    }

    /// Looks whether the new server can take over, pauses, moves, and resumes.
    ///
    /// - Parameter place: `host:port` of one of the database's targets, or of another server, that is then logged in to
    ///   as to the first target.
    func switchTarget(of database: String, to place: String, within span: Int64) -> EventLoopFuture<Switched> {
        let target: Target
        do throws(WireError) {
            try requireKnown(database)
            target = try self.target(at: place, for: database)
        } catch {
            return loop.makeFailedFuture(error)
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        return probe(target, of: database).flatMap {
            bound.value.pause(database, within: span)
        }.map {
            bound.value.move(database, to: target)
        }
    }

    /// Of a URL or a connection string, which may hold a password; in no host's name.
    private static let urlCharacters: Set<Character> = ["@", "/", "="]

    func target(at place: String, for database: String) throws(WireError) -> Target {
        let known = settings.database(database)?.targets ?? []
        if let target = known.first(where: { "\($0)" == place }) { return target }
        guard let colon = place.lastIndex(of: ":"), let port = Int(place[place.index(after: colon)...]),
            (1...65_535).contains(port), case let host = place[..<colon], !host.isEmpty, var target = known.first,
            host.allSatisfy({ !Self.urlCharacters.contains($0) })
        else {
            // What may hold a password is not said again: errors are logged and shown.
            let said = place.contains(where: Self.urlCharacters.contains) ? "that" : "'\(place.prefix(80))'"
            throw WireError(
                .invalidParameter, sqlState: "22023",
                "\(said) is no server: write host:port; the database has \(known.map { "\($0)" }.joined(separator: ", "))"
            )
        }
        (target.host, target.port) = (String(host), port)
        return target
    }

    /// Nobody has come yet in whose name to log in: that it takes connections is all that can be known.
    private func reach(_ target: Target) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(connector, eventLoop: loop)
        return connector.connect(to: target).map { $0.close() }.flatMapErrorThrowing { error in
            throw WireError(
                .invalidParameter, sqlState: "08006",
                "not switched: \(target) cannot be used: \(bound.value.explain(error))")
        }
    }

    /// A server that cannot be reached, or that only reads, must not become the one that clients write to.
    private func probe(_ target: Target, of database: String) -> EventLoopFuture<Void> {
        guard let pool = pools(of: database).first(where: { $0.key.role == .primary }) else {
            return reach(target)
        }
        let login = ServerLogin(start: serverStart(for: pool, target), connector: connector)
        let promise = loop.makePromise(of: Void.self)
        let bound = NIOLoopBound((self, login), eventLoop: loop)
        login.run(target, on: loop).whenComplete { result in
            let (core, login) = bound.value
            login.close()
            switch result {
            case .success(let parameters):
                if parameters["in_hot_standby"] == "on" {
                    promise.fail(
                        WireError(
                            .invalidParameter, sqlState: "25006",
                            "not switched: \(target) is a standby, which only reads; promote it first"))
                } else {
                    promise.succeed()
                }
            case .failure(let error):
                let cause = core.connector.explain(error)
                promise.fail(
                    WireError(.invalidParameter, sqlState: "08006", "not switched: \(target) cannot be used: \(cause)"))
            }
        }
        return promise.futureResult
    }

    private func move(_ database: String, to target: Target) -> Switched {
        let left = switched[database].map { [$0] } ?? settings.database(database)?.targets ?? []
        switched[database] = settings.database(database)?.targets.first == target ? nil : target
        // Users' secrets are asked for where the database is now, and nothing keeps the old server from being stopped.
        forgetLookups { name, lookup in name == database || lookup.targets == left }
        var ended = 0
        for pool in pools(of: database) where pool.key.role == .primary {
            // What their session holds is on the old server, and so would be what they write.
            for client in clients.values where client.server?.pool === pool {
                ended += 1
                client.fail(
                    WireError(
                        .internalFault, sqlState: "57P01",
                        "the database has moved to another server, and this session's state with it cannot; connect again"
                    ))
            }
            pool.move(to: [target])
        }
        counters.switches += 1
        logger.notice(
            "a database has moved", metadata: ["database": "\(database)", "target": "\(target)", "ended": "\(ended)"])
        endPause(of: database)
        changed()
        return Switched(endedClients: ended)
    }
}
