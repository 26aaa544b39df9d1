import GRDB

/// The connection that a body sees.
///
/// A failed statement dooms the transaction, as in PostgreSQL: a body that swallows the error does not commit.
final class SQLiteTransaction: SQLConnection {
    let dialect = SQLDialect.sqlite
    private let database: Database
    private let statements: SQLiteStatements
    private var failure: SQLError?
    private var isOver = false

    init(_ database: Database, _ statements: SQLiteStatements) {
        self.database = database
        self.statements = statements
    }

    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
        try guarded { try statements.query(database, sql, arguments) }
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        try guarded { try statements.execute(database, sql, arguments) }
    }

    func run<Value>(_ body: (any SQLConnection) throws -> Value) throws -> Value {
        defer { isOver = true }
        let value = try body(self)
        if let failure { throw failure }
        return value
    }

    private func guarded<Value>(_ statement: () throws -> Value) throws -> Value {
        if isOver { throw SQLError.transactionOver }
        if let failure { throw failure }
        do {
            return try statement()
        } catch {
            let failure = SQLError(sqlite: error, isReadOnly: false)
            self.failure = failure
            throw failure
        }
    }
}

extension SQLError {
    static let transactionOver = SQLError(.statement, "the connection was used after its transaction had ended")
}
