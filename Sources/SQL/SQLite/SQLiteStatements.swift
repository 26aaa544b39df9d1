import GRDB
import GRDBSQLite

/// The prepared statements of one SQLite connection, and the only place that binds, steps and reads columns.
///
/// Lengths are always passed: text with a NUL inside and empty blobs come back as they went in.
final class SQLiteStatements {
    private final class Prepared {
        let statement: Statement
        let keyword: String
        var columns: SQLColumns?
        /// SQLite prepares a statement again when the schema has changed; its columns may then be others.
        var preparations: Int32 = 0

        init(_ statement: Statement, keyword: String) {
            self.statement = statement
            self.keyword = keyword
        }
    }

    private var cache: BoundedCache<String, Prepared>
    /// Kept apart, so that a body's COMMIT never finds the driver's.
    private var controls: BoundedCache<String, Prepared>
    private let isReadOnly: Bool

    init(limit: Int, isReadOnly: Bool) {
        cache = BoundedCache(limit: limit)
        controls = BoundedCache(limit: 16)
        self.isReadOnly = isReadOnly
    }

    func removeAll() {
        cache.removeAll()
        controls.removeAll()
    }

    func query(
        _ database: Database, _ sql: String, _ arguments: [SQLValue], budget: ResultBudget? = nil
    ) throws -> [SQLRow] {
        var rows: [SQLRow] = []
        var budget = budget
        try run(database, sql, arguments) { prepared in
            let columns = Self.columns(of: prepared)
            let values = Self.values(of: prepared.statement.sqliteStatement)
            try budget?.spend(values)
            rows.append(SQLRow(columns: columns, values: values))
        }
        return rows
    }

    func execute(_ database: Database, _ sql: String, _ arguments: [SQLValue]) throws -> Int {
        let prepared = try run(database, sql, arguments) { _ in }
        let changes = prepared.statement.isReadonly || !StatementRules.isRepeated(keyword: prepared.keyword)
        return changes ? 0 : database.changesCount
    }

    /// BEGIN, SAVEPOINT, COMMIT and the like, which bodies may not use.
    func control(_ database: Database, _ sql: String) throws {
        try run(database, sql, [], isControl: true) { _ in }
    }

    @discardableResult
    private func run(
        _ database: Database, _ sql: String, _ arguments: [SQLValue], isControl: Bool = false,
        onRow: (Prepared) throws -> Void
    ) throws -> Prepared {
        let prepared = try prepare(database, sql, isControl: isControl)
        let statement = prepared.statement.sqliteStatement
        let parameterCount = Int(sqlite3_bind_parameter_count(statement))
        try StatementRules.check(argumentCount: arguments.count, parameterCount: parameterCount)
        try StatementRules.check(arguments)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, argument) in arguments.enumerated() {
            let code = Self.bind(argument, to: statement, at: Int32(index + 1))
            if code != SQLITE_OK { throw failure(database, code, sql) }
        }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: try onRow(prepared)
            case SQLITE_DONE: return prepared
            case let code: throw failure(database, code, sql)
            }
        }
    }

    private func prepare(_ database: Database, _ sql: String, isControl: Bool) throws -> Prepared {
        if let prepared = isControl ? controls.value(sql) : cache.value(sql) { return prepared }
        let keyword = SQLText(sql, dialect: .sqlite).leadingKeyword()
        if !isControl { try StatementRules.checkIsNoTransactionControl(keyword: keyword) }
        do {
            let prepared = Prepared(try database.makeStatement(sql: sql), keyword: keyword)
            if isControl {
                _ = controls.insert(prepared, for: sql)
            } else if StatementRules.isRepeated(keyword: keyword) {
                _ = cache.insert(prepared, for: sql)
            }
            return prepared
        } catch {
            throw SQLError(sqlite: error, isReadOnly: isReadOnly)
        }
    }

    /// A statement that failed is not used again: its next reset would report the old failure.
    private func failure(_ database: Database, _ code: Int32, _ sql: String) -> SQLError {
        cache.remove(sql)
        controls.remove(sql)
        return SQLError(sqlite: code, message: database.lastErrorMessage ?? "no message", isReadOnly: isReadOnly)
    }

    private static func columns(of prepared: Prepared) -> SQLColumns {
        let statement = prepared.statement.sqliteStatement
        let preparations = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_REPREPARE, 0)
        if let columns = prepared.columns, prepared.preparations == preparations { return columns }
        let names = (0..<sqlite3_column_count(statement)).map { index in
            sqlite3_column_name(statement, index).map { String(cString: $0) } ?? ""
        }
        let columns = SQLColumns(names)
        prepared.columns = columns
        prepared.preparations = preparations
        return columns
    }
}
