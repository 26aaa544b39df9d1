/// One read-only question with its named parameters resolved, and how long and how large its answer may be.
struct ProbeRequest: Sendable {
    let sql: String
    let values: [SQLValue]
    let deadline: ContinuousClock.Instant
    let budget: ResultBudget

    init(
        sql: String, parameters: [String: SQLValue], dialect: SQLDialect, deadline: ContinuousClock.Instant,
        rowLimit: Int
    ) throws(SQLError) {
        guard !sql.utf8.contains(0) else { throw SQLError(.statement, "the SQL has a NUL character") }
        let text = SQLText(sql, dialect: dialect)
        try StatementRules.checkReads(keyword: text.leadingKeyword())
        let named = text.named()
        self.sql = named.sql
        values = try Self.resolve(named.names, parameters)
        try StatementRules.check(values)
        self.deadline = deadline
        budget = ResultBudget(rowLimit: rowLimit)
    }

    var millisecondsLeft: Int64 {
        let left = deadline - ContinuousClock.now
        return left.components.seconds * 1_000 + left.components.attoseconds / 1_000_000_000_000_000
    }

    func checkDeadline() throws(SQLError) {
        if ContinuousClock.now >= deadline { throw .deadlinePassed }
    }

    private static func resolve(_ names: [String], _ parameters: [String: SQLValue]) throws(SQLError) -> [SQLValue] {
        if let unused = parameters.keys.sorted().first(where: { !names.contains($0) }) {
            let used = names.isEmpty ? "it uses none" : "it uses \(list(names))"
            throw SQLError(.statement, "the parameter :\(unused) is not in the SQL (\(used))")
        }
        var values: [SQLValue] = []
        for name in names {
            guard let value = parameters[name] else {
                let given = parameters.isEmpty ? "none is given" : "given are \(list(parameters.keys.sorted()))"
                throw SQLError(.statement, "the parameter :\(name) has no value (\(given))")
            }
            values.append(value)
        }
        return values
    }

    private static func list(_ names: [String]) -> String { names.map { ":\($0)" }.joined(separator: ", ") }
}

extension SQLError {
    static let deadlinePassed = SQLError(.timeout, "the database did not answer before the deadline")
}
