/// One query's circuit breaker: a query that the database keeps refusing for want of room is not sent for a while.
///
/// ```
///            half or more of ≥ 20 calls in 10 s failed
///   closed ─────────────────────────────────────────────▶ open ◀─────┐
///      ▲                                                   │ time    │ a probe failed:
///      └────────── all probes succeeded ──────── halfOpen ◀┘         │ open twice as long
///                                                    └───────────────┘
/// ```
/// 1. Only 57014 and class 53 count as failures, and never a cancel of the guard's own.
/// 2. Half open, at most `breakerProbes` calls are on their way.
/// 3. A probe that ends without a verdict (its client left) gives its place back.
struct Breaker: Hashable, Sendable {
    enum State: Hashable, Sendable {
        case closed
        case open(until: Int64)
        case halfOpen(out: Int, succeeded: Int)
    }

    enum Change: Hashable, Sendable {
        case opened(failures: Int, calls: Int, until: Int64)
        case halfOpened
        case closed
    }

    /// One second of calls.
    struct Second: Hashable, Sendable {
        var number: Int64
        var calls: UInt32
        var failures: UInt32 = 0
    }

    private(set) var state: State = .closed
    private var seconds: [Second]
    private var openFor: Int64 = 0
    private var closedAt: Int64 = .min / 2

    /// Closed for this long, the next opening starts with the shortest time again.
    private static let memory: Int64 = 60_000_000_000

    /// - Parameter before: calls without failures of the last seconds, oldest first: a breaker is made at the first
    ///   failure.
    init(before: [Second] = []) {
        seconds = before
    }

    /// One call has ended; `failed` means that the database had no room for it.
    mutating func ended(failed: Bool, now: Int64, settings: BudgetSettings) -> Change? {
        guard case .closed = state else { return nil }
        count(failed: failed, second: now / QueryAccounting.second, window: settings.breakerWindow)
        let calls = seconds.reduce(0) { $0 + Int($1.calls) }
        let failures = seconds.reduce(0) { $0 + Int($1.failures) }
        guard failed, calls >= settings.breakerCalls, Double(failures) >= settings.breakerShare * Double(calls)
        else { return nil }
        return open(failures: failures, calls: calls, now: now, settings: settings)
    }

    private mutating func count(failed: Bool, second: Int64, window: Int) {
        if seconds.last?.number != second {
            seconds.append(Second(number: second, calls: 0))
            seconds.removeAll { $0.number <= second - Int64(max(1, window)) }
        }
        seconds[seconds.count - 1].calls += 1
        if failed { seconds[seconds.count - 1].failures += 1 }
    }

    private mutating func open(failures: Int, calls: Int, now: Int64, settings: BudgetSettings) -> Change {
        let isAgain = now - closedAt < Self.memory || state != .closed
        let (shortest, longest) = (settings.breakerOpen.nanoseconds, settings.breakerLongestOpen.nanoseconds)
        openFor = isAgain && openFor > 0 ? min(openFor * 2, max(shortest, longest)) : shortest
        state = .open(until: now + openFor)
        seconds.removeAll()
        return .opened(failures: failures, calls: calls, until: now + openFor)
    }

    /// Whether a call may go out now. Counts it as a probe when half open.
    mutating func admit(settings: BudgetSettings) -> (runs: Bool, isProbe: Bool) {
        switch state {
        case .closed: return (true, false)
        case .open: return (false, false)
        case .halfOpen(let out, let succeeded):
            guard out + succeeded < settings.breakerProbes else { return (false, false) }
            state = .halfOpen(out: out + 1, succeeded: succeeded)
            return (true, true)
        }
    }

    /// - Parameter failed: nil when the probe ended without a verdict.
    mutating func probeEnded(failed: Bool?, now: Int64, settings: BudgetSettings) -> Change? {
        guard case .halfOpen(let out, let succeeded) = state else { return nil }
        switch failed {
        case nil:
            state = .halfOpen(out: max(0, out - 1), succeeded: succeeded)
            return nil
        case true:
            return open(failures: 1, calls: succeeded + 1, now: now, settings: settings)
        default:
            guard succeeded + 1 >= settings.breakerProbes else {
                state = .halfOpen(out: max(0, out - 1), succeeded: succeeded + 1)
                return nil
            }
            state = .closed
            closedAt = now
            return .closed
        }
    }

    mutating func tick(now: Int64) -> Change? {
        guard case .open(let until) = state, now >= until else { return nil }
        state = .halfOpen(out: 0, succeeded: 0)
        return .halfOpened
    }

    /// Closed, and no call of the last minute failed: it may be forgotten.
    func isIdle(now: Int64) -> Bool {
        guard case .closed = state, now - closedAt >= Self.memory else { return false }
        let second = now / QueryAccounting.second
        return seconds.allSatisfy { $0.failures == 0 || second - $0.number > 60 }
    }
}
