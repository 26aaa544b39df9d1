import Decide
import NIOCore
import PGWire
import Testing

@testable import Guard

struct QueryStatisticsTests {
    private static let second: Int64 = 1_000_000_000

    private let catalog = QueryCatalog(seed: 1)
    private let statistics = QueryStatistics()

    private func query(_ text: String) -> QueryInfo { catalog.look(at: ByteBuffer(string: text)) }

    private func entry(_ text: String, release: UInt32 = 0, database: UInt32 = 1, now: Int64 = 0) -> QueryEntry? {
        statistics.entry(of: query(text), release: release, database: database, now: now) {
            ("shop", release == 0 ? "" : "r\(release)")
        }
    }

    private static func statement(
        _ query: QueryInfo, microseconds: Int64 = 100, rows: Int = 1, state: SQLState? = nil,
        tag: CommandTag = .select
    ) -> RunningStatement {
        var statement = RunningStatement(query: query, sentAt: second - microseconds * 1_000)
        (statement.rows, statement.sqlState, statement.tag) = (rows, state, tag)
        return statement
    }

    @Test("percentiles are within 1 % of the values", arguments: [10, 100, 1_000, 50_000, 900_000])
    func percentiles(_ microseconds: Int64) throws {
        let one = try #require(entry("SELECT 1"))
        for _ in 0..<99 { one.add(Self.statement(one.query, microseconds: microseconds), Self.second) }
        one.add(Self.statement(one.query, microseconds: microseconds * 1_000), Self.second)
        one.fold()
        let median = Double(try #require(one.total.latency.percentile(0.5)))
        let top = Double(try #require(one.total.latency.percentile(1)))
        #expect(abs(median / Double(microseconds) - 1) <= 0.01)
        #expect(abs(top / Double(microseconds * 1_000) - 1) <= 0.01)
        #expect(one.total.latency.total == 100)
    }

    @Test("times below nothing and beyond an hour are kept within")
    func edges() throws {
        let one = try #require(entry("SELECT 1"))
        one.add(Self.statement(one.query, microseconds: -5), Self.second)
        one.add(Self.statement(one.query, microseconds: 10_000_000_000), Self.second)
        one.fold()
        #expect(one.total.latency.percentile(0.5) == 0)
        #expect(try #require(one.total.latency.percentile(1)) >= 3_600_000_000)
    }

    @Test("calls, rows, errors and writes that changed nothing are told apart")
    func counts() throws {
        let one = try #require(entry("INSERT INTO t VALUES (1)"))
        one.add(Self.statement(one.query, rows: 1, tag: .insert), Self.second)
        one.add(Self.statement(one.query, rows: 0, tag: .insert), Self.second)
        one.add(Self.statement(one.query, rows: 0, state: SQLState("23505")), Self.second)
        one.fold()
        #expect(one.total.calls == 3)
        #expect(one.total.writes == 2)
        #expect(one.total.emptyWrites == 1)
        #expect(one.total.errors == ["23505": 1])
        #expect(one.total.rows == 1)
    }

    @Test("every call is in exactly one sample, those before the first question included")
    func samples() throws {
        let (one, other) = (try #require(entry("SELECT 1")), try #require(entry("SELECT 1", release: 2)))
        #expect(one !== other)
        one.add(Self.statement(one.query), Self.second)
        one.fold()
        one.add(Self.statement(one.query), Self.second)
        other.add(Self.statement(other.query), Self.second)
        let first = statistics.takeSamples().sorted { $0.release < $1.release }
        #expect(first.map(\.figures.calls) == [2, 1])
        #expect(first.map(\.release) == ["", "r2"])
        #expect(first.map(\.database) == ["shop", "shop"])
        #expect(statistics.takeSamples().isEmpty)
        one.add(Self.statement(one.query), Self.second)
        #expect(statistics.takeSamples().map(\.figures.calls) == [1])
        #expect(one.total.calls == 3)
    }

    @Test("when there are too many, one that rests makes room, and nothing that it counted is lost")
    func room() throws {
        _ = statistics.takeSamples()
        let first = try #require(entry("SELECT 1", database: 0))
        first.add(Self.statement(first.query), Self.second)
        for number in 1..<UInt32(QueryStatistics.limit) { _ = entry("SELECT 1", database: number) }
        #expect(entry("SELECT a FROM b", now: Self.second) == nil)
        #expect(statistics.dropped == 1)
        let later = QueryStatistics.keptFor + 2 * Self.second
        var met = 0
        while !first.isDropped, met < QueryStatistics.limit {
            _ = entry("SELECT a FROM c", database: UInt32(met), now: later)
            met += 1
        }
        #expect(first.isDropped)
        #expect(statistics.entries.count == QueryStatistics.limit)
        #expect(statistics.takeSamples().map(\.figures.calls) == [1])
    }
}
