/// Reviews the schema changes of one file in their order: what was made there, or inside a transaction, is judged
/// differently from what is there already.
struct MigrationReview {
    private var made: Set<RelationName> = []
    private var isInTransaction = false
    private var hasLockTimeout = false
    private var saidLockTimeout = false

    /// Names that the migrations of the review make, for statements that need them.
    private(set) var newNames: Set<String> = []

    init() {}

    /// A new file starts a new session.
    mutating func startFile() {
        made = []
        isInTransaction = false
        hasLockTimeout = false
        saidLockTimeout = false
    }

    /// Also notes what the statement does to the session; call it for each statement, in order.
    mutating func review(_ shape: StatementShape, facts: [RelationName: RelationFacts]) -> [Objection] {
        var objections: [Objection] = []
        switch shape.kind {
        case .begin:
            if isInTransaction {
                objections.append(
                    Self.nesting(
                        "Begins a transaction in a transaction.",
                        "PostgreSQL knows none inside another: the next COMMIT ends both, and what follows stands alone."
                    ))
            }
            isInTransaction = true
        case .commit, .rollback:
            if !isInTransaction {
                objections.append(
                    Self.nesting(
                        "Ends a transaction that this file has not begun.",
                        "Where a tool puts the file into a transaction this ends it early; elsewhere it does nothing."))
            }
            isInTransaction = false
        case .setting("lock_timeout"), .setting("statement_timeout"): hasLockTimeout = true
        default: break
        }
        for change in shape.changes {
            note(change)
            let isNew =
                made.contains(change.table) && change.action != .domainConstraint(isNew: true, isChecked: true)
            if !isNew { objections += review(change, facts: facts[change.table]) }
            objections += transactionRule(change)
            if !isNew, let waiting = lockTimeout(change) { objections.append(waiting) }
        }
        return objections
    }

    private mutating func note(_ change: SchemaChange) {
        switch change.action {
        case .createTable:
            made.insert(change.table)
            newNames.insert(change.table.name)
        case .domainConstraint(isNew: true, _): made.insert(change.table)
        case .addColumn(let name, _): newNames.insert(name)
        case .renameColumn(_, let name): newNames.insert(name)
        case .renameTable(let name): newNames.insert(name)
        default: break
        }
    }

    private func review(_ change: SchemaChange, facts: RelationFacts?) -> [Objection] {
        let rule = MigrationRule(change: change, facts: facts)
        return [missingTable(change, facts), rule.objection()].compactMap { $0 }
    }

    private func missingTable(_ change: SchemaChange, _ facts: RelationFacts?) -> Objection? {
        guard facts == nil, change.needsTable, !newNames.contains(change.table.name) else { return nil }
        return Objection(
            rule: .unknownTable, severity: .warn, subject: change.table.description,
            position: .byte(change.location),
            what: "There is no table \(change.table) on this database's search path.",
            why: "Its size is not known, so it is taken for a large one.",
            remedy: "Correct the name, give --search-path, or review the migration that makes it, too.")
    }

    private static func nesting(_ what: String, _ why: String) -> Objection {
        Objection(
            rule: .transactionNesting, severity: .warn, position: .byte(0), what: what, why: why,
            remedy: "One BEGIN for each COMMIT; SAVEPOINT for a part that may fail.")
    }

    private func transactionRule(_ change: SchemaChange) -> [Objection] {
        let isConcurrent =
            switch change.action {
            case .createIndex(_, let isConcurrent), .dropIndex(let isConcurrent): isConcurrent
            default: false
            }
        guard isConcurrent, isInTransaction else { return [] }
        return [
            Objection(
                rule: .concurrentlyInTransaction, severity: .block, subject: change.table.description,
                position: .byte(change.location),
                what: "CONCURRENTLY inside BEGIN … COMMIT fails.",
                why: "PostgreSQL refuses it in a transaction: the migration stops here.",
                remedy: "Put it outside the transaction; many tools can turn theirs off for one migration.")
        ]
    }

    /// Said once a file: one setting mends it for all.
    private mutating func lockTimeout(_ change: SchemaChange) -> Objection? {
        switch change.action {
        case .createTable, .dropDatabase, .domainConstraint(isNew: true, _), .createIndex(_, isConcurrent: true),
            .dropIndex(isConcurrent: true):
            return nil
        default: break
        }
        guard !hasLockTimeout, !saidLockTimeout else { return nil }
        saidLockTimeout = true
        return Objection(
            rule: .missingLockTimeout, severity: .warn, position: .byte(change.location),
            what: "Waits for a lock on \(change.table) without a limit.",
            why: "While it waits behind one long query, every other statement on the table queues behind it.",
            remedy: "SET lock_timeout = '2s' first, and let the migration be tried again when it gives up.")
    }
}
