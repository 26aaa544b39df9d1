import CLibPQ

extension PostgresReviewSession {
    private static let text: Oid = 25

    /// Runs `body` in a transaction of its own, or in a savepoint of the rehearsal, as the reviewed role, and rolls
    /// back whatever comes.
    func inTransaction<Value>(
        isApplication: Bool = true, _ body: (PostgresReviewSession) throws -> Value
    ) throws -> Value {
        try command(isRehearsal ? "SAVEPOINT mainstay_review" : "BEGIN TRANSACTION READ ONLY")
        let value: Value
        do {
            try prepareSession(isApplication: isApplication)
            value = try body(self)
        } catch {
            // A lost connection has rolled back by itself; what was wrong is the first error.
            if isConnected { try rollBack() }
            throw error
        }
        try rollBack()
        return value
    }

    func rollBack() throws(SQLError) {
        guard isRehearsal else { return try command("ROLLBACK") }
        try command("ROLLBACK TO SAVEPOINT mainstay_review; RELEASE SAVEPOINT mainstay_review")
    }

    /// Settings that end with the transaction. Parallel workers are left out: under load there are none to spare, and
    /// the work is the same.
    private func prepareSession(isApplication: Bool) throws {
        try command(
            """
            SET LOCAL statement_timeout = \(options.timeoutMilliseconds);
            SET LOCAL lock_timeout = \(options.lockTimeoutMilliseconds);
            SET LOCAL plan_cache_mode = force_generic_plan;
            SET LOCAL max_parallel_workers_per_gather = 0
            """)
        guard isApplication else { return }
        if let role = options.role { _ = try rows("SELECT set_config('role', $1, true)", [.text(role)]) }
        if let path = options.searchPath { _ = try rows("SELECT set_config('search_path', $1, true)", [.text(path)]) }
    }

    func plan(_ sql: String, hasPlan: Bool) throws -> ReviewAnswer {
        guard !sql.utf8.contains(0) else { return .refused(.nul) }
        do {
            let answer = try explain(sql, hasPlan: hasPlan, prunes: true)
            // Up to PostgreSQL 15 the partitions of a generic plan are picked by the values, which are NULL here, and
            // none is left to judge.
            guard case .plan(let text) = answer, text.contains("\"Subplans Removed\"") else { return answer }
            return try explain(sql, hasPlan: hasPlan, prunes: false)
        } catch let error as SQLError {
            guard let refusal = ReviewRefusal(error), isConnected else { throw error }
            return .refused(refusal)
        }
    }

    private func explain(_ sql: String, hasPlan: Bool, prunes: Bool) throws -> ReviewAnswer {
        var types: [Oid] = []
        // A parameter whose type nothing tells is what drivers send as text.
        while true {
            do {
                return try inTransaction { session in
                    if !prunes { try session.command("SET LOCAL enable_partition_pruning = off") }
                    return try session.explainOnce(sql, hasPlan: hasPlan, types: types)
                }
            } catch let error as SQLError {
                guard error.state == "42P18", let number = Self.parameter(in: error.message),
                    number <= Self.parameterLimit, types.count < number || types[number - 1] == 0
                else { throw error }
                types += Array(repeating: 0, count: max(0, number - types.count))
                types[number - 1] = Self.text
            }
        }
    }

    private func explainOnce(_ sql: String, hasPlan: Bool, types: [Oid]) throws -> ReviewAnswer {
        // Prepared statements outlive the transaction: the name is free again before the next one.
        try command("DEALLOCATE ALL")
        try wire().prepare(Self.statementName, sql, types: types, until: deadline())
        guard hasPlan else { return .prepared }
        let options = "VERBOSE, FORMAT JSON"
        let answer: [SQLRow]
        if versionNumber >= 160_000, types.isEmpty {
            // The server has just prepared this very text, so it is one statement.
            answer = try simpleRows("EXPLAIN (GENERIC_PLAN, \(options)) \(sql)")
        } else {
            answer = try simpleRows("EXPLAIN (\(options)) EXECUTE \(Self.statementName)\(try nulls())")
        }
        guard let text = try answer.first?.text("QUERY PLAN") else {
            throw SQLError(.decoding, "the server's answer to EXPLAIN is empty")
        }
        return .plan(text)
    }

    private func nulls() throws -> String {
        let row = try rows(
            "SELECT coalesce(cardinality(parameter_types), 0) AS count FROM pg_prepared_statements WHERE name = $1",
            [.text(Self.statementName)])
        guard let count = try row.first?.int("count"), count > 0 else { return "" }
        return "(" + Array(repeating: "NULL", count: Int(count)).joined(separator: ", ") + ")"
    }

    private func simpleRows(_ sql: String) throws -> [SQLRow] {
        let result = try wire().simple(sql, until: deadline())
        defer { result.free() }
        return try PostgresRows.decode(result.pointer)
    }

    /// `could not determine data type of parameter $2` → 2. The number is the same in every language.
    private static func parameter(in message: String) -> Int? {
        guard let sign = message.lastIndex(of: "$") else { return nil }
        return Int(message[message.index(after: sign)...].prefix { $0.isNumber }).flatMap { $0 > 0 ? $0 : nil }
    }

    func run(_ sql: String, _ kind: RunKind) throws -> Result<Double, ReviewRefusal> {
        guard isRehearsal else { throw SQLError(.statement, "statements run only in a rehearsal") }
        guard !sql.utf8.contains(0) else { return .failure(.nul) }
        try command("SAVEPOINT mainstay_review")
        do {
            try prepareRun(isApplication: kind == .query)
            // EXPLAIN ANALYZE runs it whole and sends no rows. The protocol takes one statement and no more.
            let text = kind == .query ? "EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) \(sql)" : sql
            let start = ContinuousClock.now
            try wire().run(text, PostgresArguments([]), until: deadline(options.runTimeoutMilliseconds)).free()
            let time = ContinuousClock.now - start
            if kind == .schemaChange { try command("RELEASE SAVEPOINT mainstay_review") } else { try rollBack() }
            let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
            return .success(seconds * 1_000)
        } catch let error as SQLError {
            guard let refusal = ReviewRefusal(error), isConnected else { throw error }
            try rollBack()
            return .failure(refusal)
        }
    }

    private func prepareRun(isApplication: Bool) throws {
        try command("SET LOCAL lock_timeout = \(options.lockTimeoutMilliseconds)")
        if let path = options.searchPath { _ = try rows("SELECT set_config('search_path', $1, true)", [.text(path)]) }
        if isApplication, let role = options.role {
            _ = try rows("SELECT set_config('role', $1, true)", [.text(role)])
        }
        try command("SET LOCAL statement_timeout = \(options.runTimeoutMilliseconds)")
    }
}

extension ReviewRefusal {
    static let nul = ReviewRefusal(state: "42601", message: "the statement has a NUL character")

    init(state: String, message: String) {
        self.state = state
        self.message = message
    }
}
