import Synchronization

/// At most `limit` uses of a key within `windowMilliseconds`.
final class RateLimit: Sendable {
    /// Keys remembered; past it the oldest windows go, and with them at worst some strictness.
    static let keyLimit = 20_000

    private struct Window {
        var began: Int64
        var uses: Int
    }

    let limit: Int
    let windowMilliseconds: Int64
    private let clock: WallClock
    private let windows = Mutex<[String: Window]>([:])

    init(limit: Int, windowMilliseconds: Int64, clock: WallClock) {
        self.limit = limit
        self.windowMilliseconds = windowMilliseconds
        self.clock = clock
    }

    /// Counts one use. Throws 429 with `detail` when there were too many.
    func use(_ key: String, detail: String) throws {
        let now = clock.now()
        let wait: Int64? = windows.withLock { windows in
            if windows.count >= Self.keyLimit {
                windows = windows.filter { now - $0.value.began < windowMilliseconds }
                if windows.count >= Self.keyLimit { windows.removeAll(keepingCapacity: true) }
            }
            var window = windows[key] ?? Window(began: now, uses: 0)
            if now - window.began >= windowMilliseconds { window = Window(began: now, uses: 0) }
            guard window.uses < limit else { return window.began + windowMilliseconds - now }
            window.uses += 1
            windows[key] = window
            return nil
        }
        if let wait {
            throw Problem.tooManyRequests(detail, retryAfter: Int((wait + 999) / 1000))
        }
    }

    /// Takes back what was counted for `key`.
    func forgive(_ key: String) {
        _ = windows.withLock { $0.removeValue(forKey: key) }
    }
}
