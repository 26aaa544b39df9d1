import Decide
import Record
import SQL
import TestSupport
import Testing

@Suite("Samples and exposures, on both databases")
struct SampleTests {
    private func result(_ clock: TestClock, passed: Bool, took: Int64) -> CheckResult {
        CheckResult(
            check: "storefront/home", startedAt: clock.now, finishedAt: clock.now + .milliseconds(took),
            failure: passed ? nil : CheckFailure(kind: .timeout, step: nil, message: "no answer in 5s"))
    }

    @Test("results are rolled up by minute, hour and day", arguments: TestDriver.available)
    func rollUp(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            let start = clock.now
            for (passed, took) in [(true, 10), (false, 50), (true, 30)] as [(Bool, Int64)] {
                try await record.sample([result(clock, passed: passed, took: took)])
            }
            clock.advance(.minutes(2))
            try await record.sample([result(clock, passed: true, took: 5)])
            let minutes = try await record.samples("storefront/home", .minute, since: start - .hours(1))
            #expect(minutes.map(\.runs) == [3, 1])
            #expect(minutes[0].failures == 1)
            #expect(minutes[0].tookAverage == .milliseconds(30))
            #expect(minutes[0].tookMax == .milliseconds(50))
            #expect(minutes[0].lastFailure == "no answer in 5s")
            #expect(try await record.samples("storefront/home", .day, since: .epoch).map(\.runs) == [4])
        }
    }

    @Test("old samples go, young ones stay", arguments: TestDriver.available)
    func prune(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            try await record.sample([result(clock, passed: true, took: 1)])
            clock.advance(.days(3))
            try await record.sample([result(clock, passed: true, took: 1)])
            try await record.prune()
            #expect(try await record.samples("storefront/home", .minute, since: .epoch).count == 1)
            #expect(try await record.samples("storefront/home", .day, since: .epoch).count == 2)
        }
    }

    private func batch(_ id: String, users: [UInt64], at: Instant) -> ExposureBatch {
        ExposureBatch(
            id: id, service: "storefront",
            items: [
                .init(
                    flag: "favorites", variant: "v2", version: 3, firstAt: at, lastAt: at, evaluations: 5,
                    users: users)
            ], active: users + [999], at: at)
    }

    @Test("a batch sent twice counts once, and users are distinct", arguments: TestDriver.available)
    func exposures(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            let first = batch("b1", users: [1, 2, 3], at: clock.now)
            try await record.add(first)
            try await record.add(first)
            clock.advance(.seconds(10))
            try await record.add(batch("b2", users: [3, 4], at: clock.now))
            let found = try await record.exposures(since: .epoch)
            #expect(found.map(\.users) == [4])
            #expect(found.first.map { $0.lastAt - $0.firstAt } == .seconds(10))
            #expect(try await record.activeUsers(service: "storefront") == 5)
            clock.advance(.minutes(20))
            #expect(try await record.activeUsers(service: "storefront") == 0)
        }
    }

    @Test("batches from several processes at once add up", arguments: TestDriver.available)
    func concurrentBatches(driver: TestDriver) async throws {
        try await withRecord(driver) { record, clock, _ in
            try await record.add(batch("first", users: [0], at: clock.now))
            let instant = clock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...20 {
                    group.addTask {
                        try await record.add(self.batch("n\(number)", users: [UInt64(number)], at: instant))
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await record.exposures(since: .epoch).map(\.users) == [21])
        }
    }
}
