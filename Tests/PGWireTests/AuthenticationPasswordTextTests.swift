import Foundation
import Testing

@testable import PGWire

@Suite("Passwords beyond ASCII")
struct AuthenticationPasswordTextTests {
    private static func prepare(_ text: String) -> String {
        String(decoding: SASLprep.prepare(Array(text.utf8)), as: UTF8.self)
    }

    @Test(
        "are prepared as RFC 4013 and PostgreSQL say",
        arguments: [
            ("user", "user"), ("USER", "USER"), ("I\u{AD}X", "IX"), ("\u{AA}", "a"), ("\u{2168}", "IX"),
            ("a\u{A0}b\u{3000}c", "a b c"), ("e\u{301}", "\u{E9}"), ("\u{E9}", "\u{E9}"), ("\u{FB01}", "fi"),
            ("\u{212B}", "\u{C5}"), ("x²", "x2"), ("\u{1100}\u{1161}\u{11A8}", "\u{AC01}"), ("\u{FF21}", "A"),
            ("q\u{307}\u{323}", "q\u{323}\u{307}"), ("a\u{1F600}".precomposedStringWithCanonicalMapping, "a\u{1F600}"),
            (
                "\u{FDFA}\u{627}",
                "\u{635}\u{644}\u{649} \u{627}\u{644}\u{644}\u{647} \u{639}\u{644}\u{64A}\u{647} "
                    + "\u{648}\u{633}\u{644}\u{645}\u{627}"
            ),
        ])
    func prepared(text: String, expected: String) {
        #expect(Array(Self.prepare(text).unicodeScalars) == Array(expected.unicodeScalars))
    }

    @Test(
        "stay as they are where they cannot be prepared",
        arguments: [
            "\u{7}", "", "\u{AD}", "\u{7}e\u{301}\u{85}", "\u{627}1", "e\u{301}\u{1F600}", "\u{627}e\u{301}\u{627}",
            "e\u{301}\u{200E}", "e\u{301}\u{E000}", "e\u{301}\u{FFFD}",
        ])
    func unprepared(text: String) {
        #expect(Array(Self.prepare(text).unicodeScalars) == Array(text.unicodeScalars))
    }

    @Test("that are not UTF-8 stay as they are")
    func otherEncodings() {
        for bytes: [UInt8] in [[0xFC], [0x61, 0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] {
            #expect(SASLprep.prepare(bytes) == bytes)
        }
    }

    /// Every character of Unicode 3.2, which is what the tables are for.
    private static let known: [Unicode.Scalar] = (0...0x10FFFF).compactMap(Unicode.Scalar.init).filter {
        !SASLprepTables.unassigned.contains($0) && $0.properties.generalCategory != .privateUse
    }

    private static func foundation(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return Array(String(view).precomposedStringWithCompatibilityMapping.unicodeScalars)
    }

    @Test("normalise, character by character, as Foundation does")
    func everyCharacter() {
        #expect(Self.known.count > 90_000)
        // In the plain middle of the ideographs and syllables, every seventh is as good as all.
        let wrong = Self.known.filter { scalar in
            let isPlain = (0x3500...0x9F00).contains(scalar.value) || (0x20100...0x2A600).contains(scalar.value)
            if isPlain, scalar.value % 7 > 0 { return false }
            return Array(Normalization.nfkc([scalar]).unicodeScalars) != Self.foundation([scalar])
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(20).map { String($0.value, radix: 16) })")
    }

    @Test("normalise, in random company, as Foundation does", arguments: 0..<20)
    func company(seed: UInt64) {
        var generator = AuthenticationScene.Generator(seed: seed)
        let marks = Self.known.filter { $0.properties.canonicalCombiningClass.rawValue > 0 }
        let letters = NormalizationTables.compositions.keys.map(\.first).sorted()
        // Without U+1176, an old vowel, which Swift's own composition takes for a modern one.
        let jamo = (0x1100...0x11FF).compactMap { Unicode.Scalar(UInt32($0)) }
            .filter { !SASLprepTables.unassigned.contains($0) && $0 != "\u{1176}" }
        for _ in 0..<200 {
            let scalars = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
                let pool = [marks, letters, Self.known, jamo].randomElement(using: &generator)!
                return pool.randomElement(using: &generator)!
            }
            let made = Array(Normalization.nfkc(scalars).unicodeScalars)
            #expect(
                made == Self.foundation(scalars), "seed \(seed): \(scalars.map { String($0.value, radix: 16) })")
        }
    }

    @Test("old Hangul is not taken for modern")
    func oldHangul() {
        for text in ["\u{110A}\u{1176}", "\u{1113}\u{1161}", "\u{AC00}\u{11C3}", "\u{AC00}\u{11A7}"] {
            #expect(Array(Self.prepare(text).unicodeScalars) == Array(text.unicodeScalars))
        }
    }

    @Test("of nothing but marks are sorted as any other, however long")
    func marks() {
        let text = "a" + String(repeating: "\u{301}\u{323}", count: 2_000)
        let expected =
            "\u{1EA1}" + String(repeating: "\u{323}", count: 1_999)
            + String(repeating: "\u{301}", count: 2_000)
        #expect(Array(Self.prepare(text).utf8) == Array(expected.utf8))
    }

    @Test("every table is in order, and none is empty")
    func tables() {
        let tables = [
            SASLprepTables.spaces, SASLprepTables.mappedToNothing, SASLprepTables.prohibited,
            SASLprepTables.unassigned, SASLprepTables.rightToLeft, SASLprepTables.leftToRight,
        ]
        #expect(tables.map(\.count) == [6, 8, 34, 396, 34, 360])
        for table in tables { #expect(table.isSorted) }
        #expect(NormalizationTables.decompositions.count == 5_143)
        #expect(NormalizationTables.compositions.count == 917)
    }
}
