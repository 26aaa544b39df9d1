import Decide
import SQL
import TestSupport
import Testing

@testable import Record

@Suite("Samples of queries, on both databases")
struct QuerySampleTests {
    static let insert = QueryKey(fingerprint: 0x0123_4567_89AB_CDEF)
    static let select = QueryKey(fingerprint: .max - 7)

    static func sample(
        _ query: QueryKey = insert, release: String = "v1", calls: Int = 1, took: Int64 = 250,
        errors: [String: Int] = [:],
        database: String = "shop", text: String = "INSERT INTO favorites VALUES ($1, $2)"
    ) -> QuerySample {
        var figures = QueryFigures()
        figures.calls = calls
        figures.nanoseconds = took * 1_000 * Int64(calls)
        figures.rows = calls
        (figures.writes, figures.emptyWrites) = (calls, calls / 2)
        figures.errors = errors
        figures.latency = LatencyCounts([LatencyCounts.Pair(microseconds: took, count: calls)])
        return QuerySample(database: database, query: query, release: release, text: text, figures: figures)
    }

    @Test("figures of one query add up, in every resolution", arguments: TestDriver.available)
    func addUp(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ async throws in
            let start = clock.now
            try await record.sample(queries: [Self.sample(calls: 4, errors: ["23505": 1])])
            try await record.sample(queries: [Self.sample(calls: 6, took: 900, errors: ["23505": 2, "57014": 1])])
            clock.advance(.minutes(2))
            try await record.sample(queries: [Self.sample(calls: 1), Self.sample(release: "v2", calls: 2)])
            for resolution in SampleResolution.allCases {
                let slots = try await record.history(
                    ofQuery: Self.insert, database: "shop", resolution, since: start)
                #expect(slots.map(\.release) == (resolution == .minute ? ["v1", "v1", "v2"] : ["v1", "v2"]))
                #expect(slots.reduce(0) { $0 + $1.figures.calls } == 13)
            }
            let window = try await record.queries(from: start - .minutes(1), to: clock.now)
            #expect(window.samples.map(\.release) == ["v1", "v2"])
            let figures = window.samples[0].figures
            #expect((figures.calls, figures.rows, figures.writes, figures.emptyWrites) == (11, 11, 11, 5))
            #expect(figures.nanoseconds == 5 * 250_000 + 6 * 900_000)
            #expect(figures.errors == ["23505": 3, "57014": 1])
            #expect(figures.latency.pairs.map(\.count) == [5, 6])
            #expect(window.samples[0].text == "INSERT INTO favorites VALUES ($1, $2)")
            #expect(window.start <= start && window.end == clock.now)
        }
    }

    @Test("several processes that count the same query at once lose nothing", arguments: TestDriver.available)
    func concurrent(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...12 {
                    group.addTask {
                        let samples = [Self.sample(calls: 1, took: Int64(number)), Self.sample(Self.select, calls: 2)]
                        try await record.sample(queries: number.isMultiple(of: 2) ? samples : samples.reversed())
                    }
                }
                try await group.waitForAll()
            }
            let window = try await record.queries(from: clock.now - .hours(1), to: clock.now)
            #expect(window.samples.map(\.figures.calls) == [12, 24])
            #expect(window.samples[0].figures.latency.pairs.count == 12)
        }
    }

    @Test("filters by database, query and release", arguments: TestDriver.available)
    func filters(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ async throws in
            try await record.sample(queries: [
                Self.sample(calls: 1), Self.sample(release: "v2", calls: 2), Self.sample(release: "", calls: 4),
                Self.sample(Self.select, calls: 8), Self.sample(calls: 16, database: "stock"),
            ])
            func calls(_ filter: QueryFilter) async throws -> Int {
                try await record.queries(from: clock.now - .hours(1), to: clock.now, filter).samples
                    .reduce(0) { $0 + $1.figures.calls }
            }
            #expect(try await calls(QueryFilter()) == 31)
            #expect(try await calls(QueryFilter(database: "stock")) == 16)
            #expect(try await calls(QueryFilter(query: Self.select)) == 8)
            #expect(try await calls(QueryFilter(database: "shop", releases: ["v2", "v3"])) == 2)
            #expect(try await calls(QueryFilter(excludedReleases: ["v1"])) == 6)
            #expect(try await calls(QueryFilter(database: "none")) == 0)
        }
    }

    @Test("a release's name finds it after every program's name, as it stands", arguments: TestDriver.available)
    func programs(driver: TestDriver) async throws {
        try await withRecord(driver) { record, _, _ async throws in
            let names = ["1.4", "shop@1.4", "jobs@1.4", "jobs@1x4", "jobs@21.4", "jobs@R!_%", "jobs@r!_%", "a@b@1.4"]
            for name in names { try await record.sample(queries: [Self.sample(release: name)]) }
            try await record.sample(queries: [Self.sample(release: "stock@1.4", database: "stock")])
            func found(_ releases: String...) async throws -> [String] {
                try await record.names(ofReleases: releases, database: "shop")
            }
            #expect(try await found("1.4") == ["1.4", "a@b@1.4", "jobs@1.4", "shop@1.4"])
            #expect(try await found("R!_%", "none") == ["R!_%", "none", "jobs@R!_%"])
            #expect(try await found("shop@1.4") == ["shop@1.4"])
            #expect(try await found("") == [""])
            #expect(try await record.names(ofReleases: ["1.4"], database: nil).last == "stock@1.4")
        }
    }

    @Test("windows do not mix before and after, and end in what there is", arguments: TestDriver.available)
    func windows(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ async throws in
            let start = clock.now
            for _ in 1...4 {
                try await record.sample(queries: [Self.sample(calls: 1)])
                clock.advance(.hours(20))
            }
            try await record.sample(queries: [Self.sample(calls: 10)])
            let change = clock.now - .seconds(1)
            let before = try await record.queries(from: change - .days(7), to: change)
            #expect(before.samples.map(\.figures.calls) == [4])
            #expect(before.firstAt.map { $0 <= start && start - $0 < .days(1) } == true)
            #expect(before.covered < .hours(105) && before.span > .days(6))
            #expect(before.end <= change)
            clock.advance(.minutes(3))
            let after = try await record.queries(from: change + .minutes(1), to: clock.now)
            #expect(after.samples.isEmpty)
            #expect(after.end == clock.now)
        }
    }

    @Test(
        "past its limit, queries are counted as one, and none of their figures is lost", arguments: TestDriver.available
    )
    func limit(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ async throws in
            let now = clock.now
            for round in 0..<2 {
                let samples = (1...4).map {
                    Self.sample(QueryKey(fingerprint: UInt64(round * 2 + $0)), calls: 1, text: "q\($0)")
                }
                try await record.database.write { try QueryStore.add(samples, at: now, limit: 3, $0) }
            }
            let window = try await record.queries(from: now - .hours(1), to: now)
            #expect(window.samples.map(\.query.fingerprint) == [0, 1, 2, 3])
            #expect(window.samples.map(\.figures.calls) == [4, 1, 1, 2])
            #expect(window.samples[0].text == "")
        }
    }

    @Test("counting that began in the middle of a day covers no more than since then", arguments: TestDriver.available)
    func began(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ async throws in
            try await record.sample(queries: [Self.sample()])
            let start = Instant(milliseconds: clock.now.milliseconds / 60_000 * 60_000)
            clock.advance(.minutes(5))
            func covered(_ past: Span) async throws -> Span {
                try await record.queries(from: clock.now - past, to: clock.now).covered
            }
            #expect(try await covered(.days(7)) == clock.now - start)
            #expect(try await covered(.hours(2)) == clock.now - start)
            #expect(try await record.queries(from: clock.now, to: clock.now).covered == .zero)
        }
    }

    @Test("what a client names itself is cut, and cannot break the database", arguments: TestDriver.available)
    func names(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ async throws in
            let name = "a\0b'; DROP TABLE things --" + String(repeating: "x", count: 900)
            try await record.sample(queries: [Self.sample(release: name, database: name, text: name)])
            let sample = try #require(
                try await record.queries(from: clock.now - .hours(1), to: clock.now).samples.first)
            #expect(sample.release.hasPrefix("ab'; DROP") && sample.release.count == QueryStore.nameLength)
            #expect(sample.database == sample.release)
        }
    }

    @Test("old samples and the texts that nobody uses any more go", arguments: TestDriver.available)
    func prune(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ async throws in
            try await record.sample(queries: [Self.sample()])
            func counts() async throws -> [Int] {
                var counts: [Int] = []
                for resolution in SampleResolution.allCases {
                    counts.append(
                        try await record.history(
                            ofQuery: Self.insert, database: nil, resolution, since: .epoch
                        ).count)
                }
                return counts
            }
            clock.advance(.hours(26))
            try await record.prune()
            #expect(try await counts() == [0, 1, 1])
            clock.advance(.days(36))
            try await record.prune()
            #expect(try await counts() == [0, 0, 1])
            #expect(try await record.text(ofQuery: Self.insert) != nil)
            clock.advance(.days(400))
            try await record.prune()
            #expect(try await counts() == [0, 0, 0])
            #expect(try await record.text(ofQuery: Self.insert) == nil)
        }
    }

    @Test("tells releases, when they began, and how often queries were seen", arguments: TestDriver.available)
    func releases(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ async throws in
            let start = clock.now
            try await record.sample(queries: [Self.sample(), Self.sample(release: "")])
            clock.advance(.minutes(61))
            let second = clock.now
            try await record.sample(queries: [Self.sample(Self.select, release: "v2", calls: 5)])
            let releases = try await record.releases(inQueriesSince: start)
            #expect(releases.map(\.name) == ["v2", "v1"])
            #expect(releases.map(\.calls) == [5, 1])
            func first(_ names: [String]) async throws -> Instant? {
                try await record.firstUse(ofReleases: names, database: "shop")
            }
            #expect(try await first(["v2"]) == Instant(milliseconds: second.milliseconds / 60_000 * 60_000))
            #expect(try await first(["v3", "v1"]) == Instant(milliseconds: start.milliseconds / 60_000 * 60_000))
            #expect(try await first(["v3"]) == nil)
            #expect(try await first([]) == nil)
            let rhythms = try await record.rhythms(
                from: start - .hours(1), to: clock.now + .hours(1), .minute, database: nil)
            let key = QueryUse.Key(database: "shop", query: Self.insert)
            #expect(rhythms[key] == QueryRhythm(slot: .minutes(1), slots: 2, active: 1))
            clock.advance(.days(2))
            try await record.prune()
            #expect(try await first(["v2"]) == Instant(milliseconds: second.milliseconds / 3_600_000 * 3_600_000))
        }
    }

    @Test("damaged figures are an error, not none", arguments: ["x", "[1]", "[1,2", "[a,2]"])
    func damaged(text: String) {
        #expect(throws: SQLError.self) { try QueryTexts.latency(text) }
    }

    @Test("latencies keep their text")
    func latency() throws {
        let counts = LatencyCounts([.init(microseconds: 450, count: 1), .init(microseconds: 120, count: 3)])
        #expect(QueryTexts.text(counts) == "[120,3,450,1]")
        #expect(try QueryTexts.latency("[120,3,450,1]") == counts)
        #expect(try QueryTexts.latency("") == LatencyCounts())
    }
}

@Suite("Spans that cover a time")
struct QueryTilesTests {
    private static let now = Instant(milliseconds: 1_700_000_123_456)

    /// Hours before now.
    @Test(
        "have no gap, no overlap and nothing from outside",
        arguments: [(2, 0), (2, 1), (30, 1), (200, 30), (200, 0), (1_000, 900), (9_000, 1_000), (1, 1), (1, 2)])
    func cover(from: Int64, to: Int64) {
        let (start, end) = (Self.now - .hours(from), Self.now - .hours(to))
        let tiles = QueryTiles(from: start, to: end, now: Self.now)
        #expect(tiles.start >= start && tiles.end <= max(end, tiles.start))
        var cursor = tiles.start
        for tile in tiles.tiles {
            #expect(tile.start == cursor)
            cursor = tile.start + tile.resolution.span
        }
        #expect(to == 0 ? cursor >= Self.now : cursor == tiles.end)
        #expect(tiles.tiles.count <= 600)
        #expect(tiles.tiles.isEmpty == (start >= end))
    }

    @Test("are minutes on the day itself, hours in the month, days before")
    func resolutions() {
        func first(_ hours: Int64) -> SampleResolution? {
            QueryTiles(from: Self.now - .hours(hours), to: Self.now - .hours(hours - 49), now: Self.now).tiles.first?
                .resolution
        }
        #expect(first(2) == .minute)
        #expect(first(30) == .hour)
        #expect(first(24 * 100) == .day)
    }
}
