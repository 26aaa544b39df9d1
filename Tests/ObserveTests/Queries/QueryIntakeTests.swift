import Decide
import Logging
import Record
import SQL
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Observe

@Suite("Taking in what a guard counted")
struct QueryIntakeTests {
    private struct Broken: Error {}

    /// A guard that has one call more to tell each time it is asked.
    private final class FakeGuard: Sendable {
        let asked = Mutex(0)
        let isBroken = Mutex(false)

        func take(_ count: Int = 1) throws -> [QuerySample] {
            if isBroken.withLock({ $0 }) { throw Broken() }
            let round = asked.withLock { asked in
                asked += 1
                return asked
            }
            return (0..<count).map { number in
                var figures = QueryFigures()
                figures.calls = 1
                return QuerySample(
                    database: "shop", query: QueryKey(fingerprint: UInt64(round * 1_000 + number)), release: "v1",
                    text: "SELECT 1", figures: figures)
            }
        }
    }

    private static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    private func withRecord(_ body: @Sendable (Record) async throws -> Void) async throws {
        try await withDatabase { database, _ in
            let record = Record(
                database: database, policy: Policy(), now: { Instant(milliseconds: 1_700_000_000_000) })
            try await record.migrate()
            try await body(record)
        }
    }

    private func stored(_ record: Record) async throws -> Int {
        try await record.queries(from: record.now() - .hours(1), to: record.now()).samples
            .reduce(0) { $0 + $1.figures.calls }
    }

    /// Without its table the database refuses every sample.
    private func hide(_ isHidden: Bool, _ record: Record) async throws {
        try await record.database.write { connection in
            try connection.execute(
                isHidden
                    ? "ALTER TABLE query_texts RENAME TO hidden_texts"
                    : "ALTER TABLE hidden_texts RENAME TO query_texts")
        }
    }

    @Test("stores what it takes")
    func stores() async throws {
        try await withRecord { record async throws in
            let proxy = FakeGuard()
            let intake = QueryIntake(record: record, logger: Self.logger) { try proxy.take(1_200) }
            await intake.round()
            #expect(intake.waiting == 0)
            #expect(try await stored(record) == 1_200)
        }
    }

    @Test("keeps what the database would not take, and stores it once")
    func keeps() async throws {
        try await withRecord { record async throws in
            let proxy = FakeGuard()
            let intake = QueryIntake(record: record, logger: Self.logger) { try proxy.take(3) }
            try await hide(true, record)
            await intake.round()
            await intake.round()
            #expect(intake.waiting == 6)
            try await hide(false, record)
            await intake.round()
            #expect(intake.waiting == 0)
            #expect(try await stored(record) == 9)
            #expect(intake.droppedCalls == 0)
        }
    }

    @Test("keeps no more than its limit, and counts what it drops")
    func bounded() async throws {
        try await withRecord { record async throws in
            let proxy = FakeGuard()
            let intake = QueryIntake(record: record, logger: Self.logger, limit: 5) { try proxy.take(4) }
            try await hide(true, record)
            for _ in 1...3 { await intake.round() }
            #expect(intake.waiting == 5)
            #expect(intake.droppedCalls == 7)
        }
    }

    @Test("a guard that does not answer is asked again")
    func unanswered() async throws {
        try await withRecord { record async throws in
            let proxy = FakeGuard()
            let intake = QueryIntake(record: record, logger: Self.logger) { try proxy.take() }
            proxy.isBroken.withLock { $0 = true }
            await intake.round()
            proxy.isBroken.withLock { $0 = false }
            await intake.round()
            #expect(try await stored(record) == 1)
        }
    }

    @Test("takes once more when it is told to stop")
    func shutdown() async throws {
        try await withRecord { record async throws in
            let proxy = FakeGuard()
            let intake = QueryIntake(record: record, logger: Self.logger, every: .seconds(3_600)) { try proxy.take(2) }
            let group = ServiceGroup(services: [intake], logger: Self.logger)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            #expect(proxy.asked.withLock { $0 } == 1)
            #expect(try await stored(record) == 2)
        }
    }
}
