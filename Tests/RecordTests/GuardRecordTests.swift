import Decide
import Record
import SQL
import TestSupport
import Testing

@Suite("What guards decide, and rules for them, on both databases")
struct GuardRecordTests {
    private static func policy() -> Policy {
        var policy = Policy.shop
        policy.guarded = GuardPolicy(services: ["shop": "storefront"])
        return policy
    }

    private static func decision(_ kind: QueryDecision.Kind, at now: Instant, user: String = "app") -> QueryDecision {
        QueryDecision(
            kind: kind, at: now, database: "shop", user: user, query: QueryKey(fingerprint: 7), text: "SELECT $1",
            release: "abc1234", share: 0.9, limit: 1, slots: 20, until: now + .minutes(10))
    }

    @Test("a query's hold, its incident, pages and deadline are written together", arguments: TestDriver.available)
    func held(driver: TestDriver) async throws {
        try await withRecord(driver, policy: Self.policy()) { record, clock, _ in
            let trip = Self.decision(.tripped, at: clock.now)
            let subject = QueryState.subject(of: trip)
            try await record.apply(subject, .query(.decided(trip, place: "a")), by: .mainstay)
            let incident = try #require(try await record.incident("storefront-database-shop-1"))
            #expect(incident.alerts.first?.query == trip)
            let kinds = try await record.timeline().map(\.entry.kind)
            #expect(kinds == ["query.tripped", "incident.opened"])
            let pages = try await record.claim(.act, owner: "a", lease: .seconds(10), limit: 10)
            #expect(pages.map(\.key) == ["deliver/storefront-database-shop-1/ada/email/opened"])
            #expect(try await record.things(.query, statuses: ["held"]).map(\.id) == ["shop/0000000000000007"])
            clock.advance(.minutes(1))
            let end = Self.decision(.released, at: clock.now)
            try await record.apply(subject, .query(.decided(end, place: "a")), by: .mainstay)
            clock.advance(QueryState.rest)
            #expect(try await record.overdue().contains(subject))
            try await record.apply(subject, .deadlineReached, by: .mainstay)
            #expect(try await record.incident(incident.id)?.status == .resolved)
            #expect(try await record.query("shop", QueryKey(fingerprint: 7))?.status == "calm")
        }
    }

    @Test("several guards that hold one query at once are one incident", arguments: TestDriver.available)
    func several(driver: TestDriver) async throws {
        try await withRecord(driver, policy: Self.policy()) { record, clock, place in
            let (policy, now) = (record.policy, clock.now)
            let other = Record(database: try openDatabase(place.location), policy: policy, now: { now })
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<12 {
                    let chosen = number.isMultiple(of: 2) ? record : other
                    let trip = Self.decision(.tripped, at: now, user: "u\(number)")
                    group.addTask {
                        try await chosen.apply(
                            QueryState.subject(of: trip), .query(.decided(trip, place: "g\(number)")), by: .mainstay)
                    }
                }
                try await group.waitForAll()
            }
            await other.database.close()
            let query = try #require(try await record.query("shop", QueryKey(fingerprint: 7)))
            #expect(query.holds.count == 12 && query.trips == 12)
            #expect(try await record.things(.incident).count == 1)
        }
    }

    @Test("rules are kept, signalled and ended", arguments: TestDriver.available)
    func rules(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            #expect(try await record.guardRules() == GuardRules())
            let signals = record.signals.stream()
            let rule = BudgetRule(.limit(2), ClientPattern(user: "app"), reason: "the sale", lasts: .zero)
            let until = clock.now + .hours(1)
            try await record.apply(
                GuardRules.subject, .guardRules(.added(rule, until: until)), by: Actor(.person, "ada"))
            #expect(await signals.contains(.guardRules))
            let kept = try await record.guardRules()
            #expect(kept.rules.map(\.createdBy) == ["ada"] && kept.rules.first?.rule.lasts == .hours(1))
            #expect(try await record.nextDeadline() == until)
            clock.advance(.hours(1))
            try await record.apply(record.overdue()[0], .deadlineReached, by: .mainstay)
            let after = try await record.guardRules()
            #expect(after.rules.isEmpty && after.version > kept.version)
            #expect(try await record.timeline().map(\.entry.kind) == ["rule.added", "rule.ended"])
        }
    }
}
