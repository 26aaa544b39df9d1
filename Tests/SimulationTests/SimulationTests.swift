import Decide
import DecideSupport
import Testing

/// Throws random events at the whole house, in random order and at random times, and checks what must always hold.
@Suite("Simulation of the whole house")
struct SimulationTests {
    struct Dice {
        var state: UInt64

        mutating func number(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(limit))
        }
    }

    /// A failing seed is in the failure's arguments; run it alone by putting it here.
    static let seeds = Array(0..<400)

    @Test("holds its invariants whatever happens", arguments: seeds)
    func holds(seed: Int) throws {
        var dice = Dice(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1)
        let undo = [FeaturePolicy.Undo.auto, .ask, .never][dice.number(3)]
        var house = House(policy: .shop(undo: undo))
        house.policy.guarded.services = ["shop": "storefront"]
        house.policy.guarded.pagesObserved = dice.number(2) == 0
        try house.declareFavorites()
        try house.createRelease()
        for _ in 0..<60 {
            let before = house
            do {
                try act(&house, dice.number(17), &dice)
            } catch let refusal as Refusal {
                // A refusal changes nothing and says why.
                #expect(!refusal.message.isEmpty)
                #expect(house.entries.count == before.entries.count, "seed \(seed)")
            }
            check(before, house, undo, seed)
        }
    }

    private func act(_ house: inout House, _ choice: Int, _ dice: inout Dice) throws {
        let release = Subject(.release, House.release.id)
        let incident = Subject(.incident, "storefront-favorites-1")
        let person = Actor(.person, ["ada", "lin"][dice.number(2)])
        switch choice {
        case 0: try house.apply(release, .release(.forced(reason: "now")), by: person)
        case 1: try house.apply(release, .release(.approved(commit: "abc1234")), by: person)
        case 2, 3: try house.run(passing: true)
        case 4: try house.run(passing: true, forced: [:])
        case 5: try house.run(passing: false)
        case 6: try house.run(passing: false, forced: [:])
        case 7: try house.endExperiment(old: dice.number(2) == 0, new: dice.number(2) == 0)
        case 8: try house.apply(incident, .incident(.acknowledged), by: person)
        case 9:
            let change = "release:\(House.release.id)"
            try house.apply(incident, .incident(.undoRequested(change: change)), by: person)
        case 10: try house.apply(incident, .incident(.resolved(reason: "seems fine")), by: person)
        case 11:
            let page = Subject(.page, "storefront-favorites-1/ada/email/opened")
            try house.apply(page, .page(.linkUsed(dice.number(2) == 0 ? .acknowledge : .undo)), by: person)
        case 12:
            let report = Report(
                id: "r\(house.entries.count)", service: "storefront", feature: "favorites", text: "broken",
                reporter: "u\(dice.number(6))", page: nil, at: house.now)
            try house.apply(Subject(.reports, "storefront/favorites"), .reports(.received(report)))
        case 13, 14: try decide(&house, &dice)
        case 15: try rule(&house, person, &dice)
        default: try house.wait(.milliseconds(Int64(dice.number(dice.number(4) == 0 ? 600_000 : 40_000))))
        }
    }

    private func decide(_ house: inout House, _ dice: inout Dice) throws {
        let kinds = QueryDecision.Kind.allCases
        let decision = QueryDecision(
            kind: kinds[dice.number(kinds.count)], at: house.now, database: "shop", user: "u\(dice.number(2))",
            query: QueryKey(fingerprint: UInt64(dice.number(2))), text: "SELECT $1", release: "abc1234",
            isObserved: dice.number(3) == 0, isCrowd: dice.number(4) == 0)
        let place = "guard-\(dice.number(2))"
        let isHeld = decision.kind == .tripped || decision.kind == .breakerOpened
        try house.apply(
            QueryState.subject(of: decision),
            isHeld && dice.number(3) == 0
                ? .query(.confirmed(decision, place: place)) : .query(.decided(decision, place: place)))
    }

    private func rule(_ house: inout House, _ person: Actor, _ dice: inout Dice) throws {
        let rule = BudgetRule(
            dice.number(2) == 0 ? .block : .limit(1), ClientPattern(user: "u\(dice.number(3))"), reason: "trouble",
            lasts: .zero)
        let event: GuardRulesEvent =
            dice.number(3) == 0
            ? .removed(id: "rule-\(dice.number(4))")
            : .added(rule, until: house.now + .seconds(Int64(dice.number(300))))
        try house.apply(GuardRules.subject, .guardRules(event), by: person)
    }

    private func checkQueries(_ house: House, _ seed: Int) {
        for query in house.things.values.compactMap(\.query) {
            let desk = house.things[Subject(.feature, "storefront/database-shop")]?.feature
            let isFiring = desk?.firing["query:\(query.id)"] != nil
            #expect(isFiring == (query.alert != nil), "the desk knows another alert than the query, seed \(seed)")
            #expect(query.alert == nil || query.since != nil, "an alert of a calm query, seed \(seed)")
            #expect(query.holds.count <= QueryState.holdLimit, "seed \(seed)")
        }
        let rules = house.things[GuardRules.subject]?.guardRules?.rules ?? []
        #expect(rules.allSatisfy { $0.until > house.now }, "a rule outlived its end, seed \(seed)")
        #expect(Set(rules.map(\.rule.pattern)).count >= rules.count / 2, "a rule stands twice, seed \(seed)")
    }

    private func check(_ before: House, _ after: House, _ undo: FeaturePolicy.Undo, _ seed: Int) {
        let fresh = after.entries.dropFirst(before.entries.count)
        let open = after.things.values.compactMap(\.incident).filter { $0.status.isOpen }
        #expect(Set(open.map(\.desk)).count == open.count, "two open incidents of one desk, seed \(seed)")
        checkQueries(after, seed)

        if let was = before.rollout, let now = after.rollout, now.share > was.share {
            #expect(was.status == .running, "the share grew while the rollout was \(was.status), seed \(seed)")
            let passed = now.passes[House.journey].map { $0 >= was.stageStartedAt } ?? false
            #expect(passed, "the share grew without proof, seed \(seed)")
        }
        if before.rollout?.status == .undone {
            #expect(after.rollout?.status == .undone, "an undone rollout came back, seed \(seed)")
        }
        if fresh.contains(where: { $0.kind == "flag.undone" }) {
            let asked = open.contains { $0.undone.values.contains { $0 != "Mainstay" } }
            let proven = after.incident()?.suspects.contains(where: \.isProven) ?? false
            #expect(asked || (undo == .auto && proven), "undone without proof or a person, seed \(seed)")
        }
        for page in after.things.values.compactMap(\.page) {
            #expect(page.usedLinks.count == Set(page.usedLinks).count, "a link worked twice, seed \(seed)")
        }
        let opened = after.entries.count { $0.kind == "incident.opened" }
        let incidents = after.things.values.compactMap(\.incident).count
        #expect(opened == incidents, "an incident opened twice, seed \(seed)")
    }
}
