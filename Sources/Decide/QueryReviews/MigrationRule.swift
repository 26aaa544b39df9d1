/// What is wrong with one schema change on a table that is there already.
struct MigrationRule {
    let change: SchemaChange
    let facts: RelationFacts?

    func objection() -> Objection? {
        switch change.action {
        case .createTable, .lock: nil
        case .addColumn(let name, let column): addColumn(name, column)
        case .changeType(let column, let type, let hasUsing): changeType(column, type, hasUsing: hasUsing)
        case .setNotNull(let column): setNotNull(column)
        case .dropNotNull(let column): dropNotNull(column)
        case .domainConstraint(let isNew, let isChecked): isChecked ? domainConstraint(isNew: isNew) : nil
        case .addConstraint(let kind, let isNotValid): addConstraint(kind, isNotValid: isNotValid)
        case .addUnique(let kind, let usesIndex): addUnique(kind, usesIndex: usesIndex)
        case .createIndex(_, let isConcurrent): createIndex(isConcurrent: isConcurrent)
        case .dropIndex(let isConcurrent): dropIndex(isConcurrent: isConcurrent)
        case .rewrite(let command): rewrite(command)
        case .dropColumn, .dropTable, .renameColumn, .renameTable, .truncate, .dropDatabase: removal()
        }
    }

    private var table: RelationName { change.table }

    /// `posts (200,000 rows)`.
    private var described: String { facts.map { "\(table) (\($0.size))" } ?? "\(table)" }

    /// A lock on a table of few rows is held for milliseconds. What is not known is taken for large.
    private var lockSeverity: Finding.Severity {
        guard let rows = facts?.rows, rows < ReviewLimits.shortLockRows else { return .block }
        return .note
    }

    private func objection(
        _ rule: ReviewRule, _ severity: Finding.Severity, _ subject: String? = nil, what: String, why: String,
        remedy: String
    ) -> Objection {
        Objection(
            rule: rule, severity: severity, subject: subject ?? table.description, position: .byte(change.location),
            what: what, why: why, remedy: remedy)
    }

    private func addColumn(_ name: String, _ column: SchemaChange.AddedColumn) -> Objection? {
        if column.isNotNull, !column.hasDefault {
            if let rows = facts?.rows, rows == 0, facts?.isAnalyzed == true { return nil }
            return objection(
                .addRequiredColumn, .block, "\(table).\(name)",
                what: "Adds the NOT NULL column \(name) to \(described) without a default.",
                why: "It fails when the table has a row, and the running release, which does not know the column, "
                    + "can no longer insert.",
                remedy: "Give it a constant DEFAULT, or add it without NOT NULL, fill it in batches, then SET NOT NULL."
            )
        }
        if let reason = column.rewritesBecause {
            return objection(
                .addColumnRewrite, lockSeverity, "\(table).\(name)",
                what: "Adding \(name) writes every row of \(described) anew: \(reason).",
                why: "Nobody can read or write the table until it is done.",
                remedy: "Add the column without it, fill it in batches, then ALTER COLUMN … SET DEFAULT.")
        }
        guard let function = column.unknownFunction else { return nil }
        return objection(
            .addColumnRewrite, min(.warn, lockSeverity), "\(table).\(name)",
            what: "The default of \(name) calls \(function)(); if that is VOLATILE, every row of \(described) is "
                + "written anew.",
            why: "Nobody can read or write the table until it is done.",
            remedy: "Declare the function STABLE or IMMUTABLE if it is, or add the column first and its default after.")
    }

    private func changeType(_ column: String, _ type: String, hasUsing: Bool) -> Objection? {
        let old = facts?.columns[column]?.type
        if !hasUsing, let old, TypeWidening.isFree(from: old, to: type) { return nil }
        return objection(
            .changeColumnType, lockSeverity, "\(table).\(column)",
            what: "Changes \(column) of \(described)\(old.map { " from \($0)" } ?? "") to \(type).",
            why: "Every row and every index on it is written anew while nobody can read or write the table, and the "
                + "running release still sends the old type.",
            remedy: "Add a column of the new type, write both, copy in batches, switch, drop the old one later.")
    }

    private func setNotNull(_ column: String) -> Objection? {
        if facts?.columns[column]?.isNotNull == true { return nil }
        // PostgreSQL 12 and later believes a constraint that holds for every row.
        let proofs = ["CHECK ((\(column) IS NOT NULL))", "CHECK ((\"\(column)\" IS NOT NULL))"]
        if facts?.checks.contains(where: proofs.contains) == true { return nil }
        return objection(
            .setNotNull, lockSeverity, "\(table).\(column)",
            what: "SET NOT NULL on \(column) reads all of \(described).",
            why: "Nobody can read or write the table while it does; and the running release may still write NULL.",
            remedy: "ADD CONSTRAINT … CHECK (\(column) IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT in a later "
                + "transaction, then SET NOT NULL, which then reads nothing.")
    }

    private func dropNotNull(_ column: String) -> Objection? {
        if let known = facts?.columns[column], !known.isNotNull { return nil }
        return objection(
            .dropNotNull, .warn, "\(table).\(column)",
            what: "Lets \(column) of \(described) be NULL.",
            why:
                "The running release, and every reader of the table, may count on a value; and it cannot be taken back "
                + "once there is a NULL.",
            remedy: "See that all that read the column take NULL, in a release before this one.")
    }

    private func domainConstraint(isNew: Bool) -> Objection {
        if isNew {
            return objection(
                .domainConstraint, .warn,
                what: "The domain \(table) comes with a constraint.",
                why: "To change it later every table with a column of that type is checked under a lock.",
                remedy: "Put the constraint on the columns: CHECK … NOT VALID, then VALIDATE CONSTRAINT.")
        }
        return objection(
            .domainConstraint, .block,
            what: "Adds a constraint to the domain \(table) and checks every column of that type at once.",
            why: "Until that is done nobody can write to any table that has one.",
            remedy: "Add it NOT VALID, then VALIDATE CONSTRAINT in a transaction of its own.")
    }

    private func addConstraint(_ kind: String, isNotValid: Bool) -> Objection? {
        guard !isNotValid else { return nil }
        let both = kind == "FOREIGN KEY" ? "both tables are" : "the table is"
        return objection(
            .constraintWithoutNotValid, lockSeverity, "\(table)/\(kind.lowercased().replacingSpaces())",
            what: "Adds a \(kind) to \(described) and checks every row at once.",
            why: "Until that is done \(both) locked against writes\(kind == "CHECK" ? " and reads" : "").",
            remedy: "Add it NOT VALID, then VALIDATE CONSTRAINT in a transaction of its own, which locks nobody out.")
    }

    private func addUnique(_ kind: String, usesIndex: Bool) -> Objection? {
        guard !usesIndex else { return nil }
        return objection(
            .uniqueConstraint, lockSeverity, "\(table)/\(kind.lowercased().replacingSpaces())",
            what: "Adds \(kind) to \(described) and builds its index at once.",
            why: "Nobody can read or write the table until the index is built.",
            remedy: kind == "EXCLUDE"
                ? "An exclusion constraint cannot use an index made before: add it when the table is quiet."
                : "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … \(kind) USING INDEX.")
    }

    private func createIndex(isConcurrent: Bool) -> Objection? {
        guard !isConcurrent else { return nil }
        return objection(
            .indexWithoutConcurrently, lockSeverity,
            what: "Builds an index on \(described) without CONCURRENTLY.",
            why: "Nobody can write to the table until it is built.",
            remedy: "CREATE INDEX CONCURRENTLY, outside a transaction.")
    }

    private func dropIndex(isConcurrent: Bool) -> Objection? {
        guard !isConcurrent else { return nil }
        return objection(
            .indexWithoutConcurrently, .warn,
            what: "Drops the index \(table) without CONCURRENTLY.",
            why: "It waits for every query on the index's table, and every later query waits behind it. Queries that "
                + "used the index read whole tables afterwards.",
            remedy: "DROP INDEX CONCURRENTLY, outside a transaction, when pg_stat_user_indexes shows no use of it.")
    }

    private func rewrite(_ command: String) -> Objection {
        objection(
            .rewriteTable, lockSeverity,
            what: "\(command) locks \(described) until it is done.",
            why: "Nobody can write to the table meanwhile, mostly not even read it.",
            remedy: "Use the form that lets others work (REINDEX or REFRESH … CONCURRENTLY, plain VACUUM), or do it "
                + "when nobody needs the table.")
    }
}

extension MigrationRule {
    /// What the running release may still need. It blocks however few the rows are.
    fileprivate func removal() -> Objection? {
        let later =
            "Do it in a later release, when nothing reads or writes it any more (the guard's query diff shows it)."
        switch change.action {
        case .dropColumn(let column):
            return removal(.dropColumn, "\(table).\(column)", "Drops the column \(column) of \(table)", later)
        case .dropTable(let kind):
            return removal(.dropTable, table.description, "Drops the \(kind) \(table)", later)
        case .renameColumn(let from, let to):
            return removal(
                .renameColumn, "\(table).\(from)", "Renames the column \(from) of \(table) to \(to)",
                "Add a column \(to), write both, move the readers, drop the old one in a later release.")
        case .renameTable(let to):
            return removal(
                .renameTable, table.description, "Renames or moves \(table) to \(to)",
                "Keep the old name as a view until no release uses it.")
        case .truncate:
            return removal(
                .truncate, table.description, "Removes every row of \(table)\(facts.map { " (\($0.size))" } ?? "")",
                "If it is meant, allow it with a reason, and take a backup first.")
        case .dropDatabase(let kind):
            return removal(
                .dropDatabase, table.description, "Drops the \(kind) \(table)",
                "If it is meant, allow it with a reason, and take a backup first.")
        default: return nil
        }
    }

    private func removal(_ rule: ReviewRule, _ subject: String, _ what: String, _ remedy: String) -> Objection {
        Objection(
            rule: rule, severity: .block, subject: subject, position: .byte(change.location), what: what + ".",
            why: "The running release still uses what is there, and rolling back to it would find it gone.",
            remedy: remedy)
    }
}

extension String {
    fileprivate func replacingSpaces() -> String { split(separator: " ").joined(separator: "-") }
}

/// Changes of a type that PostgreSQL makes without touching a row.
enum TypeWidening {
    static func isFree(from old: String, to new: String) -> Bool {
        if old == new { return true }
        let (oldBase, oldLength) = parts(old)
        let (newBase, newLength) = parts(new)
        let texts = ["character varying", "text"]
        guard texts.contains(oldBase), texts.contains(newBase) else {
            return oldBase == "numeric" && newBase == "numeric" && newLength == nil
        }
        guard let newLength else { return true }
        guard oldBase == "character varying", let oldLength else { return false }
        return newLength >= oldLength
    }

    /// `character varying(20)` → `character varying`, 20.
    private static func parts(_ type: String) -> (String, Int?) {
        guard let open = type.firstIndex(of: "("), type.hasSuffix(")") else { return (type, nil) }
        let inside = type[type.index(after: open)...].dropLast()
        return (String(type[..<open]), Int(inside) ?? 0)
    }
}
