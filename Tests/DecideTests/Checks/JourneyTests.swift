import Decide
import Testing

@Suite("Journeys")
struct JourneyTests {
    static let variables: [String: JSONValue] = [
        "id": 42, "code": "007", "word": "a b/ü?", "list": [1], "dots": "..", "empty": "", "none": nil, "flag": true,
    ]

    @Test(
        "templates keep the type of a lone variable and write out all others",
        arguments: [
            ("{{id}}", 42), ("{{ id }}", 42), ("{{code}}", "007"), ("{{list}}", [1]), ("n{{id}}", "n42"),
            ("{{id}}{{code}}", "42007"),
            ("plain", "plain"), ("", ""), ("is {{flag}}", "is true"),
        ] as [(String, JSONValue)])
    func values(template: String, expected: JSONValue) throws {
        #expect(try Template(parsing: template).value(Self.variables) == expected)
    }

    @Test(
        "templates refuse what is unknown, null or broken", arguments: ["{{x}}", "{{none}}", "a{{list}}", "a{{none}}"])
    func refused(template: String) throws {
        let template = try Template(parsing: template)
        #expect(throws: DefinitionError.self) { try template.value(Self.variables) }
    }

    @Test(
        "broken templates are refused when they are read",
        arguments: ["{{", "{{a", "{{}}", "{{a b}}", "{{1}}", "{{a..b}}"])
    func broken(template: String) {
        #expect(throws: DefinitionError.self) { try Template(parsing: template) }
    }

    @Test(
        "paths are percent-encoded, and no value can change where they lead",
        arguments: [
            ("/p/{{id}}", "/p/42"), ("/p/{{word}}?q={{word}}", "/p/a%20b%2F%C3%BC%3F?q=a%20b%2F%C3%BC%3F"),
            ("/ü x/%41", "/%C3%BC%20x/%41"), ("/p?q={{empty}}", "/p?q="),
        ])
    func paths(template: String, expected: String) throws {
        #expect(try Template(parsing: template).path(Self.variables) == expected)
    }

    @Test("empty values and dots cannot stand in a path", arguments: ["/p/{{empty}}", "/p/{{dots}}/x"])
    func unfit(template: String) throws {
        let template = try Template(parsing: template)
        #expect(throws: DefinitionError.self) { try template.path(Self.variables) }
    }

    @Test("bodies are JSON with types kept, forms, or text")
    func bodies() throws {
        let json = HTTPAction(
            .post, try Template(parsing: "/"), body: .json(["id": "{{id}}", "code": "{{code}}", "t": "x{{id}}"]))
        let call = try HTTPCall(json, Self.variables)
        #expect(String(decoding: call.body ?? [], as: UTF8.self) == #"{"code":"007","id":42,"t":"x42"}"#)
        #expect(call.headers.map(\.value) == ["application/json"])
        let field = HTTPAction.Body.Field("a&b", try Template(parsing: "{{word}}"))
        let form = try HTTPCall(HTTPAction(.post, Template(literal: "/"), body: .form([field])), Self.variables)
        #expect(String(decoding: form.body ?? [], as: UTF8.self) == "a%26b=a%20b%2F%C3%BC%3F")
    }

    @Test("a header cannot be split by a value")
    func headerInjection() throws {
        let header = HTTPAction.Header("X-A", try Template(parsing: "{{v}}"))
        let action = HTTPAction(.get, Template(literal: "/"), headers: [header])
        #expect(throws: DefinitionError.self) { try HTTPCall(action, ["v": "a\r\nX-B: c"]) }
    }

    @Test(
        "the parameters of SQL are found outside quotes, comments and casts",
        arguments: [
            ("SELECT :a, :b_c, :a", ["a", "b_c"]), ("SELECT ':a', \":b\", x::text, :c", ["c"]),
            ("SELECT 1 -- :a\n, :b /* :c */", ["b"]), ("SELECT x[1:n], '12:30', 'it''s :x'", []), ("SELECT :", []),
        ])
    func sqlNames(statement: String, names: [String]) {
        #expect(SQLNames.used(in: statement) == names)
    }

    @Test("dotted variables are SQL parameters with underscores")
    func sqlParameters() {
        let found = SQLNames.parameters(
            of: "SELECT :account_email, :id", from: ["account.email": "e", "id": 1, "other": 2])
        #expect(found == ["account_email": "e", "id": 1])
    }

    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    @Test("variables are drawn within their bounds, the same for the same seed", arguments: 0..<50 as Range<UInt64>)
    func drawn(seed: UInt64) throws {
        let journey = Journey(
            baseURL: "http://x",
            variables: [
                "product": try VariableDefinition.parse(["random": "1..6"]), "colour": .randomChoice(["red", "blue"]),
                "title": try VariableDefinition.parse("p-{{unique}}-{{product}}"), "fixed": .constant("007"),
            ], steps: [], account: JourneyAccount(email: "a@b", password: "s3cret"))
        var generator = Generator(state: seed)
        let values = try journey.draw(user: "synthetic", using: &generator)
        var again = Generator(state: seed)
        #expect(try journey.draw(user: "synthetic", using: &again) == values)
        let product = try #require(values["product"]?.integer)
        #expect((1...6).contains(product))
        #expect(["red", "blue"].contains(values["colour"]))
        let unique = try #require(values["unique"]?.string)
        #expect(unique.count == 12)
        #expect(values["title"] == .string("p-\(unique)-\(product)"))
        #expect(values["fixed"] == "007")
        #expect(values["user"] == "synthetic")
        #expect(journey.secretValues(values).sorted() == ["a@b", "s3cret"])
    }

    static func journey() throws -> Journey {
        let delete = HTTPAction(.delete, try Template(parsing: "/api/favorites/{{product}}"))
        return Journey(
            baseURL: "http://127.0.0.1:1", variables: ["product": .randomInteger(1, 10)],
            steps: [
                JourneyStep("press", .http(HTTPAction(.put, try Template(parsing: "/api/favorites/{{product}}")))),
                JourneyStep(
                    "row", .sql("SELECT count(*) AS n FROM f WHERE u = :user AND p = :product", on: "db"),
                    expect: try Assertion.parse("n", 1, isSQL: true)),
            ],
            always: [JourneyStep("take back", .http(delete))], databases: ["db": "x.sqlite"])
    }

    @Test("a sound journey has no problems")
    func sound() throws {
        #expect(try Self.journey().problems() == [])
    }

    @Test("problems are found before anything runs, each named")
    func problems() throws {
        func problem(_ change: (inout Journey) throws -> Void) throws -> String {
            var journey = try Self.journey()
            try change(&journey)
            return journey.problems().joined(separator: "\n")
        }
        #expect(try problem { $0.steps = [] }.contains("at least one step"))
        #expect(try problem { $0.variables = [:] }.contains("press: uses {{product}}, which nothing sets"))
        #expect(try problem { $0.variables = [:] }.contains("row: uses :product, which nothing sets"))
        #expect(try problem { $0.databases = [:] }.contains("row: there is no database 'db'"))
        #expect(try problem { $0.steps[1].expect = [] }.contains("proves nothing"))
        #expect(try problem { $0.baseURL = "x" }.contains("does not begin with http"))
        #expect(try problem { $0.steps[0].eventually = .zero }.contains("'eventually' must be longer than 0"))
        #expect(try problem { $0.steps[0].expect = [Assertion(.rows, .equals(1))] }.contains("is for SQL steps"))
        #expect(try problem { $0.variables["product"] = .randomInteger(2, 1) }.contains("2 is larger than 1"))
        #expect(try problem { $0.variables["t"] = .text(try Template(parsing: "{{nope}}")) }.contains("uses {{nope}}"))
    }

    @Test("a later step may use what an earlier one captures, never the other way round")
    func order() throws {
        var journey = try Self.journey()
        journey.variables = [:]
        journey.steps.insert(
            JourneyStep(
                "find", .http(HTTPAction(.get, Template(literal: "/api/products"))),
                captures: ["product": try Expression(parsing: "$.items[0].id", isSQL: false)]), at: 0)
        #expect(journey.problems() == [])
        journey.steps.swapAt(0, 1)
        #expect(journey.problems() == ["press: uses {{product}}, which nothing sets"])
    }

    @Test("definitions of checks are checked too")
    func definitions() {
        func problems(_ kind: CheckKind, every: Span = .seconds(5)) -> [String] {
            CheckDefinition(service: "s", name: "n", every: every, timeout: .seconds(1), kind: kind).problems()
        }
        #expect(problems(.tcp(TCPCheck(host: "h", port: 1))) == [])
        #expect(problems(.tcp(TCPCheck(host: "h", port: 0))).count == 1)
        #expect(problems(.http(HTTPCheck(url: "ftp://x"))).count == 1)
        #expect(problems(.heartbeat(grace: .zero), every: .zero).count == 1)
    }

    @Test("secrets are taken out however they are written")
    func redaction() {
        let redact = Redaction(["p w\"d", "ada@example.test", ""])
        #expect(redact(#"p w"d p%20w%22d p w\"d ada%40example.test ada@example.test"#) == "••• ••• ••• ••• •••")
        #expect(Redaction([])("same") == "same")
    }
}

@Suite("Cookies of a run")
struct CookieJarTests {
    static let now = Instant(milliseconds: 1_700_000_000_000)
    static let home = CookieJar.Address(host: "shop.test", path: "/api/login", isSecure: false)

    @Test(
        "are sent where they belong",
        arguments: [
            ("a=1; Path=/", "shop.test", "/", false, "a=1"), ("a=1", "shop.test", "/api/x", false, "a=1"),
            ("a=1", "shop.test", "/other", false, nil), ("a=1; Path=/", "evil.test", "/", false, nil),
            ("a=1; Path=/; Domain=evil.test", "evil.test", "/", false, nil),
            ("a=1; Path=/ap", "shop.test", "/api", false, nil), ("a=1; Path=/; Secure", "shop.test", "/", false, nil),
            ("a=1; Path=/; Secure", "shop.test", "/", true, "a=1"), ("a=b=c; Path=/", "SHOP.test", "/", false, "a=b=c"),
            ("a=1; Path=/; Max-Age=0", "shop.test", "/", false, nil),
            ("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "shop.test", "/", false, nil),
            ("a=1; Path=/; Expires=Wed, 01 Jan 2070 00:00:00 GMT", "shop.test", "/", false, "a=1"),
            ("a=1; Path=/; Max-Age=99999999999999", "shop.test", "/", false, "a=1"),
            ("nonsense", "shop.test", "/", false, nil),
        ] as [(String, String, String, Bool, String?)])
    func sent(header: String, host: String, path: String, isSecure: Bool, expected: String?) {
        var jar = CookieJar()
        jar.take(header, from: Self.home, at: Self.now)
        let address = CookieJar.Address(host: host, path: path, isSecure: isSecure)
        #expect(jar.header(for: address, at: Self.now) == expected)
    }

    @Test("are replaced, removed, expire and are bounded")
    func changes() {
        var jar = CookieJar()
        jar.take("a=1; Path=/", from: Self.home, at: Self.now)
        jar.take("a=2; Path=/", from: Self.home, at: Self.now)
        jar.take("b=1; Path=/; Max-Age=10", from: Self.home, at: Self.now)
        #expect(jar.header(for: Self.home, at: Self.now) == "a=2; b=1")
        #expect(jar.header(for: Self.home, at: Self.now + .seconds(10)) == "a=2")
        jar.take("a=; Path=/; Max-Age=0", from: Self.home, at: Self.now)
        #expect(jar.cookies(for: Self.home, at: Self.now) == ["b": "1"])
        for index in 0..<500 { jar.take("c\(index)=1; Path=/", from: Self.home, at: Self.now) }
        #expect(jar.cookies(for: Self.home, at: Self.now).count == CookieJar.limit)
    }
}
