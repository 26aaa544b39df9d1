/// What a review looks for. The raw values are written in comments, reports and baselines: they never change.
package enum ReviewRule: String, Hashable, Sendable, CaseIterable {
    // What the server says when it prepares the statement.
    case syntaxError = "syntax-error"
    case unknownTable = "unknown-table"
    case unknownColumn = "unknown-column"
    case unknownFunction = "unknown-function"
    case permissionDenied = "permission-denied"
    case invalidStatement = "invalid-statement"
    case notReviewed = "not-reviewed"
    case needsMigration = "needs-migration"
    case runFailed = "run-failed"

    // The statement's text.
    case writeWithoutWhere = "write-without-where"
    case listWithoutLimit = "list-without-limit"
    case annotation

    // The plan.
    case sequentialScan = "sequential-scan"
    case limitAfterSort = "limit-after-sort"
    case diskSort = "disk-sort"
    case missingJoinCondition = "missing-join-condition"
    case rowByRowJoin = "row-by-row-join"
    case notAnalyzed = "not-analyzed"
    case smallCopy = "small-copy"

    // Load.
    case expectedLoad = "expected-load"
    case slowStatement = "slow-statement"
    case costIncrease = "cost-increase"
    case nPlusOne = "n-plus-one"

    // Migrations.
    case addRequiredColumn = "add-required-column"
    case addColumnRewrite = "add-column-rewrite"
    case changeColumnType = "change-column-type"
    case setNotNull = "set-not-null"
    case dropNotNull = "drop-not-null"
    case domainConstraint = "domain-constraint"
    case constraintWithoutNotValid = "constraint-without-not-valid"
    case uniqueConstraint = "unique-constraint"
    case indexWithoutConcurrently = "index-without-concurrently"
    case concurrentlyInTransaction = "concurrently-in-transaction"
    case transactionNesting = "transaction-nesting"
    case dropColumn = "drop-column"
    case dropTable = "drop-table"
    case renameColumn = "rename-column"
    case renameTable = "rename-table"
    case truncate
    case rewriteTable = "rewrite-table"
    case dropDatabase = "drop-database"
    case missingLockTimeout = "missing-lock-timeout"
}

extension ReviewRule {
    /// One line: what the rule is about.
    package var title: String {
        switch self {
        case .syntaxError: "The statement is not SQL that this server understands"
        case .unknownTable: "A table or view does not exist"
        case .unknownColumn: "A column does not exist"
        case .unknownFunction: "A function or operator does not exist for these types"
        case .permissionDenied: "The role may not do this"
        case .invalidStatement: "The server refuses the statement"
        case .notReviewed: "The statement could not be reviewed"
        case .needsMigration: "The statement needs a migration of the same review"
        case .runFailed: "The statement fails when it runs"
        case .writeWithoutWhere: "UPDATE or DELETE changes every row"
        case .listWithoutLimit: "A list has no LIMIT"
        case .annotation: "A comment for the review cannot be used"
        case .sequentialScan: "A table is read whole to keep few rows"
        case .limitAfterSort: "Many rows are sorted to give back a few"
        case .diskSort: "A sort or grouping does not fit in memory"
        case .missingJoinCondition: "A join has no condition"
        case .rowByRowJoin: "A join compares every row with every other"
        case .notAnalyzed: "A table has no statistics"
        case .smallCopy: "The tables are too small to judge by"
        case .expectedLoad: "The statement takes a large share of the database"
        case .slowStatement: "One call takes long"
        case .costIncrease: "The statement costs more than it did"
        case .nPlusOne: "A statement is called once for each row of another"
        case .addRequiredColumn: "A NOT NULL column is added without a default"
        case .addColumnRewrite: "Adding the column rewrites the table"
        case .changeColumnType: "Changing the type rewrites the table"
        case .setNotNull: "SET NOT NULL reads the whole table under a lock"
        case .dropNotNull: "A column may be NULL from now on"
        case .domainConstraint: "A domain gets a constraint"
        case .constraintWithoutNotValid: "A constraint is checked under a lock"
        case .uniqueConstraint: "A unique constraint builds its index under a lock"
        case .indexWithoutConcurrently: "An index is built or dropped under a lock"
        case .concurrentlyInTransaction: "CONCURRENTLY does not run in a transaction"
        case .transactionNesting: "BEGIN and COMMIT do not match"
        case .dropColumn: "A column is dropped"
        case .dropTable: "A table or view is dropped"
        case .renameColumn: "A column is renamed"
        case .renameTable: "A table or view is renamed or moved"
        case .truncate: "A table is emptied"
        case .rewriteTable: "A table is rewritten or locked for long"
        case .dropDatabase: "A database or schema is dropped"
        case .missingLockTimeout: "A lock is waited for without a limit"
        }
    }
}
