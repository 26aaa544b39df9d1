import Decide
import Testing

@Suite("The query diff")
struct QueryDiffTests {
    static let select = QueryKey(fingerprint: 1)
    static let insert = QueryKey(fingerprint: 2)
    static let other = QueryKey(fingerprint: 3)

    /// Calls of one query, all of which took as long.
    static func use(
        _ query: QueryKey, _ calls: Int, took: Int64 = 1_000, errors: [String: Int] = [:], writes: Int = 0,
        empty: Int = 0, rhythm: QueryRhythm? = nil, database: String = "shop"
    ) -> QueryUse {
        var figures = QueryFigures()
        figures.calls = calls
        figures.nanoseconds = took * 1_000 * Int64(calls)
        figures.errors = errors
        (figures.writes, figures.emptyWrites) = (writes, empty)
        figures.latency = LatencyCounts([LatencyCounts.Pair(microseconds: took, count: calls)])
        return QueryUse(database: database, query: query, text: "query \(query.hex)", figures: figures, rhythm: rhythm)
    }

    private func compare(
        _ before: [QueryUse], _ after: [QueryUse], spanBefore: Span = .days(7), spanAfter: Span = .hours(1)
    ) -> QueryDiff {
        QueryDiff.compare(
            before: QueryPeriod(span: spanBefore, uses: before), after: QueryPeriod(span: spanAfter, uses: after))
    }

    private func kinds(_ before: [QueryUse], _ after: [QueryUse]) -> [QueryFinding.Kind] {
        compare(before, after).findings.map(\.kind)
    }

    @Test("a query that was not called before is new; one that takes much of the database's time is told as such")
    func new() throws {
        let traffic = Self.use(Self.select, 1_000)
        let small = compare([traffic], [traffic, Self.use(Self.other, 3)])
        #expect(small.findings.map(\.kind) == [.new])
        #expect(small.findings.first?.severity == .low)
        let large = try #require(compare([traffic], [traffic, Self.use(Self.other, 3, took: 900_000)]).findings.first)
        #expect(large.severity == .high)
        #expect(
            large.sentence
                == "It was not called in the 7 d before; since then 3 calls, 900 ms on average. "
                + "It takes 73 % of the database's time.")
        #expect(large.before == nil)
    }

    @Test(
        "fails with more than twice the usual share of errors, of at least five",
        arguments: [
            (10, 1_000, 21, true), (10, 1_000, 20, false), (0, 1_000, 5, true), (0, 1_000, 4, false),
        ])
    func failing(errorsBefore: Int, calls: Int, errors: Int, isFound: Bool) {
        let before = Self.use(Self.select, 1_000, errors: ["57014": errorsBefore])
        let found = kinds([before], [Self.use(Self.select, calls, errors: ["57014": errors])])
        #expect(found == (isFound ? [.failing] : []))
    }

    @Test("a new query that fails is told twice: that it fails, first")
    func newAndFailing() {
        let traffic = Self.use(Self.select, 1_000)
        let diff = compare([traffic], [traffic, Self.use(Self.other, 10, errors: ["42P01": 10])])
        #expect(diff.findings.map(\.kind) == [.failing, .new])
        #expect(
            diff.findings[0].sentence
                == "10 of 10 calls failed (100 %); it was not called before. SQLSTATE 42P01 ×10.")
        #expect(diff.findings[0].severity == .critical)
    }

    @Test(
        "is slower by half and by 5 ms, of a hundred calls",
        arguments: [
            (10_000, 15_000, 100, true), (10_000, 14_999, 100, false), (10_000, 15_000, 99, false),
            (1_000, 5_999, 100, false), (1_000, 6_000, 100, true),
        ] as [(Int64, Int64, Int, Bool)])
    func slower(before: Int64, after: Int64, calls: Int, isFound: Bool) {
        let found = kinds(
            [Self.use(Self.select, 1_000, took: before)], [Self.use(Self.select, calls, took: after)])
        #expect(found == (isFound ? [.slower] : []))
    }

    @Test("a few calls before are no measure of how long it takes")
    func slowerUnknown() {
        let traffic = Self.use(Self.other, 1_000)
        #expect(
            kinds([traffic, Self.use(Self.select, 19)], [traffic, Self.use(Self.select, 500, took: 90_000)]) == [])
    }

    @Test(
        "has vanished when seven calls were to be expected with today's traffic",
        arguments: [(700, 1_000, true), (699, 1_000, false), (7_000, 100, true), (7_000, 99, false)])
    func vanished(calls: Int, traffic: Int, isFound: Bool) {
        // Before, the other query was called 100,000 times.
        let found = kinds(
            [Self.use(Self.select, 100_000), Self.use(Self.insert, calls, writes: calls)],
            [Self.use(Self.select, traffic)])
        #expect(found == (isFound ? [.vanished] : []))
    }

    @Test("without any traffic nothing is said to have vanished, nor that nothing changed")
    func silence() {
        let diff = compare([Self.use(Self.select, 1_000), Self.use(Self.insert, 1_000)], [])
        #expect(diff.findings.isEmpty)
        #expect(diff.verdict == .tooLittle)
        #expect(diff.gaps == ["shop: no query was counted since, so nothing can be said."])
    }

    @Test("a job that sends many statements once an hour has not vanished after twenty minutes")
    func bursts() {
        let rhythm = QueryRhythm(slot: .minutes(1), slots: 1_440, active: 24)
        let before = [
            Self.use(Self.select, 100_000), Self.use(Self.insert, 24_000, rhythm: rhythm),
        ]
        func found(_ window: Span, _ calls: Int) -> [QueryFinding.Kind] {
            compare(before, [Self.use(Self.select, calls)], spanBefore: .days(1), spanAfter: window).findings
                .map(\.kind)
        }
        #expect(found(.minutes(20), 1_389) == [])
        #expect(found(.hours(8), 33_333) == [.vanished])
    }

    @Test("only calls of those who are to be expected can be missing")
    func expected() {
        func find(_ expected: Int) -> QueryDiff {
            var (traffic, insert) = (Self.use(Self.select, 1_000), Self.use(Self.insert, 1_000))
            (traffic.expected, insert.expected) = (expected, 0)
            return compare([traffic, insert], [Self.use(Self.select, 1_000)])
        }
        #expect(find(500).verdict == .noDifference)
        #expect(find(0).gaps == ["shop: no earlier release sent the same queries, so what is missing cannot be told."])
    }

    @Test("a release takes the place of those that sent half of its queries")
    func predecessors() {
        func sample(_ query: QueryKey, _ release: String, _ database: String = "shop") -> QuerySample {
            let use = Self.use(query, 1)
            return QuerySample(database: database, query: query, release: release, text: "", figures: use.figures)
        }
        let before = [
            sample(Self.select, "v1"), sample(Self.insert, "v1"), sample(Self.select, "half"),
            sample(QueryKey(fingerprint: 9), "worker"), sample(Self.insert, "v1", "stock"),
        ]
        let after = [sample(Self.select, "v2"), sample(Self.other, "v2")]
        #expect(Predecessors.find(before: before, after: after) == ["shop": ["v1", "half"]])
        #expect(Predecessors.find(before: [], after: after) == [:])
    }

    @Test("of a program that is named, its own earlier releases, and what names no program")
    func programs() {
        func sample(_ release: String, _ database: String = "shop", _ query: QueryKey = Self.select) -> QuerySample {
            let use = Self.use(query, 1)
            return QuerySample(database: database, query: query, release: release, text: "", figures: use.figures)
        }
        let before = [
            sample("shop@v1"), sample("shop@v0", "shop", Self.insert), sample("jobs@v1"), sample(""), sample("v1"),
            sample("jobs@v1", "stock"),
        ]
        let own = Predecessors.samples(before, of: ["shop"])
        #expect(own.map(\.release) == ["shop@v1", "shop@v0", "", "v1", "jobs@v1"])
        let found = Predecessors.find(before: own, after: [sample("shop@v2")], of: ["shop"])
        #expect(found == ["shop": ["shop@v1", "shop@v0", "", "v1"]])
        #expect(Predecessors.samples(before, of: []) == before)
    }

    @Test("a new query of many calls does not make a rare one look missing")
    func newTraffic() {
        let before = [Self.use(Self.select, 100_000), Self.use(Self.insert, 100)]
        #expect(kinds(before, [Self.use(Self.select, 1_000), Self.use(Self.other, 90_000)]) == [.new])
    }

    @Test(
        "writes that changed rows and now change none are the favorites outage",
        arguments: [
            // before: writes, empty; after: writes, empty
            (1_000, 10, 20, 20, true), (1_000, 10, 20, 19, false), (1_000, 10, 4, 4, false), (9, 0, 20, 20, false),
            (1_000, 1_000, 20, 20, false), (1_000, 500, 9, 9, false), (1_000, 500, 11, 11, true),
        ])
    func zeroRowWrites(writes: Int, empty: Int, now: Int, nowEmpty: Int, isFound: Bool) {
        let traffic = Self.use(Self.select, 1_000)
        let found = kinds(
            [traffic, Self.use(Self.insert, writes, writes: writes, empty: empty)],
            [traffic, Self.use(Self.insert, now, writes: now, empty: nowEmpty)])
        #expect(found == (isFound ? [.zeroRowWrites] : []))
    }

    @Test("the favorites outage comes first, in a sentence that a person understands")
    func order() {
        let diff = compare(
            [Self.use(Self.select, 1_000), Self.use(Self.insert, 500, writes: 500, empty: 10)],
            [
                Self.use(Self.other, 500), Self.use(Self.select, 1_000, took: 90_000),
                Self.use(Self.insert, 38, writes: 38, empty: 38),
            ])
        #expect(diff.findings.map(\.kind) == [.zeroRowWrites, .slower, .new])
        #expect(
            diff.findings[0].sentence
                == "None of 38 calls changed a row; before, 98 % did. What it should save is probably lost.")
    }

    @Test("no data is never no difference")
    func gaps() {
        #expect(compare([], []).verdict == .tooLittle)
        let (many, few) = (Self.use(Self.select, 100), Self.use(Self.select, 99))
        #expect(compare([many], [many]).verdict == .noDifference)
        #expect(compare([few], [many]).gaps == ["shop: only 99 calls before; 100 are needed."])
        #expect(compare([many], [few]).gaps == ["shop: only 99 calls since; 100 are needed."])
        let unknown = compare([], [many])
        #expect(unknown.findings.isEmpty && unknown.verdict == .tooLittle)
        #expect(compare([many], [many], spanBefore: .minutes(59)).verdict == .tooLittle)
        let short = compare([many], [many], spanBefore: .hours(3))
        #expect(short.verdict == .noDifference)
        #expect(short.notes.count == 1)
        let elsewhere = Self.use(Self.select, 100, database: "stock")
        #expect(compare([many, elsewhere], [many]).verdict == .tooLittle)
    }

    @Test("queries that were not told apart cannot be said to have vanished")
    func untold() {
        let traffic = Self.use(Self.select, 1_000)
        let diff = compare([traffic, Self.use(Self.insert, 1_000)], [traffic, Self.use(.others, 10)])
        #expect(diff.findings.isEmpty)
        #expect(diff.gaps == ["shop: 10 calls of too many different queries were not told apart."])
    }

    @Test("BEGIN and COMMIT are nobody's query")
    func transactions() {
        let traffic = Self.use(Self.select, 1_000)
        #expect(kinds([traffic, Self.use(.transactionControl, 9_000)], [traffic]) == [])
    }
}
