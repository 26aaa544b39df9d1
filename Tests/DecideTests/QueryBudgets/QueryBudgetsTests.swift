import Decide
import Testing

/// One event, one expected action a line, for the numbered points of the budgets.
@Suite("Query budgets")
struct QueryBudgetsTests {
    private let good = BudgetHouse.good
    private let bad = BudgetHouse.bad

    // MARK: Admission

    @Test("slots are given while there are any, then clients wait, then whoever waits is next")
    func slots() throws {
        var house = BudgetHouse(slots: 2)
        let first = house.run(good)
        #expect(house.admit(good).runs)
        let waiting = house.admit(good)
        #expect(waiting.queues)
        #expect(house.budgets.next(now: house.now) == nil)
        house.finish(first)
        let turn = try house.turn()
        #expect(turn.waiter == 3)
        #expect(turn.token.index == first.index && turn.token != first)
        #expect(house.budgets.next(now: house.now) == nil)
    }

    @Test("a token that came back already does nothing")
    func staleToken() {
        var house = BudgetHouse(slots: 2)
        let token = house.run(good)
        house.finish(token)
        house.finish(token)
        house.budgets.statementEnded(token, .succeeded, now: house.now)
        house.budgets.abandoned(token, now: house.now)
        #expect(house.budgets.busySlots == 0)
        #expect(house.run(good).index >= 0)
        #expect(house.budgets.busySlots == 1)
    }

    @Test("a waiting client that goes away is forgotten")
    func goesAway() throws {
        var house = BudgetHouse(slots: 1)
        let token = house.run(good)
        let handle = try #require(house.admit(good).handle)
        #expect(house.budgets.removeWaiter(handle, now: house.now) == 2)
        #expect(house.budgets.removeWaiter(handle, now: house.now) == nil)
        house.finish(token)
        #expect(house.budgets.next(now: house.now) == nil)
    }

    @Test("a slot for which no server could be had counts nothing")
    func abandoned() {
        var house = BudgetHouse(slots: 1)
        let token = house.run(good)
        house.now += second
        house.budgets.abandoned(token, now: house.now)
        _ = house.tick()
        #expect(house.status(good)?.calls == 0 && house.budgets.busySlots == 0)
    }

    // MARK: 1. Accounting

    @Test("usage is slot-seconds a second, with the ages of what is still running")
    func usage() throws {
        var house = BudgetHouse()
        let tokens = (0..<3).map { _ in house.run(good) }
        house.wait(.seconds(1))
        #expect(try #require(house.status(good)).usage == 3)
        tokens.forEach { house.finish($0) }
        house.wait(.seconds(1))
        #expect(try #require(house.status(good)).usage == 0)
        #expect(try #require(house.status(good)).calls == 3)
    }

    @Test("connecting to the server is not the query's time")
    func connecting() throws {
        var house = BudgetHouse()
        let token = house.run(good)
        house.now += 900 * ms
        house.budgets.started(token, now: house.now)
        house.now += 100 * ms
        house.finish(token)
        _ = house.tick()
        #expect(abs(try #require(house.status(good)).usage - 0.1) < 0.001)
    }

    @Test("a transaction's idle time belongs to its first statement, a statement's own time to itself")
    func idleTime() throws {
        var house = BudgetHouse()
        let token = house.run(good)
        house.now += 100 * ms
        house.budgets.statementEnded(token, .succeeded, now: house.now)
        house.now += 500 * ms
        #expect(house.statement(token, bad) == .run)
        house.now += 300 * ms
        house.finish(token)
        house.now += 100 * ms
        _ = house.tick()
        #expect(abs(try #require(house.status(good)).usage - 0.6) < 0.001)
        #expect(abs(try #require(house.status(bad)).usage - 0.3) < 0.001)
    }

    @Test("a transaction that begins with BEGIN belongs to its first other statement")
    func adopted() throws {
        var house = BudgetHouse()
        let token = house.begin()
        #expect(house.statement(token, good) == .run)
        #expect(house.status(good)?.inFlight == 1)
        house.now += 200 * ms
        house.budgets.statementEnded(token, .succeeded, now: house.now)
        house.now += 300 * ms
        house.finish(token)
        house.now += 500 * ms
        _ = house.tick()
        #expect(abs(try #require(house.status(good)).usage - 0.5) < 0.001)
        #expect(house.status(good)?.inFlight == 0)
    }

    @Test("the budget is twice the usual usage, at least one slot, and a new query's is a tenth of the slots")
    func baseline() throws {
        var house = BudgetHouse(slots: 30)
        _ = house.run(good)
        _ = house.tick()
        #expect(house.status(good)?.baseline == 3)
        for _ in 0..<4 { _ = house.run(bad) }
        for _ in 0..<70 {
            house.now += second
            _ = house.tick()
        }
        #expect(abs(try #require(house.status(bad)).baseline - 8) < 0.3)
        #expect(abs(try #require(house.status(good)).baseline - 2) < 0.1)
    }

    @Test("a release freezes budgets, and what it brings is new; proven, its traffic counts")
    func freeze() throws {
        var house = BudgetHouse(slots: 30)
        house.learn(good, seconds: 70)
        #expect(house.status(good)?.baseline == 1)
        house.budgets.releaseStarted("v2", now: house.now)
        for _ in 0..<5 { _ = house.run(good) }
        for _ in 0..<5 { _ = house.run(bad) }
        for _ in 0..<200 {
            house.now += second
            _ = house.tick()
        }
        #expect(house.status(good)?.baseline == 1)
        #expect(house.status(bad)?.baseline == 3)
        house.budgets.releaseProven()
        #expect(abs(try #require(house.status(good)).baseline - 10) < 0.3)
        #expect(abs(try #require(house.status(bad)).baseline - 10) < 0.3)
    }

    @Test("the freeze ends by itself after seven days")
    func freezeEnds() throws {
        var house = BudgetHouse(slots: 30)
        house.budgets.releaseStarted("v2", now: house.now)
        let tokens = (0..<5).map { _ in house.run(bad) }
        for _ in 0..<100 {
            house.now += second
            _ = house.tick()
        }
        #expect(house.status(bad)?.baseline == 3)
        tokens.forEach { house.finish($0) }
        house.now += 6 * 86_400 * second
        _ = house.tick()
        #expect(house.status(bad)?.baseline == 3)
        house.now += 86_400 * second
        for _ in 0..<5 { _ = house.run(bad) }
        for _ in 0..<70 {
            house.now += second
            _ = house.tick()
        }
        #expect(try #require(house.status(bad)).baseline > 9)
    }

    @Test("past the bound queries share one account, which is never a culprit; idle ones make room")
    func tracked() {
        var house = BudgetHouse(slots: 30) { $0.trackedQueries = 4 }
        let held = (10..<14).map { house.run(UInt64($0)) }
        #expect(house.run(20).index >= 0)
        #expect(house.status(20) == nil && house.budgets.untrackedQueries == 1)
        held.forEach { house.finish($0) }
        _ = house.run(21)
        #expect(house.status(21) != nil)
        #expect(house.budgets.queries.count == 4)
    }

    @Test("baselines come back after a restart, and there is nothing to learn first")
    func restart() throws {
        var house = BudgetHouse(slots: 30)
        for _ in 0..<4 { _ = house.run(bad) }
        for _ in 0..<70 {
            house.now += second
            _ = house.tick()
        }
        let records = house.budgets.exportBaselines(now: house.now)
        #expect(records.map(\.query.fingerprint) == [bad])
        var restarted = BudgetHouse(slots: 30)
        restarted.budgets.restoreBaselines(records, now: 0)
        #expect(abs(try #require(restarted.status(bad)).baseline - 8) < 0.3)
        #expect(restarted.run(bad).index >= 0)
    }

    // MARK: Point 9: never inside a transaction

    @Test("a statement inside a transaction is never turned away, but the first after BEGIN may be")
    func insideTransactions() {
        var house = BudgetHouse()
        let inside = house.begin()
        #expect(house.statement(inside, good) == .run)
        house.budgets.statementEnded(inside, .succeeded, now: house.now)
        let begun = house.begin()
        let rule = BudgetRule(.block, ClientPattern(query: QueryKey(fingerprint: bad)), reason: "x", lasts: .hours(1))
        #expect(house.budgets.addRule(rule, now: house.now) != nil)
        #expect(house.statement(inside, bad) == .run)
        guard case .reject(let rejection) = house.statement(begun, bad) else {
            Issue.record("it was not turned away")
            return
        }
        #expect(rejection.reason == .blockedByHand("x"))
    }

    @Test("transactions that begin with BEGIN pay for all their slot time, so that short queries pass between them")
    func pays() throws {
        var house = BudgetHouse(slots: 1)
        let first = house.run(good)
        for _ in 0..<5 {
            let begun = house.beginAtOnce()
            #expect(!begun)
            for _ in 0..<6 { #expect(house.admit(good).queues) }
        }
        house.finish(first)
        var order: [Bool] = []
        while let turn = house.budgets.next(now: house.now) {
            let isTransaction = (turn.waiter - 2) % 7 == 0
            order.append(isTransaction)
            if isTransaction {
                house.budgets.statementEnded(turn.token, .succeeded, now: house.now)
                #expect(house.statement(turn.token, bad) == .run)
                house.now += 100 * ms
            } else {
                house.now += ms
            }
            house.finish(turn.token)
        }
        #expect(order.count == 35)
        let firstTransaction = try #require(order.firstIndex(of: true))
        #expect(order[(firstTransaction + 1)...].prefix(20).allSatisfy { !$0 })
    }

    @Test("a BEGIN waits in the turn of what its client's last transaction was, not behind the slow ones of others")
    func expected() throws {
        var house = BudgetHouse(slots: 1)
        let slow = house.run(bad)
        house.now += second
        house.finish(slow)
        let quick = house.run(good)
        for _ in 0..<5 { #expect(house.wantsToBegin(expecting: bad).queues) }
        #expect(house.wantsToBegin(expecting: good).queues)
        house.now += ms
        house.finish(quick)
        #expect(try house.turn().waiter == house.lastWaiter)
    }

    @Test("a BEGIN is not turned away for what is only expected of it, and belongs to what it turns out to be")
    func expectedWrongly() throws {
        var house = BudgetHouse(slots: 10)
        let tokens = (0..<10).map { _ in house.run(bad) }
        while house.status(bad)?.limit == nil {
            #expect(house.admit(good).queues)
            house.now += 100 * ms
            _ = house.tick()
        }
        // More than a limited query may have waiting.
        for _ in 0..<20 { #expect(house.wantsToBegin(expecting: bad).queues) }
        let first = house.lastWaiter - 19
        for token in tokens { house.finish(token) }
        var turns: [Turn] = []
        while let turn = house.budgets.next(now: house.now) {
            if turn.waiter < first { house.finish(turn.token) } else { turns.append(turn) }
        }
        #expect(turns.count == 10)
        let begun = try #require(turns.first).token
        house.budgets.statementEnded(begun, .succeeded, now: house.now)
        #expect(house.statement(begun, good) == .run)
        #expect(house.status(good)?.inFlight == 1)
        house.finish(begun)
        #expect(house.status(good)?.inFlight == 0)
    }

    // MARK: Point 11

    @Test("a rejection has the words and the SQLSTATE that were agreed")
    func words() {
        let rejection = Rejection(QueryKey(fingerprint: 0xAB), .overBudget)
        #expect(rejection.message == "[mainstay] query 00000000000000ab is over its budget; retry after 5 s")
        #expect(Rejection.sqlState == "53000")
        #expect(Rejection.severity == "ERROR")
    }
}
