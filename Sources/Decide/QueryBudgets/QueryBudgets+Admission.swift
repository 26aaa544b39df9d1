extension QueryBudgets {
    /// A client wants a server for a new transaction, whose first statement this is.
    ///
    /// - Parameter expected: of a transaction that begins with BEGIN, the query that the client's last one turned out
    ///   to be: it waits in that query's turn, or all such transactions would wait behind one another's slowest. It
    ///   may turn out to be another, and is never turned away for what is only expected.
    package mutating func admit(
        _ request: SlotRequest, expected: QueryKey? = nil, waiter: Waiter, now: Int64
    ) -> Admission {
        let place = account(of: request, now: now)
        var flow = FlowKey(account: place)
        var isProbe = false
        if let rejection = judge(request, &flow, &isProbe) {
            return turnAway(rejection, flow, isProbe: isProbe, now: now)
        }
        if place == QueryAccounting.control, let expected { expect(expected, &flow) }
        let cost = cost(of: flow.account)
        if queue.canRun(flow) {
            queue.start(flow, cost: cost)
            noteAdmission(place, waited: 0, since: now)
            return .run(begin(request, flow, isProbe: isProbe, waited: 0, cost: cost, now: now))
        }
        let pending = Pending(waiter: waiter, request: request, isProbe: isProbe)
        guard let handle = queue.enqueue(pending, flow: flow, cost: cost, now: now) else {
            return turnAway(fullQueue(flow, request.query), flow, isProbe: isProbe, now: now)
        }
        accounting.accounts[Int(flow.account)].references += 1
        return .queue(handle)
    }

    /// Moves a transaction that begins with BEGIN to the turn of what it will probably be.
    private func expect(_ query: QueryKey, _ flow: inout FlowKey) {
        guard let place = accounting.find(query), place >= QueryAccounting.firstTracked else { return }
        flow.account = place
        // Limits are for what a query is, not for what it may be.
        if flow.standing == .ordinary { flow.standing = .allowed }
    }

    /// Gives a free slot to whoever is next; nil when there is no slot, or nobody whom it is for.
    package mutating func next(now: Int64) -> Turn? {
        guard queue.count > 0, let served = queue.dequeue(now: now) else { return nil }
        let pending = served.waiter
        accounting.accounts[Int(served.flow.account)].references -= 1
        let isBegin = pending.request.query == .transactionControl
        noteAdmission(
            isBegin ? QueryAccounting.control : served.flow.account, waited: served.waited, since: served.enqueuedAt)
        let token = begin(
            pending.request, served.flow, isProbe: pending.isProbe, waited: served.waited, cost: served.cost, now: now)
        return Turn(waiter: pending.waiter, token: token, waited: Span(nanoseconds: served.waited))
    }

    /// A waiting client has gone away, or has cancelled. Nil when it is no longer waiting.
    package mutating func removeWaiter(_ handle: WaiterHandle, now: Int64) -> Waiter? {
        guard let (pending, flow) = queue.take(handle) else { return nil }
        stopWaiting(pending, flow, now: now)
        return pending.waiter
    }

    mutating func stopWaiting(_ pending: Pending, _ flow: FlowKey, now: Int64) {
        accounting.accounts[Int(flow.account)].references -= 1
        if pending.isProbe { endProbe(flow.account, failed: nil, now: now) }
    }

    // MARK: Parts of an admission

    /// The account, marked as seen; made when the query is met for the first time.
    mutating func account(of request: SlotRequest, now: Int64) -> Int32 {
        let place: Int32
        if let known = accounting.findOften(request.query) {
            place = known
        } else {
            place = accounting.account(
                of: request.query, now: now, settings: settings, ruleMask: rules.mask(of: request.query))
            if place != QueryAccounting.other { queue.reset(account: place) }
        }
        accounting.accounts[Int(place)].lastSeen = now
        if request.client.release != .none { accounting.accounts[Int(place)].release = request.client.release }
        return place
    }

    /// What rules, the breaker and protection say; the limits are the queue's.
    mutating func judge(_ request: SlotRequest, _ flow: inout FlowKey, _ isProbe: inout Bool) -> Rejection? {
        guard settings.mode != .off else { return nil }
        let place = Int(flow.account)
        let isFresh = request.client.version == rules.version
        if isFresh && request.client.isProtected || accounting.accounts[place].isProtected {
            flow.standing = .protected
        }
        let mask = accounting.accounts[place].ruleMask & (isFresh ? request.client.ruleMask : rules.anyClient)
        if mask != 0 {
            let verdict = rules.verdict(mask)
            if let block = verdict.block, let active = rules.slots[block] {
                return Rejection(request.query, .blockedByHand(active.rule.reason))
            }
            if verdict.allows, flow.standing == .ordinary { flow.standing = .allowed }
            flow.rule = verdict.limitPlace
        }
        guard accounting.accounts[place].breaker != nil, flow.standing == .ordinary, settings.mode == .enforce,
            let answer = accounting.accounts[place].breaker?.admit(settings: settings)
        else { return nil }
        isProbe = answer.isProbe
        return answer.runs ? nil : Rejection(request.query, .breakerOpen)
    }

    private mutating func turnAway(
        _ rejection: Rejection, _ flow: FlowKey, isProbe: Bool, now: Int64
    ) -> Admission {
        accounting.accounts[Int(flow.account)].turnedAway &+= 1
        if isProbe { endProbe(flow.account, failed: nil, now: now) }
        return .reject(rejection)
    }

    func fullQueue(_ flow: FlowKey, _ query: QueryKey) -> Rejection {
        guard queue.count < queue.capacity else { return Rejection(query, .queueFull) }
        if flow.rule >= 0, let active = rules.slots[Int(flow.rule)] {
            return Rejection(query, .limitedByHand(active.rule.reason))
        }
        return Rejection(query, .overBudget)
    }

    /// Estimated slot time. A query that nobody has seen end may be anything; 10 ms lets it start.
    func cost(of place: Int32) -> Int64 {
        let mean = accounting.accounts[Int(place)].meanHold
        return mean > 0 ? Int64(mean) : 10_000_000
    }

    /// Evidence for the pressure gate: how long this query waited. Whoever is limited waits for itself, and a
    /// transaction that has only begun will say later whose wait it was.
    mutating func noteAdmission(_ place: Int32, waited: Int64, since: Int64) {
        guard place != QueryAccounting.control, since >= evidenceSince,
            accounting.accounts[Int(place)].trip == nil
        else { return }
        guard waited > settings.lateWait.nanoseconds else {
            accounting.accounts[Int(place)].admissions &+= 1
            return
        }
        let weight = UInt32(weight(ofWait: waited))
        accounting.accounts[Int(place)].admissions &+= weight
        accounting.accounts[Int(place)].lateAdmissions &+= weight
    }

    /// A wait counts once more for each second that it took: where few clients wait long, as for a small pool, there
    /// are too few waits to count by number.
    func weight(ofWait waited: Int64) -> Int {
        1 + Int(min(waited / QueryAccounting.second, Int64(settings.lateSamples - 1)))
    }

    private mutating func begin(
        _ request: SlotRequest, _ flow: FlowKey, isProbe: Bool, waited: Int64, cost: Int64, now: Int64
    ) -> SlotToken {
        // What is only expected is not what it is.
        let owner = request.query == .transactionControl ? QueryAccounting.control : flow.account
        accounting.accounts[Int(flow.account)].references += 1
        accounting.accounts[Int(owner)].references += 2
        return inFlight.add(
            InFlight(
                flow: flow, payer: flow, owner: owner, current: owner, kind: request.kind,
                release: request.client.release, startedAt: now, statementAt: now, accountedAt: now, charged: cost,
                waited: waited, hasWritten: request.kind.mayWrite,
                isExempt: flow.standing == .protected || flow.standing == .allowed && owner == flow.account,
                isProbe: isProbe))
    }
}

extension StatementKind {
    var mayWrite: Bool {
        switch self {
        case .select, .transactionControl: false
        case .write, .copy, .maintenance: true
        }
    }
}

extension FairQueue {
    /// As `remove`, with the flow that it waited in.
    mutating func take(_ handle: WaiterHandle) -> (Waiter, FlowKey)? {
        guard handle.node >= 0, Int(handle.node) < nodes.count, nodes[Int(handle.node)].waiter != nil else {
            return nil
        }
        let flow = flows[Int(nodes[Int(handle.node)].flow)].key
        return remove(handle).map { ($0, flow) }
    }
}
