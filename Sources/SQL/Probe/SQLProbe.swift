import Dispatch
import Synchronization

/// Asks somebody else's database a read-only question: the SQL assertions of journeys, and the checks of databases.
///
/// Connections are kept from one question to the next, few and bounded. Wrong SQL is `SQLError.statement`, a database
/// that cannot be reached `.unavailable`, one that does not answer in time `.timeout`: three different things to
/// whoever has to repair them.
package final class SQLProbe: Sendable {
    package struct Options: Sendable {
        /// Questions at a time; the others wait, within their own timeout.
        package var concurrent = 16
        package var waiting = 1_000
        /// Connections kept for the next question.
        package var idle = 16

        package init() {}
    }

    private struct Idle {
        let location: String
        let connection: any ProbeConnection
    }

    private let options: Options
    private let turnstile: Turnstile
    private let idle = Mutex<[Idle]>([])
    private let isClosed = Atomic<Bool>(false)

    package init(options: Options = Options()) {
        self.options = options
        let limits = Turnstile.Limits(slots: options.concurrent, waiting: options.waiting, waitMilliseconds: 10_000)
        turnstile = Turnstile(name: "connection for a check", limits: limits)
    }

    /// - Parameters:
    ///   - location: as for `openDatabase`; the database is never made or changed.
    ///   - parameters: values for `:name` in the SQL; each must be used, and each used one given.
    ///   - timeoutMilliseconds: for all of it: waiting for a turn, connecting, and answering.
    ///   - rowLimit: a result with more rows is `SQLError.statement`, never cut short.
    package func run(
        location: String, sql: String, parameters: [String: SQLValue] = [:], timeoutMilliseconds: Int64,
        rowLimit: Int = 1_000
    ) async throws -> [SQLRow] {
        let deadline = ContinuousClock.now + .milliseconds(timeoutMilliseconds)
        let dialect: SQLDialect = PostgresLocation.isURL(location) ? .postgres : .sqlite
        let request = try ProbeRequest(
            sql: sql, parameters: parameters, dialect: dialect, deadline: deadline, rowLimit: rowLimit)
        let slot = try await turnstile.enter(waitMilliseconds: timeoutMilliseconds)
        let connection: any ProbeConnection
        do {
            connection = try take(location, dialect)
        } catch {
            turnstile.leave(slot)
            throw error
        }
        return try await withCheckedThrowingContinuation { continuation in
            let answer = ProbeAnswer(continuation)
            answer.giveUp(on: connection, at: request)
            connection.run(request) { [self] result in
                keep(connection, for: location)
                turnstile.leave(slot)
                answer.give(result)
            }
        }
    }

    /// Waits for the questions that are being answered, then closes every connection.
    package func close() async {
        isClosed.store(true, ordering: .releasing)
        await turnstile.close()
        idle.withLock { $0 = [] }
    }

    /// Connections that are open but not in use.
    package var idleCount: Int { idle.withLock { $0.count } }

    private func take(_ location: String, _ dialect: SQLDialect) throws(SQLError) -> any ProbeConnection {
        let known = idle.withLock { idle -> (any ProbeConnection)? in
            idle.lastIndex { $0.location == location }.map { idle.remove(at: $0).connection }
        }
        if let known { return known }
        switch dialect {
        case .postgres: return try PostgresProbeConnection(url: location)
        case .sqlite: return SQLiteProbeConnection(path: try sqlitePath(location))
        }
    }

    /// The one that was used longest ago makes room.
    private func keep(_ connection: any ProbeConnection, for location: String) {
        let dropped = idle.withLock { idle -> Idle? in
            idle.append(Idle(location: location, connection: connection))
            return idle.count > options.idle || isClosed.load(ordering: .acquiring) ? idle.removeFirst() : nil
        }
        _ = dropped
    }
}

/// Answers the caller once: with the result, or at the deadline, even when the thread that asks is stuck (a host that
/// does not resolve, a network that swallows packets).
private final class ProbeAnswer: Sendable {
    private static let graceMilliseconds = 250

    private let continuation: Mutex<CheckedContinuation<[SQLRow], any Error>?>

    init(_ continuation: CheckedContinuation<[SQLRow], any Error>) { self.continuation = Mutex(continuation) }

    func give(_ result: Result<[SQLRow], any Error>) {
        let continuation = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        continuation?.resume(with: result)
    }

    func giveUp(on connection: any ProbeConnection, at request: ProbeRequest) {
        let milliseconds = Int(clamping: max(1, request.millisecondsLeft))
        let timer = DispatchQueue.global()
        timer.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak connection] in
            if self.isOpen { connection?.interrupt() }
        }
        timer.asyncAfter(deadline: .now() + .milliseconds(milliseconds + Self.graceMilliseconds)) { [weak connection] in
            guard self.isOpen else { return }
            connection?.interrupt()
            self.give(.failure(SQLError.deadlinePassed))
        }
    }

    private var isOpen: Bool { continuation.withLock { $0 != nil } }
}
