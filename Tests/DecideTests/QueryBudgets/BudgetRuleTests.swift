import Decide
import Testing

@Suite("Rules by hand, protection, breakers and caps")
struct BudgetRuleTests {
    private let good = BudgetHouse.good
    private let bad = BudgetHouse.bad

    private func pattern(_ query: UInt64? = nil, user: String? = nil, application: String? = nil) -> ClientPattern {
        ClientPattern(query: query.map { QueryKey(fingerprint: $0) }, user: user, application: application)
    }

    private func rule(_ action: BudgetRule.Action, _ pattern: ClientPattern) -> BudgetRule {
        BudgetRule(action, pattern, reason: "asked by ada", lasts: .minutes(10))
    }

    @Test(
        "a rule concerns the queries, users and applications that it names",
        arguments: [
            (nil, nil, nil, true, true), (2, nil, nil, true, false), (nil, "shop", nil, true, true),
            (nil, "other", nil, false, false), (nil, nil, "web", true, true), (2, "shop", "web", true, false),
            (2, "shop", "batch", false, false),
        ] as [(UInt64?, String?, String?, Bool, Bool)])
    func concerns(query: UInt64?, user: String?, application: String?, bad: Bool, good: Bool) {
        for mode in [BudgetSettings.Mode.observe, .enforce] {
            var house = BudgetHouse(mode: mode)
            _ = house.run(self.bad)
            _ = house.run(self.good)
            let added = house.budgets.addRule(
                rule(.block, pattern(query, user: user, application: application)), now: house.now)
            #expect(added != nil)
            house.client = house.budgets.classify(ClientIdentity(user: "shop", application: "web"))
            let expected = Rejection.Reason.blockedByHand("asked by ada")
            #expect(house.admit(self.bad).rejection?.reason == (bad ? expected : nil))
            #expect(house.admit(self.good).rejection?.reason == (good ? expected : nil))
        }
    }

    @Test("a class is to be asked for again when rules change; a stale one matches no rule about clients")
    func stale() {
        var house = BudgetHouse()
        let version = house.budgets.currentClassVersion()
        #expect(house.client.version == version)
        _ = house.budgets.addRule(rule(.block, pattern(user: "shop")), now: house.now)
        #expect(house.budgets.currentClassVersion() != version)
        #expect(house.admit(good).runs)
        house.client = house.budgets.classify(ClientIdentity(user: "shop"))
        #expect(!house.admit(good).runs)
    }

    @Test("a limit by hand lets so many run, four times as many wait, in order, and the rest not")
    func limit() throws {
        var house = BudgetHouse(mode: .observe)
        _ = house.budgets.addRule(rule(.limit(2), pattern(user: "shop")), now: house.now)
        house.client = house.budgets.classify(ClientIdentity(user: "shop"))
        let first = house.run(good)
        #expect(house.admit(bad).runs)
        for _ in 0..<8 { #expect(house.admit(good).queues) }
        #expect(house.admit(good).rejection?.reason == .limitedByHand("asked by ada"))
        let other = house.budgets.classify(ClientIdentity(user: "other"))
        #expect(house.admit(good, as: other).runs)
        house.finish(first)
        #expect(try house.turn().waiter == 3)
        #expect(house.budgets.next(now: house.now) == nil)
        house.now += 1_100 * ms
        #expect(house.tick().rejected.map(\.waiter) == [4, 5, 6, 7, 8, 9, 10])
    }

    @Test("an allowed query is never a culprit")
    func allow() {
        var house = BudgetHouse()
        _ = house.budgets.addRule(rule(.allow, pattern(BudgetHouse.bad)), now: house.now)
        house.client = house.budgets.classify(ClientIdentity(user: "shop"))
        #expect(house.overload() == nil)
    }

    @Test("a rule ends by itself, and says so")
    func expiry() {
        var house = BudgetHouse()
        _ = house.run(bad)
        _ = house.budgets.addRule(rule(.block, pattern(bad)), now: house.now)
        house.wait(.seconds(599))
        #expect(house.admit(bad).rejection != nil)
        house.wait(.seconds(1))
        #expect(house.admit(bad).runs)
        #expect(house.decisions.map(\.name) == ["statementCapped", "ruleExpired"])
        #expect(house.budgets.rulesInForce.isEmpty)
    }

    @Test("a rule can be taken back, and 64 are the most")
    func most() throws {
        var house = BudgetHouse()
        let ids = (0..<64).map { house.budgets.addRule(rule(.block, pattern(UInt64($0) + 10)), now: 0) }
        #expect(ids.allSatisfy { $0 != nil })
        #expect(house.budgets.addRule(rule(.block, pattern(bad)), now: 0) == nil)
        #expect(house.admit(12).rejection != nil)
        let third = try #require(ids[2])
        let removals = [house.budgets.removeRule(third), house.budgets.removeRule(third)]
        #expect(removals == [true, false])
        #expect(house.admit(12).runs)
        #expect(house.admit(13).rejection != nil)
    }

    @Test("protected clients always find the last fifth of the slots free")
    func reserve() {
        var house = BudgetHouse { $0.protected = [ClientPattern(application: "checkout")] }
        let checkout = house.budgets.classify(ClientIdentity(user: "shop", application: "checkout"))
        for _ in 0..<8 { #expect(house.admit(good).runs) }
        #expect(house.admit(good).queues)
        #expect(house.admit(good, as: checkout).runs)
        #expect(house.admit(good, as: checkout).runs)
        #expect(house.admit(good, as: checkout).queues)
    }

    // MARK: 7. Breaker

    private func fail(_ house: inout BudgetHouse, _ outcome: StatementOutcome, times: Int) {
        for _ in 0..<times {
            let token = house.run(bad)
            house.finish(token, outcome)
        }
    }

    @Test(
        "a query that keeps failing for want of room is kept out, and probed",
        arguments: [("57014", true), ("53200", true), ("23505", false)])
    func breaker(code: String, opens: Bool) throws {
        var house = BudgetHouse()
        fail(&house, .failed(try #require(SQLStateCode(code))), times: 20)
        #expect(house.admit(bad).rejection?.reason == (opens ? .breakerOpen : nil))
        #expect(house.admit(good).runs)
        house.wait(.milliseconds(2_100))
        #expect(house.decisions.map(\.name) == (opens ? ["breakerOpened", "breakerHalfOpen"] : []))
    }

    @Test("three probes that succeed close it; a fourth call waits for them outside")
    func probes() throws {
        var house = BudgetHouse()
        fail(&house, .failed(try #require(SQLStateCode("53300"))), times: 20)
        house.wait(.milliseconds(2_100))
        let probes = (0..<3).map { _ in house.run(bad) }
        #expect(house.admit(bad).rejection?.reason == .breakerOpen)
        probes.forEach { house.finish($0) }
        #expect(house.admit(bad).runs)
        #expect(house.tick().decisions.map(\.name) == ["breakerClosed"])
    }

    @Test(
        "what the guard or the client cancelled, and clients that left, open nothing",
        arguments: [StatementOutcome.cancelledByGuard, .cancelledByClient, .clientGone])
    func ownCancels(outcome: StatementOutcome) {
        var house = BudgetHouse()
        fail(&house, outcome, times: 100)
        #expect(house.admit(bad).runs)
    }

    @Test("in observe mode an open breaker turns nobody away")
    func breakerObserved() throws {
        var house = BudgetHouse(mode: .observe)
        fail(&house, .failed(try #require(SQLStateCode("57014"))), times: 20)
        #expect(house.admit(bad).runs)
        #expect(house.tick().decisions.map(\.name) == ["breakerWouldOpen"])
    }

    // MARK: 8. Hard caps

    @Test(
        "a statement is cancelled after thirty seconds, once; COPY and maintenance are not",
        arguments: [
            (StatementKind.select, 1), (.write, 1), (.copy, 0), (.maintenance, 0), (.transactionControl, 0),
        ])
    func statementCap(kind: StatementKind, expected: Int) {
        var house = BudgetHouse()
        let token = house.run(bad, kind)
        let early = house.wait(.milliseconds(29_900))
        #expect(early.allSatisfy { $0.cancel.isEmpty })
        let late = house.wait(.seconds(10))
        #expect(late.flatMap(\.cancel) == Array(repeating: token, count: expected))
        #expect(house.count("statementCapped") == expected)
    }

    @Test("a transaction that is idle for thirty seconds is ended, once")
    func idleCap() {
        var house = BudgetHouse()
        let token = house.run(good)
        house.wait(.seconds(10))
        house.budgets.statementEnded(token, .succeeded, now: house.now)
        let early = house.wait(.milliseconds(29_900))
        #expect(early.allSatisfy { $0.endIdle.isEmpty })
        let late = house.wait(.seconds(10))
        #expect(late.flatMap(\.endIdle) == [token])
    }

    @Test("in observe mode caps are only told")
    func capsObserved() {
        var house = BudgetHouse(mode: .observe)
        _ = house.run(bad)
        let early = house.wait(.seconds(40))
        #expect(early.allSatisfy { $0.cancel.isEmpty })
        #expect(house.count("wouldCapStatement") == 1)
    }

    @Test(
        "a large result is told once a minute",
        arguments: [(100_000, 0, 0), (100_001, 0, 1), (1, 256 << 20, 0), (1, 256 << 20 + 1, 1)] as [(Int64, Int64, Int)]
    )
    func large(rows: Int64, bytes: Int64, expected: Int) {
        var house = BudgetHouse()
        for _ in 0..<5 {
            let token = house.run(good)
            house.budgets.finished(token, StatementResult(.succeeded, rows: rows, bytes: bytes), now: house.now)
        }
        _ = house.tick()
        #expect(house.count("largeResult") == expected)
    }
}
