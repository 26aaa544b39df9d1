import Testing

@testable import Decide

@Suite("The review as a whole")
struct QueryReviewTests {
    private static let database = ReviewedDatabase(
        summary: "database shop at db:5432", version: "15.4", role: "app", searchPath: "public", isRehearsed: false)

    private func subjects(_ text: String, _ outcomes: [ReviewSubject.Outcome]) throws -> [ReviewSubject] {
        let statements = try StatementSplitter.split(SourceText(file: "q.sql", text: text))
        try #require(statements.count == outcomes.count)
        return zip(StatementIds.assign(statements) { _ in nil }, outcomes).map {
            ReviewSubject(statement: $0, shape: nil, outcome: $1, facts: Plans.facts(["posts": 200_000]))
        }
    }

    private func judge(
        _ subjects: [ReviewSubject], slots: Int = 20, earlier: [String: Double] = [:]
    ) -> QueryReview {
        .judge(
            subjects, database: Self.database, assumptions: ReviewAssumptions(slots: slots), earlierCosts: earlier)
    }

    /// The note that there is no tree is left out.
    private func told(_ review: QueryReview) -> [String] {
        review.findings.filter { $0.rule != .notReviewed }.map { "\($0.severity) \($0.id)" }
    }

    private let good = Plans.scan("posts", rows: 1, type: "Index Scan", condition: "(posts.id = $1)", cost: 8)

    private func planned(_ root: JSONValue) throws -> ReviewSubject.Outcome { .planned(try Plans.plan(root)) }

    @Test("a statement that nothing speaks against passes")
    func passes() throws {
        let review = judge(try subjects("-- name: one\nSELECT 1", [planned(good)]))
        #expect(told(review).isEmpty)
        #expect(review.verdict == .pass)
    }

    @Test("an allowance with a reason keeps the finding and takes its weight")
    func allowances() throws {
        let bad = try planned(Plans.scan("posts", rows: 1, filter: "(posts.title = $1)"))
        let text = "/* name=x calls_per_second=50 mean_ms=1 */ "
        let blocked = judge(try subjects("-- name: x\n\(text) SELECT 1", [bad]))
        #expect(told(blocked) == ["block x/sequential-scan/posts"])
        #expect(blocked.verdict == .block)
        let allowed = judge(
            try subjects("-- name: x\n-- mainstay:allow sequential-scan one admin page\n\(text) SELECT 1", [bad]))
        #expect(allowed.findings.filter { $0.rule == .sequentialScan }.map(\.allowed) == ["one admin page"])
        #expect(allowed.verdict == .pass)
        let unreasoned = judge(
            try subjects("-- name: x\n-- mainstay:allow sequential-scan\n\(text) SELECT 1", [bad]))
        #expect(told(unreasoned) == ["warn x/annotation", "block x/sequential-scan/posts"])
    }

    @Test(
        "expected load is calls times time, over the slots",
        arguments: [
            ("calls_per_second=100 mean_ms=20", nil),
            ("calls_per_second=101 mean_ms=20", "warn x/expected-load"),
            ("calls_per_second=251 mean_ms=20", "block x/expected-load"),
            ("calls_per_second=0 mean_ms=90000", nil),
            ("mean_ms=1001", "warn x/slow-statement"),
            ("mean_ms=999", nil),
        ])
    func load(annotation: String, expected: String?) throws {
        let review = judge(try subjects("-- name: x\n/* \(annotation) */ SELECT 1", [planned(good)]))
        #expect(told(review) == [expected].compactMap { $0 })
    }

    @Test("where no time is known it is estimated from the cost, and says so")
    func estimate() throws {
        let costly = try planned(Plans.scan("posts", rows: 1, type: "Index Scan", cost: 100_000))
        let review = judge(try subjects("-- name: x\n/* calls_per_second=5 */ SELECT 1", [costly]))
        let finding = try #require(review.findings.first { $0.rule == .expectedLoad })
        #expect(finding.severity == .warn)
        #expect(
            finding.why.contains("700 ms each (an estimate: cost 100,000 at 7 µs a unit, the built-in calibration)"))
        #expect(review.statements[0].milliseconds == 700)
    }

    @Test("five statements whose time is known calibrate the others")
    func calibrates() throws {
        let known = (1...5).map { "/* mean_ms=\($0) */ SELECT \($0);" }.joined()
        let plan = try planned(Plans.scan("posts", rows: 1, type: "Index Scan", cost: 100))
        let review = judge(try subjects(known + "SELECT 6", Array(repeating: plan, count: 6)))
        #expect(review.statements[5].milliseconds == 3)
        #expect(review.assumptions.calibration == "the median of 5 statements of this review whose time is known")
    }

    @Test(
        "costs are compared with the earlier review",
        arguments: [
            (cost: 299, earlier: 100, nil), (300, 100, "warn x/cost-increase"), (999, 100, "warn x/cost-increase"),
            (1_000, 100, "block x/cost-increase"), (99, 1, nil), (5_000, nil, nil),
        ] as [(cost: Double, earlier: Double?, String?)])
    func costs(cost: Double, earlier: Double?, expected: String?) throws {
        let plan = try planned(Plans.scan("posts", rows: 1, type: "Index Scan", cost: cost))
        let review = judge(
            try subjects("-- name: x\nSELECT 1", [plan]), earlier: earlier.map { ["x": $0] } ?? ["y": 1])
        #expect(told(review) == [expected].compactMap { $0 })
    }

    @Test("a review's JSON is the next one's baseline")
    func baseline() throws {
        let plan = try planned(Plans.scan("posts", rows: 1, type: "Index Scan", cost: 12.5))
        let review = judge(try subjects("-- name: x\nSELECT 1; SELECT 2", [plan, plan]))
        let source = SourceText(file: "old.json", text: review.json.compactText)
        #expect(try QueryReview.costs(in: source) == ["x": 12.5, StatementIds.hash("SELECT 2"): 12.5])
        #expect(review.json["verdict"] == "pass")
        #expect(review.json["summary"]?["statements"] == 2)
        for text in ["{", "{}", #"{"format": "mainstay-review/2", "statements": []}"#] {
            #expect(throws: ReviewInputError.self) { try QueryReview.costs(in: SourceText(file: "x", text: text)) }
        }
    }

    @Test(
        "what the server refuses is found at its place",
        arguments: [
            ("42703", "column \"b\" does not exist", 8, "block x/unknown-column", "q.sql:2:8"),
            ("42P01", "relation \"b\" does not exist", 8, "block x/unknown-table", "q.sql:2:8"),
            ("42883", "function f() does not exist", 8, "block x/unknown-function", "q.sql:2:8"),
            ("42601", "syntax error at or near \"b\"", 8, "block x/syntax-error", "q.sql:2:8"),
            ("42501", "permission denied for table b", nil, "block x/permission-denied", "q.sql:2:1"),
            ("57014", "the statement was stopped at its deadline", nil, "block x/not-reviewed", "q.sql:2:1"),
            ("22P02", "invalid input syntax", nil, "block x/invalid-statement", "q.sql:2:1"),
        ])
    func refusals(state: String, message: String, at: Int?, expected: String, place: String) throws {
        let refusal = ServerRefusal(state: state, message: message, character: at)
        let review = judge(try subjects("-- name: x\nSELECT b", [.refused(refusal)]))
        #expect(review.findings.map { "\($0.severity) \($0.id)" } == [expected])
        #expect(review.findings.map(\.place.description) == [place])
    }

    @Test("a plan that cannot be read is no pass")
    func unknown() throws {
        let review = judge(try subjects("-- name: x\nSELECT 1", [.unknown("no plan")]))
        #expect(review.verdict == .block)
    }

    @Test("neither a plan nor a text that could be parsed is no pass; a plan alone is a note")
    func unparsed() throws {
        var subjects = try subjects("-- name: x\nALTER x; SELECT 1", [.noPlan, planned(good)])
        subjects[0].shapeProblem = "too new"
        let findings = judge(subjects).findings
        #expect(findings.map { "\($0.severity) \($0.rule.rawValue)" } == ["block not-reviewed", "note not-reviewed"])
        #expect(findings[0].what.contains("its text could not be parsed (too new)"))
    }

    @Test("a normalised text that cannot be prepared is a warning, a missing column is not")
    func artefacts() throws {
        let statement = try ExportedQueries.read(
            SourceText(file: "e.jsonl", text: #"{"query": "SELECT interval $1", "name": "x"}"#))[0]
        func verdict(_ state: String, _ message: String) -> String {
            let refusal = ServerRefusal(state: state, message: message)
            let review = judge([ReviewSubject(statement: statement, shape: nil, outcome: .refused(refusal))])
            return review.findings.map { "\($0.severity) \($0.id)" }.joined()
        }
        #expect(verdict("42601", "syntax error at or near \"$1\"") == "warn x/not-reviewed")
        #expect(verdict("42703", "column \"b\" does not exist") == "block x/unknown-column")
    }

    @Test("two findings of one rule have two ids")
    func ids() throws {
        let root = Plans.node(
            "Append", rows: 2,
            over: [
                Plans.scan("posts", rows: 1, filter: "(posts.title = $1)", relationship: "Member"),
                Plans.scan("users", rows: 1, filter: "(users.name = $1)", relationship: "Member"),
            ])
        var subject = try subjects("-- name: x\nSELECT 1", [planned(root)])[0]
        subject.facts = Plans.facts(["posts": 50_000, "users": 50_000])
        #expect(
            told(judge([subject])) == ["warn x/sequential-scan/posts", "warn x/sequential-scan/users"])
    }

    @Test("a failed run blocks, and a measured one replaces the estimate")
    func runs() throws {
        var subject = try subjects("-- name: x\nSELECT 1", [planned(good)])[0]
        subject.ranMilliseconds = 2_500
        #expect(told(judge([subject])) == ["warn x/slow-statement"])
        subject.ranMilliseconds = nil
        subject.runRefusal = ServerRefusal(state: "23505", message: "duplicate key")
        #expect(told(judge([subject])) == ["block x/run-failed"])
    }
}

@Suite("Figures in words")
struct FiguresTests {
    @Test(
        "counts",
        arguments: [
            (0, "0"), (1.5, "1.5"), (12.4, "12"), (1_234, "1,234"), (999_499, "999,499"), (999_500, "1 million"),
            (2_500_000, "2.5 million"), (13_333_333_666, "13.3 billion"), (9e15, "9,000 trillion"),
            (-1, "0"), (.infinity, "countless"), (.nan, "countless"),
        ])
    func counts(value: Double, text: String) { #expect(Figures.count(value) == text) }

    @Test(
        "times",
        arguments: [
            (0.04, "0 ms"), (0.4, "0.4 ms"), (35, "35 ms"), (2_100, "2.1 s"), (600_000, "10 min"),
            (36_000_000, "10 h"), (1e30, "1,000,000,000,000,000 h"),
        ])
    func times(value: Double, text: String) { #expect(Figures.time(milliseconds: value) == text) }

    @Test("shares and sizes")
    func others() {
        #expect(Figures.share(0.0004) == "less than 0.1 %")
        #expect(Figures.share(0.004) == "0.4 %")
        #expect(Figures.share(2.5) == "250 %")
        #expect(Figures.bytes(4_194_304) == "4 MB")
        #expect(Figures.bytes(1_500) == "1.5 kB")
        #expect(Figures.rows(1) == "1 row")
        #expect(Figures.rows(1_200) == "1,200 rows")
    }
}
