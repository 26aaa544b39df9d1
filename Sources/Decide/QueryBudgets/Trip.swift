/// One query held to a limit, from the moment it was found to be the culprit to its release.
///
/// ```
///   tripped ─▶ limit L ──pressure, or 2 s over its budget while others are slowed──▶ L/2, at least 1
///                │  ▲──────────────────────┘ (at most once a second)
///                ├── demand within the budget for 2 s ──▶ L = ⌈B⌉; a crowd is released
///                ├── 5 s without pressure and with the others as fast as usual ──▶ L + 1
///                │     (each halving doubles the 5 s, up to a minute; each rise that was borne halves them)
///                └── 10 min over and nothing turned away, or L = P, or the release changed ──▶ released
/// ```
struct Trip: Hashable, Sendable {
    struct Second: Hashable, Sendable {
        var now: Int64
        var isPressed: Bool
        var others: Others
        /// Slots that the query would take if nothing were turned away.
        var demand: Double
        var turnedAway: Int
    }

    /// How fast the other queries are.
    enum Others: Hashable, Sendable {
        /// Nobody is there, or all are about as fast as usual.
        case usual
        case slowed
        /// Too little is known of what is usual for them.
        case unknown
    }

    enum Action: Hashable, Sendable {
        case none
        case raise(to: Int)
        case lower(to: Int)
        case release(Reason)
    }

    typealias Reason = BudgetDecision.ReleaseReason

    private(set) var limit: Int
    /// False for a crowd on a good query: it waits, and nothing of it is turned away or cancelled.
    let sheds: Bool
    /// The budget when it tripped.
    let baseline: Double
    let trippedAt: Int64
    /// The earliest release.
    private(set) var until: Int64
    private var changedAt: Int64
    private var fitsSince: Int64?
    private var turnedAwayAt: Int64
    private var slowedSince: Int64?
    /// How long a limit must have been borne before it rises.
    private var raiseWait: Int64
    private var hasRisen = false

    init(baseline: Double, isCrowd: Bool = false, now: Int64, settings: BudgetSettings) {
        limit = isCrowd ? settings.crowdLimit(baseline: baseline) : settings.tripLimit(baseline: baseline)
        sheds = !isCrowd
        self.baseline = baseline
        trippedAt = now
        until = now + settings.tripTime.nanoseconds
        changedAt = now
        turnedAwayAt = now
        raiseWait = settings.raiseEvery.nanoseconds
    }

    /// Called once a second.
    mutating func secondPassed(_ second: Second, settings: BudgetSettings) -> Action {
        if second.turnedAway > 0 { turnedAwayAt = second.now }
        if second.isPressed { return press(second.now, settings) }
        let fits = second.demand <= baseline
        if !fits { fitsSince = nil } else if fitsSince == nil { fitsSince = second.now }
        if slows(second, fits: fits, settings) { return press(second.now, settings) }
        if second.now >= until, second.now - turnedAwayAt >= settings.raiseEvery.nanoseconds {
            return .release(.timeServed)
        }
        if let fitsSince, second.now - fitsSince >= settings.fitTime.nanoseconds {
            if !sheds { return .release(.fitsAgain) }
            if limit < whole(settings) { return raise(to: whole(settings), second.now, settings) }
        }
        guard second.now - changedAt >= raiseWait, mayRise(beside: second.others) else { return .none }
        let share = sheds ? settings.raiseShare : settings.crowdShare
        let ceiling = fits ? settings.slots : Int(Double(settings.slots) * share)
        guard limit < ceiling else { return .none }
        if hasRisen { raiseWait = max(settings.raiseEvery.nanoseconds, raiseWait / 2) }
        hasRisen = true
        return raise(to: limit + 1, second.now, settings)
    }

    /// Over its budget while the others are slower than usual, longer than a moment. What it has a right to stays.
    private mutating func slows(_ second: Second, fits: Bool, _ settings: BudgetSettings) -> Bool {
        guard sheds, !fits, second.others == .slowed else {
            slowedSince = nil
            return false
        }
        let since = slowedSince ?? second.now
        slowedSince = since
        return limit > 1 && second.now - since >= settings.slowedTime.nanoseconds
    }

    /// A runaway is let have more only when it is known that nobody suffers from what it has.
    private func mayRise(beside others: Others) -> Bool {
        switch others {
        case .usual: true
        case .unknown: !sheds
        case .slowed: false
        }
    }

    private func whole(_ settings: BudgetSettings) -> Int {
        min(settings.slots, Int(min(baseline, 1e6).rounded(.up)))
    }

    private mutating func press(_ now: Int64, _ settings: BudgetSettings) -> Action {
        fitsSince = nil
        let least = sheds ? 1 : settings.crowdLeast(baseline: baseline)
        guard limit > least, now - changedAt >= QueryAccounting.second else { return .none }
        limit = max(least, limit / 2)
        changedAt = now
        raiseWait = min(settings.raiseLongest.nanoseconds, 2 * raiseWait)
        hasRisen = false
        return .lower(to: limit)
    }

    private mutating func raise(to raised: Int, _ now: Int64, _ settings: BudgetSettings) -> Action {
        guard raised < settings.slots else { return .release(.unlimited) }
        limit = raised
        changedAt = now
        return .raise(to: raised)
    }
}
