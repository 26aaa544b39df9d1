import Decide
import Testing

@Suite("Assertions")
struct AssertionTests {
    static let variables: [String: JSONValue] = ["product": 42, "code": "007", "nothing": nil]

    static func answer(_ body: String, status: Int = 200) -> StepObservation {
        .http(
            HTTPObservation(
                status: status,
                headers: [.init("Content-Type", "application/json"), .init("X-Twice", "1"), .init("x-twice", "2")],
                cookies: ["session": "abc"], body: Array(body.utf8), took: .milliseconds(120)))
    }

    static let list =
        #"{"items":[{"product":42},{"product":7}],"code":"007","total":2,"gone":null,"name":"Ada L","ok":true}"#

    struct Row: Sendable, CustomTestStringConvertible {
        var key: String
        var value: JSONValue
        var failure: String?
        var body = AssertionTests.list
        var testDescription: String { "\(key): \(value.compactText)" }

        init(_ key: String, _ value: JSONValue, _ failure: String? = nil, body: String = AssertionTests.list) {
            (self.key, self.value, self.failure, self.body) = (key, value, failure, body)
        }
    }

    static let rows: [Row] = [
        Row("status", 200), Row("status", [200, 201]), Row("status", "2xx"), Row("status", "200..204"),
        Row("status", 201, "status is 200, expected 201"),
        Row("status", "4xx", "status is 200, expected 400 to 499"),
        Row("status", ["not": 500]),
        Row("took", ["lessThan": "500ms"]),
        Row("took", ["lessThan": "100ms"], "time taken (ms) is 120, expected less than 100"),
        Row("header.content-type", ["matches": "application/json*"]),
        Row("header.location", "x", "header location is missing, expected \"x\""),
        Row("header.x-twice", ["contains": "2"]),
        Row("header.x-twice", "1", "is [\"1\",\"2\"]"),
        Row("cookie.session", "abc"), Row("cookie.session", "abd", "cookie session is another, expected \"abd\""),
        Row("body", ["contains": "Ada"]),
        Row("$.items[*].product", ["contains": "{{product}}"]),
        Row("$.items[*].product", ["contains": 9], "$.items[*].product is [42,7], expected to contain 9"),
        Row("$.items[*].product", ["contains": "42"], "has a number in it, expected a text"),
        Row("$.items[*].product", ["not": ["contains": 9]]),
        Row("$.items[*].product", ["not": ["contains": "9"]], "has a number in it, expected a text"),
        Row("$.items[*].product", [42, 7]),
        Row("$.items[*].product", 42, "2 values where one is expected"),
        Row("$.items", ["count": 2]), Row("$.items[*]", ["count": ["atLeast": 2]]),
        Row("$.items", ["count": 3], "expected a count of 3"),
        Row("$.items[?@.product == {{product}}]", ["count": 1]),
        Row("$.items[?@.product == 9]", ["absent": true]),
        Row("$.items[?@.product == 42]", ["absent": true], "expected no value"),
        Row("$.code", "007"), Row("$.code", "{{code}}"),
        Row("$.code", 7, "$.code is \"007\": it is a text, expected a number, expected 7"),
        Row("$.code", ["not": 8], "it is a text, expected a number"),
        Row("$.total", 2.0), Row("$.total", ["between": [1, 3]]), Row("$.total", ["type": "integer"]),
        Row("$.total", ["greaterThan": 2], "$.total is 2, expected more than 2"),
        Row("$.name", ["matches": "A?a *"]), Row("$.name", ["not": ["matches": "B*"]]),
        Row("$.ok", true), Row("$.ok", ["not": false]),
        Row("$.gone", nil), Row("$.gone", ["type": "null"]),
        Row("$.gone", ["exists": true], "$.gone is null, expected a value"),
        Row("$.gone", ["absent": true], "$.gone is null, expected no value"),
        Row("$.gone", ["not": 5], "$.gone is null, expected not 5"),
        Row("$.errors", ["lessThan": 5], "$.errors is missing, expected less than 5"),
        Row("$.errors", ["not": 5], "$.errors is missing, expected not 5"),
        Row("$.errors", ["absent": true]),
        Row("$.errors", ["exists": true], "$.errors is missing, expected a value"),
        Row("$.errors.first", ["absent": true], "$.errors is missing"),
        Row("$.errors[*]", ["count": 0], "$.errors is missing"),
        Row("$.items[*].sku", ["not": ["contains": 1]], "2 of 2 values have no .sku"),
        Row("$.items[?@.sku == 1]", ["absent": true], "none of the values in $.items has .sku"),
        Row("$.a", ["absent": true], "$.a: the body is empty", body: ""),
        Row("$.a", ["absent": true], "the body is not JSON", body: "<html>"),
        Row("body", ["not": ["contains": "error"]], "body is missing", body: ""),
        Row("body", ["absent": true], body: ""),
        Row("$.items", ["count": 0], body: #"{"items":[]}"#),
        Row("$.items[*].product", ["not": ["contains": 42]], body: #"{"items":[]}"#),
        Row("$.items[*].product", ["contains": 42], "$.items[*].product has no values", body: #"{"items":[]}"#),
    ]

    @Test("hold or say why not", arguments: rows)
    func judged(row: Row) throws {
        for assertion in try Assertion.parse(row.key, row.value, isSQL: false) {
            let failure = try assertion.failure(in: Self.answer(row.body), Self.variables)
            if let expected = row.failure {
                #expect(failure?.contains(expected) == true, "\(failure ?? "it held")")
            } else {
                #expect(failure == nil)
            }
        }
    }

    @Test(
        "about SQL rows fail closed",
        arguments: [
            ("n", 1, [[1]], nil),
            ("n", 1, [[0]], "n is 0, expected 1"),
            ("n", 1, [], "n: there are no rows, expected 1"),
            ("n", ["not": 1], [], "n: there are no rows"),
            ("n", 1, [[nil]], "n is null, expected 1"),
            ("n", ["not": 1], [[nil]], "n is null, expected not 1"),
            ("n", nil, [[nil]], nil),
            ("n", 1, [[1], [1]], "2 values where one is expected"),
            ("n", ["contains": 1], [[1], [2]], nil),
            ("n", "1", [[1]], "it is a number, expected a text"),
            ("n", true, [[1]], nil),
            ("n", true, [[0]], "n is false, expected true"),
            ("rows", 2, [[1], [2]], nil),
            ("rows", 1, [], "number of rows is 0, expected 1"),
            ("rows", 0, [], nil),
        ] as [(String, JSONValue, [[JSONValue]], String?)])
    func sql(key: String, value: JSONValue, rows: [[JSONValue]], expected: String?) throws {
        let observation = StepObservation.sql(SQLObservation(columns: rows.isEmpty ? [] : ["n"], rows: rows))
        for assertion in try Assertion.parse(key, value, isSQL: true) {
            let failure = try assertion.failure(in: observation, [:])
            if let expected {
                #expect(failure?.contains(expected) == true, "\(failure ?? "it held")")
            } else {
                #expect(failure == nil)
            }
        }
    }

    @Test("name a column that is not there, and an unknown variable, as faults of the check")
    func definitionFaults() throws {
        let observation = StepObservation.sql(SQLObservation(columns: ["n"], rows: [[1]]))
        #expect(throws: DefinitionError("the result has no column 'm' (it has n)")) {
            try Assertion(.column("m"), .equals(1)).failure(in: observation, [:])
        }
        #expect(throws: DefinitionError("nothing has set the variable {{x}}")) {
            try Assertion(.column("n"), .equals("{{x}}")).failure(in: observation, [:])
        }
        #expect(throws: DefinitionError("the variable {{nothing}} is null")) {
            try Assertion(.column("n"), .equals("{{nothing}}")).failure(in: observation, Self.variables)
        }
    }

    @Test(
        "that make no sense are refused when they are read",
        arguments: [
            ("sttaus", 200, false), ("status", 99, false), ("status", "ok", false), ("$.a", [:], false),
            ("$.a", ["contians": 1], false), ("$.a", ["type": "string"], false), ("$.a", ["between": [1]], false),
            ("$.a", ["exists": "yes"], false), ("$.a[", 1, false), ("$.a", ["matches": 1], false), ("", 1, true),
            ("$.n", 1, true), ("$.a", ["oneOf": []], false), ("$.a", ["not": ["equals": 1, "exists": true]], false),
        ] as [(String, JSONValue, Bool)])
    func refused(key: String, value: JSONValue, isSQL: Bool) {
        #expect(throws: DefinitionError.self) { try Assertion.parse(key, value, isSQL: isSQL) }
    }

    @Test("captures take one value that is there, with its type")
    func captures() throws {
        func capture(_ expression: String) throws -> Result<JSONValue, Expression.CaptureFailure> {
            try Expression(parsing: expression, isSQL: false).capture(from: Self.answer(Self.list), [:])
        }
        #expect(try capture("$.code").get() == "007")
        #expect(try capture("$.items[0].product").get() == 42)
        #expect(try capture("$.items[?@.product == 7].product").get() == 7)
        #expect(try capture("status").get() == 200)
        #expect(try capture("cookie.session").get() == "abc")
        #expect(throws: Expression.CaptureFailure.self) { try capture("$.items[*].product").get() }
        #expect(throws: Expression.CaptureFailure.self) { try capture("$.missing").get() }
        #expect(throws: Expression.CaptureFailure.self) { try capture("$.gone").get() }
    }

    @Test("a step without a status expects success; captures wait for all expectations")
    func steps() throws {
        let capture = ["code": try Expression(parsing: "$.code", isSQL: false)]
        let action = HTTPAction(.get, try Template(parsing: "/"))
        let step = JourneyStep("read", .http(action), captures: capture)
        #expect(try step.judge(Self.answer(Self.list), [:]).captured == ["code": "007"])
        let failed = try step.judge(Self.answer(Self.list, status: 500), [:])
        #expect(failed.failures == ["status is 500, expected 200 to 299"])
        #expect(failed.captured.isEmpty)
        let silent = JourneyStep("count", .sql("SELECT 1", on: "db"))
        #expect(throws: DefinitionError.self) {
            try silent.judge(.sql(SQLObservation(columns: ["n"], rows: [[1]])), [:])
        }
    }

    @Test(
        "globs",
        arguments: [
            ("", "", true), ("abc", "a*c", true), ("abc", "a?c", true), ("abc", "*", true), ("abc", "ab", false),
            ("abc", "*b", false), ("aXbXc", "a*b*c", true), ("", "*", true), ("", "?", false), ("a.c", "a.c", true),
            ("abc", "a.c", false),
        ])
    func globs(text: String, glob: String, matches: Bool) {
        #expect(Glob.matches(text, glob) == matches)
    }

    @Test("a glob made to be slow is not")
    func slowGlob() {
        let text = String(repeating: "a", count: 5_000)
        #expect(!Glob.matches(text, String(repeating: "a*", count: 500) + "b"))
    }
}
