import Testing

@testable import Decide

@Suite("Rolling a variant out by rules")
struct FlagsRolloutTests {
    private static let base = FlagDefinition(
        variants: ["v1": "v1", "v2": "v2", "beta": "beta"], defaultVariant: "v1",
        targeting: ["if": [["==": [["var": "plan"], "beta"]], "beta", .null]])

    private static func serve(
        _ definition: FlagDefinition, key: String = "favorites", users: Range<Int> = 0..<20_000,
        attributes: [String: JSONValue] = [:]
    ) -> [String?] {
        let compiled = CompiledFlagSet(compiling: FlagSet(version: 1, flags: [key: definition]))
        return users.map { user in
            let context = EvaluationContext(targetingKey: "user-\(user)", attributes: attributes, timestamp: .epoch)
            return compiled.evaluate(key, context: context).variant
        }
    }

    @Test(
        "the share served is the share asked for, within one percent",
        arguments: [0, 1, 100, 500, 2_500, 5_000, 10_000])
    func share(_ share: Int) {
        let served = Self.serve(FlagRules.withRollout(Self.base, variant: "v2", share: share))
        let measured = Double(served.count { $0 == "v2" }) / Double(served.count)
        #expect(abs(measured - Double(share) / 10_000) <= 0.01)
        #expect(served.allSatisfy { $0 == "v1" || $0 == "v2" })
    }

    @Test("a larger share keeps everyone a smaller one held")
    func monotone() {
        var held: Set<Int> = []
        for share in [0, 1, 50, 100, 499, 500, 1_000, 2_500, 3_333, 5_000, 9_999, 10_000] {
            let served = Self.serve(FlagRules.withRollout(Self.base, variant: "v2", share: share), users: 0..<4_000)
            let now = Set(served.indices.filter { served[$0] == "v2" })
            #expect(held.isSubset(of: now))
            held = now
        }
        #expect(held.count == 4_000)
    }

    @Test("the others get what they had")
    func others() {
        let before = Self.serve(Self.base, users: 0..<2_000, attributes: ["plan": "beta"])
        let rolled = FlagRules.withRollout(Self.base, variant: "v2", share: 3_000)
        let after = Self.serve(rolled, users: 0..<2_000, attributes: ["plan": "beta"])
        #expect(zip(before, after).allSatisfy { $1 == "v2" || $1 == $0 })
        #expect(after.contains("beta"))
    }

    @Test("two flags do not pick the same users")
    func independent() {
        let rolled = FlagRules.withRollout(Self.base, variant: "v2", share: 5_000)
        let one = Self.serve(rolled, key: "favorites")
        let other = Self.serve(rolled, key: "posts")
        let both = zip(one, other).count { $0 == "v2" && $1 == "v2" }
        #expect(abs(Double(both) / 20_000 - 0.25) <= 0.02)
    }

    @Test("someone without a key stays where they were", arguments: [5_000, 10_000])
    func withoutKey(_ share: Int) {
        let set = FlagSet(version: 1, flags: ["f": FlagRules.withRollout(Self.base, variant: "v2", share: share)])
        let context = EvaluationContext(targetingKey: nil, timestamp: .epoch)
        #expect(CompiledFlagSet(compiling: set).evaluate("f", context: context).variant == "v1")
    }

    @Test("a share outside 0…10,000 is brought inside", arguments: [(-5, 0), (20_000, 10_000)])
    func clamped(_ asked: Int, _ given: Int) {
        #expect(
            FlagRules.withRollout(Self.base, variant: "v2", share: asked)
                == FlagRules.withRollout(Self.base, variant: "v2", share: given))
    }

    @Test("an empty rule counts as none")
    func emptyRule() {
        var base = Self.base
        base.targeting = [:]
        let rolled = FlagRules.withRollout(base, variant: "v2", share: 0)
        #expect(Self.serve(rolled, users: 0..<100).allSatisfy { $0 == "v1" })
    }

    @Test("strings are what a rule mentions")
    func strings() {
        let rule: JSONValue = ["if": [["==": [["var": "plan"], "pro"]], "v2", ["fractional": [["v3", 1]]]]]
        #expect(FlagRules.strings(rule) == ["plan", "pro", "v2", "v3"])
    }
}
