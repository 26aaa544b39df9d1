/// How late checks started, in milliseconds: exact below 64, then sixteen buckets an octave (within 6.25 %).
package struct LatenessHistogram: Hashable, Sendable {
    private var buckets: [UInt64]
    package private(set) var count: UInt64 = 0
    package private(set) var max: Int64 = 0

    private static let exact: Int64 = 64
    /// Up to about 12 days; later ones count as that.
    private static let octaves = 24

    package init() {
        buckets = Array(repeating: 0, count: Int(Self.exact) + Self.octaves * 16)
    }

    package mutating func record(_ lateness: Span) {
        let value = Swift.max(0, lateness.milliseconds)
        buckets[Self.bucket(value)] += 1
        count += 1
        max = Swift.max(max, value)
    }

    /// The value that `share` (0…1) of all starts did not exceed, rounded up to its bucket's end; 0 without any.
    package func percentile(_ share: Double) -> Int64 {
        let rank = UInt64((Double(count) * share).rounded(.up))
        var seen: UInt64 = 0
        for (index, number) in buckets.enumerated() where number > 0 {
            seen += number
            if seen >= rank { return min(Self.end(index), max) }
        }
        return max
    }

    private static func bucket(_ value: Int64) -> Int {
        guard value >= exact else { return Int(value) }
        let octave = 63 - value.leadingZeroBitCount
        let within = Int(value >> Int64(octave - 4)) & 15
        return min(Int(exact) + (octave - 6) * 16 + within, Int(exact) + octaves * 16 - 1)
    }

    private static func end(_ bucket: Int) -> Int64 {
        guard bucket >= exact else { return Int64(bucket) }
        let (octave, within) = (bucket - Int(exact)).quotientAndRemainder(dividingBy: 16)
        return Int64(16 + within + 1) << Int64(octave + 2) - 1
    }
}
