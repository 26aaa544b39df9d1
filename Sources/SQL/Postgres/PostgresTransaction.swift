import CLibPQ

/// The connection that a body sees.
final class PostgresTransaction: SQLConnection {
    let dialect = SQLDialect.postgres
    private let session: PostgresSession
    /// The statement that failed first: PostgreSQL runs no other after it in the same transaction.
    private(set) var failure: SQLError?
    private var isOver = false

    init(_ session: PostgresSession) { self.session = session }

    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
        try guarded {
            let result = try session.run(sql, arguments)
            defer { result.free() }
            return try PostgresRows.decode(result.pointer)
        }
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        try guarded {
            let result = try session.run(sql, arguments)
            defer { result.free() }
            return PostgresRows.changes(of: result.pointer)
        }
    }

    func run<Value>(_ body: (any SQLConnection) throws -> Value) throws -> Value {
        defer { isOver = true }
        let value = try body(self)
        // A swallowed error: COMMIT would answer ROLLBACK.
        if let failure { throw failure }
        return value
    }

    /// For migrations, whose statements may rightly take longer than any other.
    func liftStatementTimeout() throws {
        try execute("SET LOCAL statement_timeout = 0", [])
        session.hasDeadline = false
    }

    private func guarded<Value>(_ statement: () throws -> Value) throws -> Value {
        if isOver { throw SQLError.transactionOver }
        if let failure { throw failure }
        do {
            return try statement()
        } catch {
            let failure = error as? SQLError ?? SQLError(.decoding, String(describing: error))
            self.failure = failure
            throw failure
        }
    }
}
