import Decide
import Testing

@Suite("The plan of checks")
struct CheckPlanTests {
    static func intervals(_ count: Int, every: Span, prefix: String = "check") -> [String: Span] {
        Dictionary(uniqueKeysWithValues: (0..<count).map { ("\(prefix)-\($0)", every) })
    }

    /// The most starts in any window of `length` in one interval that repeats for ever.
    static func densest(_ plan: CheckPlan, _ ids: some Collection<String>, every: Span, window: Span) -> Int {
        let phases = ids.compactMap { plan.phase(of: $0)?.milliseconds }.sorted()
        let unrolled = phases + phases.map { $0 + every.milliseconds }
        var (most, low) = (0, 0)
        for high in unrolled.indices {
            while unrolled[high] - unrolled[low] >= window.milliseconds { low += 1 }
            most = max(most, high - low + 1)
        }
        return most
    }

    @Test(
        "starts never drift over a day",
        arguments: [Span.seconds(5), .seconds(10), .seconds(7), .minutes(1), .hours(1)])
    func drift(every: Span) throws {
        let plan = CheckPlan(Self.intervals(3, every: every))
        let phase = try #require(plan.phase(of: "check-1"))
        let begin = Instant(milliseconds: 1_700_000_000_123)
        var now = begin
        var starts: Int64 = 0
        while true {
            let next = try #require(plan.nextStart(for: "check-1", after: now))
            #expect(next > now && next - now <= every)
            #expect((next.milliseconds - phase.milliseconds) % every.milliseconds == 0)
            guard next < begin + .days(1) else { break }
            starts += 1
            // A run that takes a while and ends at odd times moves nothing.
            now = next + .milliseconds(starts % 997 * every.milliseconds / 1_000)
        }
        let fair = Span.days(1).milliseconds / every.milliseconds
        #expect((fair...fair + 1).contains(starts))
    }

    @Test("checks of one interval are spread evenly", arguments: [1, 2, 3, 7, 10, 99, 100, 1_000, 1_001, 25_000])
    func even(count: Int) {
        let every = Span.seconds(10)
        let intervals = Self.intervals(count, every: every)
        let plan = CheckPlan(intervals)
        let fair = (count + 9) / 10
        #expect(Self.densest(plan, intervals.keys, every: every, window: .seconds(1)) <= fair + 1)
    }

    @Test("groups of several intervals do not all begin together")
    func shifted() {
        var plan = CheckPlan()
        plan.update(["a": .seconds(5), "b": .seconds(10), "c": .seconds(15), "d": .seconds(30), "e": .minutes(1)])
        let phases = Set(["a", "b", "c", "d", "e"].compactMap { plan.phase(of: $0) })
        #expect(phases.count >= 4)
    }

    @Test("the plan is the same wherever and whenever it is made")
    func deterministic() {
        let intervals = Self.intervals(200, every: .seconds(10))
        #expect(CheckPlan(intervals) == CheckPlan(intervals))
    }

    @Test("adding and removing leaves all others where they are, and stays even", arguments: 0..<20 as Range<UInt64>)
    func changes(seed: UInt64) {
        var generator = JourneyTests.Generator(state: seed)
        let every = Span.seconds(10)
        var intervals = Self.intervals(Int.random(in: 1...300, using: &generator), every: every)
        var plan = CheckPlan(intervals)
        for round in 0..<6 {
            let before = plan
            let kept = intervals.filter { _ in Int.random(in: 0..<10, using: &generator) > 1 }
            intervals = kept.merging(
                Self.intervals(Int.random(in: 0...200, using: &generator), every: every, prefix: "r\(round)")
            ) { old, _ in old }
            plan.update(intervals)
            #expect(plan.count == intervals.count)
            for id in kept.keys { #expect(plan.phase(of: id) == before.phase(of: id)) }
        }
        let fair = (intervals.count + 9) / 10
        let densest = Self.densest(plan, intervals.keys, every: every, window: .seconds(1))
        #expect(densest <= 2 * fair + 2, "\(densest) of \(intervals.count)")
    }

    @Test("many newcomers beside few checks are spread evenly too")
    func newcomers() {
        var intervals = Self.intervals(10, every: .seconds(10))
        var plan = CheckPlan(intervals)
        intervals.merge(Self.intervals(990, every: .seconds(10), prefix: "new")) { old, _ in old }
        plan.update(intervals)
        #expect(Self.densest(plan, intervals.keys, every: .seconds(10), window: .seconds(1)) <= 103)
    }

    @Test("a new interval is a new place; the clock's past is no obstacle")
    func edges() throws {
        var plan = CheckPlan(["a": .seconds(5)])
        plan.update(["a": .seconds(7)])
        let next = try #require(plan.nextStart(for: "a", after: Instant(milliseconds: -1)))
        #expect(next > Instant(milliseconds: -1) && next <= Instant(milliseconds: 7_000))
        #expect(plan.nextStart(for: "b", after: .epoch) == nil)
    }

    @Test(
        "late starts are made, missed ones are not",
        arguments: [(0, false), (200, false), (4_999, false), (5_000, true), (3_600_000, true)])
    func missed(lateness: Int64, isMissed: Bool) {
        let plan = CheckPlan(["a": .seconds(5)])
        #expect(plan.isMissed("a", planned: .epoch, now: .epoch + .milliseconds(lateness)) == isMissed)
    }

    @Test("an hourly check that an hour's sleep made late waits for its next turn")
    func slept() {
        let plan = CheckPlan(["a": .hours(1)])
        #expect(plan.isMissed("a", planned: .epoch, now: .epoch + .minutes(2)))
        #expect(plan.isBeyondNext("a", planned: .epoch + .hours(3), now: .epoch))
        #expect(!plan.isBeyondNext("a", planned: .epoch + .hours(1), now: .epoch))
    }

    @Test("the queue of starts gives them back in order", arguments: 0..<20 as Range<UInt64>)
    func queue(seed: UInt64) {
        var generator = JourneyTests.Generator(state: seed)
        let starts = (0..<200).map { index in
            StartQueue.Start(id: "\(index)", at: Instant(milliseconds: Int64.random(in: 0..<50, using: &generator)))
        }
        var queue = StartQueue(starts)
        var popped: [StartQueue.Start] = []
        for now in 0..<50 as Range<Int64> {
            while let start = queue.pop(at: Instant(milliseconds: now)) {
                #expect(start.at.milliseconds == now)
                popped.append(start)
            }
        }
        #expect(Set(popped) == Set(starts) && queue.count == 0 && queue.first == nil)
    }

    @Test("lateness is counted within a sixteenth")
    func histogram() {
        var histogram = LatenessHistogram()
        #expect(histogram.percentile(0.99) == 0)
        for value in 0..<10_000 as Range<Int64> { histogram.record(.milliseconds(value)) }
        #expect(histogram.count == 10_000 && histogram.max == 9_999)
        for (share, value) in [(0.5, 4_999.0), (0.99, 9_899), (0.01, 99), (0.001, 9)] {
            let found = Double(histogram.percentile(share))
            #expect(found >= value && found <= value * 1.07)
        }
        histogram.record(.milliseconds(.max))
        histogram.record(.milliseconds(-5))
        #expect(histogram.percentile(1) > 1_000_000)
    }
}
