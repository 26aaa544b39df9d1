import Decide
import SQL

/// Reviews statements against a database: asks it for each plan, gathers what the rules need, and lets `Decide` judge.
struct QueryReviewer {
    struct Options: Sendable {
        var url: String
        var session = PostgresReviewSession.Options()
        var slots = ReviewAssumptions.standardSlots
        var millisecondsPerCost: Double?
        /// Apply migrations and run statements without parameters, in a transaction that is rolled back.
        var isRehearsed = false
        var earlierCosts: [String: Double] = [:]
    }

    let options: Options
    /// Called before each statement: how many are done, of how many.
    var progress: @Sendable (Int, Int) -> Void = { _, _ in }

    /// - Throws: `SQLError` when the database cannot be reached or asked.
    func review(_ statements: [ReviewStatement]) async throws -> QueryReview {
        let (statements, shapes) = await Self.parse(statements)
        let session = try PostgresReviewSession(url: options.url, options: options.session)
        do {
            let review = try await review(statements, shapes, session)
            await session.close()
            return review
        } catch {
            await session.close()
            throw error
        }
    }

    private func review(
        _ statements: [ReviewStatement], _ shapes: [Parsed], _ session: PostgresReviewSession
    ) async throws -> QueryReview {
        let server = try await session.open()
        if options.isRehearsed { try await session.beginRehearsal() }
        var examination = Examination(session: session, isRehearsed: options.isRehearsed)
        var subjects: [ReviewSubject] = []
        for (index, statement) in statements.enumerated() {
            progress(index, statements.count)
            try Task.checkCancellation()
            subjects.append(try await examination.subject(statement, shapes[index]))
        }
        progress(statements.count, statements.count)
        let database = ReviewedDatabase(
            summary: server.summary, version: server.version, role: server.role, searchPath: server.searchPath,
            isRehearsed: options.isRehearsed)
        let assumptions = ReviewAssumptions(
            slots: options.slots, millisecondsPerCost: options.millisecondsPerCost, workMemory: server.workMemory)
        return QueryReview.judge(
            subjects, database: database, assumptions: assumptions,
            isCalibrated: options.millisecondsPerCost != nil, earlierCosts: options.earlierCosts)
    }

    fileprivate struct Parsed {
        var shape: StatementShape?
        /// Why there is no shape.
        var problem: String?
    }

    private static func parse(_ statements: [ReviewStatement]) async -> ([ReviewStatement], [Parsed]) {
        let parsed = await SyntaxParser.parse(statements.map(\.sqlWithoutComments))
        let fingerprints = Dictionary(
            zip(statements, parsed).compactMap { statement, parsed in
                parsed.fingerprint.map { (statement.sql, $0) }
            }, uniquingKeysWith: { first, _ in first })
        let shapes = parsed.map { parsed -> Parsed in
            guard let text = parsed.tree else { return Parsed(problem: parsed.problem) }
            do throws(JSONSyntaxError) {
                let tree = try JSONValue(parsing: text, depthLimit: StatementShape.depthLimit)
                return Parsed(shape: StatementShape(tree: tree), problem: "it is not one statement")
            } catch {
                return Parsed(problem: error.message)
            }
        }
        return (StatementIds.assign(statements) { fingerprints[$0] }, shapes)
    }
}

/// Finds out about one statement after the other; tables are looked up once.
private struct Examination {
    let session: PostgresReviewSession
    let isRehearsed: Bool
    private var known: [RelationName: RelationFacts?] = [:]

    init(session: PostgresReviewSession, isRehearsed: Bool) {
        self.session = session
        self.isRehearsed = isRehearsed
    }

    mutating func subject(_ statement: ReviewStatement, _ parsed: QueryReviewer.Parsed) async throws -> ReviewSubject {
        let shape = parsed.shape
        var subject = ReviewSubject(
            statement: statement, shape: shape, shapeProblem: parsed.problem, outcome: .noPlan)
        // What a table was like before the migration that changes it.
        for change in shape?.changes ?? [] { subject.facts[change.table] = try await facts(change.table) }
        subject.outcome = try await outcome(statement, shape)
        if isRehearsed { try await rehearse(&subject) }
        guard case .planned(let plan) = subject.outcome else { return subject }
        for relation in plan.relations { subject.facts[relation] = try await facts(relation) }
        return subject
    }

    private func outcome(_ statement: ReviewStatement, _ shape: StatementShape?) async throws -> ReviewSubject.Outcome {
        switch shape?.kind {
        case .begin, .commit, .rollback, .setting: return .noPlan
        default: break
        }
        let hasPlan = shape?.isPlannable ?? statement.looksPlannable
        switch try await session.plan(statement.sql, hasPlan: hasPlan) {
        case .prepared: return .noPlan
        case .refused(let refusal): return .refused(ServerRefusal(refusal))
        case .plan(let text):
            do {
                return .planned(try QueryPlan(explained: text))
            } catch {
                return .unknown(error.description)
            }
        }
    }

    /// Migrations stay until the end of the review, so that the statements after them find what they made.
    private mutating func rehearse(_ subject: inout ReviewSubject) async throws {
        let statement = subject.statement
        let kind: PostgresReviewSession.RunKind
        switch (subject.outcome, subject.shape?.kind) {
        case (.noPlan, .schemaChange): kind = .schemaChange
        case (.planned, .plannable) where !statement.hasParameters: kind = .query
        default: return
        }
        switch try await session.run(statement.sql, kind) {
        case .success(let milliseconds):
            if kind == .query { subject.ranMilliseconds = milliseconds }
        // CREATE INDEX CONCURRENTLY and the like do not run in a transaction, which this review never leaves.
        case .failure(let refusal) where refusal.state == "25001": break
        case .failure(let refusal): subject.runRefusal = ServerRefusal(refusal)
        }
        if kind == .schemaChange { known = [:] }
    }

    private mutating func facts(_ relation: RelationName) async throws -> RelationFacts? {
        if let facts = known[relation] { return facts }
        let facts = try await look(relation)
        known[relation] = .some(facts)
        return facts
    }

    private func look(_ relation: RelationName) async throws -> RelationFacts? {
        guard let table = try await session.table(schema: relation.schema, name: relation.name) else { return nil }
        let columns = table.columns.map {
            ($0.name, RelationFacts.Column(type: $0.type, isNotNull: $0.isNotNull))
        }
        var facts = RelationFacts(
            rows: table.rows, bytes: table.bytes, isAnalyzed: table.rows != nil,
            columns: Dictionary(columns, uniquingKeysWith: { first, _ in first }), checks: table.checks)
        if facts.rows == nil { facts.rows = try await guessedRows(table) }
        return facts
    }

    /// How many rows the planner takes a table for that was never analysed.
    private func guessedRows(_ table: ReviewedTable) async throws -> Double? {
        let name = "\(PostgresReviewSession.quoted(table.schema)).\(PostgresReviewSession.quoted(table.name))"
        guard case .plan(let text) = try await session.plan("SELECT 1 FROM \(name)", hasPlan: true) else { return nil }
        do {
            return try QueryPlan(explained: text).root.rows
        } catch {
            return nil
        }
    }
}

extension ServerRefusal {
    fileprivate init(_ refusal: ReviewRefusal) {
        self.init(state: refusal.state, message: refusal.message, character: refusal.character)
    }
}
