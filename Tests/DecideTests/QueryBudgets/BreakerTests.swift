import Testing

@testable import Decide

@Suite("Breaker: half of twenty calls in ten seconds without room")
struct BreakerTests {
    private let settings = BudgetSettings(slots: 10, mode: .enforce)

    private func breaker(_ calls: [(at: Int64, failed: Bool)]) -> (Breaker, [Breaker.Change]) {
        var breaker = Breaker()
        let changes = calls.compactMap { breaker.ended(failed: $0.failed, now: $0.at, settings: settings) }
        return (breaker, changes)
    }

    @Test("19 failures are too few, 20 open it")
    func count() {
        #expect(breaker((0..<19).map { ($0 * ms, true) }).1.isEmpty)
        let (breaker, changes) = breaker((0..<20).map { ($0 * ms, true) })
        #expect(changes == [.opened(failures: 20, calls: 20, until: 19 * ms + 2 * second)])
        #expect(breaker.state == .open(until: 19 * ms + 2 * second))
    }

    @Test("less than half of them failing leaves it closed")
    func share() {
        #expect(breaker((0..<200).map { ($0 * ms, $0 % 5 < 2) }).1.isEmpty)
        #expect(!breaker((0..<200).map { ($0 * ms, $0 % 2 == 0) }).1.isEmpty)
    }

    @Test("failures more than ten seconds old do not count")
    func window() {
        #expect(breaker((0..<40).map { ($0 * second, true) }).1.isEmpty)
        #expect(!breaker((0..<40).map { ($0 * second / 4, true) }).1.isEmpty)
    }

    @Test("calls before the first failure count")
    func seeded() {
        var breaker = Breaker(before: [Breaker.Second(number: 99, calls: 1_000)])
        for call in 0..<30 as Range<Int64> {
            #expect(breaker.ended(failed: true, now: 100 * second + call, settings: settings) == nil)
        }
    }

    private func opened() -> Breaker {
        var breaker = Breaker()
        for call in 0..<20 as Range<Int64> { _ = breaker.ended(failed: true, now: call, settings: settings) }
        return breaker
    }

    @Test("open lets nothing through; half open lets three probes through")
    func probes() {
        var breaker = opened()
        #expect(breaker.admit(settings: settings) == (false, false))
        #expect(breaker.tick(now: second) == nil)
        #expect(breaker.tick(now: 2 * second + 19) == .halfOpened)
        for _ in 0..<3 { #expect(breaker.admit(settings: settings) == (true, true)) }
        #expect(breaker.admit(settings: settings) == (false, false))
    }

    @Test("three good probes close it")
    func closes() {
        var breaker = opened()
        _ = breaker.tick(now: 3 * second)
        for _ in 0..<3 { _ = breaker.admit(settings: settings) }
        #expect(breaker.probeEnded(failed: false, now: 3 * second, settings: settings) == nil)
        #expect(breaker.probeEnded(failed: false, now: 3 * second, settings: settings) == nil)
        #expect(breaker.probeEnded(failed: false, now: 3 * second, settings: settings) == .closed)
        #expect(breaker.admit(settings: settings) == (true, false))
    }

    @Test("a failed probe opens it twice as long, at most the longest")
    func doubles() {
        var breaker = opened()
        var now = 2 * second + 19
        for length in [4, 4, 4] as [Int64] {
            #expect(breaker.tick(now: now) == .halfOpened)
            _ = breaker.admit(settings: settings)
            let change = breaker.probeEnded(failed: true, now: now, settings: settings)
            #expect(change == .opened(failures: 1, calls: 1, until: now + length * second))
            now += length * second
        }
    }

    @Test("with the longest time of a minute it doubles from 5 s to 60 s")
    func proposed() {
        var settings = settings
        (settings.breakerOpen, settings.breakerLongestOpen) = (.seconds(5), .seconds(60))
        var breaker = Breaker()
        for call in 0..<20 as Range<Int64> { _ = breaker.ended(failed: true, now: call, settings: settings) }
        var now: Int64 = 6 * second
        for length in [10, 20, 40, 60, 60] as [Int64] {
            #expect(breaker.tick(now: now) == .halfOpened)
            _ = breaker.admit(settings: settings)
            let change = breaker.probeEnded(failed: true, now: now, settings: settings)
            #expect(change == .opened(failures: 1, calls: 1, until: now + length * second))
            now += length * second
        }
    }

    @Test("a probe whose client left gives its place back")
    func givenBack() {
        var breaker = opened()
        _ = breaker.tick(now: 3 * second)
        for _ in 0..<3 { _ = breaker.admit(settings: settings) }
        #expect(breaker.probeEnded(failed: nil, now: 3 * second, settings: settings) == nil)
        #expect(breaker.admit(settings: settings) == (true, true))
    }

    @Test(
        "what means that there was no room",
        arguments: [
            ("57014", true), ("53000", true), ("53300", true), ("53200", true), ("53100", true), ("23505", false),
            ("40001", false), ("42P01", false), ("57P01", false), ("08006", false), ("54000", false),
        ])
    func states(code: String, expected: Bool) throws {
        let state = try #require(SQLStateCode(code))
        #expect(state.meansOverload == expected)
        #expect(state.description == code)
    }

    @Test("no SQLSTATE", arguments: ["", "5701", "570145", "5701!", "57o14", "é7014"])
    func malformed(code: String) {
        #expect(SQLStateCode(code) == nil)
    }
}
