import Decide
import DecideSupport
import Testing

/// A decision about one query of the shop, at the house's time.
extension House {
    static let query = QueryKey(fingerprint: 0x00ab_12cd_34ef_5678)
    static let querySubject = Subject(.query, "shop/00ab12cd34ef5678")
    static let queryIncident = "storefront-database-shop-1"

    func decision(
        _ kind: QueryDecision.Kind = .tripped, user: String = "app", release: String? = "abc1234",
        isObserved: Bool = false, isCrowd: Bool = false
    ) -> QueryDecision {
        QueryDecision(
            kind: kind, at: now, database: "shop", user: user, query: House.query,
            text: "SELECT id FROM posts\n  ORDER BY md5(title) LIMIT $1", release: release, isObserved: isObserved,
            explanation: "", share: kind == .tripped ? 0.95 : nil, budget: 1, limit: kind == .tripped ? 2 : nil,
            slots: 20, isCrowd: isCrowd, cancelled: 3, until: kind == .tripped ? now + .minutes(10) : nil)
    }

    mutating func decide(
        _ kind: QueryDecision.Kind = .tripped, user: String = "app", release: String? = "abc1234", place: String = "",
        isObserved: Bool = false, isCrowd: Bool = false
    ) throws {
        let decision = decision(kind, user: user, release: release, isObserved: isObserved, isCrowd: isCrowd)
        try apply(House.querySubject, .query(.decided(decision, place: place)))
    }

    var query: QueryState? { things[House.querySubject]?.query }
    var pagesRequested: Int { things.values.compactMap(\.page).count }

    static func guarded(
        services: [String: String] = ["shop": "storefront"], team: String? = nil, pagesObserved: Bool = false
    ) -> House {
        var house = House()
        house.policy.guarded = GuardPolicy(team: team, services: services, pagesObserved: pagesObserved)
        return house
    }
}

@Suite("A query that a guard holds back")
struct QueryStateTests {
    @Test(
        "incidents opened, pages of them, and how it stands, after what a guard decided",
        arguments: [
            // t tripped, r released, o breaker opened, h half open, c closed, x cancelled, u raised, d halved,
            // . a minute, - six minutes
            ("t", "held", 1), ("tud", "held", 1), ("txh", "held", 1), ("o", "held", 1), ("oho", "held", 1),
            ("tr", "resting", 1), ("tr-", "calm", 1), ("tr.t", "held", 1), ("tr.tr.tr.t", "held", 1),
            ("tr-t", "held", 2), ("toc", "held", 1), ("tocr", "resting", 1), ("tocr-", "calm", 1), ("oc-", "calm", 1),
            ("r", "calm", 0), ("u", "none", 0), ("x", "none", 0), ("tt", "held", 1),
        ])
    func table(decisions: String, status: String, incidents: Int) throws {
        let kinds: [Character: QueryDecision.Kind] = [
            "t": .tripped, "r": .released, "o": .breakerOpened, "h": .breakerHalfOpen, "c": .breakerClosed,
            "x": .cancelled, "u": .limitRaised, "d": .limitHalved,
        ]
        var house = House.guarded()
        for letter in decisions {
            house.now = house.now + .milliseconds(100)
            switch kinds[letter] {
            case .some(let kind): try house.decide(kind)
            case nil: try house.wait(letter == "." ? .minutes(1) : .minutes(6))
            }
        }
        #expect((house.query?.status ?? "none") == status)
        #expect(house.kinds().count { $0 == "incident.opened" } == incidents)
        let opened = house.things.values.compactMap(\.page).count { $0.delivery.page.hasSuffix("/opened") }
        #expect(opened == incidents * 2, "two people are on the team")
        if status == "calm", incidents > 0 { #expect(house.incident(House.queryIncident)?.status == .resolved) }
    }

    @Test("the incident and its page name the query, its release, its share, what was done and until when")
    func words() throws {
        var house = House.guarded()
        try house.decide()
        let incident = try #require(house.incident(House.queryIncident))
        #expect(incident.service == "storefront" && incident.team == "shop" && incident.severity == .high)
        #expect(
            incident.title
                == "A query of release abc1234 overloads database shop: SELECT id FROM posts ORDER BY md5(title) LIMIT $1"
        )
        let until = RFC3339.format(house.now + .minutes(10))
        let summary =
            "Query 00ab12cd34ef5678 (SELECT id FROM posts ORDER BY md5(title) LIMIT $1) of release abc1234 took 95 % of "
            + "the time of the 20 servers of shop, against a budget of 1; the guard holds it to 2 servers at a time and "
            + "cancelled 3 of its statements; it is let in again at \(until) at the earliest"
        #expect(incident.alerts.map(\.summary) == [summary])
        let page = try #require(house.things.values.compactMap(\.page).first { $0.delivery.target.name == "ada" })
        let text = page.delivery.message.lines.joined(separator: "\n")
        #expect(page.delivery.message.title == "[high] \(incident.title) (storefront)")
        for part in [summary, "Query: SELECT id FROM posts", "Release: abc1234."] {
            #expect(text.contains(part), "\(text)")
        }
    }

    @Test("a change of the release that sent the query is the first suspect, and is not proven")
    func suspects() throws {
        var house = House.guarded()
        try house.forceRelease()
        try house.wait(.minutes(40))
        // Newer, of the same service, seen by users: but the query is not its.
        house.changes["newer"] = Change(
            id: "newer", kind: .configuration, service: "storefront", feature: nil, title: "more workers",
            actor: .mainstay, reason: nil, at: house.now - .seconds(5), forced: true)
        try house.decide()
        let incident = try #require(house.incident(House.queryIncident))
        let prime = try #require(incident.prime)
        #expect(prime.change.release == House.release.id)
        #expect(prime.reasons.first == "the query was sent by release abc1234")
        #expect(!prime.isProven && incident.experiments.isEmpty)
        #expect(incident.suspects.map(\.change.id).contains("newer"))
    }

    @Test(
        "a client names its release by the id or the commit",
        arguments: [
            ("storefront-favorites-v2-abc1234", true), ("abc1234", true), ("ABC1234", true), ("abc12345", true),
            ("abc123", false), ("v2", false), ("", false), ("favorites", false), ("zbc1234", false),
        ])
    func releases(name: String, isIt: Bool) {
        let change = Change(
            id: "c", kind: .release, service: "storefront", feature: "favorites", title: "", actor: .mainstay,
            reason: nil, at: .epoch, release: House.release.id)
        #expect(change.isRelease(named: name) == isIt)
    }

    @Test(
        "a program's name before the release stands in the way only when it is another service's",
        arguments: [
            ("storefront@abc1234", true), ("web@abc1234", true), ("a@b@abc1234", true), ("billing@abc1234", false),
            ("storefront@abc9999", false), ("storefront@", false), ("abc1234@storefront", false),
        ])
    func programs(name: String, isIt: Bool) {
        let change = Change(
            id: "c", kind: .release, service: "storefront", feature: "favorites", title: "", actor: .mainstay,
            reason: nil, at: .epoch, release: House.release.id)
        #expect(change.isRelease(named: name, services: ["storefront", "billing"]) == isIt)
    }

    @Test("of releases with one version, the suspect is the one of the service whose program sent the query")
    func sameVersion() throws {
        var house = House.guarded()
        house.policy.services["billing"] = ServicePolicy(name: "billing", team: "shop", features: [:])
        for (service, age) in [("billing", 1), ("storefront", 60)] {
            let change = Change(
                id: "\(service)-1.4.0", kind: .release, service: service, feature: nil,
                title: "\(service) 1.4.0", actor: .mainstay, reason: nil, at: house.now - .minutes(Int64(age)),
                release: "1.4.0")
            house.changes[change.id] = change
        }
        try house.decide(release: "storefront@1.4.0")
        let incident = try #require(house.incident(House.queryIncident))
        let prime = try #require(incident.prime)
        #expect(prime.change.service == "storefront")
        #expect(prime.reasons.first == "the query was sent by release storefront@1.4.0")
        #expect(incident.suspects.filter { $0.reasons.contains { $0.contains("was sent by") } }.count == 1)
    }

    @Test("what is only observed is told in the timeline, seldom, and wakes nobody")
    func observed() throws {
        var house = House.guarded()
        for _ in 0..<15 {
            try house.decide(isObserved: true)
            try house.wait(.seconds(30))
            try house.decide(.released, isObserved: true)
            try house.wait(.seconds(30))
        }
        #expect(house.query?.status == "resting")
        #expect(house.kinds() == ["query.observed", "query.observed"])
        #expect(house.entries[1].text.hasSuffix("(9 more like this since the last line.)"))
        #expect(house.entries[0].text.contains("the guard only observes and would hold it to 2 servers at a time"))
        #expect(house.pagesRequested == 0)
    }

    @Test("what is only observed pages when the policy says so, with the lowest severity")
    func observedPages() throws {
        var house = House.guarded(pagesObserved: true)
        try house.decide(isObserved: true)
        let incident = try #require(house.incident(House.queryIncident))
        #expect(incident.severity == .low && incident.title.hasPrefix("Observed: A query of release abc1234"))
        #expect(house.pagesRequested == 2)
    }

    @Test("a crowd on a good query is an incident only when it stays")
    func crowd() throws {
        var house = House.guarded()
        try house.decide(isCrowd: true)
        try house.wait(.minutes(1))
        #expect(house.incident(House.queryIncident) == nil)
        #expect(house.kinds() == ["query.tripped"])
        try house.wait(.minutes(1))
        let incident = try #require(house.incident(House.queryIncident))
        #expect(incident.severity == .low)
        #expect(incident.title.contains("is called far more often than usual in database shop"))

        var other = House.guarded()
        try other.decide(isCrowd: true)
        try other.wait(.minutes(1))
        try other.decide(.released)
        try other.wait(.minutes(10))
        #expect(other.incident(House.queryIncident) == nil && other.query?.status == "calm")
    }

    @Test("a query that trips again after a person closed its incident opens a new one")
    func closedByHand() throws {
        var house = House.guarded()
        try house.decide()
        try house.apply(
            Subject(.incident, House.queryIncident), .incident(.resolved(reason: "seems fine")),
            by: Actor(.person, "ada"))
        try house.wait(.minutes(2))
        try house.decide(.released)
        try house.decide()
        #expect(house.incident("storefront-database-shop-2")?.status == .triggered)
    }

    @Test("it is over only when the last guard lets it in")
    func several() throws {
        var house = House.guarded()
        try house.decide(place: "a")
        try house.decide(user: "reports", place: "a")
        try house.decide(place: "b")
        try house.decide(.released, place: "a")
        try house.decide(.released, place: "b")
        try house.wait(.minutes(6))
        #expect(house.query?.status == "held" && house.query?.holds.map(\.place) == ["reports@a"])
        try house.decide(.released, user: "reports", place: "a")
        try house.wait(.minutes(6))
        #expect(house.incident(House.queryIncident)?.status == .resolved)
    }

    @Test("a guard of which nothing is heard holds nothing any more; a confirmation keeps its hold, or makes it")
    func silence() throws {
        var house = House.guarded()
        try house.apply(House.querySubject, .query(.confirmed(house.decision(), place: "a")))
        #expect(house.incident(House.queryIncident)?.status == .triggered)
        for _ in 0..<5 {
            try house.wait(.minutes(9))
            try house.apply(House.querySubject, .query(.confirmed(house.decision(), place: "a")))
        }
        #expect(house.query?.status == "held" && house.query?.trips == 1)
        try house.wait(.minutes(10))
        #expect(house.query?.status == "resting" && house.kinds().contains("query.lost"))
        try house.wait(.minutes(5))
        #expect(house.query?.status == "calm")
        #expect(house.incident(House.queryIncident)?.status == .resolved)
    }

    @Test("a flood of decisions is a few lines")
    func bounded() throws {
        var house = House.guarded()
        for number in 0..<600 {
            house.now = house.now + .seconds(1)
            try house.decide(number.isMultiple(of: 2) ? .tripped : .released, user: "u\(number / 2 % 50)")
            try house.decide(.statementCapped)
            try house.decide(.limitHalved)
        }
        let kinds = house.kinds()
        #expect(kinds.count { $0 == "query.tripped" } <= 10 && kinds.count { $0 == "query.released" } <= 10)
        #expect(kinds.count { $0 == "query.capped" } == 1)
        #expect(kinds.count { $0 == "incident.opened" } == 1)
        #expect(kinds.count < 40)
        #expect((house.query?.holds.count ?? 0) <= QueryState.holdLimit)
    }

    @Test("whose team is paged: the service's, else the guard's, else nobody and that is told")
    func desks() throws {
        var own = House.guarded(services: [:], team: "shop")
        try own.decide()
        #expect(own.incident("guard-database-shop-1")?.team == "shop" && own.pagesRequested == 2)
        var any = House.guarded(services: ["*": "storefront"])
        try any.decide()
        #expect(any.incident(House.queryIncident)?.team == "shop")
        var none = House.guarded(services: [:])
        try none.decide()
        #expect(none.kinds().contains("page.impossible"))
        #expect(GuardPolicy().desk(of: "my shop/ü").id == "guard/database-my-shop--")
    }

    @Test("a decision about another query is refused")
    func misfit() throws {
        var house = House.guarded()
        #expect(throws: Refusal.self) {
            try house.apply(Subject(.query, "shop/none"), .query(.decided(house.decision())))
        }
        #expect(throws: Refusal.self) {
            try house.apply(House.querySubject, .query(.confirmed(house.decision(.released))))
        }
    }
}
