/// What is known of one fingerprint. Times are nanoseconds of monotonic time, usage is in slots.
struct QueryAccount: Sendable {
    var query: QueryKey
    var release: ReleaseID = .none
    var firstSeen: Int64
    var lastSeen: Int64
    /// First met after the present release had started.
    var isNew: Bool
    /// The budget as it was when a release started; stands until the freeze ends.
    var frozenBaseline: Double?
    var ruleMask: UInt64 = 0
    var isProtected = false

    // The second that is running.
    var slotTime: Int64 = 0
    var calls: UInt32 = 0
    var callTime: Int64 = 0
    var errors: UInt32 = 0
    var turnedAway: UInt32 = 0
    var holds: UInt32 = 0
    var holdTime: Int64 = 0
    var admissions: UInt32 = 0
    var lateAdmissions: UInt32 = 0

    /// The second before it.
    var last = QuerySecond()
    /// Calls of the last ten seconds by second, for a breaker that is made at the first failure.
    private var recentCalls = [UInt32](repeating: 0, count: 10)

    /// T_f in nanoseconds: how long one admission holds its slot, weighted by second; 0 before the first end.
    var meanHold: Double = 0
    /// Of statements, slowly moving (an hour of seconds in which it ran); 0 before.
    var usualService: Double = 0
    var usualCalls: Double = 0
    var speedSeconds: Double = 0
    /// Service times of statements in seconds without pressure, in microseconds; halved each day.
    var service = CountHistogram()
    var history: BaselineHistory

    /// Tokens that name this account as owner or as the statement that is running; it stays while there are any.
    var references: Int32 = 0
    /// Seconds in which it was called, since it is tracked.
    var activeSeconds = 0
    var trip: Trip?
    var breaker: Breaker?
    /// When people were last told that its results are large.
    var warnedAt: Int64 = .min / 2

    init(query: QueryKey, at now: Int64, isNew: Bool, baselineDays: Int) {
        self.query = query
        self.isNew = isNew
        firstSeen = now
        lastSeen = now
        history = BaselineHistory(days: baselineDays)
    }

    /// Nothing depends on it: another query may have its place.
    func isIdle(for quiet: Int64, at now: Int64) -> Bool {
        references == 0 && trip == nil && breaker == nil && now - lastSeen > quiet
    }
}

/// One closed second of one query.
struct QuerySecond: Hashable, Sendable {
    /// U_f: slot-seconds a second, those in flight included.
    var usage: Double = 0
    var calls: UInt32 = 0
    var errors: UInt32 = 0
    var turnedAway: UInt32 = 0
    /// Nanoseconds; 0 without calls.
    var meanService: Double = 0
    var admissions: UInt32 = 0
    var lateAdmissions: UInt32 = 0
}

extension QueryAccount {
    /// One admission has given its slot back.
    mutating func held(_ time: Int64) {
        holds &+= 1
        holdTime += time
    }

    /// Closes the running second, which was `length` nanoseconds long.
    mutating func closeSecond(length: Int64, number: Int64) {
        recentCalls[Int(number % 10)] = calls
        last.usage = Double(slotTime) / Double(max(1, length))
        last.calls = calls
        if calls > 0 { activeSeconds += 1 }
        last.errors = errors
        last.turnedAway = turnedAway
        last.meanService = calls > 0 ? Double(callTime) / Double(calls) : 0
        last.admissions = admissions
        last.lateAdmissions = lateAdmissions
        if holds > 0 {
            let mean = Double(holdTime) / Double(holds)
            meanHold = meanHold == 0 ? mean : meanHold + 0.5 * (mean - meanHold)
        }
        slotTime = 0
        (calls, errors, turnedAway, holds, admissions, lateAdmissions) = (0, 0, 0, 0, 0, 0)
        (callTime, holdTime) = (0, 0)
    }

    /// Takes the closed second into what is usual.
    ///
    /// - Parameter learnsSpeed: false while a release is on trial or a query is limited, which may slow the others.
    mutating func learn(day: Int64, learnsSpeed: Bool) {
        guard last.usage > 0 || last.calls > 0 else { return }
        history.record(usage: last.usage, day: day)
        guard learnsSpeed, last.calls > 0 else { return }
        speedSeconds = min(speedSeconds + 1, 3_600)
        usualService += (last.meanService - usualService) / speedSeconds
        usualCalls += (Double(last.calls) - usualCalls) / speedSeconds
    }

    /// B_f in slots. A query without enough history, or new in this release, has a new query's budget.
    func baseline(_ settings: BudgetSettings) -> Double {
        if let frozenBaseline { return frozenBaseline }
        guard !isNew else { return settings.newQueryBudget }
        return learnedBaseline(settings)
    }

    func learnedBaseline(_ settings: BudgetSettings) -> Double {
        guard history.seconds >= settings.baselineSeconds else { return settings.newQueryBudget }
        return max(1, settings.baselineFactor * history.usual())
    }

    /// The usual 99th percentile of its service time in nanoseconds; 0 while too little is known of it, for what a
    /// runaway did in its first seconds is not its usual.
    func usualPercentile99(_ settings: BudgetSettings) -> Double {
        guard !isNew, speedSeconds >= Double(settings.baselineSeconds) else { return 0 }
        return Double(service.percentile(0.99)) * 1_000
    }

    /// How much slower than usual its calls of the last second were; nil when either is unknown.
    var slowdown: Double? {
        guard usualService > 0, speedSeconds >= 10, last.meanService > 0 else { return nil }
        return last.meanService / usualService
    }
}

extension QueryAccount {
    /// Whether the query's calls end for want of room in the database; makes the breaker when it is first needed.
    mutating func ended(failed: Bool, now: Int64, settings: BudgetSettings) -> Breaker.Change? {
        if breaker == nil {
            guard failed else { return nil }
            let second = now / QueryAccounting.second
            var before = (1..<10).reversed().map {
                Breaker.Second(number: second - $0, calls: recentCalls[Int((second - $0 + 10) % 10)])
            }
            before.append(Breaker.Second(number: second, calls: calls))
            breaker = Breaker(before: before)
        }
        return breaker?.ended(failed: failed, now: now, settings: settings)
    }
}
