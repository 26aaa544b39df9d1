/// What both drivers hold every statement to, so that one text and its arguments mean the same on both.
enum StatementRules {
    private static let transactionControl: Set<String> = [
        "BEGIN", "START", "COMMIT", "END", "ABORT", "ROLLBACK", "SAVEPOINT", "RELEASE",
    ]
    /// Statements worth keeping prepared; others (CREATE, ALTER, PRAGMA, …) run once.
    private static let repeated: Set<String> = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES", "REPLACE"]
    private static let reading: Set<String> = ["SELECT", "WITH", "VALUES", "TABLE", "EXPLAIN", "PRAGMA", "SHOW"]

    static func isRepeated(keyword: String) -> Bool { repeated.contains(keyword) }

    /// A body lives in a transaction that the driver begins and ends; ending it from inside would commit half a step.
    static func checkIsNoTransactionControl(keyword: String) throws(SQLError) {
        guard transactionControl.contains(keyword) else { return }
        throw SQLError(.statement, "\(keyword) is not for a body: its transaction is begun and ended around it")
    }

    static func checkReads(keyword: String) throws(SQLError) {
        guard !reading.contains(keyword) else { return }
        let found = keyword.isEmpty ? "nothing" : keyword
        throw SQLError(.statement, "only a reading statement is allowed here (SELECT, WITH, …), not \(found)")
    }

    static func check(argumentCount: Int, parameterCount: Int) throws(SQLError) {
        guard argumentCount != parameterCount else { return }
        throw SQLError(
            .statement, "the statement has \(parameterCount) parameters, but \(argumentCount) values were given")
    }

    /// Values that one of the databases would change without a word are refused by both.
    static func check(_ arguments: [SQLValue]) throws(SQLError) {
        for (index, argument) in arguments.enumerated() {
            switch argument {
            case .real(let value) where value.isNaN:
                throw SQLError(.statement, "value \(index + 1) is not a number (NaN), which SQLite would store as NULL")
            case .text(let value) where value.utf8.contains(0):
                throw SQLError(
                    .statement, "value \(index + 1) is text with a NUL character, which PostgreSQL cannot store")
            default:
                continue
            }
        }
    }
}
