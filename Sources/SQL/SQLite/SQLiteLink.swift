import Dispatch
import GRDB

/// One SQLite connection with its own serial queue and the prepared statements that belong to it.
///
/// `@unchecked Sendable`: `statements` is touched only inside closures that run on the connection's queue.
final class SQLiteLink: @unchecked Sendable {
    private let queue: DatabaseQueue
    private let statements: SQLiteStatements

    init(path: String, configuration: Configuration, preparedStatements: Int) throws(SQLError) {
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
        } catch {
            throw SQLError(opening: path, error, isReadOnly: configuration.readonly)
        }
        statements = SQLiteStatements(limit: preparedStatements, isReadOnly: configuration.readonly)
    }

    /// Runs SQL that sets the connection up; blocks.
    func setUp(_ sql: String, path: String) throws(SQLError) {
        do {
            try queue.inDatabase { try $0.execute(sql: sql) }
        } catch {
            throw SQLError(opening: path, error)
        }
    }

    func enqueue(_ body: @escaping @Sendable (Database, SQLiteStatements) -> Void) {
        queue.asyncWriteWithoutTransaction { [self] database in body(database, statements) }
    }

    func run<Value: Sendable>(
        _ body: @escaping @Sendable (Database, SQLiteStatements) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            enqueue { database, statements in
                continuation.resume(with: Result { try body(database, statements) })
            }
        }
    }

    /// As `run`, for callers on a thread of their own.
    func runBlocking<Value>(_ body: (Database, SQLiteStatements) throws -> Value) throws -> Value {
        try queue.inDatabase { try body($0, statements) }
    }

    /// Stops the statement that runs, from any thread.
    func interrupt() { queue.interrupt() }

    func close() async {
        await withCheckedContinuation { continuation in
            enqueue { _, statements in
                statements.removeAll()
                continuation.resume()
            }
        }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [queue] in
                // A connection that does not close now is closed when its last reference goes.
                _ = Result { try queue.close() }
                continuation.resume()
            }
        }
    }
}

extension SQLiteLink {
    /// Runs `body` on one consistent view.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await run { database, statements in
            try statements.control(database, "BEGIN DEFERRED")
            let transaction = SQLiteTransaction(database, statements)
            let result = Result { try transaction.run(body) }
            // Nothing was written, so nothing is lost whatever the end of the transaction says.
            if database.isInsideTransaction { try statements.control(database, "ROLLBACK") }
            return try result.get()
        }
    }
}
