import Decide
import NIOCore
import PGWire

/// What happens between the statements, and at the end of a transaction.
extension ClientLink {
    /// Everything the server was sent is answered.
    func serverIsQuiet(isReady: Bool) {
        guard let server, let conversation else { return }
        if isParting { return end() }
        // A cancel on its way would hit the next statement.
        guard server.conversation.cancelsUnderWay == 0 else { return }
        if isStalled {
            // Nothing of the client's was answered: it waited, perhaps for something that we had asked.
            isStalled = false
            resumeReading()
            pump()
            guard self.server === server, server.conversation.isQuiet, !isStalled else { return }
        }
        if server.conversation.status != .idle || server.conversation.hasOpenBatch || !conversation.isBetweenMessages {
            quietSince = core.now
            let result = takeResult()
            if let token { pool?.group.statementEnded(token, result) }
        } else if server.conversation.isAtRest {
            finishTransaction(server, conversation)
        }
        wasCancelledByClient = false
        resumeReading()
        if input.readableBytes > 0 { pump() }
    }

    func finishTransaction(_ server: ServerLink, _ conversation: ClientConversation) {
        core.released(self, pool, heldFor: core.now - attachedAt)
        let (token, result) = (self.token, takeResult())
        restedAt = core.now
        countPin(conversation)
        if keepsServer(conversation), !isLeaving {
            quietSince = core.now
            if let token { pool?.group.rested(token, result) }
            return
        }
        quietSince = nil
        self.token = nil
        if !keepsServer(conversation) {
            self.server = nil
            server.detach(isTainted: false)
        }
        if let token { pool?.group.finished(token, result) }
        if isLeaving { fail(Self.shuttingDown) }
    }

    /// Its server is to be used no more. False: something of the session is there, and is lost with it.
    func letsGo(of server: ServerLink) -> Bool {
        guard let conversation, !keepsServer(conversation), conversation.isBetweenMessages else { return false }
        (isStalled, wasCancelledByClient) = (false, false)
        finishTransaction(server, conversation)
        resumeReading()
        if input.readableBytes > 0 { pump() }
        return true
    }

    /// By the mode at the client's log-in: a reload changes what new clients get. Whose statements went to the server
    /// as they are must not share it with others.
    func keepsServer(_ conversation: ClientConversation) -> Bool {
        !conversation.sharesStatements || conversation.isTainted
    }

    /// What it is kept for, each once from when it is to when it is no more.
    private func countPin(_ conversation: ClientConversation) {
        guard conversation.sharesStatements, conversation.taint != countedTaint else { return }
        if countedTaint.isEmpty { core.counters.pins += 1 }
        for cause in conversation.taint.subtracting(countedTaint).names {
            core.counters.pinCauses[cause, default: 0] += 1
        }
        countedTaint = conversation.taint
    }

    /// Of what has ended since it was last asked: a batch that runs nothing has not failed as the one before it did.
    private func takeResult() -> StatementResult {
        guard let lastEnded else { return .succeeded }
        self.lastEnded = nil
        var outcome = StatementOutcome.succeeded
        if wasCancelledByBudget || wasCancelledByClient, lastEnded.sqlState == .queryCanceled {
            outcome = wasCancelledByBudget ? .cancelledByGuard : .cancelledByClient
        } else if let state = lastEnded.sqlState, let code = SQLStateCode(state.description) {
            outcome = .failed(code)
        }
        return StatementResult(outcome, rows: Int64(lastEnded.rows), bytes: Int64(lastEnded.bytes))
    }

    /// The statement holds its slot for too long.
    func cancelledByBudget() {
        guard let server, server.conversation.owes else { return }
        wasCancelledByBudget = true
        _ = server.cancel()
    }

    /// Nobody goes on with the transaction, and others want its slot.
    func endIdleTransaction() {
        guard quietSince != nil, server?.conversation.status != .idle else { return }
        core.counters.idleTransactions += 1
        fail(
            WireError(.unsupported, sqlState: "25P03", "terminating connection due to idle-in-transaction timeout"))
    }

    /// The wait ended without a server: the batch is answered with an error, the session goes on.
    func refuse(_ error: WireError) {
        guard isWaiting else { return fail(error) }
        isWaiting = false
        handle = nil
        giveSlotBack()
        refuseBatch(error)
        resumeReading()
        pump()
    }

    /// A slot that no server was found for.
    func giveSlotBack() {
        guard let token, server == nil else { return }
        self.token = nil
        pool?.group.abandoned(token)
    }

    func refuseBatch(_ error: WireError, _ status: TransactionStatus = .idle) {
        guard let conversation else { return }
        core.counters.refusedQueries += 1
        restedAt = core.now
        var answer = ForwardBuffer()
        conversation.refuse(&input, error, status, client: &answer)
        if let bytes = answer.take(from: input) { write(bytes) }
    }

    /// Ends when the cancel has taken effect, or there was nothing to cancel.
    func cancelled() -> EventLoopFuture<Void> {
        if isWaiting {
            leaveQueues()
            refuse(WireError(.unsupported, sqlState: "57014", "canceling statement due to user request"))
        } else if let server, server.conversation.owes {
            wasCancelledByClient = true
            return server.cancel()
        }
        return core.loop.makeSucceededVoidFuture()
    }

    func leaveQueues() {
        pool?.leave(self)
        if let handle { pool?.group.leave(handle) }
        handle = nil
    }

    /// A server runs something of it, or waits for it to go on.
    private var isInTransaction: Bool {
        server.map { !$0.conversation.isAtRest } ?? false
    }

    func tick(_ now: Int64) {
        let timeouts = core.settings.timeouts
        if isLoggingIn, timeouts.login > 0, now - connectedAt > timeouts.login {
            return fail(WireError(.notAuthorized, sqlState: "08006", "the log-in took too long"))
        }
        if timeouts.transaction > 0, isInTransaction, now - begunAt > timeouts.transaction {
            core.counters.longTransactions += 1
            return fail(
                WireError(.unsupported, sqlState: "25P04", "terminating connection due to transaction timeout"))
        }
        if timeouts.clientIdle > 0, isOpen, !isWaiting, !isHeld, !isInTransaction, !isConsoleBusy,
            now - restedAt > timeouts.clientIdle
        {
            core.counters.idleClients += 1
            return fail(
                WireError(.unsupported, sqlState: "57P05", "terminating connection due to idle-session timeout"))
        }
        if let quietSince, timeouts.idleTransaction > 0, now - quietSince > timeouts.idleTransaction {
            endIdleTransaction()
        }
    }

    func run(_ console: AdminConsole) {
        do throws(WireError) {
            while !isConsoleBusy, let header = try FrameHeader(peeking: input), header.type != ClientMessage.terminate {
                guard header.size <= 64 << 10 else { throw .tooLarge("a message of \(header.size) bytes") }
                guard input.readableBytes >= header.size, var frame = input.readSlice(length: header.size) else {
                    return
                }
                frame.moveReaderIndex(forwardBy: FrameHeader.size)
                isConsoleBusy = true
                let bound = NIOLoopBound(self, eventLoop: core.loop)
                console.answer(header.type, frame).whenSuccess { answer in
                    let client = bound.value
                    client.isConsoleBusy = false
                    client.restedAt = client.core.now
                    client.write(answer)
                    client.pump()
                }
            }
            if !isConsoleBusy, input.readableBytes >= FrameHeader.size { end() }
        } catch {
            fail(error)
        }
    }
}
