import Decide
import Observe
import Record
import SQL
import Synchronization
import TestSupport
import Testing

@testable import App

struct ObserverWatchTests {
    private final class Clock: Sendable {
        private let instant = Mutex(Instant(milliseconds: 1_000_000))
        var now: Instant { instant.withLock { $0 } }
        func advance(_ span: Span) { instant.withLock { $0 = $0 + span } }
    }

    @Test("nobody running the checks is told, once there was time to take over", arguments: TestDriver.available)
    func gap(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            let clock = Clock()
            let record = Record(
                database: database, policy: Policy(services: [:], teams: [:], checks: [:]), now: { clock.now })
            try await record.migrate()
            let watch = ObserverWatch(record) { clock.now }
            #expect(await watch.complaint() == nil)
            clock.advance(.seconds(21))
            #expect(await watch.complaint() == "no process has run them for 21s")
            #expect(try await record.holdLease(Observer.leaseName, owner: "a", for: .seconds(10)))
            #expect(await watch.complaint() == nil)
            clock.advance(.seconds(15))
            #expect(await watch.complaint() == nil)
            clock.advance(.seconds(10))
            #expect(await watch.complaint() == "no process has run them for 25s")
        }
    }
}
