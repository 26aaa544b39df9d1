import Decide
import Logging
import NIOCore
import PGWire

/// One connection to a PostgreSQL server: the shell around `ServerStart` and `ServerConversation`.
///
/// ```
/// connecting ─▶ starting ─▶ resting ⇄ serving a client
///                              ▲          │ the client left, or a cancel is under way
///                              └─ cleaning┘
/// any ─▶ closed
/// ```
final class ServerLink: SocketReceiver {
    private enum Phase {
        case connecting
        case starting
        case open
        case closed
    }

    let pool: Pool
    let target: Target
    let core: GuardCore
    let conversation = ServerConversation()

    private(set) var client: ClientLink?
    /// What the server's session was set to.
    var parameters = SessionParameters([:])
    /// Likewise, of what it does not report.
    private var carried: CarriedSettings?
    /// To be closed instead of being reused,
    var isRetired = false
    /// because it says so itself.
    private(set) var saidGoodbye = false
    /// The client has the server's own words for why it ends.
    private var saidFarewell = false
    var restedAt: Int64 = 0
    private(set) var openedAt: Int64 = 0
    private(set) var processID: Int32 = 0
    private var secret: [UInt8] = []

    private var phase = Phase.connecting
    /// Of the phase `starting`; kept apart, since the phase is looked at for every message.
    private var start: ServerStart?
    /// Nil: it is not there yet, or no more.
    private var socket: SocketChannel?
    private(set) var input = ByteBuffer()
    private var events: [ServerEvent] = []
    /// Logged in, and not its pool's yet.
    private var isNew = false
    /// Quiet, but for a part of a message that nobody asked for.
    private var isHeldByInput = false
    /// The client left traces that the next one must not find.
    private var needsReset = false
    private var cleaningSince: Int64?
    private var isReading = true

    init(pool: Pool, target: Target, core: GuardCore) {
        self.pool = pool
        self.target = target
        self.core = core
    }

    var isStarting: Bool {
        switch phase {
        case .connecting, .starting: true
        default: isNew
        }
    }

    var stateName: String {
        switch phase {
        case .connecting, .starting: "login"
        case .closed: "closed"
        case .open where isNew: "login"
        case .open: cleaningSince != nil ? "cleaning" : client != nil ? "active" : "idle"
        }
    }

    /// Nobody's, or at rest with a client that keeps it.
    var isStill: Bool { client == nil ? cleaningSince == nil : conversation.isAtRest }

    // MARK: Opening

    func connect() {
        openedAt = core.now
        let bound = NIOLoopBound(self, eventLoop: core.loop)
        core.connector.connect(to: target).whenComplete { result in bound.value.connected(result) }
    }

    private func connected(_ result: Result<SocketChannel, any Error>) {
        switch result {
        case .success(let socket):
            if case .closed = phase { return socket.close() }
            self.socket = socket
            socket.receiver = self
            begin(socket)
        case .failure(let error):
            let message = "cannot connect to \(target): \(core.connector.explain(error))"
            closed(WireError(.internalFault, sqlState: "08006", message))
        }
    }

    private func begin(_ socket: SocketChannel) {
        var start = core.serverStart(for: pool, target)
        let bytes = start.begin(isEncrypted: socket.isEncrypted)
        phase = .starting
        self.start = start
        write(bytes)
    }

    // MARK: Reading

    func receive(_ bytes: ByteBuffer) {
        let isFirst = input.readableBytes == 0
        if isFirst { input = bytes } else { input.writeImmutableBuffer(bytes) }
        core.refreshClock()
        switch phase {
        case .starting: goOn()
        case .open: serve()
        case .connecting: break
        case .closed: input = ByteBuffer()
        }
        // What is left is kept apart from a buffer that is not the server's alone, or in which much has been read.
        if input.readableBytes == 0 {
            input = ByteBuffer()
        } else if isFirst || input.readerIndex > SocketLoop.portion {
            input = input.copied
        }
    }

    private func goOn() {
        guard let action = start?.receive(&input) else { return }
        switch action {
        case .wait: break
        case .send(let bytes): write(bytes)
        case .fail(let error):
            closed(error)
        case .done(let done):
            phase = .open
            start = nil
            isNew = true
            (processID, secret) = (done.processID, done.secret)
            if let keys = done.keys { core.learn(keys, ofUser: target.user ?? pool.key.user) }
            conversation.started(parameters: done.parameters)
            parameters = core.intern(done.parameters)
            core.logger.debug("server connected", metadata: ["target": "\(target)", "pid": "\(processID)"])
            // A server that is ended in this moment says goodbye in the same breath. Anything else that nobody asked
            // for breaks the golden rule, from the first moment on.
            if input.readableBytes > 0 { serve() }
            introduce()
        }
    }

    /// To its pool, once all is read that came with the end of the log-in.
    private func introduce() {
        guard isNew, case .open = phase, input.readableBytes == 0 else { return }
        if isRetired {
            let failure = WireError(.internalFault, sqlState: "08006", "\(target) ended the connection at once")
            return closed(saidGoodbye ? failure : nil)
        }
        isNew = false
        pool.started(self, parameters)
    }

    private func serve() {
        var out = ForwardBuffer()
        events.removeAll(keepingCapacity: true)
        var failure: WireError?
        do throws(WireError) {
            try conversation.read(
                &input, for: &out, hasClient: client != nil, events: &events, changes: client?.conversation?.changes)
        } catch {
            failure = error
        }
        if let client, let bytes = out.take(from: input) {
            isHandingOver = true
            client.write(bytes)
            isHandingOver = false
            if self.client != nil, !client.isWritable { pauseReading() }
        }
        if let failure { return broke(failure) }
        if !events.isEmpty { handleEvents() }
        if wasLeft {
            wasLeft = false
            return leftBehind()
        }
        if isHeldByInput, input.readableBytes == 0 { comeToRest(isReady: true) }
        if conversation.isCopyingIn { client?.pump() }
        introduce()
    }

    func broke(_ failure: WireError) {
        core.counters.violations += 1
        core.logger.error("a server broke the protocol", metadata: ["target": "\(target)", "cause": "\(failure)"])
        closed(failure)
    }

    private func handleEvents() {
        var isReady = false
        for event in events {
            switch event {
            case .ended(let statement):
                client?.lastEnded = statement
                core.ended(statement, client, pool, isSkipped: false)
            case .skipped(let statement):
                core.ended(statement, client, pool, isSkipped: true)
            case .ready, .ourQueryEnded:
                if case .ourQueryEnded(_, let state?) = event, !expectsFailure {
                    core.logger.warning("a server could not be reset", metadata: ["sqlstate": "\(state)"])
                    return closed(Self.unfit(conversation.setUpFailure))
                }
                expectsFailure = false
                isReady = true
            case .parameter(let name, let value):
                report(name, value)
            case .stale(let statement):
                pool.statements.forget(statement)
            case .schemaChanged: pool.statements.schema.change()
            case .farewell(let state):
                core.logger.info("a server says goodbye", metadata: ["target": "\(target)", "sqlstate": "\(state)"])
                (isRetired, saidGoodbye) = (true, true)
                saidFarewell = client != nil && !conversation.isSettingUp
            }
        }
        guard conversation.isQuiet else {
            // A batch has ended behind which others wait for their answers.
            if isReady { client?.batchEnded() }
            return
        }
        comeToRest(isReady: isReady)
    }

    /// The golden rule's last part: no byte is unread.
    private func comeToRest(isReady: Bool) {
        isHeldByInput = input.readableBytes > 0
        guard !isHeldByInput, conversation.isQuiet else { return }
        if let client {
            client.serverIsQuiet(isReady: isReady)
        } else if cleaningSince != nil {
            clean()
        }
    }

    // MARK: Clients

    /// The server is the client's until `detach`.
    func attach(_ client: ClientLink) {
        self.client = client
        let wanted = client.conversation?.carried
        if carried !== wanted, let settings = CarriedSettings.difference(from: carried, to: wanted) {
            let reported = parameters === client.parameters ? nil : client.parameters.difference(from: parameters)
            (parameters, carried) = (client.parameters, wanted)
            return write(conversation.setUp([reported, settings].compactMap(\.self).joined(separator: "; ")))
        }
        guard parameters !== client.parameters, let statement = client.parameters.difference(from: parameters) else {
            return
        }
        parameters = client.parameters
        // A name is never refused.
        if Self.onlyNames(statement) { ask(statement) } else { write(conversation.setUp(statement)) }
    }

    /// The client needs the server no more; `isTainted`: its session would show.
    /// `token`: of the slot, which stays taken until the server is at rest.
    func detach(isTainted: Bool, token: SlotToken? = nil) {
        // If it is tainted, all settings are discarded.
        if !isTainted { carried = client?.conversation?.carried }
        client = nil
        if let token { slot = token }
        resumeReading()
        if isTainted { needsReset = true }
        if isHandingOver { wasLeft = true } else { leftBehind() }
    }

    /// Bytes for the client are being written. Should TLS end its connection meanwhile, the client leaves at once,
    /// while what was read is not settled: the server must not be anybody else's before it is.
    private var isHandingOver = false
    private var wasLeft = false

    private func leftBehind() {
        guard case .open = phase else { return }
        if input.readableBytes > 0, conversation.isQuiet {
            // The rest of it has to come first.
            (isHeldByInput, cleaningSince) = (true, core.now)
            return
        }
        if !needsReset, conversation.isAtRest { return rest() }
        clean()
    }

    private var slot: SlotToken?

    private func rest() {
        pool.release(self)
        giveSlotBack()
    }

    private func giveSlotBack() {
        guard let slot else { return }
        self.slot = nil
        pool.group.finished(slot, StatementResult(.clientGone))
    }

    /// The client is gone in the middle of a message: what the server reads next could be taken for the rest of it.
    func abandon(token: SlotToken?) {
        client = nil
        if let token { slot = token }
        cancel()
        closed(nil)
    }

    /// Brings the session to rest, step by step; called again when the server has answered.
    private func clean() {
        if cleaningSince == nil { cleaningSince = core.now }
        if !conversation.isQuiet || conversation.hasOpenBatch {
            if !hasCancelled {
                hasCancelled = true
                if conversation.owes { cancel() }
                if let bytes = conversation.endBatch() { write(bytes) }
            }
            return
        }
        guard conversation.cancelsUnderWay == 0 else { return }
        if conversation.status != .idle { return ask("ROLLBACK") }
        if needsReset {
            needsReset = false
            conversation.forgetPrepared()
            parameters = core.intern(conversation.parameters)
            carried = nil
            return ask("DISCARD ALL")
        }
        cleaningSince = nil
        hasCancelled = false
        parameters = core.intern(conversation.parameters)
        rest()
    }

    private var hasCancelled = false

    func tick(_ now: Int64) {
        if let cleaningSince, now - cleaningSince > core.settings.timeouts.cleanup {
            core.counters.cleanupTimeouts += 1
            closed(nil)
        }
        // The request may have overtaken the statement, and met a server that was idle still.
        if cleaningSince != nil, hasCancelled, conversation.owes, conversation.cancelsUnderWay == 0,
            now - cancelledAt > Self.cancelAgain
        {
            cancel()
        }
        endIdleBatch(now)
        if isStarting, now - openedAt > core.settings.timeouts.connect {
            closed(WireError(.internalFault, sqlState: "08006", "cannot connect to \(target): no answer in time"))
        }
    }

    private static let cancelAgain = GuardSettings.Timeouts.second / 2
    private var cancelledAt: Int64 = 0

    private var openBatchSince: Int64?

    /// A driver that prepares, and asks for the answers by Flush alone, would keep its server for as long as it does
    /// nothing else.
    private func endIdleBatch(_ now: Int64) {
        guard case .open = phase, conversation.canEndBatch, input.readableBytes == 0,
            client?.conversation?.isBetweenMessages ?? false
        else { return openBatchSince = nil }
        guard let since = openBatchSince else { return openBatchSince = now }
        guard now - since > Self.openBatchRest, let bytes = conversation.endBatch() else { return }
        openBatchSince = nil
        write(bytes)
    }

    /// Asks the server to end what it runs, on a connection of its own.
    @discardableResult
    func cancel() -> EventLoopFuture<Void> {
        guard case .open = phase, processID != 0 else { return core.loop.makeSucceededVoidFuture() }
        cancelledAt = core.now
        conversation.cancelsUnderWay += 1
        core.counters.cancels += 1
        let bound = NIOLoopBound(self, eventLoop: core.loop)
        let ended = core.connector.cancel(
            at: target, processID: processID, secret: secret, within: core.settings.timeouts.cleanup)
        ended.whenComplete { bound.value.cancelEnded($0) }
        return ended
    }

    private func cancelEnded(_ result: Result<Void, any Error>) {
        conversation.cancelsUnderWay -= 1
        guard case .open = phase else { return }
        if case .failure(let error) = result, error is Connector.Unconfirmed {
            return giveUpCancelled()
        }
        comeToRest(isReady: true)
    }

    /// A cancel request may still be on its way: whoever has the server next, its client included, could be hit by it.
    private func giveUpCancelled() {
        core.logger.warning(
            "a cancel request did not end in time: its server is closed", metadata: ["target": "\(target)"])
        isRetired = true
        // Whichever deadline comes first, the one for its cleaning or the one for the cancel that belongs to it.
        if cleaningSince != nil { core.counters.cleanupTimeouts += 1 }
        if let client, input.readableBytes == 0, conversation.isAtRest, client.letsGo(of: self) { return }
        let lost =
            if !conversation.isQuiet {
                "whether its statement took effect is not known"
            } else if conversation.status != .idle {
                "its transaction is rolled back"
            } else {
                "what it had set is lost"
            }
        let seconds = core.settings.timeouts.cleanup / GuardSettings.Timeouts.second
        // No 08xxx: drivers would send again what may have been done.
        closed(
            nil,
            telling: WireError(
                .internalFault, sqlState: "57014",
                "the server did not confirm a cancel request within \(seconds) s; this session is ended, and \(lost)"))
    }

    /// Brings the transaction into the state that its client was told of: failed.
    func spoilTransaction() {
        expectsFailure = true
        ask("SELECT 1/0")
    }

    private var expectsFailure = false

    private func ask(_ text: String) {
        write(conversation.ask(text))
    }

    func write(_ bytes: ByteBuffer) {
        socket?.send(bytes)
    }

    var isWritable: Bool { socket?.isWritable ?? true }

    // MARK: Backpressure

    func socketIsWritable(_ isWritable: Bool) {
        if isWritable { client?.resumeReading() }
    }

    private func pauseReading() {
        guard isReading else { return }
        isReading = false
        socket?.setReading(false)
    }

    func resumeReading() {
        guard !isReading else { return }
        isReading = true
        socket?.setReading(true)
    }

    // MARK: The end

    func close() {
        if case .open = phase {
            var bytes = ByteBuffer()
            bytes.writePGTerminate()
            write(bytes)
        }
        closed(nil)
    }

    func socketEnded() {
        socket = nil
        closed(nil)
    }

    func socketFailed(_ error: any Error) {
        core.logger.debug("server connection failed", metadata: ["target": "\(target)", "cause": "\(error)"])
        closed(WireError(.internalFault, sqlState: "08006", "\(target): \(core.connector.explain(error))"))
    }

    /// - Parameter told: why, to its client; nil: it broke by itself.
    private func closed(_ failure: WireError?, telling told: WireError? = nil) {
        if case .closed = phase { return }
        let wasStarted = if case .open = phase { !isNew } else { false }
        phase = .closed
        socket?.close()
        socket = nil
        let client = self.client
        self.client = nil
        // It may have been done before the end.
        if conversation.changesSchema { pool.statements.schema.change() }
        pool.closed(self, failure, wasStarted: wasStarted)
        giveSlotBack()
        client?.serverIsGone(wasTold: saidFarewell, told ?? (conversation.setUpFailure == nil ? nil : failure))
    }
}
