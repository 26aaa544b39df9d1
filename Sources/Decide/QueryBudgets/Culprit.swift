/// The query that takes the most over its budget while others wait for slots.
struct Culprit: Hashable, Sendable {
    var place: Int32
    /// E_f in slots.
    var excess: Double
    var baseline: Double
    var service: Double
    var queued: Int
    var waits: Waits
    /// Known, and no slower than everything else: there is only more of it.
    var isCrowd = false

    struct Waits: Hashable, Sendable {
        var all: Int
        var late: Int
    }
}

extension QueryBudgets {
    /// argmax over all queries of E_f = U_f + queued_f·T_f/1 s − B_f, if it is at least a quarter of the slots; and if
    /// others wait because of it, which is more than the pool being full:
    ///
    /// - Waits of the query itself do not count, nor those of transactions that it runs in.
    /// - A query that is called no more often than usual, and is slower than usual only as everything is, suffers with
    ///   the rest: a vacuum, a checkpoint or a lost disk is nobody's fault.
    /// - While the guard knows nothing yet, it must be a SELECT that holds its slots ten times as long as the others.
    /// - Holding it must be possible: a write in the middle of transactions is neither queued nor cancelled.
    func culprit(now: Int64) -> Culprit? {
        let threshold = settings.culpritShare * Double(settings.slots)
        let running = running(now: now)
        var worst: Culprit?
        for place in accounting.accounts.indices.dropFirst(Int(QueryAccounting.firstTracked)) {
            let gate = queue.gates[place]
            guard accounting.accounts[place].last.usage > 0 || gate.queued > 0 else { continue }
            let account = accounting.accounts[place]
            guard account.trip == nil, !account.isProtected else { continue }
            let seen = running[Int32(place)] ?? Running()
            guard gate.inFlight > 0 || gate.queuedOrdinary > 0 || seen.cancellable > 0 else { continue }
            let service = max(account.meanHold, seen.count > 0 ? seen.ages / seen.count : 0)
            let queued = Int(gate.queuedOrdinary)
            let demand = account.last.usage + Double(queued) * service / 1e9
            guard demand >= threshold else { continue }
            let baseline = isLearning(now: now) ? settings.newQueryBudget : account.baseline(settings)
            let excess = demand - baseline
            guard excess >= threshold, excess > worst?.excess ?? 0, !isAllowed(account) else { continue }
            var candidate = Culprit(
                place: Int32(place), excess: excess, baseline: baseline, service: service, queued: queued,
                waits: waits(excluding: Int32(place), now: now))
            candidate.isCrowd = isCrowd(candidate, now: now)
            if isProven(candidate, reads: seen.reads > 0, now: now) { worst = candidate }
        }
        return worst
    }

    private func isProven(_ candidate: Culprit, reads: Bool, now: Int64) -> Bool {
        guard PressureGate.isLate((candidate.waits.all, candidate.waits.late), settings: settings) else { return false }
        let account = accounting.accounts[Int(candidate.place)]
        if candidate.isCrowd { return Double(account.last.calls) > 2 * account.usualCalls }
        guard isLearning(now: now), let others = accounting.meanService(excluding: candidate.place) else { return true }
        return reads && candidate.service >= 10 * others
    }

    /// What it has seen so far may be the runaway itself.
    func isLearning(now: Int64) -> Bool {
        !hasHistory && now - createdAt < settings.learningTime.nanoseconds
    }

    private func isCrowd(_ candidate: Culprit, now: Int64) -> Bool {
        let account = accounting.accounts[Int(candidate.place)]
        guard let slowdown = account.slowdown else { return false }
        if isLearning(now: now), Double(account.last.calls) <= 2 * account.usualCalls { return false }
        return slowdown <= 1.5 * max(1, accounting.slowdown(excluding: candidate.place))
    }

    /// By a rule that names no client; others make their clients' calls exempt one by one.
    private func isAllowed(_ account: QueryAccount) -> Bool {
        let mask = account.ruleMask & rules.anyClient
        return mask != 0 && rules.verdict(mask).allows
    }

    private struct Running {
        var count = 0.0
        /// Sum in nanoseconds.
        var ages = 0.0
        var reads = 0
        var cancellable = 0
    }

    /// What runs now, by account. The ages tell of a query that has never ended yet what it takes.
    private func running(now: Int64) -> [Int32: Running] {
        var all: [Int32: Running] = [:]
        for place in inFlight.indices {
            guard let token = inFlight.token(at: place), let entry = inFlight[token], !entry.isIdle else { continue }
            all[entry.current, default: Running()].count += 1
            all[entry.current, default: Running()].ages += Double(now - entry.statementAt)
            if entry.kind == .select { all[entry.current, default: Running()].reads += 1 }
            if !entry.isExempt, mayCancel(entry) { all[entry.current, default: Running()].cancellable += 1 }
        }
        return all
    }

    /// Admissions of everyone but the candidate and the owners of transactions that run it.
    private func waits(excluding place: Int32, now: Int64) -> Culprit.Waits {
        var family = Set([place])
        for slot in inFlight.indices {
            guard let token = inFlight.token(at: slot), let entry = inFlight[token], entry.current == place else {
                continue
            }
            family.insert(entry.owner)
        }
        var sum = waits(now: now) { !family.contains($0) }
        // Transactions that wait for their BEGIN, and of which nothing is expected, will be what the last ones turned
        // out to be.
        let strangers = adopters.count { $0 != QueryAccounting.other && !family.contains($0) }
        queue.forEachHead { flow, enqueuedAt, count in
            guard flow.account == QueryAccounting.control, !adopters.isEmpty,
                let weight = weight(ofLate: enqueuedAt, count, now: now)
            else { return }
            sum.all += weight * strangers / adopters.count
            sum.late += weight * strangers / adopters.count
        }
        return sum
    }

    /// Over the last second or two, with those who still wait: nobody is left out because it never got a slot.
    func waits(now: Int64, of counts: (Int32) -> Bool) -> Culprit.Waits {
        let admitted = accounting.admissions(where: counts)
        var sum = Culprit.Waits(all: admitted.all, late: admitted.late)
        queue.forEachHead { flow, enqueuedAt, count in
            guard flow.account != QueryAccounting.control, !queue.isShedding(flow), counts(flow.account),
                accounting.accounts[Int(flow.account)].trip == nil,
                let weight = weight(ofLate: enqueuedAt, count, now: now)
            else { return }
            sum.all += weight
            sum.late += weight
        }
        return sum
    }

    /// Of `count` that still wait, the first since `enqueuedAt`; nil unless it is too long already since the last
    /// trip, which was to help them.
    private func weight(ofLate enqueuedAt: Int64, _ count: Int, now: Int64) -> Int? {
        let waited = now - max(enqueuedAt, evidenceSince)
        return waited > settings.lateWait.nanoseconds ? count - 1 + weight(ofWait: waited) : nil
    }
}
