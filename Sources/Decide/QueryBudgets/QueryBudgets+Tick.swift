extension QueryBudgets {
    /// Every 100 ms: accounts for what is running, finds culprits, cancels, raises and lowers limits.
    ///
    /// - Parameter busySlots: when the pool knows of more slots in use than were admitted here (a server that is
    ///   still being reset).
    package mutating func tick(now: Int64, busySlots: Int = 0) -> TickReport {
        var report = TickReport()
        chargeAges(now: now)
        gate.observe(busy: max(queue.busy, busySlots), now: now, settings: settings)
        queue.expire(now: now)
        if accounting.closeSecond(now: now) { secondPassed(now: now) }
        expireRules(now: now)
        if settings.mode != .off {
            findCulprit(now: now, &report)
            for place in tripped { cancelMore(place, now: now, &report) }
            tickBreakers(now: now)
            applyCaps(now: now, &report)
        }
        collectDropped(now: now, &report)
        report.decisions = decisions + report.decisions
        decisions.removeAll(keepingCapacity: true)
        return report
    }

    private mutating func chargeAges(now: Int64) {
        for place in inFlight.indices {
            guard let token = inFlight.token(at: place), var entry = inFlight[token], !entry.isResting else { continue }
            account(&entry, now: now)
            let uncharged = now - entry.startedAt - entry.charged
            if uncharged > 0 {
                queue.charge(entry.payer, uncharged)
                entry.charged += uncharged
            }
            inFlight[token] = entry
        }
    }

    // MARK: Once a second

    private mutating func secondPassed(now: Int64) {
        let waits = waits(now: now) { _ in true }
        isPressed =
            gate.isBusy(now: now, settings: settings)
            && PressureGate.isLate((waits.all, waits.late), settings: settings)
        if !tripped.isEmpty { recover(now: now) }
        accounting.learn(now: now, anyTripped: !tripped.isEmpty, settings: settings)
    }

    private mutating func recover(now: Int64) {
        let others = others
        for place in tripped {
            let account = accounting.accounts[Int(place)]
            let unserved = Double(queue.gates[Int(place)].queuedOrdinary) + Double(account.last.turnedAway)
            let second = Trip.Second(
                now: now, isPressed: isPressed, others: others,
                demand: account.last.usage + unserved * account.meanHold / 1e9,
                turnedAway: Int(account.last.turnedAway))
            let before = account.trip?.limit ?? 0
            switch accounting.accounts[Int(place)].trip?.secondPassed(second, settings: settings) {
            case .raise(let limit):
                setLimit(place, limit)
                note(place, .limitRaised(from: before, to: limit), now: now)
            case .lower(let limit):
                setLimit(place, limit)
                note(place, .limitHalved(from: before, to: limit), now: now)
            case .release(let reason): release(place, reason, now: now)
            case .none?, nil: break
            }
        }
    }

    /// Of those that are not held to a limit.
    private var others: Trip.Others {
        switch accounting.speed() {
        case .none: .usual
        case .unknown: .unknown
        case .known(let slowdown): slowdown > settings.slowedFactor ? .slowed : .usual
        }
    }

    /// In `observe` mode a limit is only written down.
    mutating func setLimit(_ place: Int32, _ limit: Int?) {
        let sheds = accounting.accounts[Int(place)].trip?.sheds ?? true
        queue.setLimit(settings.mode == .enforce ? limit : nil, sheds: sheds, account: place)
    }

    mutating func release(_ place: Int32, _ reason: BudgetDecision.ReleaseReason, now: Int64) {
        accounting.accounts[Int(place)].trip = nil
        tripped.removeAll { $0 == place }
        setLimit(place, nil)
        note(place, .released(reason), now: now)
    }

    // MARK: Trips

    private mutating func findCulprit(now: Int64, _ report: inout TickReport) {
        guard now - lastTripAt >= QueryAccounting.second, gate.isBusy(now: now, settings: settings),
            let culprit = culprit(now: now)
        else { return }
        let trip = Trip(baseline: culprit.baseline, isCrowd: culprit.isCrowd, now: now, settings: settings)
        let limit = trip.limit
        let usage = accounting.accounts[Int(culprit.place)].last.usage
        accounting.accounts[Int(culprit.place)].trip = trip
        tripped.append(culprit.place)
        setLimit(culprit.place, limit)
        let cancelled = trip.sheds ? cancel(culprit.place, limit: limit, now: now, &report) : []
        (lastTripAt, evidenceSince) = (now, now)
        accounting.forgetWaits()
        let told = BudgetDecision.TripReport(
            isCrowd: culprit.isCrowd, limit: limit, baseline: culprit.baseline, usage: usage, queued: culprit.queued,
            slots: settings.slots,
            service: Span(nanoseconds: Int64(culprit.service)), othersAdmitted: culprit.waits.all,
            othersLate: culprit.waits.late, cancelled: cancelled, until: trip.until)
        report.decisions.append(decision(culprit.place, .tripped(told), now: now))
    }

    /// Statements that were too young when their query tripped.
    private mutating func cancelMore(_ place: Int32, now: Int64, _ report: inout TickReport) {
        guard let trip = accounting.accounts[Int(place)].trip, trip.sheds else { return }
        let cancelled = cancel(place, limit: trip.limit, now: now, &report)
        guard !cancelled.isEmpty else { return }
        report.decisions.append(decision(place, .cancelled(cancelled, limit: trip.limit), now: now))
    }

    /// Oldest first, until the query is within its limit.
    private mutating func cancel(
        _ place: Int32, limit: Int, now: Int64, _ report: inout TickReport
    ) -> [SlotToken] {
        let percentile = accounting.accounts[Int(place)].usualPercentile99(settings)
        let usual = Int64(min(settings.cancelPercentileFactor * percentile, 1e15))
        let age = max(settings.cancelAge.nanoseconds, usual)
        var (running, old): (Int, [(token: SlotToken, since: Int64)]) = (0, [])
        for slot in inFlight.indices {
            guard let token = inFlight.token(at: slot), let entry = inFlight[token], !entry.isExempt, !entry.isEnding,
                entry.owner == place || entry.current == place
            else { continue }
            running += 1
            guard entry.current == place, !entry.isIdle, mayCancel(entry), now - entry.statementAt >= age else {
                continue
            }
            old.append((token, entry.statementAt))
        }
        guard running > limit else { return [] }
        old.sort { $0.since != $1.since ? $0.since < $1.since : $0.token.index < $1.token.index }
        let chosen = old.prefix(running - limit).map(\.token)
        for token in chosen { inFlight[token]?.isEnding = true }
        if settings.mode == .enforce { report.cancel += chosen }
        return chosen
    }

    /// A transaction that has written holds locks, and would lose its work.
    func mayCancel(_ entry: InFlight) -> Bool {
        switch entry.kind {
        case .select: settings.cancelsWrites || !entry.hasWritten
        case .write: settings.cancelsWrites
        case .copy: settings.cancelsCopies
        case .transactionControl, .maintenance: false
        }
    }

    // MARK: The rest

    private mutating func tickBreakers(now: Int64) {
        var kept: [Int32] = []
        for place in breakers {
            if let change = accounting.accounts[Int(place)].breaker?.tick(now: now) { decide(place, change, now: now) }
            if accounting.accounts[Int(place)].breaker?.isIdle(now: now) == true {
                accounting.accounts[Int(place)].breaker = nil
            } else {
                kept.append(place)
            }
        }
        if kept.count != breakers.count { breakers = kept }
    }

    private mutating func applyCaps(now: Int64, _ report: inout TickReport) {
        let acts = settings.mode == .enforce
        for slot in inFlight.indices {
            guard let token = inFlight.token(at: slot), let entry = inFlight[token],
                let action = HardCaps.judge(entry, now: now, settings: settings)
            else { continue }
            inFlight[token]?.isEnding = true
            switch action {
            case .cancelStatement(let age):
                if acts { report.cancel.append(token) }
                let what = BudgetDecision.What.statementCapped(token, age: Span(nanoseconds: age))
                report.decisions.append(decision(entry.current, what, now: now))
            case .endIdleTransaction(let age):
                if acts { report.endIdle.append(token) }
                let what = BudgetDecision.What.idleCapped(token, age: Span(nanoseconds: age))
                report.decisions.append(decision(entry.owner, what, now: now))
            }
        }
    }

    private mutating func collectDropped(now: Int64, _ report: inout TickReport) {
        for dropped in queue.takeDropped() {
            let (pending, flow) = (dropped.waiter, dropped.flow)
            stopWaiting(pending, flow, now: now)
            accounting.accounts[Int(flow.account)].turnedAway &+= 1
            report.rejected.append((pending.waiter, rejection(of: pending, dropped)))
        }
    }

    private func rejection(of pending: Pending, _ dropped: FairQueue<Pending>.Dropped) -> Rejection {
        let query = pending.request.query
        if dropped.flow.rule >= 0, let active = rules.slots[Int(dropped.flow.rule)] {
            return Rejection(query, .limitedByHand(active.rule.reason))
        }
        guard dropped.reason == .expired, !queue.isShedding(dropped.flow) else { return Rejection(query, .overBudget) }
        return Rejection(query, .queueTimeout(settings.queueTimeout))
    }
}
