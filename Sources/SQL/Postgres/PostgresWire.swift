import CLibPQ
import Glibc

/// One libpq connection, used by one thread at a time. Sends are flushed and answers awaited with `poll`, so that a
/// server that stays silent cannot hold the thread beyond its deadline.
final class PostgresWire {
    typealias Deadline = ContinuousClock.Instant

    struct Settings: Sendable {
        var applicationName: String
        var connectTimeoutMilliseconds: Int64
        var statementTimeoutMilliseconds: Int64
    }

    private var handle: OpaquePointer?
    private let location: PostgresLocation

    /// Connects; blocks up to the timeout for each host of the URL.
    init(_ location: PostgresLocation, _ settings: Settings) throws(SQLError) {
        self.location = location
        var parameters = location.parameters
        parameters["client_encoding"] = "UTF8"
        parameters["application_name"] = parameters["application_name"] ?? settings.applicationName
        let seconds = max(2, (settings.connectTimeoutMilliseconds + 999) / 1_000)
        parameters["connect_timeout"] = parameters["connect_timeout"] ?? String(seconds)
        // A peer that vanished without a word is noticed in about half a minute.
        parameters["keepalives_idle"] = parameters["keepalives_idle"] ?? "15"
        parameters["keepalives_interval"] = parameters["keepalives_interval"] ?? "5"
        parameters["keepalives_count"] = parameters["keepalives_count"] ?? "3"
        handle = Self.connect(parameters)
        guard PQstatus(handle) == CONNECTION_OK else {
            let message = location.redacted(Self.message(of: handle))
            let advice = PostgresAdvice.advice(for: message).map { "; \($0)" } ?? ""
            disconnect()
            throw SQLError(
                .unavailable, "cannot connect to the \(location.summary): \(message)\(advice)", state: "08001")
        }
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        PQsetnonblocking(handle, 1)
        try setUp(settings)
    }

    deinit { PQfinish(handle) }

    var isLost: Bool { PQstatus(handle) != CONNECTION_OK }

    var isIdle: Bool { PQtransactionStatus(handle) == PQTRANS_IDLE }

    /// Whether answers of an earlier statement are still to come.
    var isBusy: Bool { PQtransactionStatus(handle) == PQTRANS_ACTIVE }

    func disconnect() {
        PQfinish(handle)
        handle = nil
    }

    private func setUp(_ settings: Settings) throws(SQLError) {
        // Plain settings, which a proxy like the guard can give to whatever server it takes next.
        let sql = """
            SET statement_timeout = \(settings.statementTimeoutMilliseconds); SET standard_conforming_strings = on; \
            SET bytea_output = 'hex'; SET DateStyle = 'ISO'; SET TimeZone = 'UTC'; SHOW synchronous_commit
            """
        let deadline = Deadline.now + .milliseconds(settings.connectTimeoutMilliseconds)
        do {
            let result = try simple(sql, until: deadline)
            let isSafe = PQgetvalue(result.pointer, 0, 0).map { String(cString: $0) != "off" } ?? false
            result.free()
            // Only ever made stricter: what was acknowledged must survive a crash of the server.
            if !isSafe { try simple("SET synchronous_commit = on", until: deadline).free() }
        } catch {
            disconnect()
            throw SQLError(
                .unavailable, "the \(location.summary) refused its settings: \(error.message)", state: error.state)
        }
    }

    /// One or more statements without parameters; the last one's result.
    func simple(_ sql: String, until deadline: Deadline) throws(SQLError) -> PostgresResult {
        try check(PQsendQuery(handle, sql))
        return try lastResult(until: deadline)
    }

    func prepare(_ name: String, _ sql: String, types: [Oid], until deadline: Deadline) throws(SQLError) {
        try check(PQsendPrepare(handle, name, sql, Int32(types.count), types))
        try lastResult(until: deadline).free()
    }

    func runPrepared(
        _ name: String, _ arguments: PostgresArguments, until deadline: Deadline
    ) throws(SQLError) -> PostgresResult {
        let sent = arguments.withPointers { count, values, lengths, formats in
            PQsendQueryPrepared(handle, name, count, values, lengths, formats, 0)
        }
        try check(sent)
        return try lastResult(until: deadline)
    }

    func run(
        _ sql: String, _ arguments: PostgresArguments, until deadline: Deadline
    ) throws(SQLError) -> PostgresResult {
        try send(sql, arguments)
        return try lastResult(until: deadline)
    }

    /// Gives the rows one by one, so that no more of a large result is held than was asked for.
    func stream(
        _ sql: String, _ arguments: PostgresArguments, until deadline: Deadline, onRow: (PostgresResult) throws -> Void
    ) throws {
        try send(sql, arguments)
        PQsetSingleRowMode(handle)
        while let result = try nextResult(until: deadline) {
            defer { result.free() }
            if let error = result.error { throw located(error) }
            if result.status == PGRES_SINGLE_TUPLE { try onRow(result) }
        }
    }

    private func send(_ sql: String, _ arguments: PostgresArguments) throws(SQLError) {
        let types = arguments.types
        let sent = arguments.withPointers { count, values, lengths, formats in
            PQsendQueryParams(handle, sql, count, types, values, lengths, formats, 0)
        }
        try check(sent)
    }

    private func lastResult(until deadline: Deadline) throws(SQLError) -> PostgresResult {
        var last: PostgresResult?
        var failure: SQLError?
        while let result = try nextResult(until: deadline) {
            last?.free()
            last = result
            if failure == nil { failure = result.error }
            if result.isCopy {
                disconnect()
                throw SQLError(.statement, "COPY is not supported here")
            }
        }
        if let failure {
            last?.free()
            throw located(failure)
        }
        guard let last else { throw lost() }
        return last
    }

    private func nextResult(until deadline: Deadline) throws(SQLError) -> PostgresResult? {
        while PQflush(handle) == 1 { try wait(Int16(POLLIN | POLLOUT), until: deadline) }
        while PQisBusy(handle) == 1 {
            try wait(Int16(POLLIN), until: deadline)
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
        return PQgetResult(handle).map { PostgresResult($0) }
    }

    private func wait(_ events: Int16, until deadline: Deadline) throws(SQLError) {
        var descriptor = pollfd(fd: PQsocket(handle), events: events, revents: 0)
        while true {
            let left = deadline - Deadline.now
            let milliseconds = left.components.seconds * 1_000 + left.components.attoseconds / 1_000_000_000_000_000
            let ready = milliseconds < 0 ? 0 : poll(&descriptor, 1, Int32(clamping: milliseconds + 1))
            if ready > 0 { break }
            if ready == 0 {
                disconnect()
                throw SQLError(.timeout, "the \(location.summary) did not answer in time", state: "57014")
            }
            if errno != EINTR { throw lost() }
        }
        if events & Int16(POLLOUT) != 0, descriptor.revents & Int16(POLLIN) != 0, PQconsumeInput(handle) != 1 {
            throw lost()
        }
    }

    private func check(_ sent: Int32) throws(SQLError) {
        if sent != 1 { throw lost() }
    }

    private func lost() -> SQLError {
        let message = location.redacted(Self.message(of: handle))
        return SQLError(.unavailable, "the connection to the \(location.summary) was lost: \(message)", state: "08006")
    }

    private func located(_ error: SQLError) -> SQLError {
        guard error.code == .unavailable else { return error }
        return SQLError(
            .unavailable, "the \(location.summary): \(location.redacted(error.message))", state: error.state)
    }

    private static func message(of handle: OpaquePointer?) -> String {
        let message = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        let lines = message.split(whereSeparator: \.isNewline).map(String.init)
        return lines.isEmpty ? "no connection" : lines.joined(separator: "; ")
    }

    private static func connect(_ parameters: [String: String]) -> OpaquePointer? {
        var keywords = parameters.keys.map { strdup($0) }
        var values = parameters.keys.map { strdup(parameters[$0] ?? "") }
        defer { for pointer in keywords + values { free(pointer) } }
        keywords.append(nil)
        values.append(nil)
        let constantKeywords = keywords.map { UnsafePointer($0) }
        let constantValues = values.map { UnsafePointer($0) }
        return PQconnectdbParams(constantKeywords, constantValues, 0)
    }
}

/// One result of libpq, to be freed by who receives it.
struct PostgresResult {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    var status: ExecStatusType { PQresultStatus(pointer) }

    var tag: String { String(cString: PQcmdStatus(pointer)) }

    var isCopy: Bool { [PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH].contains { $0 == status } }

    var error: SQLError? {
        switch status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE: nil
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: nil
        case PGRES_EMPTY_QUERY: SQLError(.statement, "the statement is empty")
        default: SQLError(postgres: pointer)
        }
    }

    func free() { PQclear(pointer) }
}
