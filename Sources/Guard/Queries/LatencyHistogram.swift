/// Counts of spans in buckets of about 3 % width, from a microsecond to an hour: small enough to have one for every
/// query of every release, as a histogram of full precision is not.
///
/// A bucket is a power of two of microseconds, cut in 16; buckets are made as they are needed.
package struct LatencyHistogram: Sendable {
    private static let cuts = 16
    private static let top = 32 * cuts

    private var counts: [UInt32] = []
    package private(set) var total = 0

    package init() {}

    /// - Parameter nanoseconds: below a microsecond counts as none, above an hour as an hour.
    package mutating func add(_ nanoseconds: Int64) {
        let bucket = Self.bucket(max(0, nanoseconds) / 1_000)
        if bucket >= counts.count { counts.append(contentsOf: repeatElement(0, count: bucket + 1 - counts.count)) }
        counts[bucket] &+= 1
        total += 1
    }

    /// Nanoseconds below which a share of all lie: the middle of the bucket that the share ends in.
    package func percentile(_ share: Double) -> Int64 {
        guard total > 0 else { return 0 }
        let rank = max(1, Int((Double(total) * share).rounded(.up)))
        var seen = 0
        for (bucket, count) in counts.enumerated() {
            seen += Int(count)
            if seen >= rank { return Self.middle(bucket) * 1_000 }
        }
        return 0
    }

    private static func bucket(_ microseconds: Int64) -> Int {
        guard microseconds >= Int64(cuts) else { return Int(microseconds) }
        let power = 63 - microseconds.leadingZeroBitCount
        let cut = Int(microseconds >> Int64(power - 4)) & (cuts - 1)
        return min(top - 1, (power - 3) * cuts + cut)
    }

    private static func middle(_ bucket: Int) -> Int64 {
        guard bucket >= cuts else { return Int64(bucket) }
        let power = bucket / cuts + 3
        let width = Int64(1) << Int64(power - 4)
        return (Int64(1) << Int64(power)) + Int64(bucket % cuts) * width + width / 2
    }
}
