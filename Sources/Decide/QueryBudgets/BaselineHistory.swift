/// What one query usually takes of the pool: a histogram a day of its usage (thousandths of a slot) in the seconds in
/// which it ran, for the last days.
///
/// Seconds in which it did not run are left out: a report that takes five slots for ten minutes a night is at its usual
/// when it does so again.
struct BaselineHistory: Hashable, Sendable {
    private var days: [CountHistogram] = []
    private var today: Int64 = 0
    private let window: Int

    init(days window: Int) {
        self.window = min(31, max(1, window))
    }

    /// Seconds behind the percentile.
    var seconds: Int { Int(days.reduce(0) { $0 + $1.total }) }

    /// - Parameters:
    ///   - usage: slot-seconds in one second.
    ///   - day: whole days of the monotonic time; never falls.
    mutating func record(usage: Double, day: Int64) {
        advance(to: day)
        days[Int(day % Int64(window))].record(Int64((min(usage, 1e6) * 1_000).rounded()))
    }

    /// 95th percentile in slots; 0 without history.
    func usual() -> Double {
        var all = CountHistogram()
        for day in days { all.add(day) }
        return Double(all.percentile(0.95)) / 1_000
    }

    mutating func advance(to day: Int64) {
        if days.isEmpty {
            days = Array(repeating: CountHistogram(), count: window)
            today = day
        }
        guard day > today else { return }
        for passed in 1...min(day - today, Int64(window)) {
            days[Int((today + passed) % Int64(window))].removeAll()
        }
        today = day
    }

    // MARK: Keeping it across restarts

    /// By age in days (0: today), the filled buckets and their counts.
    func exported(day: Int64) -> [BaselineRecord.Day] {
        var copy = self
        copy.advance(to: day)
        return (0..<Int64(window)).compactMap { age in
            guard day >= age else { return nil }
            let histogram = copy.days[Int((day - age) % Int64(window))]
            guard histogram.total > 0 else { return nil }
            let filled = histogram.counts.enumerated().filter { $0.element > 0 }
            return BaselineRecord.Day(age: Int(age), buckets: filled.map(\.offset), counts: filled.map(\.element))
        }
    }

    /// Days older than the window are dropped.
    mutating func restore(_ record: BaselineRecord, day: Int64) {
        advance(to: day)
        for kept in record.days where kept.age >= 0 && kept.age < window && Int64(kept.age) <= day {
            let index = Int((day - Int64(kept.age)) % Int64(window))
            for (bucket, number) in zip(kept.buckets, kept.counts) { days[index].add(number, toBucket: bucket) }
        }
    }
}

/// A query's history in a form to keep: monotonic time does not outlive the process, ages do.
package struct BaselineRecord: Hashable, Sendable, Codable {
    package struct Day: Hashable, Sendable, Codable {
        /// Whole days before the export.
        package var age: Int
        package var buckets: [Int]
        package var counts: [UInt32]

        package init(age: Int, buckets: [Int], counts: [UInt32]) {
            self.age = age
            self.buckets = buckets
            self.counts = counts
        }
    }

    package var query: QueryKey
    package var days: [Day]
    /// Mean service time in nanoseconds and calls a second, in calm seconds.
    package var usualService: Double
    package var usualCalls: Double

    package init(query: QueryKey, days: [Day], usualService: Double, usualCalls: Double) {
        self.query = query
        self.days = days
        self.usualService = usualService
        self.usualCalls = usualCalls
    }
}
