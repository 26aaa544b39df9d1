import Decide
import Logging
import SQL
import Synchronization

/// The memory of Mainstay: one append-only timeline, the state of every thing, and the outbox, in one database.
///
/// Everything that changes goes through `apply(_:)`: load, `Machine.step`, and one transaction for new state, timeline
/// lines and effects. When it returns, all of it is on disk; when it throws, nothing is. Several processes may do so
/// over one PostgreSQL at once: a step that lost the race on a thing is run anew on the thing's newer state.
package final class Record: Sendable {
    package let database: any SQLDatabase
    package let signals: Signals
    package let now: @Sendable () -> Instant
    let logger: Logger
    private let currentPolicy: Mutex<Policy>

    package var policy: Policy {
        get { currentPolicy.withLock { $0 } }
        set { currentPolicy.withLock { $0 = newValue } }
    }

    package init(
        database: any SQLDatabase, policy: Policy, now: @escaping @Sendable () -> Instant,
        logger: Logger = Logger(label: "record")
    ) {
        self.database = database
        self.now = now
        self.logger = logger
        signals = Signals()
        currentPolicy = Mutex(policy)
    }

    /// Brings the tables up to this program's version.
    package func migrate() async throws {
        _ = try await Migrator(schema: RecordMigrations.schema, migrations: RecordMigrations.all)
            .migrate(database, appliedAt: now().milliseconds)
    }

    /// Applies one event and everything that follows from it.
    /// - Throws: `Refusal` when the event does not fit the present state; `SQLError` when the database failed.
    @discardableResult
    package func apply(_ occurrence: Occurrence) async throws -> Applied {
        try await apply([occurrence])
    }

    @discardableResult
    package func apply(_ subject: Subject, _ event: Event, by actor: Actor) async throws -> Applied {
        try await apply([Occurrence(subject, event, by: actor)])
    }

    /// Applies several events in one transaction, all or none.
    /// - Parameter completing: an effect whose outcome they are; it is marked done in the same transaction.
    @discardableResult
    package func apply(_ occurrences: [Occurrence], completing effect: ClaimedEffect? = nil) async throws -> Applied {
        let (now, policy) = (self.now(), self.policy)
        let applied = try await database.write { connection in
            var transaction = StepTransaction(connection: connection, now: now, policy: policy)
            if let effect { try Outbox.finish(effect, outcome: "done", at: now, connection) }
            try transaction.run(occurrences)
            return try transaction.commit()
        }
        announce(applied)
        return applied
    }

    func announce(_ applied: Applied) {
        if !applied.entries.isEmpty { signals.send(.timeline) }
        for lane in applied.lanes { signals.send(.outbox(lane)) }
        if applied.hasDue { signals.send(.due) }
        if applied.hasGuardRules { signals.send(.guardRules) }
        for service in applied.flagServices { signals.send(.flags(service: service)) }
    }

    package func thing(_ subject: Subject) async throws -> Thing? {
        try await database.read { connection in try StoredThing.load(subject, connection)?.thing }
    }
}

/// What a transaction did.
package struct Applied: Sendable {
    /// Timeline lines in order, with their ids.
    package var entries: [TimelineEntry] = []
    /// The new state of every thing touched.
    package var things: [Subject: Thing] = [:]
    var lanes: Set<Effect.Lane> = []
    var hasDue = false
    var flagServices: Set<String> = []
    var hasGuardRules = false
}
