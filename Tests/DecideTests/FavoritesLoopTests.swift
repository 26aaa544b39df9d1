import Decide
import DecideSupport
import Testing

@Suite("The favorites loop, decided")
struct FavoritesLoopTests {
    @Test("the gate blocks a release without evidence and says every reason")
    func gateBlocks() throws {
        var house = House()
        try house.declareFavorites()
        try house.createRelease()
        let release = try #require(house.things[Subject(.release, House.release.id)]?.release)
        let policy = try #require(house.policy.feature("storefront", "favorites"))
        #expect(
            Gate.judge(release, policy).objections == [
                "No test evidence for favorites: attach a JUnit report of commit abc1234.",
                "0 of 1 approvals by someone other than the author, ada.",
            ])
        #expect(throws: Refusal.self) {
            try house.apply(
                Subject(.release, House.release.id), .release(.started), by: Actor(.person, "ada"))
        }
        #expect(house.rollout == nil)
    }

    @Test("a forced release goes to the first share only, and its journeys run at once")
    func forcedRelease() throws {
        var house = House()
        try house.forceRelease()
        #expect(house.rollout?.share == 500)
        #expect(house.flag()?.rolling?.variant == "v2")
        #expect(house.kinds().contains("release.forced"))
        let runs = house.takeEffects().compactMap { if case .run(let request) = $0 { request.check } else { nil } }
        #expect(runs == [House.journey])
        #expect(house.changes["release:\(House.release.id)"]?.forced == true)
    }

    @Test("a failing journey opens an incident, pages the owners, and starts an experiment")
    func detection() throws {
        var house = House()
        try house.forceRelease()
        _ = house.takeEffects()
        house.now = house.now + .seconds(3)
        try house.run(passing: false)
        let incident = try #require(house.incident())
        #expect(incident.status == .triggered)
        #expect(incident.prime?.change.id == "release:\(House.release.id)")
        let effects = house.takeEffects()
        #expect(effects.count { if case .deliver = $0 { true } else { false } } == 2)
        #expect(effects.count { if case .experiment = $0 { true } else { false } } == 1)
        #expect(house.rollout?.status == .suspended)
    }

    @Test("proof undoes the flag by itself, and the journeys end the incident")
    func undo() throws {
        var house = House()
        try house.forceRelease()
        house.now = house.now + .seconds(3)
        try house.run(passing: false)
        house.now = house.now + .seconds(2)
        try house.endExperiment(old: true, new: false)
        #expect(house.flag()?.rolling == nil)
        #expect(house.incident()?.status == .mitigated)
        #expect(house.incident()?.prime?.isProven == true)
        #expect(house.rollout?.status == .undone)
        house.now = house.now + .seconds(1)
        try house.run(passing: true, forced: [:])
        #expect(house.incident()?.verifiedAt != nil)
        house.now = house.now + .seconds(5)
        try house.run(passing: true, forced: [:])
        #expect(house.incident()?.status == .resolved)
        #expect(house.things[Subject(.release, House.release.id)]?.release?.status == .undone)
        #expect(house.kinds().count { $0 == "flag.undone" } == 1)
    }

    @Test(
        "nothing is undone without proof",
        arguments: [(true, true), (false, false), (false, true)])
    func noProof(old: Bool, new: Bool) throws {
        var house = House()
        try house.forceRelease()
        try house.run(passing: false)
        try house.endExperiment(old: old, new: new)
        #expect(house.flag()?.rolling != nil)
        #expect(house.incident()?.status == .triggered)
    }

    @Test("an experiment that could not be run proves nothing")
    func brokenExperiment() throws {
        var house = House()
        try house.forceRelease()
        try house.run(passing: false)
        try house.endExperiment(old: true, new: false, failure: "the journey is gone")
        #expect(house.flag()?.rolling != nil)
    }

    @Test("the policy decides what follows proof", arguments: [FeaturePolicy.Undo.ask, .never])
    func otherPolicies(undo: FeaturePolicy.Undo) throws {
        var house = House(policy: .shop(undo: undo))
        try house.forceRelease()
        try house.run(passing: false)
        try house.endExperiment(old: true, new: false)
        #expect(house.flag()?.rolling != nil)
        #expect(house.kinds().contains(undo == .ask ? "undo.asked" : "undo.withheld"))
        let pages = house.effects.count { if case .deliver = $0 { true } else { false } }
        #expect(pages == (undo == .ask ? 4 : 2))
    }

    @Test("a suspended rollout goes on when the journeys pass again without a conviction")
    func resumes() throws {
        var house = House()
        try house.forceRelease()
        try house.run(passing: false)
        try house.endExperiment(old: true, new: true)
        try house.run(passing: true)
        try house.run(passing: true)
        #expect(house.rollout?.status == .running)
        #expect(house.incident()?.status == .resolved)
    }

    @Test("a healthy rollout reaches everyone, one proven stage after the other")
    func healthy() throws {
        var house = House()
        try house.forceRelease()
        var shares: [Int] = []
        for _ in 0..<20 where house.rollout?.status == .running {
            if let share = house.rollout?.share, shares.last != share { shares.append(share) }
            try house.wait(.seconds(5))
            try house.run(passing: true)
        }
        #expect(shares == [500, 2_500, 10_000])
        #expect(house.rollout?.status == .completed)
        #expect(house.rollout?.verdicts == [.proven, .proven, .proven])
        #expect(house.flag()?.definition.defaultVariant == "v2")
        #expect(house.incident() == nil)
    }

    @Test("a rollout that nothing proves stays at its first share, and says so once")
    func unproven() throws {
        var house = House(policy: .shop(proof: []))
        try house.forceRelease()
        try house.wait(.hours(1))
        #expect(house.rollout?.share == 500)
        #expect(house.kinds().count { $0 == "rollout.held" } == 1)
    }

    @Test("a rollout waits for each journey in each stage")
    func waitsForProof() throws {
        var house = House()
        try house.forceRelease()
        try house.wait(.minutes(10))
        #expect(house.rollout?.share == 500)
        try house.run(passing: true)
        #expect(house.rollout?.share == 2_500)
        try house.wait(.minutes(10))
        #expect(house.rollout?.share == 2_500)
    }

    @Test("an undo that someone asks for works once")
    func manualUndo() throws {
        var house = House(policy: .shop(undo: .ask))
        try house.forceRelease()
        try house.run(passing: false)
        let change = "release:\(House.release.id)"
        let subject = Subject(.incident, "storefront-favorites-1")
        try house.apply(subject, .incident(.undoRequested(change: change)), by: Actor(.person, "lin"))
        #expect(house.flag()?.rolling == nil)
        #expect(house.incident()?.acknowledgedBy == "lin")
        #expect(throws: Refusal.self) {
            try house.apply(subject, .incident(.undoRequested(change: change)), by: Actor(.person, "ada"))
        }
    }

    @Test("a completed rollout can still be undone")
    func undoAfterCompletion() throws {
        var house = House()
        try house.forceRelease()
        for _ in 0..<20 {
            try house.wait(.seconds(5))
            try house.run(passing: true)
        }
        try house.run(passing: false, forced: [:])
        try house.endExperiment(old: true, new: false)
        #expect(house.flag()?.definition.defaultVariant == "v1")
        #expect(house.incident()?.status == .mitigated)
    }

    @Test("an unacknowledged incident is paged again, an acknowledged one is not", arguments: [true, false])
    func repages(acknowledged: Bool) throws {
        var house = House(policy: .shop(undo: .never))
        try house.forceRelease()
        try house.run(passing: false)
        try house.endExperiment(old: true, new: false)
        if acknowledged {
            try house.apply(
                Subject(.incident, "storefront-favorites-1"), .incident(.acknowledged), by: Actor(.person, "ada"))
        }
        try house.wait(.hours(2))
        #expect(house.kinds().count { $0 == "incident.repaged" } == (acknowledged ? 0 : 3))
    }

    @Test("a link of a page works once")
    func links() throws {
        var house = House(policy: .shop(undo: .ask))
        try house.forceRelease()
        try house.run(passing: false)
        let page = Subject(.page, "storefront-favorites-1/ada/email/opened")
        try house.apply(page, .page(.linkUsed(.acknowledge)), by: Actor(.person, "ada"))
        #expect(house.incident()?.acknowledgedBy == "ada")
        #expect(throws: Refusal.self) {
            try house.apply(page, .page(.linkUsed(.acknowledge)), by: Actor(.person, "ada"))
        }
        try house.apply(page, .page(.linkUsed(.undo)), by: Actor(.person, "ada"))
        #expect(house.flag()?.rolling == nil)
    }

    @Test("a link expires")
    func expiredLink() throws {
        var house = House(policy: .shop(undo: .ask))
        try house.forceRelease()
        try house.run(passing: false)
        house.now = house.now + .hours(25)
        #expect(throws: Refusal.self) {
            try house.apply(
                Subject(.page, "storefront-favorites-1/ada/email/opened"), .page(.linkUsed(.undo)))
        }
    }
}
