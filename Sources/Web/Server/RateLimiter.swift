import Decide
import Synchronization

/// Token buckets by key: `burst` at once, then one each `refill`.
///
/// Memory is bounded by `keys`: when full, the buckets that have the most tokens left are forgotten first, so that
/// nobody gets a fresh bucket by filling the table with other names.
package final class RateLimiter: Sendable {
    private struct Bucket {
        var tokens: Double
        var at: Instant
    }

    private struct State {
        var buckets: [String: Bucket] = [:]
        var refused = 0
    }

    private let burst: Double
    private let refill: Span
    private let keys: Int
    private let state = Mutex(State())

    package init(burst: Int, refill: Span, keys: Int = 10_000) {
        self.burst = Double(burst)
        self.refill = refill
        self.keys = keys
    }

    /// How many were refused since start.
    package var refused: Int { state.withLock { $0.refused } }

    /// Takes a token; nil when there was one, else how long to wait for the next.
    package func take(_ key: String, at now: Instant) -> Span? {
        state.withLock { state in
            var bucket = state.buckets[key].map { filled($0, at: now) } ?? Bucket(tokens: burst, at: now)
            let wait: Span?
            if bucket.tokens >= 1 {
                bucket.tokens -= 1
                wait = nil
            } else {
                wait = .milliseconds(Int64((1 - bucket.tokens) * Double(refill.milliseconds)) + 1)
                state.refused += 1
            }
            if state.buckets[key] == nil, state.buckets.count >= keys { forgetSome(&state, at: now) }
            state.buckets[key] = bucket
            return wait
        }
    }

    /// Undoes one `take`: it turned out not to count.
    package func giveBack(_ key: String) {
        state.withLock { state in
            guard let tokens = state.buckets[key]?.tokens else { return }
            state.buckets[key]?.tokens = min(burst, tokens + 1)
        }
    }

    var count: Int { state.withLock { $0.buckets.count } }

    private func filled(_ bucket: Bucket, at now: Instant) -> Bucket {
        let elapsed = max(0, (now - bucket.at).milliseconds)
        let tokens = bucket.tokens + Double(elapsed) / Double(max(1, refill.milliseconds))
        return Bucket(tokens: min(burst, tokens), at: max(now, bucket.at))
    }

    private func forgetSome(_ state: inout State, at now: Instant) {
        let byTokens = state.buckets.map { ($0.key, filled($0.value, at: now).tokens) }.sorted { $0.1 > $1.1 }
        for (key, _) in byTokens.prefix(max(1, keys / 4)) { state.buckets[key] = nil }
    }
}

/// Every limit on how often something may be tried.
package struct RateLimits: Sendable {
    package var signInByAccount = RateLimiter(burst: 10, refill: .seconds(10))
    package var signInByAddress = RateLimiter(burst: 30, refill: .seconds(5))
    package var reportsByAddress = RateLimiter(burst: 20, refill: .seconds(6))
    package var reportsByReporter = RateLimiter(burst: 5, refill: .seconds(30))
    /// A service passes its users' reports on from few addresses.
    package var reportsByService = RateLimiter(burst: 600, refill: .milliseconds(100))
    /// Links in pages: guessing is hopeless, but need not be free.
    package var linksByAddress = RateLimiter(burst: 60, refill: .seconds(1))

    package init() {}

    var refusals: [(limit: String, count: Int)] {
        [
            ("sign_in_account", signInByAccount.refused), ("sign_in_address", signInByAddress.refused),
            ("reports_address", reportsByAddress.refused), ("reports_reporter", reportsByReporter.refused),
            ("reports_service", reportsByService.refused), ("links_address", linksByAddress.refused),
        ]
    }
}

/// Refuses once a limit is reached.
func limit(_ limiter: RateLimiter, _ key: String, _ what: String, at now: Instant) throws {
    if let wait = limiter.take(key, at: now) { throw Problem.tooMany(what, retryAfter: wait) }
}
