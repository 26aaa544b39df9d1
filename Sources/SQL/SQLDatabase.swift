/// A SQL database that Mainstay or the Storefront keeps its data in.
///
/// Statements are written once, in the SQL that SQLite ≥ 3.35 and PostgreSQL ≥ 13 share (`ON CONFLICT`, `RETURNING`,
/// CTEs), with `?` for parameters. What cannot be shared is asked of `dialect`.
///
/// Bodies run synchronously on a thread of the driver's own, never on Swift's cooperative pool, and may run more than
/// once (after a conflict or a lost connection): they must have no effect outside the database.
///
/// The same holds on both: a statement that failed dooms its transaction, even when the body swallows the error; a body
/// cannot begin or end a transaction; text with a NUL character and NaN, which one of the two would change without a
/// word, are refused.
package protocol SQLDatabase: Sendable {
    var dialect: SQLDialect { get }

    /// Runs `body` on a consistent, read-only view.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value

    /// Runs `body` in one transaction: when this returns, its writes are on disk; when this throws, none are.
    ///
    /// SQLite: concurrent calls are committed in groups that share one fsync, each in a savepoint of its own.
    /// PostgreSQL: read committed; retried after a serialization failure, a deadlock or `SQLError.conflict`.
    @discardableResult
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value

    /// Waits for what is running, then closes; later calls throw `SQLError.unavailable`.
    func close() async
}

/// One transaction's connection; not to be kept beyond the body that received it.
package protocol SQLConnection {
    var dialect: SQLDialect { get }

    /// Rows of a SELECT, or of a write with RETURNING.
    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow]

    /// Runs one statement and returns the number of rows it changed.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int
}

extension SQLConnection {
    package func query(_ sql: String) throws -> [SQLRow] { try query(sql, []) }

    @discardableResult
    package func execute(_ sql: String) throws -> Int { try execute(sql, []) }
}

/// What the two databases write differently.
package enum SQLDialect: String, Sendable {
    case sqlite, postgres

    /// Column type for bytes.
    package var blob: String { self == .sqlite ? "BLOB" : "BYTEA" }

    /// Appended to a sub-select that claims work; SQLite has one writer, so nothing can be locked.
    package var skipLocked: String { self == .sqlite ? "" : "FOR UPDATE SKIP LOCKED" }
}
