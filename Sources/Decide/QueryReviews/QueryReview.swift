/// A review before release: every statement with what is wrong with it, and whether the release may go out.
package struct QueryReview: Hashable, Sendable {
    package enum Verdict: String, Hashable, Sendable {
        case pass, warn, block
    }

    package var database: ReviewedDatabase
    package var assumptions: ReviewAssumptions
    package var statements: [ReviewedStatement]

    package init(database: ReviewedDatabase, assumptions: ReviewAssumptions, statements: [ReviewedStatement]) {
        self.database = database
        self.assumptions = assumptions
        self.statements = statements
    }

    package var findings: [Finding] { statements.flatMap(\.findings) }

    package func count(_ severity: Finding.Severity) -> Int { findings.count { $0.counts && $0.severity == severity } }

    package var verdict: Verdict {
        if count(.block) > 0 { return .block }
        return count(.warn) > 0 ? .warn : .pass
    }
}

/// What the statements were reviewed against.
package struct ReviewedDatabase: Hashable, Sendable {
    /// Without a password: `database shop at 127.0.0.1:5432`.
    package var summary: String
    package var version: String
    package var role: String
    package var searchPath: String
    /// Whether statements ran, in a transaction that was rolled back.
    package var isRehearsed: Bool

    package init(summary: String, version: String, role: String, searchPath: String, isRehearsed: Bool) {
        self.summary = summary
        self.version = version
        self.role = role
        self.searchPath = searchPath
        self.isRehearsed = isRehearsed
    }
}

/// One statement and what came of it.
package struct ReviewedStatement: Hashable, Sendable {
    package var id: String
    package var kind: String
    package var place: SourcePlace
    package var sql: String
    package var feature: String?
    package var callsPerSecond: Double?
    /// The plan's, in the planner's units.
    package var cost: Double?
    package var rows: Double?
    /// Milliseconds of one call, and how that is known.
    package var milliseconds: Double?
    package var timeSource: String?
    package var findings: [Finding]
}

/// A statement with everything that was found out about it.
package struct ReviewSubject: Sendable {
    package enum Outcome: Sendable {
        case planned(QueryPlan)
        case refused(ServerRefusal)
        /// It has no plan: a schema change, SET, BEGIN.
        case noPlan
        /// Nothing is known, and why.
        case unknown(String)
    }

    package var statement: ReviewStatement
    /// Nil when libpg_query cannot parse it.
    package var shape: StatementShape?
    /// Why there is no shape.
    package var shapeProblem: String?
    package var outcome: Outcome
    package var facts: [RelationName: RelationFacts]
    /// Of one run that was rolled back.
    package var ranMilliseconds: Double?
    /// Why that run failed.
    package var runRefusal: ServerRefusal?

    package init(
        statement: ReviewStatement, shape: StatementShape?, shapeProblem: String? = nil, outcome: Outcome,
        facts: [RelationName: RelationFacts] = [:], ranMilliseconds: Double? = nil, runRefusal: ServerRefusal? = nil
    ) {
        self.statement = statement
        self.shape = shape
        self.shapeProblem = shapeProblem
        self.outcome = outcome
        self.facts = facts
        self.ranMilliseconds = ranMilliseconds
        self.runRefusal = runRefusal
    }

    var plan: QueryPlan? { if case .planned(let plan) = outcome { plan } else { nil } }
}
