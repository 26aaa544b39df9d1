import Testing

@testable import Decide

@Suite("Trip and recovery")
struct TripTests {
    private let settings = BudgetSettings(slots: 20, mode: .enforce)

    private func trip(_ baseline: Double = 5, isCrowd: Bool = false) -> Trip {
        Trip(baseline: baseline, isCrowd: isCrowd, now: 0, settings: settings)
    }

    private func passed(
        _ seconds: Int64, pressed: Bool = false, others: Trip.Others = .usual, demand: Double = 30,
        turnedAway: Int = 1
    ) -> Trip.Second {
        Trip.Second(
            now: seconds * second, isPressed: pressed, others: others, demand: demand, turnedAway: turnedAway)
    }

    @Test(
        "the limit is max(1, min(⌈B⌉, ⌊P/20⌋))",
        arguments: [(20, 5.0, 1), (20, 1.0, 1), (40, 1.2, 2), (100, 4.5, 5), (200, 40.0, 10), (5, 3.0, 1), (1, 1.0, 1)])
    func limit(slots: Int, baseline: Double, expected: Int) {
        let settings = BudgetSettings(slots: slots, mode: .enforce)
        #expect(Trip(baseline: baseline, now: 0, settings: settings).limit == expected)
    }

    @Test("the budget of a new query is max(1, ⌈0.1·P⌉)", arguments: [(20, 2.0), (21, 3.0), (5, 1.0), (1, 1.0)])
    func newQuery(slots: Int, expected: Double) {
        #expect(BudgetSettings(slots: slots).newQueryBudget == expected)
    }

    @Test("five seconds without pressure raise it by one, and four do not")
    func raises() {
        var trip = trip()
        for at in 1...4 as ClosedRange<Int64> { #expect(trip.secondPassed(passed(at), settings: settings) == .none) }
        #expect(trip.secondPassed(passed(5), settings: settings) == .raise(to: 2))
        #expect(trip.secondPassed(passed(9), settings: settings) == .none)
        #expect(trip.secondPassed(passed(10), settings: settings) == .raise(to: 3))
    }

    @Test("it does not rise while others are slower than usual, nor where that is not known")
    func slowed() {
        var trip = trip()
        #expect(trip.secondPassed(passed(5, others: .slowed), settings: settings) == .none)
        #expect(trip.secondPassed(passed(6, others: .unknown), settings: settings) == .none)
        #expect(trip.secondPassed(passed(7), settings: settings) == .raise(to: 2))
    }

    /// With a limit of ten.
    private func risen(_ baseline: Double = 9) -> Trip {
        var trip = trip(baseline)
        for at in 1...45 as ClosedRange<Int64> { _ = trip.secondPassed(passed(at), settings: settings) }
        #expect(trip.limit == 10)
        return trip
    }

    @Test("pressure halves it, down to one")
    func halves() {
        var trip = risen()
        #expect(trip.secondPassed(passed(47, pressed: true), settings: settings) == .lower(to: 5))
        #expect(trip.secondPassed(passed(48, pressed: true), settings: settings) == .lower(to: 2))
        #expect(trip.secondPassed(passed(49, pressed: true), settings: settings) == .lower(to: 1))
        #expect(trip.secondPassed(passed(50, pressed: true), settings: settings) == .none)
    }

    @Test("others that are slowed for more than a moment halve it too")
    func halvesForOthers() {
        var trip = risen()
        #expect(trip.secondPassed(passed(47, others: .slowed), settings: settings) == .none)
        #expect(trip.secondPassed(passed(48, others: .slowed), settings: settings) == .lower(to: 5))
        #expect(trip.secondPassed(passed(49), settings: settings) == .none)
        #expect(trip.secondPassed(passed(50, others: .slowed), settings: settings) == .none)
        #expect(trip.secondPassed(passed(51, others: .slowed), settings: settings) == .lower(to: 2))
    }

    @Test("what the budget allows stays whoever is slow, and a crowd is not the reason")
    func keepsItsRight() {
        var (runaway, crowd) = (risen(), trip(isCrowd: true))
        for at in 47...60 as ClosedRange<Int64> {
            _ = runaway.secondPassed(passed(at, others: .slowed, demand: 5), settings: settings)
            _ = crowd.secondPassed(passed(at, others: .slowed), settings: settings)
        }
        #expect(runaway.limit == 10)
        #expect(crowd.limit == 15)
    }

    @Test("each halving doubles the wait for the next rise, up to a minute; each rise that was borne halves it")
    func backsOff() {
        var trip = risen()
        var at: Int64 = 46
        func halve() { at += 2; _ = trip.secondPassed(passed(at, pressed: true), settings: settings) }
        func secondsToRise() -> Int64 {
            for waited in 1...100 as ClosedRange<Int64> {
                at += 1
                if case .raise = trip.secondPassed(passed(at), settings: settings) { return waited }
            }
            return 0
        }
        halve()
        #expect(secondsToRise() == 10)
        halve()
        #expect(secondsToRise() == 20)
        for _ in 1...6 {
            halve()
            _ = secondsToRise()
        }
        halve()
        #expect([secondsToRise(), secondsToRise(), secondsToRise(), secondsToRise()] == [60, 60, 30, 15])
    }

    @Test("it stops at half of the slots while the query asks for more than its budget")
    func ceiling() {
        var trip = trip()
        for at in 1...300 as ClosedRange<Int64> { _ = trip.secondPassed(passed(at), settings: settings) }
        #expect(trip.limit == 10)
    }

    @Test("two seconds of a demand within the budget give it the whole budget")
    func fits() {
        var trip = trip(8)
        #expect(trip.secondPassed(passed(1, demand: 4), settings: settings) == .none)
        #expect(trip.secondPassed(passed(2, demand: 4), settings: settings) == .none)
        #expect(trip.secondPassed(passed(3, demand: 4), settings: settings) == .raise(to: 8))
    }

    @Test("one second over the budget starts the two seconds again")
    func fitsAnew() {
        var trip = trip(8)
        for (at, demand) in [(1, 4.0), (2, 9), (3, 4), (4, 4)] {
            #expect(trip.secondPassed(passed(Int64(at), demand: demand), settings: settings) == .none)
        }
        #expect(trip.secondPassed(passed(5, demand: 4), settings: settings) == .raise(to: 8))
    }

    @Test("released after ten minutes, but not while it is still turned away")
    func release() {
        var trip = trip()
        _ = trip.secondPassed(passed(598), settings: settings)
        #expect(trip.secondPassed(passed(600), settings: settings) != .release(.timeServed))
        #expect(trip.secondPassed(passed(606, turnedAway: 0), settings: settings) == .release(.timeServed))
    }

    @Test("released when it may use every slot")
    func unlimited() {
        var trip = trip(19)
        var last = Trip.Action.none
        for at in 1...200 as ClosedRange<Int64> where last != .release(.unlimited) {
            last = trip.secondPassed(passed(at, demand: 1, turnedAway: 0), settings: settings)
        }
        #expect(last == .release(.unlimited))
    }

    @Test("a crowd keeps three quarters of the slots, sheds nothing, and ends as soon as its demand fits")
    func crowd() {
        var trip = trip(isCrowd: true)
        #expect(trip.limit == 15)
        #expect(!trip.sheds)
        #expect(trip.secondPassed(passed(7), settings: settings) == .none)
        #expect(trip.secondPassed(passed(8, pressed: true), settings: settings) == .lower(to: 7))
        #expect(trip.secondPassed(passed(9, demand: 3), settings: settings) == .none)
        #expect(trip.secondPassed(passed(11, demand: 3), settings: settings) == .release(.fitsAgain))
    }

    @Test("a crowd under pressure keeps a tenth of the slots")
    func crowdLeast() {
        var trip = trip(isCrowd: true)
        for at in 1...20 as ClosedRange<Int64> { _ = trip.secondPassed(passed(at, pressed: true), settings: settings) }
        #expect(trip.limit == 2)
    }

    @Test("what people look at tells a crowd from a runaway", arguments: [true, false])
    func statusOfCrowd(isCrowd: Bool) throws {
        var house = BudgetHouse()
        house.finish(house.run(BudgetHouse.bad))
        #expect(house.status(BudgetHouse.bad)?.isCrowd == false && !house.budgets.holdsBack)
        let place = try #require(house.budgets.accounting.find(QueryKey(fingerprint: BudgetHouse.bad)))
        house.budgets.accounting.accounts[Int(place)].trip = Trip(
            baseline: 5, isCrowd: isCrowd, now: 0, settings: house.budgets.settings)
        let status = try #require(house.status(BudgetHouse.bad))
        #expect(status.isCrowd == isCrowd && status.limit != nil)
    }
}
