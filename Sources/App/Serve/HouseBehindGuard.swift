import Logging
import Record
import ServiceLifecycle
import Synchronization

/// All of Mainstay but the guard, in the guard's process: what is wrong with it is no reason to cut applications off
/// from their databases.
///
/// ```
/// first run ──the record is not there──▶ wait ─▶ again
///     │  └──anything else──▶ the process ends, as without a guard: whoever started it looks at it now
///     └─ it has served ──any failure──▶ wait ─▶ again
/// any ──told to stop──▶ done
/// ```
struct HouseBehindGuard: Service {
    /// Whether it was ever as far as serving people.
    final class Progress: Sendable {
        private let state = Mutex(false)
        var hasServed: Bool { state.withLock { $0 } }
        func serves() { state.withLock { $0 = true } }
    }

    let progress: Progress
    let logger: Logger
    var firstPause: Duration = .seconds(1)
    var longestPause: Duration = .seconds(30)
    /// Returns when it was told to stop.
    let runOnce: @Sendable () async throws -> Void

    func run() async throws {
        var pause = firstPause
        while true {
            do {
                return try await runOnce()
            } catch {
                guard progress.hasServed || RecordFailure(error) == .unavailable, !Task.isCancelled else { throw error }
                logger.error(
                    "Mainstay cannot serve; the guard goes on, and it will be tried again",
                    metadata: ["cause": "\(error)", "in": "\(pause)"])
            }
            let rest = pause
            let isOver = await cancelWhenGracefulShutdown { () -> Bool in
                do { try await Task.sleep(for: rest) } catch { return true }
                return false
            }
            if isOver { return }
            pause = min(pause * 2, longestPause)
        }
    }
}
