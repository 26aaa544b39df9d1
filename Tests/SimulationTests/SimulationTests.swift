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
        try house.declareFavorites()
        try house.createRelease()
        for _ in 0..<60 {
            let before = house
            do {
                try act(&house, dice.number(14), &dice)
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
        default: try house.wait(.milliseconds(Int64(dice.number(40_000))))
        }
    }

    private func check(_ before: House, _ after: House, _ undo: FeaturePolicy.Undo, _ seed: Int) {
        let fresh = after.entries.dropFirst(before.entries.count)
        let open = after.things.values.compactMap(\.incident).filter { $0.status.isOpen }
        #expect(open.count <= 1, "two open incidents of one feature, seed \(seed)")

        if let was = before.rollout, let now = after.rollout, now.share > was.share {
            #expect(was.status == .running, "the share grew while the rollout was \(was.status), seed \(seed)")
            let passed = now.passes[House.journey].map { $0 >= was.stageStartedAt } ?? false
            #expect(passed, "the share grew without proof, seed \(seed)")
        }
        if before.rollout?.status == .undone {
            #expect(after.rollout?.status == .undone, "an undone rollout came back, seed \(seed)")
        }
        if fresh.contains(where: { $0.kind == "flag.undone" }) {
            let asked = open.first?.undone.values.contains { $0 != "Mainstay" } ?? false
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
