import Synchronization

/// PostgreSQL through libpq: a pool of connections, each with a thread of its own while it works.
///
/// Nothing is connected before the first call. A connection that was lost is made again; see `PostgresSession` for what
/// is tried again and what is not. The URL is libpq's, so several hosts and the like pass through, and TLS is libpq's
/// own: `sslmode=verify-full` and `sslrootcert` say whom to trust.
package final class PostgresDatabase: SQLDatabase {
    package let dialect = SQLDialect.postgres

    private let options: PoolOptions
    private let sessions: [PostgresSession]
    private let turnstile: Turnstile
    private let counters: Counters

    private final class Counters: Sendable {
        let connections = Atomic<Int>(0)
        let conflicts = Atomic<Int>(0)
    }

    /// - Throws: `SQLError.statement` when the URL cannot be read; the message never holds any of it.
    package init(url: String, options: PoolOptions = PoolOptions()) throws {
        let location = try PostgresLocation(url: url)
        let counters = Counters()
        let slots = max(options.connections, 1)
        self.options = options
        self.counters = counters
        sessions = (0..<slots).map { number in
            PostgresSession(location, options, number: number) {
                counters.connections.add(1, ordering: .relaxed)
            }
        }
        let limits = Turnstile.Limits(
            slots: slots, waiting: options.waitingLimit, waitMilliseconds: options.waitTimeoutMilliseconds)
        turnstile = Turnstile(name: "database connection", limits: limits)
    }

    package var statistics: PostgresStatistics {
        PostgresStatistics(
            connections: counters.connections.load(ordering: .relaxed),
            conflicts: counters.conflicts.load(ordering: .relaxed), waiting: turnstile.waitingCount)
    }

    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await perform(.read, body)
    }

    @discardableResult
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await perform(.write, body)
    }

    package func close() async {
        await turnstile.close()
        for session in sessions { await session.close() }
    }

    private func perform<Value: Sendable>(
        _ access: PostgresSession.Access, _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        for attempt in 1... {
            let slot = try await turnstile.enter()
            let outcome = await sessions[slot].perform(access, body)
            turnstile.leave(slot)
            switch outcome {
            case .value(let value):
                return value
            case .failed(let error):
                throw error
            case .conflict(let error):
                guard attempt < options.tries else { throw error }
                counters.conflicts.add(1, ordering: .relaxed)
                // Rivals that wait equally long meet again: the wait grows and is drawn by lot.
                let longest = min(2 << min(attempt, 10), 250)
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...longest)))
            }
        }
        throw SQLError.closed
    }
}
