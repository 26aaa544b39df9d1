import Testing

@testable import Decide

@Suite("Histograms and baselines")
struct CountHistogramTests {
    @Test(
        "a value alone comes back exactly below 128 and within 1.6 % above",
        arguments: [0, 1, 63, 64, 65, 127, 128, 129, 1_000, 12_345, 999_999, 1 << 30, (1 << 40) - 1] as [Int64])
    func accuracy(value: Int64) {
        var histogram = CountHistogram()
        histogram.record(value)
        let back = histogram.percentile(0.5)
        #expect(back >= value)
        #expect(Double(back - value) <= Double(value) / 63)
        if value < 128 { #expect(back == value) }
    }

    @Test("values past the range count as the largest, negative ones as 0")
    func range() {
        var histogram = CountHistogram()
        histogram.record(.max)
        #expect(histogram.percentile(1) >= 1 << 40)
        histogram.record(-5)
        #expect(histogram.percentile(0.5) == 0)
        #expect(histogram.counts.count < 3_000)
    }

    @Test("percentiles of 1…1000", arguments: [(0.5, 500), (0.95, 950), (0.99, 990), (1.0, 1_000)])
    func percentiles(share: Double, expected: Int64) {
        var histogram = CountHistogram()
        for value in 1...1_000 { histogram.record(Int64(value)) }
        #expect(abs(histogram.percentile(share) - expected) <= expected / 60)
    }

    @Test("halving keeps the shape and lowers the weight")
    func halving() {
        var histogram = CountHistogram()
        for _ in 0..<100 { histogram.record(10) }
        for _ in 0..<10 { histogram.record(100) }
        histogram.halve()
        #expect(histogram.total == 55)
        #expect(histogram.percentile(0.5) == 10)
        #expect(histogram.percentile(1) == 100)
    }

    @Test("an empty one has no percentile")
    func empty() {
        #expect(CountHistogram().percentile(0.99) == 0)
    }

    @Test("a baseline forgets after its days")
    func rotation() {
        var history = BaselineHistory(days: 7)
        for _ in 0..<100 { history.record(usage: 5, day: 40) }
        history.record(usage: 0.5, day: 46)
        #expect(history.seconds == 101)
        #expect(abs(history.usual() - 5) < 0.1)
        history.record(usage: 0.5, day: 47)
        #expect(history.seconds == 2)
        #expect(abs(history.usual() - 0.5) < 0.01)
        history.record(usage: 1, day: 400)
        #expect(history.seconds == 1)
    }

    @Test("the 95th percentile leaves rare peaks out")
    func peaks() {
        var history = BaselineHistory(days: 7)
        for second in 0..<1_000 { history.record(usage: second % 100 == 0 ? 20 : 2, day: 40) }
        #expect(abs(history.usual() - 2) < 0.05)
    }

    @Test("history comes back after a restart, days older than the window do not")
    func restart() {
        var history = BaselineHistory(days: 7)
        for _ in 0..<100 { history.record(usage: 5, day: 1_000) }
        for _ in 0..<50 { history.record(usage: 2, day: 1_004) }
        let record = BaselineRecord(
            query: QueryKey(fingerprint: 1), days: history.exported(day: 1_005), usualService: 1, usualCalls: 1)
        #expect(record.days.map(\.age) == [1, 5])
        var restored = BaselineHistory(days: 7)
        restored.restore(record, day: 40)
        #expect(restored.seconds == 150)
        restored.advance(to: 42)
        #expect(restored.seconds == 50)
    }
}
