/// One query held to a limit, from the moment it was found to be the culprit to its release.
///
/// ```
///   tripped ─▶ limit L ──pressure──▶ L/2, at least 1 (at most once a second)
///                │  ▲──────────────────────┘
///                ├── demand within the budget for 2 s ──▶ L = ⌈B⌉; a crowd is released
///                ├── every 5 s without pressure ──▶ L + 1
///                └── 10 min over and nothing turned away, or L = P, or the release changed ──▶ released
/// ```
struct Trip: Hashable, Sendable {
    struct Second: Hashable, Sendable {
        var now: Int64
        var isPressed: Bool
        /// Others are slower than usual.
        var isStrained: Bool
        /// Slots that the query would take if nothing were turned away.
        var demand: Double
        var turnedAway: Int
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

    init(baseline: Double, isCrowd: Bool = false, now: Int64, settings: BudgetSettings) {
        limit = isCrowd ? settings.crowdLimit(baseline: baseline) : settings.tripLimit(baseline: baseline)
        sheds = !isCrowd
        self.baseline = baseline
        trippedAt = now
        until = now + settings.tripTime.nanoseconds
        changedAt = now
        turnedAwayAt = now
    }

    /// Called once a second.
    mutating func secondPassed(_ second: Second, settings: BudgetSettings) -> Action {
        if second.turnedAway > 0 { turnedAwayAt = second.now }
        if second.isPressed { return press(second.now, settings) }
        let fits = second.demand <= baseline
        if !fits { fitsSince = nil } else if fitsSince == nil { fitsSince = second.now }
        if second.now >= until, second.now - turnedAwayAt >= settings.raiseEvery.nanoseconds {
            return .release(.timeServed)
        }
        if let fitsSince, second.now - fitsSince >= settings.fitTime.nanoseconds {
            if !sheds { return .release(.fitsAgain) }
            if limit < whole(settings) { return raise(to: whole(settings), second.now, settings) }
        }
        guard second.now - changedAt >= settings.raiseEvery.nanoseconds, !second.isStrained else { return .none }
        let share = sheds ? settings.raiseShare : settings.crowdShare
        let ceiling = fits ? settings.slots : Int(Double(settings.slots) * share)
        return limit < ceiling ? raise(to: limit + 1, second.now, settings) : .none
    }

    private func whole(_ settings: BudgetSettings) -> Int {
        min(settings.slots, Int(min(baseline, 1e6).rounded(.up)))
    }

    private mutating func press(_ now: Int64, _ settings: BudgetSettings) -> Action {
        fitsSince = nil
        let least = sheds ? 1 : settings.tripLimit(baseline: baseline)
        guard limit > least, now - changedAt >= QueryAccounting.second else { return .none }
        limit = max(least, limit / 2)
        changedAt = now
        return .lower(to: limit)
    }

    private mutating func raise(to raised: Int, _ now: Int64, _ settings: BudgetSettings) -> Action {
        guard raised < settings.slots else { return .release(.unlimited) }
        limit = raised
        changedAt = now
        return .raise(to: raised)
    }
}
