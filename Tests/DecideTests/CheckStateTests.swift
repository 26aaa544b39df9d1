import Decide
import DecideSupport
import Testing

@Suite("A check's state")
struct CheckStateTests {
    @Test(
        "passes and failures in a row decide, and each alert fires and ends once",
        arguments: [
            ("p", CheckState.Status.passing, 0), ("f", .failing, 1), ("pf", .failing, 1), ("pff", .failing, 1),
            ("pfp", .failing, 1), ("pfpp", .passing, 1), ("pfpfpp", .passing, 1), ("pfppf", .failing, 2),
        ])
    func rows(runs: String, status: CheckState.Status, incidents: Int) throws {
        var house = House()
        for run in runs {
            house.now = house.now + .seconds(5)
            try house.run(passing: run == "p", forced: [:])
        }
        #expect(house.things[Subject(.check, House.journey)]?.check?.status == status)
        #expect(house.kinds().count { $0 == "incident.opened" } == incidents)
    }

    @Test("only what changes a state is news")
    func news() throws {
        var house = House()
        #expect(CheckState.isNews(house.result(passing: true), nil))
        try house.run(passing: true, forced: [:])
        let state = house.things[Subject(.check, House.journey)]?.check
        #expect(!CheckState.isNews(house.result(passing: true), state))
        #expect(CheckState.isNews(house.result(passing: false), state))
        #expect(CheckState.isNews(house.result(passing: true, forced: ["favorites": "v2"]), state))
    }

    @Test("a silent heartbeat fails after its grace, and recovers when it is heard")
    func heartbeat() throws {
        var house = House()
        let subject = Subject(.check, "storefront/nightly")
        try house.apply(subject, .check(.expected))
        try house.wait(.minutes(10))
        try house.apply(subject, .check(.pinged(failure: nil)))
        try house.wait(.minutes(11) - .milliseconds(1))
        #expect(house.things[subject]?.check?.status == .passing)
        try house.wait(.milliseconds(1))
        #expect(house.things[subject]?.check?.status == .failing)
        #expect(house.incident("storefront-backup-1")?.status == .triggered)
        try house.apply(subject, .check(.pinged(failure: nil)))
        try house.apply(subject, .check(.pinged(failure: nil)))
        #expect(house.incident("storefront-backup-1")?.status == .resolved)
    }

    @Test("a check whose definition is wrong accuses no change")
    func definitionFault() throws {
        var house = House()
        try house.forceRelease()
        var result = house.result(passing: false)
        result.failure = CheckFailure(kind: .definition, step: "the row", message: "syntax error at line 1")
        try house.apply(Subject(.check, House.journey), .check(.reported(result)))
        #expect(house.incident()?.suspects.isEmpty == true)
        #expect(!house.effects.contains { if case .experiment = $0 { true } else { false } })
    }

    @Test("an event for another kind of thing is refused")
    func misfit() throws {
        var house = House()
        #expect(throws: Refusal.self) {
            try house.apply(Subject(.check, House.journey), .page(.delivered(proof: "250 Ok")))
        }
    }
}
