import Testing

@testable import Decide

@Suite("Flag evaluation")
struct FlagsEvaluationTests {
    private static let variants: [String: JSONValue] = ["on": true, "off": false, "true": "yes", "3": 3]

    private func evaluate(
        _ definition: FlagDefinition, user: String? = "u1", attributes: [String: JSONValue] = [:]
    ) -> Evaluation {
        let set = FlagSet(version: 9, flags: ["f": definition], versions: ["f": 4])
        return CompiledFlagSet(compiling: set).evaluate(
            "f", context: EvaluationContext(targetingKey: user, attributes: attributes, timestamp: .epoch))
    }

    private func flag(
        _ targeting: JSONValue?, state: FlagDefinition.State = .enabled, defaultVariant: String? = "off"
    ) -> FlagDefinition {
        FlagDefinition(
            state: state, variants: Self.variants, defaultVariant: defaultVariant, targeting: targeting)
    }

    @Test(
        "without a rule everyone gets the default, and the reason is STATIC",
        arguments: [nil, .null, [:]] as [JSONValue?])
    func isStatic(_ targeting: JSONValue?) {
        let expected = Evaluation(key: "f", variant: "off", value: false, reason: .static, version: 4)
        #expect(evaluate(flag(targeting)) == expected)
    }

    @Test(
        "a rule's result names the variant",
        arguments: [("on", "on"), (true, "true"), (3, "3"), (3.0, "3")] as [(JSONValue, String)])
    func named(_ result: JSONValue, _ variant: String) {
        let evaluation = evaluate(flag(["if": [true, result]]))
        #expect(evaluation.variant == variant)
        #expect(evaluation.value == Self.variants[variant])
        #expect(evaluation.reason == .targetingMatch)
        #expect(evaluation.version == 4)
    }

    @Test("a rule that gives null gives the default")
    func nullIsDefault() {
        let expected = Evaluation(key: "f", variant: "off", value: false, reason: .default, version: 4)
        #expect(evaluate(flag(["if": [false, "on", .null]])) == expected)
    }

    @Test(
        "without a default variant the caller's default in code is served",
        arguments: [nil, ["if": [false, "on"]]] as [JSONValue?])
    func codeDefault(_ targeting: JSONValue?) {
        let expected = Evaluation(key: "f", reason: .default, version: 4)
        #expect(evaluate(flag(targeting, defaultVariant: nil)) == expected)
    }

    @Test("a disabled flag has no value, and its rule is not run")
    func disabled() {
        let expected = Evaluation(key: "f", reason: .disabled, version: 4)
        #expect(evaluate(flag(["nonsense": 1], state: .disabled)) == expected)
    }

    @Test(
        "what is wrong has its code",
        arguments: [
            (["if": [true, "blue"]], .general), (["if": [true, ""]], .general), (["merge": [1]], .typeMismatch),
            (["nonsense": 1], .parseError), (["$ref": "nobody"], .parseError),
        ] as [(JSONValue, Evaluation.ErrorCode)])
    func errors(_ targeting: JSONValue, _ code: Evaluation.ErrorCode) {
        let evaluation = evaluate(flag(targeting))
        #expect(evaluation.errorCode == code)
        #expect(evaluation.reason == .error)
        #expect(evaluation.variant == nil)
        #expect(evaluation.value == nil)
        #expect(evaluation.errorDetails?.isEmpty == false)
        #expect(evaluation.version == 4)
    }

    @Test("a flag that is not known is an error of its own")
    func unknown() {
        let evaluation = CompiledFlagSet(compiling: FlagSet(version: 1, flags: [:])).evaluate(
            "f", context: EvaluationContext(targetingKey: nil, timestamp: .epoch))
        #expect(evaluation.errorCode == .flagNotFound)
        #expect(evaluation.version == 0)
    }

    @Test("one broken flag is named and leaves the others working")
    func problems() {
        let set = FlagSet(
            version: 2,
            flags: [
                "good": flag(nil), "noDefault": flag(nil, defaultVariant: "gone"), "badRule": flag(["nonsense": 1]),
            ])
        let compiled = CompiledFlagSet(compiling: set)
        let context = EvaluationContext(targetingKey: "u", timestamp: .epoch)
        #expect(compiled.problems.map(\.flag) == ["badRule", "noDefault"])
        #expect(compiled.problems.first?.message.contains("nonsense") == true)
        #expect(compiled.problems.last?.message.contains("gone") == true)
        #expect(compiled.evaluate("good", context: context).variant == "off")
        #expect(compiled.evaluate("badRule", context: context).errorCode == .parseError)
        #expect(compiled.evaluate("noDefault", context: context).errorCode == .parseError)
        #expect(compiled.evaluateAll(context: context).map(\.key) == ["badRule", "good", "noDefault"])
    }

    @Test("the version is the flag's own, or else the set's")
    func versions() {
        let compiled = CompiledFlagSet(
            compiling: FlagSet(version: 7, flags: ["a": flag(nil), "b": flag(nil)], versions: ["a": 3]))
        let context = EvaluationContext(targetingKey: nil, timestamp: .epoch)
        #expect(compiled.evaluate("a", context: context).version == 3)
        #expect(compiled.evaluate("b", context: context).version == 7)
    }

    @Test("a flag's metadata goes over the set's")
    func metadata() {
        var definition = flag(nil)
        definition.metadata = ["owner": "ada"]
        let set = FlagSet(version: 1, flags: ["f": definition], metadata: ["owner": "bob", "scope": "shop"])
        #expect(CompiledFlagSet(compiling: set).metadata(of: "f") == ["owner": "ada", "scope": "shop"])
    }

    @Test("a variant can be forced if the flag has it")
    func forcing() {
        let compiled = CompiledFlagSet(compiling: FlagSet(version: 1, flags: ["f": flag(["if": [true, "on"]])]))
        #expect(compiled.evaluation(of: "f", forcing: "off")?.value == false)
        #expect(compiled.evaluation(of: "f", forcing: "blue") == nil)
        #expect(compiled.evaluation(of: "g", forcing: "off") == nil)
    }

    @Test("metadata chooses how fractional places users")
    func fractionalVersion() {
        let rule: JSONValue = ["fractional": [5, ["on", 1]]]
        func evaluate(_ metadata: [String: JSONValue]?) -> Evaluation {
            let set = FlagSet(version: 1, flags: ["f": flag(rule)], metadata: metadata)
            return CompiledFlagSet(compiling: set).evaluate(
                "f", context: EvaluationContext(targetingKey: "u", timestamp: .epoch))
        }
        #expect(evaluate(nil).reason == .default)
        #expect(evaluate(["fractionalVersion": 2]).reason == .default)
        #expect(evaluate(["fractionalVersion": 3]).variant == "on")
        #expect(evaluate(["fractionalVersion": "three"]).errorCode == .parseError)
    }
}
