extension QueryReview {
    /// - Parameter earlierCosts: of an earlier review, by the statements' ids.
    package static func judge(
        _ subjects: [ReviewSubject], database: ReviewedDatabase, assumptions: ReviewAssumptions,
        isCalibrated: Bool = false, earlierCosts: [String: Double] = [:]
    ) -> QueryReview {
        var assumptions = assumptions
        if !isCalibrated { assumptions.calibrate(costs: knownTimes(subjects)) }
        let siblings = SiblingReview.objections(
            subjects.map { .init(statement: $0.statement, shape: $0.shape, plan: $0.plan) })
        var migration = MigrationReview()
        var file: String?
        var statements: [ReviewedStatement] = []
        for (index, subject) in subjects.enumerated() {
            let place = subject.statement.place
            if place.file != file { migration.startFile() }
            file = place.file
            let judgement = Judgement(
                subject: subject, assumptions: assumptions, earlierCost: earlierCosts[subject.statement.id])
            statements.append(judgement.reviewed(&migration, sibling: siblings[index]))
        }
        return QueryReview(database: database, assumptions: assumptions, statements: statements)
    }

    private static func knownTimes(_ subjects: [ReviewSubject]) -> [(cost: Double, milliseconds: Double)] {
        subjects.compactMap { subject in
            guard let cost = subject.plan?.root.totalCost, let time = subject.statement.notes.meanMilliseconds else {
                return nil
            }
            return (cost, time)
        }
    }
}

/// Everything that is said about one statement.
private struct Judgement {
    let subject: ReviewSubject
    let assumptions: ReviewAssumptions
    let earlierCost: Double?

    func reviewed(_ migration: inout MigrationReview, sibling: Objection?) -> ReviewedStatement {
        let statement = subject.statement
        var objections = annotations()
        if let shape = subject.shape { objections += migration.review(shape, facts: subject.facts) }
        objections += proof(migration.newNames)
        objections += ShapeReview(shape: subject.shape, plan: subject.plan, facts: subject.facts).objections()
        let load = subject.plan.map { plan in
            LoadReview(
                notes: statement.notes, cost: plan.root.totalCost, earlierCost: earlierCost,
                measuredMilliseconds: subject.ranMilliseconds, assumptions: assumptions)
        }
        if let plan = subject.plan {
            let review = PlanReview(
                plan: plan, facts: subject.facts, callsPerSecond: statement.notes.callsPerSecond,
                workMemory: assumptions.workMemory)
            objections += review.objections()
        }
        objections += load?.objections() ?? []
        if let sibling { objections.append(sibling) }
        return ReviewedStatement(
            id: statement.id, kind: subject.shape?.kindName ?? "statement", place: statement.place, sql: statement.sql,
            feature: statement.notes.feature, callsPerSecond: statement.notes.callsPerSecond,
            cost: subject.plan?.root.totalCost, rows: subject.plan?.root.rows, milliseconds: load?.time.milliseconds,
            timeSource: load?.time.source, findings: findings(objections))
    }

    private func annotations() -> [Objection] {
        subject.statement.notes.problems.map { problem in
            Objection(
                rule: .annotation, severity: .warn,
                what: "A comment for the review is not used: \(problem).", why: "The review goes on without it.",
                remedy: "Correct the comment.")
        }
    }

    private func proof(_ newNames: Set<String>) -> [Objection] {
        var objections: [Objection] = []
        switch subject.outcome {
        case .refused(let refusal):
            let review = RefusalReview(
                refusal: refusal, isExported: subject.statement.isExported, newNames: newNames)
            objections.append(review.objection())
        case .unknown(let reason): objections.append(unknown(reason, severity: .block))
        // A plan says most of it. Without plan and text nothing is known, and nothing known is no pass.
        case .planned where subject.shape == nil:
            objections.append(unknown("\(unparsed); only its plan was judged", severity: .note))
        case .noPlan where subject.shape == nil: objections.append(unknown(unparsed, severity: .block))
        case .planned, .noPlan: break
        }
        if case .opaque(let kind) = subject.shape?.kind {
            objections.append(unknown("what \(kind) does is decided when it runs", severity: .warn))
        }
        if let refusal = subject.runRefusal {
            objections.append(
                Objection(
                    rule: .runFailed, severity: .block,
                    position: refusal.character.map { .character($0) } ?? .start,
                    what: "It failed when it was run: \(refusal.message).",
                    why: "It ran once, in a transaction that was rolled back [SQLSTATE \(refusal.state)].",
                    remedy: "Correct it, or the data that it meets on this copy."))
        }
        return objections
    }

    private var unparsed: String { "its text could not be parsed (\(subject.shapeProblem ?? "no reason is known"))" }

    private func unknown(_ reason: String, severity: Finding.Severity) -> Objection {
        Objection(
            rule: .notReviewed, severity: severity,
            what: "Not everything about it could be reviewed: \(reason).",
            why: "What was not looked at is not proven.",
            remedy: "Let a person review it, and allow it with a reason.")
    }

    private func findings(_ objections: [Objection]) -> [Finding] {
        let statement = subject.statement
        var counts: [String: Int] = [:]
        return objections.map { objection in
            var id = "\(statement.id)/\(objection.rule.rawValue)"
            if let subject = objection.subject { id += "/\(subject)" }
            counts[id, default: 0] += 1
            if let count = counts[id], count > 1 { id += "#\(count)" }
            let place =
                switch objection.position {
                case .start: statement.place
                case .byte(let offset): statement.place(atByte: offset)
                case .character(let number): statement.place(atCharacter: number)
                }
            let allowance = statement.notes.allowances.first { $0.rule == objection.rule.rawValue }
            return Finding(
                id: id, rule: objection.rule, severity: objection.severity, place: place, what: objection.what,
                why: objection.why, remedy: objection.remedy, allowed: allowance?.reason)
        }
    }
}
