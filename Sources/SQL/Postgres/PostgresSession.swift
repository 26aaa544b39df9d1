import CLibPQ
import Dispatch

/// One place of the pool: a connection made when needed, made again when lost, and its prepared statements.
///
/// States: *disconnected* → `connect` → *idle* → `begin` → *in transaction* → COMMIT or ROLLBACK → *idle*;
/// any loss → *disconnected*.
///
/// `@unchecked Sendable`: all of it is touched only on `queue`, whose thread libpq may block.
final class PostgresSession: @unchecked Sendable {
    enum Access: Sendable {
        case read, write

        var begin: String {
            self == .read
                ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
        }
    }

    enum Outcome<Value: Sendable>: Sendable {
        case value(Value)
        /// Lost a race; nothing was written. Running the body again may help.
        case conflict(any Error)
        case failed(any Error)
    }

    private struct StatementKey: Hashable {
        let sql: String
        let types: [Oid]
    }

    private struct Prepared {
        let name: String
        let count: Int
    }

    let location: PostgresLocation
    let options: PoolOptions
    private let queue: DispatchQueue
    private let onConnect: @Sendable () -> Void
    private var wire: PostgresWire?
    private var prepared: BoundedCache<StatementKey, Prepared>
    private var lastName: UInt64 = 0
    /// While false the server's own statement timeout is lifted, and so is the wait for its answer.
    var hasDeadline = true

    init(_ location: PostgresLocation, _ options: PoolOptions, number: Int, onConnect: @escaping @Sendable () -> Void) {
        self.location = location
        self.options = options
        self.onConnect = onConnect
        queue = DispatchQueue(label: "mainstay.postgres.\(number)")
        prepared = BoundedCache(limit: options.preparedStatements)
    }

    func perform<Value: Sendable>(
        _ access: Access, _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async -> Outcome<Value> {
        await withCheckedContinuation { continuation in
            queue.async { [self] in continuation.resume(returning: performTwiceIfLost(access, body)) }
        }
    }

    func close() async {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                forget()
                continuation.resume()
            }
        }
    }

    // MARK: - On the queue

    /// A connection that was lost before COMMIT was sent has written nothing: the body is run once more on a new one.
    private func performTwiceIfLost<Value: Sendable>(
        _ access: Access, _ body: (any SQLConnection) throws -> Value
    ) -> Outcome<Value> {
        do {
            return try performOnce(access, body)
        } catch {
            forget()
            guard error.cause.code != .timeout else { return .failed(error.cause) }
        }
        do {
            return try performOnce(access, body)
        } catch {
            forget()
            return .failed(error.cause)
        }
    }

    private struct Lost: Error {
        let cause: SQLError
    }

    private func performOnce<Value: Sendable>(
        _ access: Access, _ body: (any SQLConnection) throws -> Value
    ) throws(Lost) -> Outcome<Value> {
        hasDeadline = true
        let transaction = PostgresTransaction(self)
        let value: Value
        do {
            try connect()
            try simple(access.begin)
            value = try transaction.run(body)
        } catch {
            return try abandoned(access, transaction, error)
        }
        return commit(access, value)
    }

    private func abandoned<Value: Sendable>(
        _ access: Access, _ transaction: PostgresTransaction, _ error: any Error
    ) throws(Lost) -> Outcome<Value> {
        let cause = transaction.failure ?? error as? SQLError
        guard let wire else { return .failed(error) }
        if wire.isLost { throw Lost(cause: cause ?? SQLError(.unavailable, "the connection was lost")) }
        rollback(wire)
        if access == .write, let cause, cause.isOfReadOnlyServer {
            throw Lost(cause: SQLError(.unavailable, "the \(location.summary) takes no writes", state: cause.state))
        }
        if cause?.state == "26000" || cause?.state == "0A000" { forget() }
        return cause?.isRace == true ? .conflict(error) : .failed(error)
    }

    private func commit<Value: Sendable>(_ access: Access, _ value: Value) -> Outcome<Value> {
        do {
            let tag = try simple("COMMIT")
            guard tag == "COMMIT" else { return .failed(SQLError(.statement, "the transaction was rolled back")) }
            return .value(value)
        } catch {
            if access == .read {
                forget()
                return .value(value)
            }
            guard let wire, !wire.isLost else {
                forget()
                let message = "the connection was lost while committing: whether the write was stored is unknown"
                return .failed(SQLError(.unavailable, message, state: error.state))
            }
            rollback(wire)
            return error.isRace ? .conflict(error) : .failed(error)
        }
    }

    private func rollback(_ wire: PostgresWire) {
        do throws(SQLError) {
            if !wire.isIdle { try simple("ROLLBACK") }
            if !wire.isIdle { forget() }
        } catch {
            // The server rolls back what a lost connection left open.
            forget()
        }
    }

    private func connect() throws(SQLError) {
        if wire != nil { return }
        let settings = PostgresWire.Settings(
            applicationName: options.applicationName, connectTimeoutMilliseconds: options.connectTimeoutMilliseconds,
            statementTimeoutMilliseconds: options.statementTimeoutMilliseconds)
        wire = try PostgresWire(location, settings)
        onConnect()
    }

    private func forget() {
        wire = nil
        prepared.removeAll()
    }

    private var deadline: PostgresWire.Deadline {
        .now + .milliseconds(options.statementTimeoutMilliseconds + options.silenceMilliseconds)
            + (hasDeadline ? .zero : .seconds(86_400))
    }

    @discardableResult
    private func simple(_ sql: String) throws(SQLError) -> String {
        let result = try connectedWire().simple(sql, until: deadline)
        defer { result.free() }
        return result.tag
    }

    private func connectedWire() throws(SQLError) -> PostgresWire {
        guard let wire else { throw SQLError(.unavailable, "there is no connection", state: "08003") }
        return wire
    }

    /// Runs one statement of a body: those likely to come again are prepared once and kept.
    func run(_ sql: String, _ values: [SQLValue]) throws(SQLError) -> PostgresResult {
        try StatementRules.check(values)
        let wire = try connectedWire()
        let arguments = PostgresArguments(values)
        let key = StatementKey(sql: sql, types: arguments.types)
        if let known = prepared.value(key) {
            return try wire.runPrepared(known.name, arguments, until: deadline)
        }
        let text = SQLText(sql, dialect: .postgres)
        let keyword = text.leadingKeyword()
        try StatementRules.checkIsNoTransactionControl(keyword: keyword)
        let numbered = text.numbered()
        try StatementRules.check(argumentCount: values.count, parameterCount: numbered.count)
        guard StatementRules.isRepeated(keyword: keyword) else {
            return try wire.run(numbered.sql, arguments, until: deadline)
        }
        lastName += 1
        let name = "m\(lastName)"
        try wire.prepare(name, numbered.sql, types: arguments.types, until: deadline)
        if let evicted = prepared.insert(Prepared(name: name, count: numbered.count), for: key) {
            try wire.simple("DEALLOCATE \(evicted.name)", until: deadline).free()
        }
        return try wire.runPrepared(name, arguments, until: deadline)
    }
}

extension SQLError {
    /// The answer of a standby, or of a primary that became one: its successor is found by connecting anew.
    fileprivate var isOfReadOnlyServer: Bool {
        state == "25006" || (state == "0A000" && message.contains("during recovery"))
    }

    /// Lost a race, or the server no longer knows what the connection had prepared: the next try may win.
    fileprivate var isRace: Bool {
        code == .conflict || state == "26000" || (state == "0A000" && message.contains("cached plan"))
    }
}
