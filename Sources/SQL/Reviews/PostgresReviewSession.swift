import CLibPQ
import Dispatch

/// Asks PostgreSQL what it would do with statements, without doing it: one connection, on a thread of its own.
///
/// 1. A statement is *prepared* by the protocol's own message, never by text. The server takes exactly one statement in
///    it, so that nothing can ride along behind a semicolon.
/// 2. It is planned by EXPLAIN without ANALYZE, for any values (a generic plan).
/// 3. All of it happens in READ ONLY transactions, each with its timeouts, role and search path set for itself, and
///    each ROLLED BACK.
///
/// So no statement runs. What the planner itself calls are functions declared IMMUTABLE or STABLE; one that lies about
/// it meets the read-only transaction. Only `run`, in a *rehearsal*, executes; it is rolled back as well.
///
/// States: *closed* → `open` → *idle* → BEGIN … ROLLBACK → *idle*; a rehearsal holds one transaction from
/// `beginRehearsal` to `close`, each statement in a savepoint of its own.
///
/// `@unchecked Sendable`: `wire` and what follows it are touched only on `queue`.
package final class PostgresReviewSession: @unchecked Sendable {
    package struct Options: Sendable {
        /// SET ROLE; nil stays with the URL's user.
        package var role: String?
        /// As in `SET search_path`; nil stays with the role's.
        package var searchPath: String?
        /// For planning one statement.
        package var timeoutMilliseconds: Int64 = 10_000
        package var lockTimeoutMilliseconds: Int64 = 1_000
        /// For running one statement in a rehearsal.
        package var runTimeoutMilliseconds: Int64 = 30_000
        package var connectTimeoutMilliseconds: Int64 = 10_000

        package init() {}
    }

    static let statementName = "mainstay_review"
    /// Parameters of one statement, as the protocol counts them.
    static let parameterLimit = 65_535

    let options: Options
    private let location: PostgresLocation
    private let queue = DispatchQueue(label: "mainstay.review")
    private var open: PostgresWire?
    var versionNumber = 0
    var isRehearsal = false

    /// - Throws: `SQLError.statement` when the URL cannot be read; the message does not show it.
    package init(url: String, options: Options = Options()) throws(SQLError) {
        location = try PostgresLocation(url: url)
        self.options = options
    }

    /// Connects, and finds out about the server.
    ///
    /// - Throws: `SQLError.unavailable` when it cannot be reached, `.statement` when it is too old or the role or
    ///   search path do not exist.
    package func open() async throws -> ReviewServer { try await onQueue { try $0.connect() } }

    /// A statement's plan, or why there is none. Never runs it.
    ///
    /// - Parameter hasPlan: false for schema changes and the like, which are only prepared: the server checks their
    ///   grammar.
    /// - Throws: `SQLError` when the connection fails; the session is of no use then.
    package func plan(_ sql: String, hasPlan: Bool) async throws -> ReviewAnswer {
        try await onQueue { try $0.plan(sql, hasPlan: hasPlan) }
    }

    /// What the catalog knows about a table; nil when it is not there.
    package func table(schema: String?, name: String) async throws -> ReviewedTable? {
        try await onQueue { try $0.table(schema: schema, name: name) }
    }

    /// From here on everything happens in one transaction, which is rolled back in the end.
    package func beginRehearsal() async throws {
        try await onQueue { session in
            try session.command("BEGIN TRANSACTION READ WRITE")
            session.isRehearsal = true
        }
    }

    package enum RunKind: Sendable {
        /// SELECT, INSERT, UPDATE, DELETE, MERGE: rolled back at once; as the reviewed role.
        case query
        /// Stays until the rehearsal ends, so that the statements after it find it; as the URL's user.
        case schemaChange
    }

    /// Runs one statement without parameters in the rehearsal.
    ///
    /// - Returns: milliseconds, or why it failed.
    package func run(_ sql: String, _ kind: RunKind) async throws -> Result<Double, ReviewRefusal> {
        try await onQueue { try $0.run(sql, kind) }
    }

    /// Rolls back what is open, and disconnects.
    package func close() async {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                // The server rolls back what a lost connection left open.
                open = nil
                continuation.resume()
            }
        }
    }

    // MARK: - On the queue

    private func onQueue<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresReviewSession) throws -> Value
    ) async throws -> Value {
        try await queue.run { try body(self) }
    }

    var isConnected: Bool { open?.isLost == false }

    func wire() throws(SQLError) -> PostgresWire {
        guard let open, !open.isLost else { throw SQLError(.unavailable, "the reviewing connection is closed") }
        return open
    }

    /// The server's own timeout comes first; this is for one that stays silent.
    func deadline(_ milliseconds: Int64? = nil) -> PostgresWire.Deadline {
        .now + .milliseconds((milliseconds ?? options.timeoutMilliseconds) + 2_000)
    }

    func command(_ sql: String) throws(SQLError) { try wire().simple(sql, until: deadline()).free() }

    func rows(_ sql: String, _ values: [SQLValue] = []) throws -> [SQLRow] {
        let result = try wire().run(sql, PostgresArguments(values), until: deadline())
        defer { result.free() }
        return try PostgresRows.decode(result.pointer)
    }

    private func connect() throws -> ReviewServer {
        let settings = PostgresWire.Settings(
            applicationName: "mainstay-review", connectTimeoutMilliseconds: options.connectTimeoutMilliseconds,
            statementTimeoutMilliseconds: options.timeoutMilliseconds)
        let wire = try PostgresWire(location, settings)
        open = wire
        let numbers = try rows("SELECT current_setting('server_version_num')::int AS number")
        versionNumber = Int(try numbers[0].int("number"))
        guard versionNumber >= 120_000 else {
            throw SQLError(.statement, "the server is older than PostgreSQL 12, which cannot plan for any values")
        }
        return try inTransaction { session in
            let row = try session.rows(
                """
                SELECT split_part(current_setting('server_version'), ' ', 1) AS version, current_user::text AS role,
                    current_setting('search_path') AS path, pg_size_bytes(current_setting('work_mem')) AS memory,
                    cardinality(current_schemas(false)) AS schemas
                """)[0]
            guard try session.options.searchPath == nil || row.int("schemas") > 0 else {
                throw SQLError(.statement, "no schema of the search path '\(try row.text("path"))' exists")
            }
            return ReviewServer(
                summary: session.location.summary, version: try row.text("version"),
                versionNumber: session.versionNumber, role: try row.text("role"), searchPath: try row.text("path"),
                workMemory: try row.real("memory"))
        }
    }
}
