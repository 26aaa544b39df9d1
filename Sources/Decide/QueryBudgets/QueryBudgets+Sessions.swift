/// Clients that keep their server from one transaction to the next: in session mode, or because their session would
/// show.
extension QueryBudgets {
    /// The transaction is over, and the client keeps server and slot. Until its next statement, which is told by
    /// `statementStarted`, the slot's time is no query's; the statement may be turned away like the first after BEGIN.
    ///
    /// The slot stays taken. Were it given to another client, that one would wait for a server, and the servers'
    /// holders for a slot.
    package mutating func rested(_ token: SlotToken, _ result: StatementResult = .succeeded, now: Int64) {
        guard var entry = inFlight[token], !entry.isResting else { return }
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
        let flow = FlowKey(account: QueryAccounting.control)
        queue.start(flow, cost: 0)
        // As owner and as payer.
        accounting.accounts[Int(QueryAccounting.control)].references += 2
        (entry.flow, entry.payer, entry.owner, entry.current) = (flow, flow, flow.account, flow.account)
        (entry.startedAt, entry.statementAt, entry.charged, entry.waited) = (now, now, 0, 0)
        (entry.isIdle, entry.isExempt, entry.isResting) = (true, true, true)
        (entry.isProbe, entry.isEnding, entry.hasWritten) = (false, false, false)
        inFlight[token] = entry
    }

    /// The next transaction begins now.
    func wake(_ entry: inout InFlight, now: Int64) {
        entry.isResting = false
        entry.isExempt = false
        (entry.startedAt, entry.statementAt, entry.accountedAt) = (now, now, now)
    }
}
