/// Every number of the query budgets of one pool of server slots, with the defaults that the simulation reached its
/// targets with. Where a default differs from the first proposal, its comment says why.
package struct BudgetSettings: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable, Codable, CaseIterable {
        /// Counts, and hands out slots in the order of arrival.
        case off
        /// Counts and decides, and marks every decision as observed: nothing is turned away or cancelled, except by
        /// rules that a person wrote.
        case observe
        case enforce
    }

    package var mode: Mode = .observe
    /// P: server connections of this pool, each of which runs one transaction at a time. At least 1.
    package var slots: Int

    // MARK: Accounting

    /// Fingerprints told apart; the rest is counted as one that is never a culprit. About 6 KB each at the most used.
    package var trackedQueries = 1_000
    /// Days of history behind a baseline, 1…31.
    package var baselineDays = 7
    /// A budget is this many times the usual usage (95th percentile of the seconds in which the query ran).
    package var baselineFactor = 2.0
    /// A query with fewer seconds of history than this has no baseline of its own yet.
    package var baselineSeconds = 60
    /// Budget of a query that is new, as a share of the slots.
    package var newQueryShare = 0.1
    /// A release's own traffic does not move the baselines until it is this old: a regression must not become usual.
    package var baselineFreeze: Span = .days(7)
    /// A guard without any history does not know what is usual. For so long, only a SELECT that holds its slots ten
    /// times as long as the others can be a culprit: writes that wait for one another look the same.
    package var learningTime: Span = .minutes(5)

    // MARK: Pressure

    /// Share of slots in use, for `pressureTime`, from which a pool may be under pressure.
    package var busyShare = 0.8
    /// Proposed and kept: 2 s. Shorter ones react to ordinary bursts.
    package var pressureTime: Span = .seconds(2)
    /// A wait for a slot longer than this is a late one.
    package var lateWait: Span = .milliseconds(5)
    /// Share of late admissions of *other* queries over the last second or two. The first proposal was the minimum
    /// wait over 100 ms; under fair queueing a slot that comes free serves a whole batch of short queries and the
    /// last of them waits for almost nothing, so that the minimum says "no pressure" in the worst of a runaway.
    package var lateShare = 0.2
    /// Fewer admissions of others than this prove nothing.
    package var lateSamples = 3

    // MARK: Culprit and trip

    /// Excess over its budget, as a share of the slots, from which a query can be the culprit.
    package var culpritShare = 0.25
    /// The most that a tripped query is left with at once, as a share of the slots. Proposed: 0.1. Two of 20 took a
    /// database with one processor in three for good: beside two full scans the others' 99th percentile was 7.8 ms,
    /// beside one 5.5, alone 1.3. Where the database has room for more, the limit rises to it.
    package var tripShare = 0.05
    /// A crowd on a good query (called more often than usual, and no slower than everything else) is only kept from
    /// the last quarter of the slots: its calls wait, none is turned away or cancelled. Held to `tripShare`, the pool
    /// stood nearly empty while calls were shed that it could have served.
    package var crowdShare = 0.75
    /// SELECTs in flight are cancelled from this age on, and from ten times the query's usual 99th percentile on.
    package var cancelAge: Span = .seconds(1)
    package var cancelPercentileFactor = 10.0
    package var cancelsWrites = false
    package var cancelsCopies = false
    /// Waiters of a limited query, as a multiple of its limit; more are turned away at once.
    package var limitedQueueFactor = 4
    /// How long a limited query's waiter may wait.
    package var limitedWait: Span = .seconds(1)

    // MARK: Recovery

    /// A limit rises by 1 after this long without pressure and with the others at their usual speed; each time that
    /// it is halved this doubles, for what was too much a moment ago will be too much again.
    package var raiseEvery: Span = .seconds(5)
    package var raiseLongest: Span = .minutes(1)
    /// No rise past this share of the slots while the query still asks for more than its budget.
    package var raiseShare = 0.5
    /// Others slower than this multiple of their usual service time are slowed: the limit does not rise,
    package var slowedFactor = 1.5
    /// and after this long of it, with the query over its budget, it is halved.
    package var slowedTime: Span = .seconds(1)
    /// A tripped query whose demand fits its budget for this long gets the whole budget at once. Rising by 1 every
    /// 5 s alone took a minute after the end of a retry storm.
    package var fitTime: Span = .seconds(2)
    /// The earliest release of a tripped query; later as long as it is still being turned away.
    package var tripTime: Span = .minutes(10)

    // MARK: Breaker

    package var breakerWindow = 10
    package var breakerCalls = 20
    package var breakerShare = 0.5
    /// Proposed: 5 s, doubling to 60 s. Doubling that far keeps a healthy query out for up to a minute after the
    /// trouble has ended; three probes every 4 s cost nothing.
    package var breakerOpen: Span = .seconds(2)
    package var breakerLongestOpen: Span = .seconds(4)
    package var breakerProbes = 3

    // MARK: Hard caps (nil: none)

    package var statementCap: Span? = .seconds(30)
    package var idleCap: Span? = .seconds(30)
    package var rowsCap: Int64? = 100_000
    package var bytesCap: Int64? = 256 << 20

    // MARK: Queue

    /// Waiters in all; more are refused.
    package var queueCapacity = 10_000
    /// How long a waiter of a query that is not limited may wait.
    package var queueTimeout: Span = .seconds(120)
    /// Once the oldest waiter of a query has waited this long, and the slots would need longer than this for all of
    /// its waiters, three of four slots go to the newest: whoever waited long is about to give up, and serving only
    /// those helps nobody.
    package var overdueWait: Span = .milliseconds(500)
    /// Who is protected. With anyone in it, `protectedShare` of the slots is kept free for them.
    package var protected: [ClientPattern] = []
    package var protectedShare = 0.2
    /// Weight of protected clients in the fair queue; all others have 1.
    package var protectedWeight = 4.0

    package init(slots: Int, mode: Mode = .observe) {
        self.slots = max(1, slots)
        self.mode = mode
    }
}

extension BudgetSettings {
    /// Slots kept for protected clients; at least one stays for the others.
    package var reservedSlots: Int {
        guard mode != .off, !protected.isEmpty else { return 0 }
        return min(slots - 1, Int((Double(slots) * protectedShare).rounded(.up)))
    }

    var busyThreshold: Int { max(1, Int((Double(slots) * busyShare).rounded(.up))) }

    /// `max(1, ⌈0.1·P⌉)`
    var newQueryBudget: Double { max(1, (Double(slots) * newQueryShare).rounded(.up)) }

    /// `max(1, min(⌈B⌉, ⌊P/20⌋))`
    func tripLimit(baseline: Double) -> Int { limit(baseline: baseline, share: tripShare) }

    /// `max(1, min(⌈B⌉, ⌊P/10⌋))`: pressure does not push a crowd below what a new query may have.
    func crowdLeast(baseline: Double) -> Int { limit(baseline: baseline, share: newQueryShare) }

    private func limit(baseline: Double, share: Double) -> Int {
        max(1, min(Int(min(baseline, 1_000_000).rounded(.up)), Int((Double(slots) * share).rounded(.down))))
    }

    func crowdLimit(baseline: Double) -> Int {
        max(tripLimit(baseline: baseline), Int((Double(slots) * crowdShare).rounded(.down)))
    }
}

extension Span {
    var nanoseconds: Int64 {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? (milliseconds < 0 ? .min / 4 : .max / 4) : min(product, .max / 4)
    }

    /// Rounded to the nearest millisecond.
    init(nanoseconds: Int64) {
        self.init(milliseconds: (nanoseconds + 500_000) / 1_000_000)
    }
}
