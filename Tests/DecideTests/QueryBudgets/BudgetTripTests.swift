import Decide
import Testing

@Suite("Query budgets under pressure")
struct BudgetTripTests {
    private let good = BudgetHouse.good
    private let bad = BudgetHouse.bad

    // MARK: 2. Pressure

    @Test("a full pool without anybody else waiting is no pressure")
    func alone() {
        var house = BudgetHouse()
        for _ in 0..<30 { _ = house.admit(bad) }
        house.wait(.seconds(20))
        #expect(house.decisions.isEmpty)
    }

    @Test("others that wait for a moment only are no pressure")
    func shortWaits() throws {
        var house = BudgetHouse()
        for _ in 0..<9 { _ = house.run(bad) }
        for _ in 0..<200 {
            let first = house.run(good)
            #expect(house.admit(good).queues)
            house.now += 4 * ms
            house.finish(first)
            let turn = try house.turn()
            house.now += 96 * ms
            house.finish(turn.token)
            _ = house.tick()
        }
        #expect(house.decisions.isEmpty)
    }

    @Test("a pool that is not nearly full is no pressure, however long its queries run")
    func notFull() {
        var house = BudgetHouse()
        for _ in 0..<7 { _ = house.run(bad) }
        house.wait(.seconds(20))
        #expect(house.decisions.isEmpty)
    }

    @Test("it takes two seconds")
    func twoSeconds() throws {
        var house = BudgetHouse()
        let report = try house.overloaded()
        #expect(report.decisions.map(\.name) == ["tripped"])
        #expect((2_000...2_300).contains(house.now / ms))
    }

    // MARK: 3 and 4. Culprit and trip

    @Test("the culprit is held to a twentieth of the slots, its old SELECTs are cancelled, its waiters turned away")
    func trips() throws {
        var house = BudgetHouse(slots: 20)
        let report = try house.overloaded()
        let trip = try #require(report.decisions.first?.trip)
        #expect(report.decisions.first?.query == QueryKey(fingerprint: bad))
        #expect(report.decisions.first?.release == "v1")
        #expect(trip.limit == 1 && trip.baseline == 2 && trip.usage == 20 && trip.shareOfSlots == 1)
        #expect(trip.cancelled.count == 19 && report.cancel == trip.cancelled)
        #expect(trip.until == house.now + 600 * second)
        #expect(report.rejected.count == 6)
        #expect(report.rejected.allSatisfy { $0.rejection.reason == .overBudget })
        #expect(house.admit(bad).rejection?.reason == .overBudget)
        #expect(house.admit(good).queues)
    }

    @Test("budgets that hold a query back say so")
    func holdsBack() throws {
        var house = BudgetHouse(slots: 20)
        _ = try house.overloaded()
        #expect(house.budgets.holdsBack)
        let isLetIn = house.budgets.releaseQuery(QueryKey(fingerprint: bad), now: house.now)
        #expect(isLetIn)
        #expect(!house.budgets.holdsBack)
    }

    @Test("a cancelled slot serves the others, and the culprit only up to its limit")
    func serves() throws {
        var house = BudgetHouse(slots: 20)
        let report = try house.overloaded()
        for token in report.cancel { house.finish(token, .cancelledByGuard) }
        var served: [Int] = []
        while let turn = house.budgets.next(now: house.now) { served.append(turn.waiter) }
        #expect(house.status(bad)?.inFlight == 1)
        #expect(served.count == house.budgets.busySlots - 1)
        #expect(house.status(good)?.queued == max(0, 21 - 19))
        let freed = house.run(good)
        #expect(freed.index == -1)
    }

    @Test("nothing is cancelled twice, and what was too young is cancelled when it is a second old")
    func later() throws {
        var house = BudgetHouse(slots: 20)
        for _ in 0..<16 { _ = house.run(bad) }
        house.wait(.milliseconds(1_500))
        let young = (0..<4).map { _ in house.run(bad) }
        for _ in 0..<5 { _ = house.admit(good) }
        house.wait(.milliseconds(500))
        #expect(house.decisions.isEmpty)
        var cancelled = house.wait(.milliseconds(100)).flatMap(\.cancel)
        #expect(cancelled.count == 16 && !cancelled.contains { young.contains($0) })
        for report in house.wait(.seconds(1)) { cancelled += report.cancel }
        #expect(cancelled.count == 19 && Set(cancelled).count == 19)
        #expect(cancelled.filter { young.contains($0) } == Array(young.prefix(3)))
        #expect(house.count("cancelled") == 1)
    }

    @Test("a query that usually takes long is cancelled when it takes ten times as long as its slowest")
    func usuallySlow() throws {
        var house = BudgetHouse { $0.learningTime = .zero }
        for _ in 0..<120 {
            let token = house.run(bad)
            house.now += 400 * ms
            house.finish(token)
            house.wait(.milliseconds(600))
        }
        let start = house.now
        let report = try house.overloaded()
        #expect(report.decisions.map(\.name) == ["tripped"] && report.cancel.isEmpty)
        var cancelledAt: Int64?
        for _ in 0..<60 where cancelledAt == nil {
            if house.wait(.milliseconds(100)).contains(where: { !$0.cancel.isEmpty }) { cancelledAt = house.now }
        }
        #expect((3_900...5_000).contains(((cancelledAt ?? 0) - start) / ms))
    }

    @Test("writes are not cancelled, unless that was asked for", arguments: [(false, 0), (true, 9)])
    func writes(opted: Bool, expected: Int) throws {
        var house = BudgetHouse {
            $0.cancelsWrites = opted
            $0.learningTime = .zero
        }
        let report = try house.overloaded(.write)
        #expect(report.decisions.map(\.name) == ["tripped"])
        #expect(report.cancel.count == expected)
        #expect(house.admit(bad, .write).rejection?.reason == .overBudget)
    }

    @Test(
        "COPY is counted and limited, and cancelled only when that was asked for", arguments: [(false, 0), (true, 9)])
    func copies(opted: Bool, expected: Int) throws {
        var house = BudgetHouse {
            $0.cancelsCopies = opted
            $0.learningTime = .zero
        }
        #expect(try house.overloaded(.copy).cancel.count == expected)
    }

    @Test("a SELECT in a transaction that has written is not cancelled, in one that has only read it is")
    func transactions() throws {
        var house = BudgetHouse()
        var reading: [SlotToken] = []
        for slot in 0..<10 {
            let token = house.begin()
            #expect(house.statement(token, slot < 5 ? 3 : good, slot < 5 ? .write : .select) == .run)
            house.budgets.statementEnded(token, .succeeded, now: house.now)
            #expect(house.statement(token, bad) == .run)
            if slot >= 5 { reading.append(token) }
        }
        var cancelled: [SlotToken] = []
        for _ in 0..<30 {
            _ = house.admit(7)
            house.now += 100 * ms
            cancelled += house.tick().cancel
        }
        #expect(Set(cancelled) == Set(reading))
    }

    @Test("one culprit a second, the worst first")
    func oneASecond() {
        var house = BudgetHouse(slots: 20)
        for _ in 0..<12 { _ = house.run(bad) }
        for _ in 0..<8 { _ = house.run(3) }
        var trips: [(at: Int64, query: UInt64)] = []
        for _ in 0..<60 {
            _ = house.admit(good)
            house.now += 100 * ms
            for decision in house.tick().decisions where decision.trip != nil {
                trips.append((house.now, decision.query?.fingerprint ?? 0))
            }
        }
        #expect(trips.map(\.query) == [bad, 3])
        #expect(trips.count == 2 && trips[1].at - trips[0].at >= second)
    }

    @Test("waits from before a trip convict nobody after it")
    func oldWaits() throws {
        var house = BudgetHouse(slots: 20)
        for _ in 0..<12 { _ = house.run(bad) }
        for _ in 0..<7 { _ = house.run(3) }
        var running = house.run(good)
        var cancelled: [SlotToken] = []
        while cancelled.isEmpty, house.now < 10 * second {
            #expect(house.admit(good).queues)
            house.now += 50 * ms
            house.finish(running)
            running = try house.turn().token
            house.now += 50 * ms
            cancelled = house.tick().cancel
        }
        for token in cancelled { house.finish(token, .cancelledByGuard) }
        for _ in 0..<8 { #expect(house.admit(4).runs) }
        house.wait(.seconds(5))
        #expect(try #require(house.status(3)).usage == 7)
        #expect(house.budgets.busySlots >= 16)
        #expect(house.count("tripped") == 1)
    }

    @Test("protected queries and clients are never a culprit")
    func protected() {
        let pattern = ClientPattern(query: QueryKey(fingerprint: bad))
        for patterns in [[pattern], [ClientPattern(user: "shop")]] {
            var house = BudgetHouse { $0.protected = patterns }
            #expect(house.overload() == nil)
        }
    }

    // MARK: 11. Modes

    @Test("observe decides the same, and does nothing")
    func observe() throws {
        var house = BudgetHouse(mode: .observe, slots: 20)
        let report = try house.overloaded()
        let decision = try #require(report.decisions.first)
        #expect(decision.name == "wouldTrip" && decision.isObserved)
        #expect(try #require(decision.trip).cancelled.count == 19)
        #expect(report.cancel.isEmpty && report.rejected.isEmpty)
        #expect(house.admit(bad).queues)
        #expect(decision.explanation.hasPrefix("Observed only, nothing was done: Query 0000000000000002"))
    }

    @Test("off decides nothing")
    func off() {
        var house = BudgetHouse(mode: .off)
        #expect(house.overload() == nil)
    }

    @Test("a change to observe lifts the limits, back to enforce sets them again")
    func modes() throws {
        var house = BudgetHouse(slots: 20)
        _ = try house.overloaded()
        #expect(house.admit(bad).rejection != nil)
        var settings = house.budgets.settings
        settings.mode = .observe
        house.budgets.apply(settings)
        #expect(house.admit(bad).queues)
        settings.mode = .enforce
        house.budgets.apply(settings)
        #expect(house.admit(bad).rejection != nil)
    }

    @Test("another release, or a person, lifts the limit")
    func lifted() throws {
        for byHand in [false, true] {
            var house = BudgetHouse(slots: 20)
            _ = try house.overloaded()
            if byHand {
                let released = house.budgets.releaseQuery(QueryKey(fingerprint: bad), now: house.now)
                #expect(released)
            } else {
                house.budgets.releaseStarted("v2", now: house.now)
            }
            #expect(house.admit(bad).queues)
            #expect(house.tick().decisions.first?.what == .released(byHand ? .byHand : .releaseChanged))
        }
    }
}
