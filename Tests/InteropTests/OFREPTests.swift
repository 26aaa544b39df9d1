import Decide
import Interop
import Testing

@Suite("OFREP")
struct OFREPTests {
    private static let now = Instant(milliseconds: 1_700_000_000_000)

    private func context(_ body: String) throws(OFREP.Invalid) -> EvaluationContext {
        try OFREP.context(from: Array(body.utf8), now: Self.now)
    }

    private func text(_ response: OFREP.Response) -> String { String(decoding: response.body, as: UTF8.self) }

    private static let flags = CompiledFlagSet(
        compiling: FlagSet(
            version: 7,
            flags: [
                "color": FlagDefinition(
                    variants: ["red": "#f00", "blue": "#00f"], defaultVariant: "red",
                    targeting: ["if": [["==": [["var": "plan"], "pro"]], "blue", nil]],
                    metadata: ["owner": "shop", "tags": ["a"]]),
                "off": FlagDefinition(state: .disabled, variants: ["x": 1], defaultVariant: "x"),
                "broken": FlagDefinition(variants: ["x": 1], defaultVariant: "x", targeting: ["nonsense": 1]),
                "coded": FlagDefinition(variants: ["x": 1], defaultVariant: nil),
            ]))

    @Test(
        "reads a context",
        arguments: ["{}", #"{"context":null}"#, #"{"context":{}}"#, "", #"{"context":{"targetingKey":null}}"#])
    func emptyContexts(_ body: String) throws {
        #expect(try context(body) == EvaluationContext(targetingKey: nil, timestamp: Self.now))
    }

    @Test("keeps the targeting key apart from the attributes")
    func targetingKey() throws {
        let read = try context(#"{"context":{"targetingKey":"u1","plan":"pro","age":3}}"#)
        let expected = EvaluationContext(
            targetingKey: "u1", attributes: ["plan": "pro", "age": 3], timestamp: Self.now)
        #expect(read == expected)
    }

    @Test(
        "a request that cannot be read is answered with 400 INVALID_CONTEXT",
        arguments: ["{", "[]", #"{"context":5}"#, #"{"context":{"targetingKey":5}}"#])
    func invalid(_ body: String) throws {
        let error = try #require(throws: OFREP.Invalid.self) { try context(body) }
        let response = OFREP.response(to: error, key: "color")
        #expect(response.status == 400)
        let json = try JSONValue(parsing: response.body)
        #expect(json["errorCode"] == "INVALID_CONTEXT")
        #expect(json["key"] == "color")
    }

    @Test("a request that is too large is answered with 413")
    func tooLarge() throws {
        let error = try #require(throws: OFREP.Invalid.self) {
            try OFREP.context(from: [UInt8](repeating: 32, count: OFREP.maximumBytes + 1), now: Self.now)
        }
        #expect(OFREP.response(to: error).status == 413)
    }

    @Test(
        "answers for one flag",
        arguments: [
            (
                "color", 200,
                ##"{"key":"color","metadata":{"owner":"shop"},"reason":"TARGETING_MATCH","value":"#00f","variant":"blue"}"##
            ),
            ("off", 200, #"{"key":"off","reason":"DISABLED"}"#),
            ("coded", 200, #"{"key":"coded","reason":"DEFAULT"}"#),
            (
                "broken", 400,
                #"{"errorCode":"PARSE_ERROR","errorDetails":"There is no operator 'nonsense'.","key":"broken"}"#
            ),
            (
                "nobody", 404,
                #"{"errorCode":"FLAG_NOT_FOUND","errorDetails":"There is no flag nobody.","key":"nobody"}"#
            ),
        ])
    func single(_ key: String, _ status: Int, _ body: String) throws {
        let context = try context(#"{"context":{"targetingKey":"u","plan":"pro"}}"#)
        let response = OFREP.single(
            Self.flags.evaluate(key, context: context), metadata: Self.flags.metadata(of: key))
        #expect(response.status == status)
        #expect(text(response) == body)
    }

    @Test("answers for all flags at once, the broken ones included")
    func bulk() throws {
        let response = OFREP.bulk(
            Self.flags, service: "shop", context: try context(""), ifNoneMatch: nil, eventStream: "/ofrep/v1/events")
        let json = try JSONValue(parsing: response.body)
        #expect(response.status == 200)
        #expect(json["flags"]?.array?.compactMap { $0["key"]?.string } == ["broken", "coded", "color", "off"])
        #expect(json["eventStreams"]?.array?.first?["endpoint"] == ["requestUri": "/ofrep/v1/events"])
        #expect(response.etag?.hasPrefix("\"7-") == true)
    }

    @Test("a client that holds the answer gets 304 and no body")
    func notModified() throws {
        let context = try context(#"{"context":{"plan":"pro"}}"#)
        func answer(_ ifNoneMatch: String?) -> OFREP.Response {
            OFREP.bulk(Self.flags, service: "shop", context: context, ifNoneMatch: ifNoneMatch)
        }
        let etag = try #require(answer(nil).etag)
        for header in [etag, "W/\(etag)", "\"x\", \(etag)", "*"] {
            #expect(answer(header) == OFREP.Response(status: 304, body: [], etag: etag))
        }
        for header in ["", "\"x\"", String(etag.dropLast())] { #expect(answer(header).status == 200) }
    }

    @Test("the ETag changes with version, context and service, and a rule that reads the time has none")
    func etags() throws {
        let context = EvaluationContext(targetingKey: "u", attributes: ["a": 1], timestamp: Self.now)
        var later = context
        later.timestamp = Self.now + .seconds(60)
        var other = context
        other.targetingKey = "v"
        let newer = CompiledFlagSet(compiling: FlagSet(version: 8, flags: [:]))
        let etag = OFREP.etag(Self.flags, service: "shop", context: context)
        #expect(OFREP.etag(Self.flags, service: "shop", context: later) == etag)
        #expect(OFREP.etag(Self.flags, service: "shop", context: other) != etag)
        #expect(OFREP.etag(Self.flags, service: "blog", context: context) != etag)
        #expect(OFREP.etag(newer, service: "shop", context: context) != etag)
        let timed = FlagDefinition(
            variants: ["x": 1], defaultVariant: "x", targeting: ["if": [["<": [["var": "$flagd.timestamp"], 5]], "x"]])
        let compiled = CompiledFlagSet(compiling: FlagSet(version: 7, flags: ["f": timed]))
        #expect(OFREP.etag(compiled, service: "shop", context: context) == nil)
        #expect(OFREP.bulk(compiled, service: "shop", context: context, ifNoneMatch: "*").status == 200)
    }

    @Test("the event that makes clients ask again")
    func refetch() {
        #expect(
            OFREP.refetchEvent(etag: "\"7-a\"", lastModified: Self.now)
                == #"{"etag":"\"7-a\"","lastModified":1700000000,"type":"refetchEvaluation"}"#)
    }
}
