import Decide
import DecideSupport
import Testing

@Suite("Rules by hand")
struct GuardRulesTests {
    private static let ada = Actor(.person, "ada")

    private static func rule(
        _ action: BudgetRule.Action = .limit(2), _ pattern: ClientPattern = ClientPattern(query: House.query),
        reason: String = "the sale"
    ) -> BudgetRule {
        BudgetRule(action, pattern, reason: reason, lasts: .zero)
    }

    private func add(_ house: inout House, _ rule: BudgetRule = rule(), lasts: Span = .hours(1)) throws {
        try house.apply(GuardRules.subject, .guardRules(.added(rule, until: house.now + lasts)), by: Self.ada)
    }

    private func rules(_ house: House) -> [GuardRule] { house.things[GuardRules.subject]?.guardRules?.rules ?? [] }

    @Test("a rule is kept with who made it and why, until it ends by itself")
    func ends() throws {
        var house = House()
        try add(&house)
        let rule = try #require(rules(house).first)
        #expect(rule.id == "rule-1" && rule.createdBy == "ada" && rule.createdAt == house.now)
        #expect(rule.rule.lasts == .hours(1))
        try add(&house, Self.rule(.block, ClientPattern(user: "reports", database: "shop")), lasts: .minutes(30))
        try house.wait(.minutes(30))
        #expect(rules(house).map(\.id) == ["rule-1"])
        try house.wait(.minutes(30))
        #expect(rules(house).isEmpty && house.due[GuardRules.subject] == nil)
        #expect(house.kinds() == ["rule.added", "rule.added", "rule.ended", "rule.ended"])
        #expect(house.entries[0].text.hasPrefix("At most 2 at a time: query 00ab12cd34ef5678, until "))
        #expect(house.entries[0].text.hasSuffix("(rule-1). Reason: the sale"))
        #expect(house.entries[1].text.contains("Turned away: every query of user reports, in database shop, until"))
        #expect(
            house.entries[3].text
                == "Ended after 1 h (rule-1): At most 2 at a time: query 00ab12cd34ef5678. It was made by ada: the sale"
        )
    }

    @Test("a rule is taken back once, and ids are never used again")
    func removal() throws {
        var house = House()
        try add(&house)
        try house.apply(GuardRules.subject, .guardRules(.removed(id: "rule-1")), by: Actor(.person, "lin"))
        #expect(rules(house).isEmpty && house.kinds().last == "rule.removed")
        #expect(throws: Refusal.self) {
            try house.apply(GuardRules.subject, .guardRules(.removed(id: "rule-1")), by: Self.ada)
        }
        try add(&house)
        #expect(rules(house).map(\.id) == ["rule-2"])
    }

    @Test(
        "what makes no rule is refused",
        arguments: [
            (rule(.block, ClientPattern()), Span.hours(1), "names whom it is for"),
            (rule(.limit(0)), .hours(1), "A limit is 1 to 10,000"), (rule(reason: ""), .hours(1), "needs a reason"),
            (rule(), .zero, "ends in the future"), (rule(), .days(30) + .milliseconds(1), "within 30 days"),
            (rule(.block, ClientPattern(query: .transactionControl)), .hours(1), "every transaction has them"),
            (rule(.block, ClientPattern(user: "")), .hours(1), "1 to 200 bytes"),
        ])
    func refused(rule: BudgetRule, lasts: Span, words: String) throws {
        var house = House()
        let refusal = #expect(throws: Refusal.self) { try add(&house, rule, lasts: lasts) }
        #expect(refusal?.message.contains(words) == true)
        #expect(house.things.isEmpty)
    }

    @Test("there are at most as many as a guard holds, and no two that say the same")
    func limits() throws {
        var house = House()
        for number in 0..<GuardRules.limit { try add(&house, Self.rule(.block, ClientPattern(user: "u\(number)"))) }
        let full = #expect(throws: Refusal.self) { try add(&house) }
        #expect(full?.message.contains("64 rules") == true)
        let same = #expect(throws: Refusal.self) { try add(&house, Self.rule(.block, ClientPattern(user: "u0"))) }
        #expect(same?.message.contains("Rule rule-1 by ada says so already") == true)
        house.now = house.now + .hours(1)
        try add(&house)
        #expect(rules(house).map(\.id) == ["rule-65"], "what has ended is in nobody's way")
    }

    @Test(
        "a fingerprint is read as people copy it",
        arguments: ["00AB12cd34ef5678": true, "ab": false, "+0ab12cd34ef5678": false])
    func fingerprints(text: String, isOne: Bool) {
        #expect((QueryKey(hex: text) == House.query) == isOne)
    }
}
