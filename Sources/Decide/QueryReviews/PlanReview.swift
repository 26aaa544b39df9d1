/// What a plan shows about a statement: tables read for nothing, joins without end, sorts that spill.
struct PlanReview {
    let plan: QueryPlan
    let facts: [RelationName: RelationFacts]
    let callsPerSecond: Double?
    let workMemory: Double

    private struct Step {
        var node: PlanNode
        /// How often the step runs in one call.
        var executions: Double
        var parents: [PlanNode]
    }

    func objections() -> [Objection] {
        let steps = steps(plan.root, executions: 1, parents: [])
        var seen: Set<String> = []
        let found = steps.flatMap { step in
            [scan(step), sort(step), spill(step), join(step)].compactMap { $0 }
        }
        // A table read twice in the same way is one thing to mend.
        return found.filter { seen.insert("\($0.rule.rawValue)/\($0.subject ?? "")").inserted } + statistics()
    }

    /// The inner side of a nested loop runs for each outer row, unless its rows are kept; so does a correlated
    /// subquery.
    private func steps(_ node: PlanNode, executions: Double, parents: [PlanNode]) -> [Step] {
        var steps = [Step(node: node, executions: executions, parents: parents)]
        for child in node.children {
            var times = executions
            let isKept = child.type == "Materialize"
            if node.type == "Nested Loop", child.relationship == "Inner", !isKept {
                times *= max(1, node.outer?.rows ?? 1)
            } else if child.relationship == "SubPlan", !isKept, !ConditionText.foreignAliases(in: child).isEmpty {
                times *= max(1, node.rows)
            }
            steps += self.steps(child, executions: times, parents: parents + [node])
        }
        return steps
    }

    // MARK: - Scans

    private func scan(_ step: Step) -> Objection? {
        guard step.node.type == "Seq Scan", step.node.filter != nil, let relation = step.node.relation,
            let rows = facts[relation]?.rows, rows > 0, step.node.rows / rows < ReviewLimits.keptShare,
            step.executions <= 1 || rows >= ReviewLimits.smallTable,
            let severity = severity(rows: rows * step.executions)
        else { return nil }
        let times = step.executions > 1 ? ", \(Figures.count(step.executions)) times a call" : ""
        let filter = Self.shortened(step.node.filter ?? "")
        return Objection(
            rule: .sequentialScan, severity: severity, subject: relation.description,
            what: "Reads all of \(relation) (\(Figures.rows(rows))\(times)) to keep about "
                + "\(Figures.rows(step.node.rows)) by \(filter).",
            why: frequency(rows: rows * step.executions, verb: "read"),
            remedy: "Make an index (CREATE INDEX CONCURRENTLY) that serves the condition, or a condition that an index "
                + "serves: a function or cast around a column hides it from its index.")
    }

    private func severity(rows: Double) -> Finding.Severity? {
        let isFrequent = (callsPerSecond ?? 0) > ReviewLimits.callsToBlock
        if rows > ReviewLimits.scannedRowsToBlock, isFrequent { return .block }
        return rows > ReviewLimits.scannedRowsToWarn ? .warn : nil
    }

    private func frequency(rows: Double, verb: String) -> String {
        if let callsPerSecond {
            return "At \(Figures.count(callsPerSecond)) calls a second that is \(Figures.count(rows * callsPerSecond)) "
                + "rows \(verb) a second."
        }
        let bar =
            rows > ReviewLimits.scannedRowsToBlock
            ? "more than one a second would block the release" : "it slows every call as the table grows"
        return "How often it is called is not known: \(bar) (say it with /* calls_per_second=… */)."
    }

    // MARK: - Sorts

    /// A LIMIT over a sort reads and sorts everything first.
    private func sort(_ step: Step) -> Objection? {
        guard step.node.type == "Sort", isUnderLimit(step), let input = step.node.children.first,
            let severity = severity(rows: input.rows * step.executions)
        else { return nil }
        let key = step.node.sortKey.isEmpty ? "" : " by \(Self.shortened(step.node.sortKey.joined(separator: ", ")))"
        return Objection(
            rule: .limitAfterSort, severity: severity, subject: input.relation?.description,
            what: "Reads and sorts \(Figures.rows(input.rows))\(key) to give back the few of its LIMIT.",
            why: frequency(rows: input.rows * step.executions, verb: "sorted"),
            remedy: "Make an index in the order of ORDER BY, so that it stops after the LIMIT; an expression needs an "
                + "index on the expression.")
    }

    private func spill(_ step: Step) -> Objection? {
        let bytes = step.node.rows * (ReviewLimits.tupleOverhead + (step.node.width / 8).rounded(.up) * 8)
        let isSort = step.node.type == "Sort" && !isUnderLimit(step)
        let isGrouping = step.node.plannedPartitions > 0
        guard isSort && bytes > workMemory || isGrouping else { return nil }
        return Objection(
            rule: .diskSort, severity: .warn, subject: step.node.children.first?.relation?.description,
            what: "\(isSort ? "Sorts" : "Groups to") \(Figures.rows(step.node.rows)), about \(Figures.bytes(bytes)), "
                + "on disk.",
            why: "work_mem is \(Figures.bytes(workMemory)): what does not fit is written to temporary files, and the "
                + "disk is shared with every other statement. The size is the planner's estimate.",
            remedy: "Sort or group fewer rows or columns, let an index give the order, or raise work_mem for this "
                + "role.")
    }

    private func isUnderLimit(_ step: Step) -> Bool {
        let parent = step.parents.last { !["Result", "Subquery Scan", "LockRows", "Unique"].contains($0.type) }
        return parent?.type == "Limit"
    }

    // MARK: - Statistics

    private func statistics() -> [Objection] {
        let known = plan.relations.compactMap { relation in facts[relation].map { (relation, $0) } }
        var found = known.filter { !$0.1.isAnalyzed && $0.1.bytes > 0 }.map { relation, facts in
            Objection(
                rule: .notAnalyzed, severity: .warn, subject: relation.description,
                what: "\(relation) (\(Figures.bytes(facts.bytes))) was never analysed.",
                why: "The planner guesses its size and values, so that this review of it is a guess, too.",
                remedy: "Run ANALYZE on the database that the review uses, and review again.")
        }
        let rows = known.map { $0.1.rows ?? .infinity }
        if let most = rows.max(), most < ReviewLimits.smallTable {
            let list = known.map { "\($0.0): \($0.1.size)" }.joined(separator: ", ")
            found.append(
                Objection(
                    rule: .smallCopy, severity: .note, subject: nil,
                    what: "Its tables are small here (\(list)).",
                    why: "A plan over few rows says nothing about one over many.",
                    remedy: "Review against a restored copy of production, unless they are this small there, too."))
        }
        return found
    }

    static func shortened(_ text: String) -> String {
        text.count <= 160 ? text : text.prefix(159) + "…"
    }

    private func join(_ step: Step) -> Objection? {
        JoinReview(node: step.node, executions: step.executions).objection()
    }
}
