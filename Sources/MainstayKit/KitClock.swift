import Decide
import Foundation

/// Time as the kit sees it; tests bring their own.
package struct KitClock: Sendable {
    package var now: @Sendable () -> Instant
    package var sleep: @Sendable (Duration) async throws -> Void
    /// A share of 1, evenly distributed; keeps clients from coming back in step.
    package var jitter: @Sendable () -> Double

    package init(
        now: @escaping @Sendable () -> Instant, sleep: @escaping @Sendable (Duration) async throws -> Void,
        jitter: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.sleep = sleep
        self.jitter = jitter
    }

    package static let system = KitClock(
        now: { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)) },
        sleep: { try await Task.sleep(for: $0, clock: .continuous) },
        jitter: { Double.random(in: 0..<1) })
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}
