import Testing

@testable import Decide

@Suite("What a plan shows")
struct PlanReviewTests {
    private func review(
        _ root: JSONValue, facts: [RelationName: RelationFacts], calls: Double? = nil, workMemory: Double = 4_194_304
    ) throws -> [String] {
        let review = PlanReview(
            plan: try Plans.plan(root), facts: facts, callsPerSecond: calls, workMemory: workMemory)
        return review.objections().map { "\($0.severity) \($0.rule.rawValue) \($0.subject ?? "")" }
    }

    @Test(
        "reading a whole table to keep few rows is found, by size and rate",
        arguments: [
            (rows: 200_000, kept: 4, calls: 50, "block sequential-scan posts"),
            (200_000, 4, nil, "warn sequential-scan posts"),
            (200_000, 4, 1, "warn sequential-scan posts"),
            (100_000, 4, 50, "warn sequential-scan posts"),
            (20_000, 999, nil, "warn sequential-scan posts"),
            (20_000, 1_000, nil, nil),
            (10_000, 4, 50, nil),
        ] as [(rows: Double, kept: Double, calls: Double?, String?)])
    func scans(rows: Double, kept: Double, calls: Double?, expected: String?) throws {
        let scan = Plans.scan("posts", rows: kept, filter: "(posts.title = $1)")
        let found = try review(scan, facts: Plans.facts(["posts": rows]), calls: calls)
        #expect(found == [expected].compactMap { $0 })
    }

    @Test("a scan without a filter, or of a table that is not known, is not")
    func otherScans() throws {
        let facts = Plans.facts(["posts": 200_000])
        #expect(try review(Plans.scan("posts", rows: 200_000), facts: facts).isEmpty)
        #expect(try review(Plans.scan("other", rows: 1, filter: "(x = 1)"), facts: facts).isEmpty)
    }

    @Test("a scan is counted as often as it runs")
    func repeated() throws {
        let loop = Plans.node(
            "Nested Loop", rows: 50,
            over: [
                Plans.scan("users", rows: 50, relationship: "Outer"),
                Plans.scan("posts", rows: 1, filter: "(posts.user_id = users.id)", relationship: "Inner"),
            ])
        let facts = Plans.facts(["posts": 5_000, "users": 50])
        #expect(try review(loop, facts: facts, calls: 2) == ["block sequential-scan posts"])
        #expect(try review(loop, facts: Plans.facts(["posts": 500, "users": 2_000]), calls: 2).isEmpty)
        let correlated = Plans.node(
            "Result", rows: 100,
            over: [Plans.scan("posts", rows: 1, filter: "(posts.user_id = users.id)", relationship: "SubPlan")])
        #expect(try review(correlated, facts: facts, calls: 2) == ["block sequential-scan posts"])
    }

    @Test("a LIMIT over a sort of everything is found")
    func limits() throws {
        func query(_ rows: Double) -> JSONValue {
            let sort = Plans.node(
                "Sort", rows: rows, relationship: "Outer", width: 500, ["Sort Key": ["(md5(posts.title))"]],
                over: [Plans.scan("posts", rows: rows, relationship: "Outer")])
            return Plans.node("Limit", rows: 5, over: [sort])
        }
        let facts = Plans.facts(["posts": 200_000])
        #expect(try review(query(200_000), facts: facts, calls: 10) == ["block limit-after-sort posts"])
        #expect(try review(query(200_000), facts: facts) == ["warn limit-after-sort posts"])
        #expect(try review(query(9_000), facts: facts, calls: 10).isEmpty)
    }

    @Test("a sort or grouping that does not fit in memory is found")
    func spills() throws {
        let facts = Plans.facts(["posts": 200_000])
        func sort(_ rows: Double) -> JSONValue {
            Plans.node("Sort", rows: rows, width: 36, over: [Plans.scan("posts", rows: rows, relationship: "Outer")])
        }
        // 64 bytes a row: 36 rounded up to 40, and 24.
        #expect(try review(sort(65_537), facts: facts) == ["warn disk-sort posts"])
        #expect(try review(sort(65_536), facts: facts).isEmpty)
        let grouping = Plans.node("Aggregate", rows: 50, ["Planned Partitions": 4])
        #expect(try review(grouping, facts: facts) == ["warn disk-sort "])
    }

    private func loop(_ outer: JSONValue, _ inner: JSONValue, _ members: [String: JSONValue] = [:]) -> JSONValue {
        Plans.node("Nested Loop", rows: 1_000, members, over: [outer, inner])
    }

    @Test("a join without a condition is found", arguments: [(2_000, "block"), (50, "warn")])
    func unconditional(rows: Double, severity: String) throws {
        let facts = Plans.facts(["a": rows, "b": 200])
        let root = loop(
            Plans.scan("a", rows: rows, relationship: "Outer"), Plans.scan("b", rows: 200, relationship: "Inner"))
        let found = try review(root, facts: facts)
        #expect(found.contains("\(severity) missing-join-condition a×b"))
    }

    @Test("a join that has one in another form is not")
    func conditional() throws {
        let facts = Plans.facts(["a": 2_000, "b": 2_000])
        func inner(_ condition: String, type: String = "Index Scan") -> JSONValue {
            Plans.scan("b", rows: 200, type: type, condition: condition, relationship: "Inner")
        }
        let outer = Plans.scan("a", rows: 2_000, relationship: "Outer")
        #expect(try review(loop(outer, inner("(b.a_id = a.id)")), facts: facts).isEmpty)
        #expect(try review(loop(outer, inner("(b.a_id = \"Odd\".id)")), facts: facts).isEmpty)
        // Both held to one value: a.k = $1 AND b.k = a.k.
        let held = Plans.scan("a", rows: 2_000, type: "Index Scan", condition: "(a.k = $1)", relationship: "Outer")
        #expect(try review(loop(held, inner("(b.k = $1)")), facts: facts).isEmpty)
        // One row on a side multiplies nothing.
        let one = Plans.scan("a", rows: 1, relationship: "Outer")
        #expect(try review(loop(one, Plans.scan("b", rows: 2_000, relationship: "Inner")), facts: facts).isEmpty)
        // A function or type of a schema is no table.
        #expect(try review(loop(outer, inner("(public.f(b.x) = 'y'::public.t)")), facts: facts).count == 1)
    }

    @Test(
        "a join that compares row by row is found by its comparisons",
        arguments: [
            (outer: 66_667, inner: 200_000, unique: false, "block row-by-row-join a×b"),
            (10_000, 10_000, false, "block row-by-row-join a×b"),
            (10_000, 10_000, true, "warn row-by-row-join a×b"),
            (2_000, 2_500, false, "warn row-by-row-join a×b"),
            (2_000, 2_000, false, nil),
        ] as [(outer: Double, inner: Double, unique: Bool, String?)])
    func rowByRow(outer: Double, inner: Double, unique: Bool, expected: String?) throws {
        let kept = Plans.node(
            "Materialize", rows: inner, relationship: "Inner",
            over: [Plans.scan("b", rows: inner, relationship: "Outer")])
        let root = loop(
            Plans.scan("a", rows: outer, relationship: "Outer"), kept,
            ["Join Filter": "((lower(a.t) = lower(b.t)) OR (a.id <> b.id))", "Inner Unique": .bool(unique)])
        let found = try review(root, facts: Plans.facts(["a": outer, "b": inner]))
        #expect(found == [expected].compactMap { $0 })
    }

    @Test(
        "an equality that the planner compares row by row is a warning, and only when it is a lot",
        arguments: [
            ("(a.id = b.a_id)", 20_000, ["warn row-by-row-join a×b"]), ("(a.id = b.a_id)", 9_000, []),
            ("((a.id = b.a_id) AND (a.x = b.x))", 20_000, ["warn row-by-row-join a×b"]),
            ("((a.id = b.a_id) OR (a.x = b.x))", 20_000, ["block row-by-row-join a×b"]),
            ("((a.id = b.a_id) AND (a.x >= b.x))", 20_000, ["block row-by-row-join a×b"]),
            ("(a.name ~~ b.pattern)", 20_000, ["block row-by-row-join a×b"]),
        ] as [(String, Double, [String])])
    func equalities(filter: String, rows: Double, expected: [String]) throws {
        let root = loop(
            Plans.scan("a", rows: rows, relationship: "Outer"),
            Plans.node(
                "Materialize", rows: 10_000, relationship: "Inner",
                over: [Plans.scan("b", rows: 10_000, relationship: "Outer")]), ["Join Filter": .string(filter)])
        #expect(try review(root, facts: Plans.facts(["a": rows, "b": 10_000])) == expected)
    }

    @Test("conditions above partitions name their parent")
    func partitions() throws {
        let parts = (1...2).map { Plans.scan("posts_\($0)", rows: 500, relationship: "Member") }
        let inner = Plans.node(
            "Append", rows: 1_000, relationship: "Inner", ["Filter": "(posts.x > 1)"], over: parts)
        let root = loop(Plans.scan("a", rows: 2_000, relationship: "Outer"), inner)
        #expect(try review(root, facts: Plans.facts(["a": 2_000])).contains { $0.hasPrefix("block missing-join") })
    }

    @Test("missing statistics and small tables are said")
    func statistics() throws {
        var facts = Plans.facts(["posts": 12])
        #expect(try review(Plans.scan("posts", rows: 12), facts: facts) == ["note small-copy "])
        facts[Plans.table("posts")] = RelationFacts(rows: 5_000, bytes: 9_000, isAnalyzed: false)
        #expect(try review(Plans.scan("posts", rows: 12), facts: facts) == ["warn not-analyzed posts"])
    }

    @Test(
        "an answer that is no plan is an error",
        arguments: [
            ("", "the server's plan is not JSON: the text ends where a value is expected at byte 0"),
            ("[]", "the server's answer has no plan"),
            (#"[{"Plan": {"Node Type": "Result"}}]"#, "a step of the server's plan has no type, rows or cost"),
        ])
    func unreadable(text: String, message: String) {
        let error = #expect(throws: QueryPlanError.self) { try QueryPlan(explained: text) }
        #expect(error?.message == message)
    }

    @Test("a plan nested without end is an error, not a crash")
    func deep() {
        let text = "[" + String(repeating: #"{"Plan": ["#, count: 5_000)
        #expect(throws: QueryPlanError.self) { try QueryPlan(explained: text) }
    }
}
