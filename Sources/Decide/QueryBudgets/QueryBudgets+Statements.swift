extension QueryBudgets {
    /// The server is attached now: what connecting took is not the query's time.
    package mutating func started(_ token: SlotToken, now: Int64) {
        guard var entry = inFlight[token] else { return }
        (entry.startedAt, entry.statementAt, entry.accountedAt) = (now, now, now)
        inFlight[token] = entry
    }

    /// No server could be had: the slot is free again, and nothing is counted.
    package mutating func abandoned(_ token: SlotToken, now: Int64) {
        guard let entry = inFlight.remove(token) else { return }
        if entry.isProbe { endProbe(entry.owner, failed: nil, now: now) }
        accounting.accounts[Int(entry.owner)].references -= 1
        accounting.accounts[Int(entry.payer.account)].references -= 1
        if !entry.isIdle { accounting.accounts[Int(entry.current)].references -= 1 }
        queue.finish(entry.flow, payer: entry.payer, rest: -entry.charged)
    }

    /// A statement has ended and its transaction goes on.
    package mutating func statementEnded(_ token: SlotToken, _ result: StatementResult, now: Int64) {
        guard var entry = inFlight[token], !entry.isIdle else { return }
        account(&entry, now: now)
        end(entry, result, now: now)
        accounting.accounts[Int(entry.current)].references -= 1
        entry.current = entry.owner
        entry.isIdle = true
        entry.isProbe = false
        entry.isEnding = false
        entry.statementAt = now
        inFlight[token] = entry
    }

    /// The next statement of a transaction. The first one after BEGIN owns the transaction from now on, and may be
    /// turned away: nothing is locked yet.
    package mutating func statementStarted(_ token: SlotToken, _ request: SlotRequest, now: Int64) -> StatementVerdict {
        guard var entry = inFlight[token] else { return .run }
        if !entry.isIdle {
            // The end of the one before was not told: pipelined, and not worth more than its time.
            statementEnded(token, .succeeded, now: now)
            guard let idle = inFlight[token] else { return .run }
            entry = idle
        }
        let place = account(of: request, now: now)
        if entry.isResting { wake(&entry, now: now) }
        if entry.owner == QueryAccounting.control, request.kind != .transactionControl {
            if let rejection = adopt(&entry, place, request, now: now) {
                accounting.accounts[Int(place)].turnedAway &+= 1
                inFlight[token] = entry
                return .reject(rejection)
            }
        }
        account(&entry, now: now)
        accounting.accounts[Int(place)].references += 1
        entry.current = place
        entry.kind = request.kind
        entry.isIdle = false
        entry.statementAt = now
        entry.hasWritten = entry.hasWritten || request.kind.mayWrite
        inFlight[token] = entry
        return .run
    }

    /// The transaction is over and the server free. `result` is that of the statement that was running, if one was.
    package mutating func finished(_ token: SlotToken, _ result: StatementResult = .succeeded, now: Int64) {
        guard var entry = inFlight.remove(token) else { return }
        account(&entry, now: now)
        if !entry.isIdle {
            end(entry, result, now: now)
            accounting.accounts[Int(entry.current)].references -= 1
        }
        let held = now - entry.startedAt
        accounting.accounts[Int(entry.owner)].references -= 1
        accounting.accounts[Int(entry.owner)].held(held)
        settle(entry, held: held)
        queue.finish(entry.flow, payer: entry.payer, rest: held - entry.charged)
    }

    // MARK: Parts

    /// The payer is done with. Transactions that nobody expected to be anything have a mean of their own.
    mutating func settle(_ entry: InFlight, held: Int64) {
        let payer = entry.payer.account
        if payer == QueryAccounting.control, payer != entry.owner { accounting.accounts[Int(payer)].held(held) }
        accounting.accounts[Int(payer)].references -= 1
    }

    /// The transaction's first real statement: from now on the slot is this query's.
    private mutating func adopt(
        _ entry: inout InFlight, _ place: Int32, _ request: SlotRequest, now: Int64
    ) -> Rejection? {
        var flow = FlowKey(account: place)
        var isProbe = false
        if let rejection = judge(request, &flow, &isProbe) { return rejection }
        noteAdmission(place, waited: entry.waited, since: entry.startedAt - entry.waited)
        if queue.isHeld(flow) {
            if isProbe { endProbe(place, failed: nil, now: now) }
            guard flow.rule >= 0, let active = rules.slots[Int(flow.rule)] else {
                return Rejection(request.query, .overBudget)
            }
            return Rejection(request.query, .limitedByHand(active.rule.reason))
        }
        noteAdopter(place)
        queue.transfer(from: entry.flow, to: flow)
        entry.flow = flow
        accounting.accounts[Int(entry.owner)].references -= 1
        accounting.accounts[Int(place)].references += 1
        entry.owner = place
        entry.isExempt = flow.standing != .ordinary
        entry.isProbe = isProbe
        return nil
    }

    private mutating func noteAdopter(_ place: Int32) {
        if adopters.count < 64 {
            adopters.append(place)
        } else {
            adopters[nextAdopter] = place
        }
        nextAdopter = (nextAdopter + 1) % 64
    }

    /// Slot time since it was last accounted for: the running statement's, or the owner's when idle.
    mutating func account(_ entry: inout InFlight, now: Int64) {
        let passed = max(0, now - entry.accountedAt)
        accounting.accounts[Int(entry.isIdle ? entry.owner : entry.current)].slotTime += passed
        entry.accountedAt = now
    }

    mutating func end(_ entry: InFlight, _ result: StatementResult, now: Int64) {
        let place = Int(entry.current)
        let time = max(0, now - entry.statementAt)
        let failed: Bool?
        switch result.outcome {
        case .succeeded: failed = false
        case .failed(let state):
            accounting.accounts[place].errors &+= 1
            failed = state.meansOverload
        case .cancelledByGuard, .cancelledByClient, .clientGone: failed = nil
        }
        if let failed, !entry.isProbe { endCall(entry.current, failed: failed, now: now) }
        if entry.isProbe { endProbe(entry.current, failed: failed, now: now) }
        accounting.accounts[place].calls &+= 1
        accounting.accounts[place].callTime += time
        if !isPressed, accounting.accounts[place].trip == nil {
            accounting.accounts[place].service.record(time / 1_000)
        }
        if HardCaps.isLarge(result, settings: settings) { warn(entry, result, now: now) }
    }

    private mutating func endCall(_ place: Int32, failed: Bool, now: Int64) {
        guard failed || accounting.accounts[Int(place)].breaker != nil else { return }
        guard place >= QueryAccounting.firstTracked, settings.mode != .off else { return }
        if accounting.accounts[Int(place)].breaker == nil { breakers.append(place) }
        let change = accounting.accounts[Int(place)].ended(failed: failed, now: now, settings: settings)
        if let change { decide(place, change, now: now) }
    }

    mutating func endProbe(_ place: Int32, failed: Bool?, now: Int64) {
        let change = accounting.accounts[Int(place)].breaker?.probeEnded(
            failed: failed, now: now, settings: settings)
        if let change { decide(place, change, now: now) }
    }

    func largeResultIsNews(_ place: Int32, now: Int64) -> Bool {
        now - accounting.accounts[Int(place)].warnedAt >= 60 * QueryAccounting.second
    }

    private mutating func warn(_ entry: InFlight, _ result: StatementResult, now: Int64) {
        guard settings.mode != .off, entry.kind != .copy, largeResultIsNews(entry.current, now: now) else { return }
        accounting.accounts[Int(entry.current)].warnedAt = now
        note(entry.current, .largeResult(rows: result.rows, bytes: result.bytes), now: now)
    }

    func decision(_ place: Int32?, _ what: BudgetDecision.What, now: Int64) -> BudgetDecision {
        let account = place.map { accounting.accounts[Int($0)] }
        return BudgetDecision(
            at: now, query: account?.query, release: account.flatMap { rules.name(of: $0.release) },
            isObserved: settings.mode == .observe, what: what)
    }

    /// At most 1,000 between two ticks; more than a person reads, and no way to fill the memory.
    mutating func note(_ place: Int32?, _ what: BudgetDecision.What, now: Int64) {
        guard decisions.count < 1_000 else { return }
        decisions.append(decision(place, what, now: now))
    }

    mutating func decide(_ place: Int32, _ change: Breaker.Change, now: Int64) {
        switch change {
        case .opened(let failures, let calls, let until):
            note(place, .breakerOpened(failures: failures, calls: calls, until: until), now: now)
        case .halfOpened: note(place, .breakerHalfOpen(probes: settings.breakerProbes), now: now)
        case .closed: note(place, .breakerClosed, now: now)
        }
    }
}
