/// A set of characters, as sorted ranges.
struct ScalarRanges: Sendable {
    private let ranges: [ClosedRange<UInt32>]

    /// - Parameter text: hexadecimal code points and ranges of them in rising order: `A0 2000-200B`.
    init(_ text: String) {
        ranges = text.split(whereSeparator: \.isWhitespace).compactMap { word in
            let bounds = word.split(separator: "-").compactMap { UInt32($0, radix: 16) }
            guard let first = bounds.first, let last = bounds.last, first <= last else { return nil }
            return first...last
        }
    }

    var count: Int { ranges.count }

    /// What `contains` relies on.
    var isSorted: Bool { zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound } }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].contains(scalar.value) { return true }
            if ranges[middle].upperBound < scalar.value { low = middle + 1 } else { high = middle }
        }
        return false
    }
}
