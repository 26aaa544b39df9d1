/// Counts of non-negative integers, exact below 128 and within 1.6 % above (64 steps an octave).
///
/// Grows to the largest value it has met, up to 2^40; larger ones count as that.
struct CountHistogram: Hashable, Sendable {
    private(set) var counts: [UInt32] = []
    private(set) var total: UInt64 = 0

    private static let top = Self.bucket(1 << 40)

    mutating func record(_ value: Int64) {
        let bucket = min(Self.bucket(max(0, value)), Self.top)
        add(1, toBucket: bucket)
    }

    mutating func add(_ number: UInt32, toBucket bucket: Int) {
        guard bucket >= 0, bucket <= Self.top else { return }
        if bucket >= counts.count {
            counts.append(contentsOf: repeatElement(0, count: bucket + 1 - counts.count))
        }
        let (sum, overflow) = counts[bucket].addingReportingOverflow(number)
        guard !overflow else { return }
        counts[bucket] = sum
        total += UInt64(number)
    }

    mutating func add(_ other: CountHistogram) {
        for (bucket, number) in other.counts.enumerated() where number > 0 { add(number, toBucket: bucket) }
    }

    mutating func removeAll() {
        counts.removeAll(keepingCapacity: true)
        total = 0
    }

    /// Old counts weigh less and less.
    mutating func halve() {
        total = 0
        for bucket in counts.indices {
            counts[bucket] /= 2
            total += UInt64(counts[bucket])
        }
    }

    /// The value that `share` (0…1) of all did not exceed, rounded up to its bucket's end; 0 without any.
    func percentile(_ share: Double) -> Int64 {
        guard total > 0 else { return 0 }
        let rank = max(1, UInt64((Double(total) * share).rounded(.up)))
        var seen: UInt64 = 0
        for (bucket, number) in counts.enumerated() where number > 0 {
            seen += UInt64(number)
            if seen >= rank { return Self.end(bucket) }
        }
        return Self.end(counts.count - 1)
    }

    /// `value` ≥ 64 has its top bit at octave o ≥ 6; its next six bits below that choose the step.
    private static func bucket(_ value: Int64) -> Int {
        guard value >= 64 else { return Int(value) }
        let octave = 63 - value.leadingZeroBitCount
        return 64 + (octave - 6) * 64 + Int(value >> Int64(octave - 6)) - 64
    }

    private static func end(_ bucket: Int) -> Int64 {
        guard bucket >= 64 else { return Int64(bucket) }
        let (octave, step) = (bucket - 64).quotientAndRemainder(dividingBy: 64)
        return (Int64(64 + step + 1) << Int64(octave)) - 1
    }
}
