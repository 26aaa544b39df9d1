import Decide
import Testing

@Suite("The query diff, on any figures")
struct QueryDiffPropertyTests {
    /// SplitMix64.
    private struct Chance: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private func uses(_ chance: inout Chance) -> [QueryUse] {
        (0..<Int.random(in: 0...12, using: &chance)).map { _ in
            let calls = [0, 1, 6, 100, 5_000, 1_000_000].randomElement(using: &chance) ?? 0
            let writes = Bool.random(using: &chance) ? calls : 0
            return QueryDiffTests.use(
                QueryKey(fingerprint: .random(in: 0...8, using: &chance)), calls,
                took: .random(in: 0...50_000, using: &chance),
                errors: Bool.random(using: &chance) ? ["57014": calls / 2, "23505": min(calls, 3)] : [:],
                writes: writes, empty: Bool.random(using: &chance) ? writes : writes / 3,
                rhythm: Bool.random(using: &chance)
                    ? QueryRhythm(slot: .minutes(1), slots: 60, active: .random(in: 0...60, using: &chance)) : nil,
                database: Bool.random(using: &chance) ? "shop" : "stock")
        }
    }

    private func span(_ chance: inout Chance) -> Span {
        [.zero, .minutes(1), .hours(2), .days(7)].randomElement(using: &chance) ?? .zero
    }

    @Test("the same before and after is no finding", arguments: 1...200 as ClosedRange<UInt64>)
    func identical(seed: UInt64) {
        var chance = Chance(state: seed)
        let period = QueryPeriod(span: span(&chance), uses: uses(&chance))
        #expect(QueryDiff.compare(before: period, after: period).findings == [], "seed \(seed)")
    }

    @Test("the order in which queries come does not matter", arguments: 1...200 as ClosedRange<UInt64>)
    func orderIndependent(seed: UInt64) {
        var chance = Chance(state: seed)
        let (before, after) = (uses(&chance), uses(&chance))
        let (long, short) = (span(&chance), span(&chance))
        let diff = QueryDiff.compare(
            before: QueryPeriod(span: long, uses: before), after: QueryPeriod(span: short, uses: after))
        for _ in 1...5 {
            let again = QueryDiff.compare(
                before: QueryPeriod(span: long, uses: before.shuffled(using: &chance)),
                after: QueryPeriod(span: short, uses: after.shuffled(using: &chance)))
            #expect(again == diff, "seed \(seed)")
        }
    }

    @Test("a query has each finding once, and figures that bear it out", arguments: 1...200 as ClosedRange<UInt64>)
    func sound(seed: UInt64) {
        var chance = Chance(state: seed)
        let diff = QueryDiff.compare(
            before: QueryPeriod(span: span(&chance), uses: uses(&chance)),
            after: QueryPeriod(span: span(&chance), uses: uses(&chance)))
        let names = diff.findings.map { "\($0.kind) \($0.database) \($0.query.hex)" }
        #expect(Set(names).count == names.count, "seed \(seed)")
        for finding in diff.findings {
            #expect((finding.kind == .new) == (finding.before == nil) || finding.kind == .failing, "seed \(seed)")
            #expect((finding.kind == .vanished) == (finding.after == nil), "seed \(seed)")
            #expect(finding.query.isOne && !finding.sentence.isEmpty, "seed \(seed)")
        }
        #expect((diff.verdict == .different) == !diff.findings.isEmpty, "seed \(seed)")
        #expect(diff.verdict != .noDifference || diff.gaps.isEmpty, "seed \(seed)")
    }
}
