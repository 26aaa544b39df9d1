import GRDB
import Synchronization

/// A write that waits for its group: run on the writer's thread, perhaps more than once, and answered once.
protocol PendingWrite: Sendable {
    /// - Returns: the error it threw, if it did.
    func run(_ transaction: SQLiteTransaction) -> (any Error)?

    /// Gives the caller what the last run produced, or `failure` instead.
    func answer(failure: SQLError?)
}

final class BodyWrite<Value: Sendable>: PendingWrite {
    private let body: @Sendable (any SQLConnection) throws -> Value
    private let continuation: CheckedContinuation<Value, any Error>
    private let result = Mutex<Result<Value, any Error>?>(nil)

    init(
        body: @escaping @Sendable (any SQLConnection) throws -> Value,
        continuation: CheckedContinuation<Value, any Error>
    ) {
        self.body = body
        self.continuation = continuation
    }

    func run(_ transaction: SQLiteTransaction) -> (any Error)? {
        let outcome = Result { try transaction.run(body) }
        result.withLock { $0 = outcome }
        if case .failure(let error) = outcome { return error }
        return nil
    }

    func answer(failure: SQLError?) {
        if let failure { return continuation.resume(throwing: failure) }
        let outcome = result.withLock { $0 } ?? .failure(SQLError(.unavailable, "the write was not run"))
        continuation.resume(with: outcome)
    }
}

/// The writer's connection during one turn on its thread.
struct Writer {
    private let database: Database
    private let statements: SQLiteStatements

    init(_ database: Database, _ statements: SQLiteStatements) {
        self.database = database
        self.statements = statements
    }

    var isInsideTransaction: Bool { database.isInsideTransaction }

    func begin() throws {
        rollback()
        try statements.control(database, "BEGIN IMMEDIATE")
    }

    func commit() throws { try statements.control(database, "COMMIT") }

    /// After some failures SQLite has rolled back already. If it cannot roll back at all, the next BEGIN says so.
    func rollback() {
        guard isInsideTransaction else { return }
        _ = Result { try statements.control(database, "ROLLBACK") }
    }

    enum Outcome {
        case kept
        /// Its own writes are taken back; the transaction goes on.
        case failed
        /// The whole transaction is rolled back; with the reason, unless that is what the body itself threw.
        case transactionLost(SQLError?)
    }

    /// Runs a body in its savepoint.
    func run(_ write: some PendingWrite, tries: Int) -> Outcome {
        do {
            for attempt in 1...max(tries, 1) {
                try statements.control(database, "SAVEPOINT body")
                guard let error = write.run(SQLiteTransaction(database, statements)) else {
                    try statements.control(database, "RELEASE body")
                    return .kept
                }
                guard isInsideTransaction else { return .transactionLost(nil) }
                try statements.control(database, "ROLLBACK TO body")
                try statements.control(database, "RELEASE body")
                let isConflict = (error as? SQLError)?.code == .conflict
                if !isConflict || attempt >= tries { return .failed }
            }
            return .failed
        } catch {
            rollback()
            return .transactionLost(SQLError(notWritten: error))
        }
    }
}

extension SQLError {
    /// A group that could not begin or commit: whatever the reason, its writers can only try later.
    init(notWritten error: any Error) {
        let cause = SQLError(sqlite: error, isReadOnly: false)
        self.init(.unavailable, "nothing was written: \(cause.message)", state: cause.state)
    }
}
