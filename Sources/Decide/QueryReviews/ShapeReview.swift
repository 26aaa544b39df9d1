/// What a statement's text shows, with or without a tree.
struct ShapeReview {
    let shape: StatementShape?
    let plan: QueryPlan?
    let facts: [RelationName: RelationFacts]

    func objections() -> [Objection] { writes() + [list()].compactMap { $0 } }

    private func writes() -> [Objection] {
        guard let shape else { return planWrites() }
        return shape.unconditionalWrites.map { write in
            let rows = plan?.relations.first { $0.name == write.table.name }.flatMap { facts[$0]?.rows }
            return objection(write.verb, write.table, rows: rows, at: .byte(write.location))
        }
    }

    /// For a grammar newer than libpg_query's: the plan tells as much.
    private func planWrites() -> [Objection] {
        (plan?.nodes ?? []).compactMap { node in
            guard let operation = node.operation, operation == "Update" || operation == "Delete",
                let table = node.relation,
                node.children.allSatisfy({ $0.withDescendants.allSatisfy(\.conditions.isEmpty) })
            else { return nil }
            return objection(operation.uppercased(), table, rows: facts[table]?.rows, at: .start)
        }
    }

    private func objection(
        _ verb: String, _ table: RelationName, rows: Double?, at position: Objection.Position
    ) -> Objection {
        let size = rows.map { ", \(Figures.rows($0)) here" } ?? ""
        return Objection(
            rule: .writeWithoutWhere, severity: .block, subject: table.description, position: position,
            what: "\(verb) without WHERE changes every row of \(table)\(size).",
            why: "It locks and rewrites the whole table, and what it overwrites is gone.",
            remedy: "Say which rows. If every row is meant, do it in batches by key, or allow it with a reason.")
    }

    private func list() -> Objection? {
        guard let shape, shape.kind == .plannable("SELECT"), !shape.hasLimit, let rows = plan?.root.rows,
            rows > ReviewLimits.listedRows
        else { return nil }
        return Objection(
            rule: .listWithoutLimit, severity: .warn,
            what: "Gives back about \(Figures.rows(rows)) a call and has no LIMIT.",
            why: "The list grows with the table: each call reads, sends and holds all of it in the application's "
                + "memory. The number is the planner's estimate.",
            remedy: "Page it: a LIMIT, and a condition on the last key seen.")
    }
}
