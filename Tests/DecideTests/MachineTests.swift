import Decide
import DecideSupport
import Testing

@Suite("What every state machine keeps")
struct MachineTests {
    private func step(_ house: House, _ subject: Subject, _ event: Event) throws -> Step<Thing> {
        let facts = Facts(changes: house.changes.values.sorted { $0.at > $1.at })
        let input = StepInput(
            now: house.now, actor: .mainstay, subject: subject, policy: house.policy, facts: facts)
        return try Machine.step(house.things[subject], event, input)
    }

    /// Incident, rollout, reports, heartbeat, query and rules, each with a deadline ahead.
    private func waiting() throws -> House {
        var house = House(policy: .shop(undo: .never))
        try house.forceRelease()
        try house.apply(Subject(.check, "storefront/nightly"), .check(.expected))
        for user in ["u1", "u2", "u3"] {
            let report = Report(
                id: user, service: "storefront", feature: "favorites", text: "broken", reporter: user, page: nil,
                at: house.now)
            try house.apply(Subject(.reports, "storefront/favorites"), .reports(.received(report)))
        }
        for isCrowd in [false, true] {
            try house.decide(user: isCrowd ? "crowd" : "app", isCrowd: isCrowd)
        }
        let rule = BudgetRule(.block, ClientPattern(user: "app"), reason: "trouble", lasts: .zero)
        try house.apply(GuardRules.subject, .guardRules(.added(rule, until: house.now + .hours(1))))
        return house
    }

    @Test("a wake-up before the deadline changes nothing and keeps the deadline")
    func early() throws {
        let house = try waiting()
        #expect(Set(house.due.keys.map(\.kind)) == [.incident, .rollout, .reports, .check, .query, .guardRules])
        for (subject, due) in house.due {
            #expect(due > house.now)
            let step = try step(house, subject, .deadlineReached)
            #expect(step.state == house.things[subject], "\(subject)")
            #expect(step.entries.isEmpty && step.effects.isEmpty && step.forwards.isEmpty, "\(subject)")
            #expect(step.due == due, "\(subject)")
        }
    }

    @Test("equal inputs give equal steps")
    func repeatable() throws {
        let house = try waiting()
        let incident = Subject(.incident, "storefront-favorites-1")
        let (first, second) = (
            try step(house, incident, .incident(.acknowledged)), try step(house, incident, .incident(.acknowledged))
        )
        #expect(first.state == second.state && first.entries == second.entries && first.due == second.due)
        #expect(first.state != house.things[incident])
    }

    @Test("an event of another kind is refused by every machine", arguments: Subject.Kind.allCases)
    func misfit(kind: Subject.Kind) throws {
        let house = try waiting()
        let id = kind == .check ? "storefront/nightly" : "storefront/favorites"
        let event: Event = kind == .page ? .incident(.acknowledged) : .page(.delivered(proof: "250 Ok"))
        #expect(throws: Refusal.self) { try step(house, Subject(kind, id), event) }
    }
}
