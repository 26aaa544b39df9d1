import Testing

@testable import Decide

@Suite("JsonLogic")
struct FlagsLogicTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var rule: String
        var data: String
        var expected: String

        init(_ rule: String, _ data: String = "{}", gives expected: String) {
            self.rule = rule
            self.data = data
            self.expected = expected
        }

        var testDescription: String { "\(rule) of \(data) is \(expected)" }
    }

    static func evaluate(_ rule: String, _ data: String, evaluators: String = "{}") throws -> JSONValue {
        var compiler = LogicCompiler(
            flagKey: "color", evaluators: try JSONValue(parsing: evaluators).object ?? [:], fractionalVersion: nil)
        let node = try compiler.compile(try JSONValue(parsing: rule))
        var attributes = try JSONValue(parsing: data).object ?? [:]
        let key = attributes.removeValue(forKey: "targetingKey")?.string
        let context = EvaluationContext(
            targetingKey: key, attributes: attributes, timestamp: Instant(milliseconds: 1_700_000_000_900))
        var run = LogicRun(flagKey: "color", context: context)
        return try run.value(of: node)
    }

    static let reading = [
        Case(#"{"var":"a"}"#, #"{"a":1}"#, gives: "1"),
        Case(#"{"var":["a"]}"#, #"{"a":1}"#, gives: "1"),
        Case(#"{"var":"a.b.c"}"#, #"{"a":{"b":{"c":"deep"}}}"#, gives: #""deep""#),
        Case(#"{"var":"a.1"}"#, #"{"a":["x","y"]}"#, gives: #""y""#),
        Case(#"{"var":["z","else"]}"#, #"{"a":1}"#, gives: #""else""#),
        Case(#"{"var":["a.z",{"+":[1,2]}]}"#, #"{"a":{}}"#, gives: "3"),
        Case(#"{"var":"z"}"#, gives: "null"),
        Case(#"{"var":"a.b"}"#, #"{"a":"text"}"#, gives: "null"),
        Case(#"{"var":["a","else"]}"#, #"{"a":null}"#, gives: "null"),
        Case(#"{"var":{"cat":["a",".","b"]}}"#, #"{"a":{"b":7}}"#, gives: "7"),
        Case(#"{"var":"targetingKey"}"#, #"{"targetingKey":"u1"}"#, gives: #""u1""#),
        Case(#"{"var":["targetingKey","nobody"]}"#, gives: #""nobody""#),
        Case(#"{"var":"$flagd.flagKey"}"#, gives: #""color""#),
        Case(#"{"var":"$flagd.timestamp"}"#, #"{"$flagd":{"timestamp":1}}"#, gives: "1700000000"),
        Case(#"{"var":""}"#, #"{"a":1}"#, gives: #"{"$flagd":{"flagKey":"color","timestamp":1700000000},"a":1}"#),
        Case(#"{"missing":["a","b"]}"#, #"{"a":1,"b":""}"#, gives: #"["b"]"#),
        Case(#"{"missing":{"merge":["a",["b","c"]]}}"#, #"{"b":0}"#, gives: #"["a","c"]"#),
        Case(#"{"missing_some":[1,["a","b","c"]]}"#, #"{"a":1}"#, gives: "[]"),
        Case(#"{"missing_some":[2,["a","b","c"]]}"#, #"{"a":1}"#, gives: #"["b","c"]"#),
    ]

    static let choosing = [
        Case(#"{"if":[true,"yes","no"]}"#, gives: #""yes""#),
        Case(#"{"?:":[false,"yes","no"]}"#, gives: #""no""#),
        Case(#"{"if":[false,1,false,2,3]}"#, gives: "3"),
        Case(#"{"if":[false,1,true,2,3]}"#, gives: "2"),
        Case(#"{"if":[false,1]}"#, gives: "null"),
        Case(#"{"if":[]}"#, gives: "null"),
        Case(#"{"if":["alone"]}"#, gives: #""alone""#),
        Case(#"{"if":[[],"true","false"]}"#, gives: #""false""#),
        Case(#"{"if":["0","true","false"]}"#, gives: #""true""#),
        Case(#"{"and":[1,0,3]}"#, gives: "0"),
        Case(#"{"and":[1,2,3]}"#, gives: "3"),
        Case(#"{"or":[0,"",[],"last"]}"#, gives: #""last""#),
        Case(#"{"or":[0,false]}"#, gives: "false"),
        Case(#"{"!":[[]]}"#, gives: "true"),
        Case(#"{"!":true}"#, gives: "false"),
        Case(#"{"!!":["0"]}"#, gives: "true"),
        Case(#"{"!!":""}"#, gives: "false"),
        Case(#"{"log":"through"}"#, gives: #""through""#),
    ]

    static let comparing = [
        Case(#"{"==":[1,1.0]}"#, gives: "true"),
        Case(#"{"==":[1,"1"]}"#, gives: "true"),
        Case(#"{"==":[1," 1.0 "]}"#, gives: "true"),
        Case(#"{"==":[0,false]}"#, gives: "true"),
        Case(#"{"==":["",0]}"#, gives: "true"),
        Case(#"{"==":["true",true]}"#, gives: "false"),
        Case(#"{"==":[null,0]}"#, gives: "false"),
        Case(#"{"==":[{"var":"z"},null]}"#, gives: "true"),
        Case(#"{"==":[[1,2],"1,2"]}"#, gives: "true"),
        Case(#"{"==":["0x10",16]}"#, gives: "true"),
        Case(#"{"==":["inf","nan"]}"#, gives: "false"),
        Case(#"{"==":["\u00e9","e\u0301"]}"#, gives: "false"),
        Case(#"{"===":[1,1.0]}"#, gives: "true"),
        Case(#"{"===":[1,"1"]}"#, gives: "false"),
        Case(#"{"!==":[1,"1"]}"#, gives: "true"),
        Case(#"{"!=":[1,"1"]}"#, gives: "false"),
        Case(#"{"<":[1,2]}"#, gives: "true"),
        Case(#"{"<":["10",9]}"#, gives: "false"),
        Case(#"{"<":["10","9"]}"#, gives: "true"),
        Case(#"{"<":["a",1]}"#, gives: "false"),
        Case(#"{">=":["a",1]}"#, gives: "false"),
        Case(#"{"<=":[null,0]}"#, gives: "true"),
        Case(#"{"<":[1,2,3]}"#, gives: "true"),
        Case(#"{"<":[1,3,3]}"#, gives: "false"),
        Case(#"{"<=":[1,3,3]}"#, gives: "true"),
        Case(#"{">":[3,2,1]}"#, gives: "true"),
        Case(#"{">=":[3]}"#, gives: "true"),
    ]

    static let computing = [
        Case(#"{"+":[1,"2",3.5]}"#, gives: "6.5"),
        Case(#"{"+":"3.14abc"}"#, gives: "3.14"),
        Case(#"{"+":[]}"#, gives: "0"),
        Case(#"{"-":[5,"2"]}"#, gives: "3"),
        Case(#"{"-":2}"#, gives: "-2"),
        Case(#"{"*":[2,3,"4"]}"#, gives: "24"),
        Case(#"{"/":[1,4]}"#, gives: "0.25"),
        Case(#"{"/":[1,0]}"#, gives: "null"),
        Case(#"{"%":[7,3]}"#, gives: "1"),
        Case(#"{"%":[-7,3]}"#, gives: "-1"),
        Case(#"{"max":[1,"3",2]}"#, gives: "3"),
        Case(#"{"min":[1,-3.5,2]}"#, gives: "-3.5"),
        Case(#"{"max":[]}"#, gives: "null"),
        Case(#"{"!":{"max":[1,"x"]}}"#, gives: "true"),
        Case(#"{"+":[9223372036854775807,1]}"#, gives: "9.223372036854775807e+18"),
    ]

    static let listsAndText = [
        Case(#"{"map":[{"var":"n"},{"*":[{"var":""},2]}]}"#, #"{"n":[1,2]}"#, gives: "[2,4]"),
        Case(#"{"map":[null,{"var":""}]}"#, gives: "[]"),
        Case(#"{"filter":[{"var":"n"},{"%":[{"var":""},2]}]}"#, #"{"n":[1,2,3]}"#, gives: "[1,3]"),
        Case(
            #"{"reduce":[{"var":"n"},{"+":[{"var":"current"},{"var":"accumulator"}]},10]}"#, #"{"n":[1,2,3]}"#,
            gives: "16"),
        Case(#"{"reduce":[null,{"var":"current"},"start"]}"#, gives: #""start""#),
        Case(#"{"all":[[],true]}"#, gives: "false"),
        Case(#"{"all":[[1,2],{">":[{"var":""},0]}]}"#, gives: "true"),
        Case(#"{"some":[[0,2],{">":[{"var":""},1]}]}"#, gives: "true"),
        Case(#"{"some":[[],true]}"#, gives: "false"),
        Case(#"{"none":[[],true]}"#, gives: "true"),
        Case(#"{"none":[[1],{"var":""}]}"#, gives: "false"),
        Case(#"{"some":[{"var":"l"},{"==":[{"var":"k.x"},"b"]}]}"#, #"{"l":[{"k":{"x":"b"}}]}"#, gives: "true"),
        Case(#"{"some":[{"var":"l"},{"var":"targetingKey"}]}"#, #"{"l":[1],"targetingKey":"u"}"#, gives: "false"),
        Case(#"{"merge":[[1,2],3,[[4]]]}"#, gives: "[1,2,3,[4]]"),
        Case(#"{"in":["b","abc"]}"#, gives: "true"),
        Case(#"{"in":["","abc"]}"#, gives: "true"),
        Case(#"{"in":["abcd","abc"]}"#, gives: "false"),
        Case(#"{"in":[1.0,[1]]}"#, gives: "true"),
        Case(#"{"in":["1",[1]]}"#, gives: "false"),
        Case(#"{"in":["x",null]}"#, gives: "false"),
        Case(#"{"cat":["a",1,true,null,1.5,[1,[2,null]]]}"#, gives: #""a1true1.51,2,""#),
        Case(#"{"cat":"alone"}"#, gives: #""alone""#),
        Case(#"{"substr":["jsonlogic",4]}"#, gives: #""logic""#),
        Case(#"{"substr":["jsonlogic",-5]}"#, gives: #""logic""#),
        Case(#"{"substr":["jsonlogic",1,3]}"#, gives: #""son""#),
        Case(#"{"substr":["jsonlogic",4,-2]}"#, gives: #""log""#),
        Case(#"{"substr":["żółw",1,2]}"#, gives: #""ół""#),
        Case(#"{"substr":["abc",9]}"#, gives: #""""#),
        Case(#"{"substr":["abc",0,-9]}"#, gives: #""""#),
        Case(#"{"starts_with":[{"var":"m"},"ada@"]}"#, #"{"m":"ada@x"}"#, gives: "true"),
        Case(#"{"ends_with":[{"var":"m"},"@y"]}"#, #"{"m":"ada@x"}"#, gives: "false"),
        Case(#"{"ends_with":["ab","ab"]}"#, gives: "true"),
        Case(#"{"starts_with":[1,"1"]}"#, gives: "null"),
        Case(#"{"ends_with":["only one"]}"#, gives: "null"),
        Case(#"[1,{"var":"a"}]"#, #"{"a":2}"#, gives: "[1,2]"),
        Case(#"{"two":1,"members":{"var":"a"}}"#, gives: #"{"members":{"var":"a"},"two":1}"#),
    ]

    @Test(
        "gives what json-logic gives",
        arguments: [reading, choosing, comparing, computing, listsAndText].flatMap { $0 })
    func gives(_ testCase: Case) throws {
        let expected = try JSONValue(parsing: testCase.expected).compactText
        #expect(try Self.evaluate(testCase.rule, testCase.data).compactText == expected)
    }

    @Test("evaluators are put in for $ref, also inside one another")
    func references() throws {
        let evaluators = #"{"isPro":{"==":[{"var":"plan"},"pro"]},"isNotPro":{"!":{"$ref":"isPro"}}}"#
        let rule = #"{"if":[{"$ref":"isNotPro"},"a","b"]}"#
        #expect(try Self.evaluate(rule, #"{"plan":"pro"}"#, evaluators: evaluators) == "b")
        #expect(try Self.evaluate(rule, #"{"plan":"free"}"#, evaluators: evaluators) == "a")
    }

    @Test(
        "a rule that is wrong does not compile",
        arguments: [
            #"{"equals":[1,1]}"#, #"{"$ref":"nobody"}"#, #"{"$ref":"itself"}"#, #"{"$ref":["x"]}"#,
            #"{"if":[true,{"and":[{"unknown":1}]}]}"#,
        ])
    func rejects(_ rule: String) throws {
        let error = #expect(throws: LogicFailure.self) {
            try Self.evaluate(rule, "{}", evaluators: #"{"itself":{"!":{"$ref":"itself"}}}"#)
        }
        #expect(error?.code == .parseError)
    }

    @Test("nesting and size are limited")
    func limits() throws {
        let deep = String(repeating: #"{"!":"#, count: 63) + "true" + String(repeating: "}", count: 63)
        #expect(try Self.evaluate(deep, "{}") == false)
        let deeper = String(repeating: #"{"!":"#, count: 64) + "true" + String(repeating: "}", count: 64)
        #expect(throws: LogicFailure.self) { try Self.evaluate(deeper, "{}") }
        let wide = "[" + Array(repeating: "1", count: LogicCompiler.maximumNodes).joined(separator: ",") + "]"
        #expect(throws: LogicFailure.self) { try Self.evaluate(wide, "{}") }
    }

    @Test("references that double at each step end at the limit of parts")
    func doublingReferences() throws {
        var evaluators: [String] = [#""e0":{"var":"x"}"#]
        for index in 1...40 {
            evaluators.append("\"e\(index)\":{\"and\":[{\"$ref\":\"e\(index - 1)\"},{\"$ref\":\"e\(index - 1)\"}]}")
        }
        #expect(throws: LogicFailure.self) {
            try Self.evaluate(#"{"$ref":"e40"}"#, "{}", evaluators: "{\(evaluators.joined(separator: ","))}")
        }
    }

    @Test(
        "a rule that grows without end fails instead of running on",
        arguments: [
            #"{"cat":[{"var":"accumulator"},{"var":"accumulator"}]}"#,
            #"{"merge":[{"var":"accumulator"},{"var":"accumulator"}]}"#,
            #"[{"var":"accumulator"},{"var":"accumulator"}]"#,
        ])
    func bounded(_ body: String) throws {
        let list = "[" + Array(repeating: "1", count: 100).joined(separator: ",") + "]"
        let error = #expect(throws: LogicFailure.self) {
            try Self.evaluate(#"{"reduce":[{"var":"l"},\#(body),["x"]]}"#, #"{"l":\#(list)}"#)
        }
        #expect(error?.code == .general)
    }

    @Test("the time is noticed wherever a rule can read it")
    func noticesTime() throws {
        func reads(_ rule: String) throws -> Bool {
            var compiler = LogicCompiler(flagKey: "f", evaluators: [:], fractionalVersion: nil)
            _ = try compiler.compile(try JSONValue(parsing: rule))
            return compiler.readsTimestamp
        }
        #expect(try reads(#"{"<":[{"var":"$flagd.timestamp"},5]}"#))
        #expect(try reads(#"{"var":{"var":"which"}}"#))
        #expect(try reads(#"{"var":""}"#))
        #expect(try reads(#"{"var":"$flagd"}"#))
        #expect(try !reads(#"{"==":[{"var":"$flagd.flagKey"},{"var":"plan"}]}"#))
        #expect(try !reads(#"{"some":[{"var":"l"},{"var":""}]}"#))
    }
}
