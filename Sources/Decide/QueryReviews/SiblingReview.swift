/// N+1: a lookup of one row that is called once for each row of a list.
enum SiblingReview {
    struct Sibling {
        var statement: ReviewStatement
        var shape: StatementShape?
        var plan: QueryPlan?

        var calls: Double? { statement.notes.callsPerSecond }
        /// Rows a call gives back: told, or else planned.
        var rows: Double? { statement.notes.rowsPerCall ?? plan?.root.rows }
        var isSelect: Bool { shape?.kind == .plannable("SELECT") }

        /// By key: at most one row, with a condition.
        var isLookup: Bool { isSelect && shape?.hasWhere == true && (plan?.root.rows ?? .infinity) <= 1.5 }
        var isList: Bool { isSelect && (rows ?? 0) >= 2 }
    }

    /// - Returns: by index, what is said about the lookups.
    static func objections(_ siblings: [Sibling]) -> [Int: Objection] {
        let lists = siblings.filter { $0.isList && ($0.calls ?? 0) > 0 }
        var found: [Int: Objection] = [:]
        for (index, lookup) in siblings.enumerated() where lookup.isLookup {
            let list = lists.filter { isOnePerRow(lookup, of: $0) }.max { ($0.calls ?? 0) < ($1.calls ?? 0) }
            if let list { found[index] = objection(lookup, list) }
        }
        return found
    }

    /// Of one feature, and far more often; or, where features are not told, as often as the list has rows.
    private static func isOnePerRow(_ lookup: Sibling, of list: Sibling) -> Bool {
        guard let calls = lookup.calls, let listCalls = list.calls else { return false }
        let ratio = calls / listCalls
        guard ratio >= ReviewLimits.callsPerSibling else { return false }
        if let feature = lookup.statement.notes.feature, let other = list.statement.notes.feature {
            return feature == other
        }
        guard let rows = list.statement.notes.rowsPerCall else { return false }
        return ratio >= rows * 0.7 && ratio <= rows * 1.3
    }

    private static func objection(_ lookup: Sibling, _ list: Sibling) -> Objection {
        let calls = lookup.calls ?? 0
        let listCalls = list.calls ?? 1
        return Objection(
            rule: .nPlusOne, severity: .warn, subject: list.statement.id,
            what: "Is called \(Figures.count(calls / listCalls)) times for each call of \(list.statement.id).",
            why: "It looks up one row, \(Figures.count(calls)) times a second; \(list.statement.id) gives a list, "
                + "\(Figures.count(listCalls)) times a second. It looks like one lookup for each row of the list.",
            remedy: "Join it to the list, or look all of them up at once (WHERE id = ANY($1)).")
    }
}
