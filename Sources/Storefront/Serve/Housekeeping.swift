import Logging
import ServiceLifecycle

/// Deletes expired sessions now and then.
struct Housekeeping: Service {
    static let interval = Duration.seconds(600)

    let store: Store
    let clock: WallClock
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown { await rounds() }
    }

    private func rounds() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: Self.interval)
                let count = try await store.deleteExpiredSessions(at: clock.now())
                logger.debug("Expired sessions are deleted.", metadata: ["count": "\(count)"])
            } catch is CancellationError {
                return
            } catch {
                logger.warning("Expired sessions could not be deleted.", metadata: ["error": "\(error)"])
            }
        }
    }
}
