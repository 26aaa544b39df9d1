extension QueryBudgets {
    // MARK: Releases

    /// A release has started: baselines freeze, what is met from now on is new, and whoever was limited gets another
    /// chance.
    package mutating func releaseStarted(_ name: String, now: Int64) {
        _ = rules.release(named: name)
        accounting.releaseStarted(now: now, settings: settings)
        for place in tripped { release(place, .releaseChanged, now: now) }
    }

    /// The running release has proven itself: its own traffic becomes the baseline. Without this call that happens
    /// when it is `baselineFreeze` old.
    package mutating func releaseProven() {
        accounting.releaseProven()
    }

    // MARK: Rules by hand

    /// Nil when 64 rules are in force already.
    package mutating func addRule(_ rule: BudgetRule, now: Int64) -> RuleID? {
        if let query = rule.pattern.query {
            let place = accounting.account(
                of: query, now: now, settings: settings, ruleMask: rules.mask(of: query))
            if place != QueryAccounting.other { queue.reset(account: place) }
        }
        guard let (id, place) = rules.add(rule, now: now) else { return nil }
        if case .limit(let limit) = rule.action { queue.setRule(place, limit: max(0, limit)) }
        refreshRules()
        return id
    }

    /// False when it is not in force.
    package mutating func removeRule(_ id: RuleID) -> Bool {
        guard let place = rules.place(of: id) else { return false }
        removeRule(at: place)
        return true
    }

    package var rulesInForce: [(id: RuleID, rule: BudgetRule, until: Int64)] {
        rules.slots.compactMap { $0.map { ($0.id, $0.rule, $0.until) } }
    }

    private mutating func removeRule(at place: Int) {
        rules.remove(at: place)
        queue.setRule(place, limit: nil)
        refreshRules()
    }

    mutating func expireRules(now: Int64) {
        guard rules.anyClient | rules.anyQuery != 0 || rules.slots.contains(where: { $0 != nil }) else { return }
        for (place, active) in rules.slots.enumerated() {
            guard let active, now >= active.until else { continue }
            removeRule(at: place)
            note(active.rule.pattern.query.flatMap { accounting.find($0) }, .ruleExpired(active.rule), now: now)
        }
    }

    private mutating func refreshRules() {
        for place in accounting.accounts.indices {
            accounting.accounts[place].ruleMask = rules.mask(of: accounting.accounts[place].query)
        }
    }

    /// Lifts a query's limit by hand; false when it has none. It may trip again.
    package mutating func releaseQuery(_ query: QueryKey, now: Int64) -> Bool {
        guard let place = accounting.find(query), accounting.accounts[Int(place)].trip != nil else { return false }
        release(place, .byHand, now: now)
        return true
    }

    // MARK: Settings

    /// A reload. What is in flight or waiting stays as it is; limits hold or not as the new mode says. The number of
    /// tracked queries and the days of history keep the values of the start.
    package mutating func apply(_ new: BudgetSettings) {
        let tracked = settings.trackedQueries
        let days = settings.baselineDays
        settings = new
        settings.trackedQueries = tracked
        settings.baselineDays = days
        queue.apply(settings)
        for place in accounting.accounts.indices {
            let query = accounting.accounts[place].query
            accounting.accounts[place].isProtected = settings.protected.contains { $0.matches(query) }
        }
        for place in tripped { setLimit(place, accounting.accounts[Int(place)].trip?.limit) }
        rules.changed()
    }

    // MARK: Baselines across restarts

    package func exportBaselines(now: Int64) -> [BaselineRecord] {
        accounting.exported(now: now)
    }

    /// To be called before traffic.
    package mutating func restoreBaselines(_ records: [BaselineRecord], now: Int64) {
        accounting.restore(records, now: now, settings: settings)
        for place in accounting.accounts.indices { queue.reset(account: Int32(place)) }
        hasHistory = hasHistory || !records.isEmpty
    }

    // MARK: What people look at

    /// Every tracked query, in no order that matters.
    package var queries: [QueryStatus] {
        accounting.accounts.indices.dropFirst(Int(QueryAccounting.firstTracked)).map { status(of: $0) }
    }

    package func status(of query: QueryKey) -> QueryStatus? {
        accounting.find(query).map { status(of: Int($0)) }
    }

    private func status(of place: Int) -> QueryStatus {
        let account = accounting.accounts[place]
        let gate = queue.gates[place]
        return QueryStatus(
            query: account.query, release: rules.name(of: account.release), usage: account.last.usage,
            baseline: account.baseline(settings), calls: Int(account.last.calls), errors: Int(account.last.errors),
            turnedAway: Int(account.last.turnedAway), meanHold: Span(nanoseconds: Int64(account.meanHold)),
            percentile99: Span(milliseconds: account.service.percentile(0.99) / 1_000), inFlight: Int(gate.inFlight),
            queued: Int(gate.queued), limit: account.trip?.limit, limitedUntil: account.trip?.until,
            isCrowd: account.trip.map { !$0.sheds } ?? false,
            isBreakerOpen: account.breaker.map { $0.state != .closed } ?? false)
    }

    /// A query is limited or kept out now: who forgets these budgets lets it in again.
    package var holdsBack: Bool {
        !tripped.isEmpty
            || breakers.contains { accounting.accounts[Int($0)].breaker.map { $0.state != .closed } ?? false }
    }

    /// Baselines stay as they were before a release.
    package func isFrozen(now: Int64) -> Bool { accounting.isFrozen(now: now, settings: settings) }

    /// Queries that found no place among the tracked ones.
    package var untrackedQueries: UInt64 { accounting.untracked }
}

/// One query in its last closed second.
package struct QueryStatus: Hashable, Sendable {
    package var query: QueryKey
    package var release: String?
    /// Slots.
    package var usage: Double
    package var baseline: Double
    package var calls: Int
    package var errors: Int
    package var turnedAway: Int
    package var meanHold: Span
    package var percentile99: Span
    package var inFlight: Int
    package var queued: Int
    /// Nil unless it is tripped (in `observe` mode: would be).
    package var limit: Int?
    package var limitedUntil: Int64?
    /// Limited as a crowd: it waits, and nothing of it is turned away or cancelled.
    package var isCrowd = false
    package var isBreakerOpen: Bool
}

extension FairQueue {
    mutating func apply(_ settings: BudgetSettings) {
        let fresh = FairQueue(settings)
        slots = fresh.slots
        reserved = fresh.reserved
        isFair = fresh.isFair
        capacity = fresh.capacity
        limitedQueueFactor = fresh.limitedQueueFactor
        limitedWait = fresh.limitedWait
        queueTimeout = fresh.queueTimeout
        overdueWait = fresh.overdueWait
        protectedWeight = fresh.protectedWeight
        unpark()
    }
}
