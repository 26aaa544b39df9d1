import CLibPQ
import Dispatch

/// `@unchecked Sendable`: `wire` is touched only on `queue`, whose thread libpq may block.
final class PostgresProbeConnection: ProbeConnection, @unchecked Sendable {
    private let location: PostgresLocation
    private let queue = DispatchQueue(label: "mainstay.probe.postgres")
    private var wire: PostgresWire?

    init(url: String) throws(SQLError) { location = try PostgresLocation(url: url) }

    func run(_ request: ProbeRequest, _ completion: @escaping @Sendable (Result<[SQLRow], any Error>) -> Void) {
        queue.async { [self] in completion(Result { try answer(request) }) }
    }

    /// The server's own statement timeout and the wire's deadline stop what is late.
    func interrupt() {}

    private func answer(_ request: ProbeRequest) throws -> [SQLRow] {
        let isReused = wire != nil
        do {
            return try ask(request)
        } catch {
            let isLost = wire?.isLost ?? true
            let isLate = (error as? SQLError)?.code == .timeout
            // Whatever went wrong, the next question starts on a connection that is known to be clean.
            if isLost || wire?.isIdle != true { wire = nil }
            guard isReused, isLost, !isLate else { throw error }
            return try ask(request)
        }
    }

    private func ask(_ request: ProbeRequest) throws -> [SQLRow] {
        try request.checkDeadline()
        let wire = try connected(request)
        let milliseconds = max(1, request.millisecondsLeft)
        // The server is given a moment to say itself that the time is up: its word keeps the connection.
        let deadline = request.deadline + .milliseconds(100)
        let begin = "BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = \(milliseconds)"
        try wire.simple(begin, until: deadline).free()
        var rows: [SQLRow] = []
        var columns: SQLColumns?
        var budget = request.budget
        do {
            try wire.stream(request.sql, PostgresArguments(request.values), until: deadline) { result in
                let known = columns ?? PostgresRows.columns(of: result.pointer)
                columns = known
                for row in try PostgresRows.decode(result.pointer, columns: known) {
                    try budget.spend(row.values)
                    rows.append(row)
                }
            }
        } catch {
            if !wire.isLost, !wire.isBusy { try wire.simple("ROLLBACK", until: deadline).free() }
            throw error
        }
        try wire.simple("ROLLBACK", until: deadline).free()
        return rows
    }

    private func connected(_ request: ProbeRequest) throws(SQLError) -> PostgresWire {
        if let wire { return wire }
        let milliseconds = max(1, request.millisecondsLeft)
        let settings = PostgresWire.Settings(
            applicationName: "mainstay-check", connectTimeoutMilliseconds: milliseconds,
            statementTimeoutMilliseconds: milliseconds)
        let wire = try PostgresWire(location, settings)
        self.wire = wire
        return wire
    }
}
