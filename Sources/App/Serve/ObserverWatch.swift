import Decide
import Observe
import Record
import Synchronization
import Web

/// Whether somebody runs the checks; when nobody does, nothing would be noticed.
///
/// Between two holders of the lease there is a moment without one; only a gap longer than a takeover takes is told.
final class ObserverWatch: Sendable {
    private let record: Record
    private let now: @Sendable () -> Instant
    private let lastHeld: Mutex<Instant>

    init(_ record: Record, now: @escaping @Sendable () -> Instant) {
        self.record = record
        self.now = now
        lastHeld = Mutex(now())
    }

    var vital: Vital { Vital("checks") { await self.complaint() } }

    func complaint() async -> String? {
        let now = self.now()
        do {
            if try await record.leaseEnd(Observer.leaseName) != nil {
                lastHeld.withLock { $0 = now }
                return nil
            }
        } catch {
            return "the record cannot be asked who runs them"
        }
        let gap = now - lastHeld.withLock { $0 }
        return gap <= Observer.takeover ? nil : "no process has run them for \(gap)"
    }
}
