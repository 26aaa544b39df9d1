/// Unicode's normalisation form KC (UAX #15), for the characters of Unicode 3.2: SASLprep knows no others. Swift's
/// standard library offers none, and this module does not import Foundation.
enum Normalization {
    // Hangul is composed by arithmetic (The Unicode Standard, 3.12).
    private static let syllables: (base: UInt32, count: UInt32) = (0xAC00, 11_172)
    private static let leads: (base: UInt32, count: UInt32) = (0x1100, 19)
    private static let vowels: (base: UInt32, count: UInt32) = (0x1161, 21)
    /// One less than the first trailing consonant: 0 stands for none.
    private static let trails: (base: UInt32, count: UInt32) = (0x11A7, 28)

    static func nfkc(_ scalars: [Unicode.Scalar]) -> String {
        var decomposed = scalars.flatMap(decompose)
        sortMarks(&decomposed)
        var text = String.UnicodeScalarView()
        text.append(contentsOf: compose(decomposed))
        return String(text)
    }

    private static func decompose(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        guard scalar.value >= 0xA0 else { return [scalar] }
        let index = scalar.value &- syllables.base
        if index < syllables.count {
            let pair = index / trails.count
            let values = [
                leads.base + pair / vowels.count, vowels.base + pair % vowels.count,
                trails.base + index % trails.count,
            ]
            return values.filter { $0 != trails.base }.compactMap(Unicode.Scalar.init)
        }
        return NormalizationTables.decompositions[scalar] ?? [scalar]
    }

    /// Puts the marks on one character into the order of their classes, keeping those of one class as they are. Sorted
    /// in one go: a password of nothing but marks must not take time by the square of its length.
    private static func sortMarks(_ scalars: inout [Unicode.Scalar]) {
        var start = 0
        while let first = scalars[start...].firstIndex(where: { combiningClass($0) > 0 }) {
            let end = scalars[first...].firstIndex { combiningClass($0) == 0 } ?? scalars.endIndex
            let marks = scalars[first..<end].enumerated().map { (combiningClass($1), $0, $1) }
            let sorted = marks.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
            scalars.replaceSubrange(first..<end, with: sorted.map(\.2))
            start = end
        }
    }

    private static func compose(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        var starter: Int?
        var lastRank: UInt8 = 0
        for scalar in scalars {
            let rank = combiningClass(scalar)
            // Something of the same or a higher class in between keeps a mark from its character.
            if let at = starter, at == result.count - 1 || (lastRank < rank && lastRank > 0),
                let whole = composed(result[at], scalar)
            {
                result[at] = whole
                continue
            }
            if rank == 0 { starter = result.count }
            lastRank = rank
            result.append(scalar)
        }
        return result
    }

    private static func composed(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
        let (lead, vowel) = (first.value &- leads.base, second.value &- vowels.base)
        if lead < leads.count, vowel < vowels.count {
            return Unicode.Scalar(syllables.base + (lead * vowels.count + vowel) * trails.count)
        }
        let (syllable, trail) = (first.value &- syllables.base, second.value &- trails.base)
        if syllable < syllables.count, syllable % trails.count == 0, trail > 0, trail < trails.count {
            return Unicode.Scalar(first.value + trail)
        }
        return NormalizationTables.compositions[.init(first: first, second: second)]
    }

    private static func combiningClass(_ scalar: Unicode.Scalar) -> UInt8 {
        scalar.value < 0x300 ? 0 : scalar.properties.canonicalCombiningClass.rawValue
    }
}
