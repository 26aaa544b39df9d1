import Decide
import NIOCore
import PGWire

/// What a client sends, and the server that it needs for it.
extension ClientLink {
    /// Handles whatever is there, as far as that is possible now.
    func pump() {
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        if let console { return run(console) }
        while case .open = phase, let conversation, input.readableBytes > 0 {
            if let server, server.conversation.cancelsUnderWay > 0, server.conversation.isQuiet { return }
            if let server, server.pool.isPaused, server.conversation.isAtRest, isHeldByPause(conversation) { return }
            if quietSince != nil, token != nil, !startStatement(conversation) { continue }
            var (toServer, toClient) = (ForwardBuffer(), ForwardBuffer())
            var progress = ClientConversation.Progress.all
            var failure: WireError?
            do throws(WireError) {
                progress = try conversation.forward(
                    &input, server: token == nil ? nil : server?.conversation, to: &toServer, client: &toClient,
                    now: core.now)
            } catch {
                failure = error
            }
            if let bytes = toServer.take(from: input), let server {
                quietSince = nil
                server.write(bytes)
                if !server.isWritable { pauseReading() }
            }
            if let bytes = toClient.take(from: input) { write(bytes) }
            if let failure { return leaveBecause(failure) }
            // TLS may have ended the client in a write: it must not be given a server now.
            guard case .open = phase else { return }
            switch progress {
            case .all: return
            case .terminated:
                input = ByteBuffer()
                // What was sent before the goodbye is still answered.
                if server?.conversation.owes ?? false { isParting = true } else { end() }
                return
            case .waitsForServer:
                isStalled = true
                if input.readableBytes > Self.heldLimit { pauseReading() }
                return
            case .waitsForEnd:
                if input.readableBytes > Self.heldLimit { pauseReading() }
                return
            case .needsServer:
                if !demandSlot() {
                    if input.readableBytes > Self.heldLimit { pauseReading() }
                    return
                }
            }
        }
    }

    /// True: there is a server now, or the demand was answered with an error; either way there is something to do.
    func demandSlot() -> Bool {
        guard !isWaiting, let conversation else { return false }
        do throws(WireError) {
            conversation.decidesByBatch = core.settings.budgets.mode != .off
            var query = try conversation.peek(input)
            waitingSince = core.now
            if server == nil { pool = try route(query) }
            guard let pool else { return false }
            if pool.isPaused, server == nil { return wait(for: pool) }
            if query?.query.kind.isTransactionControl ?? false, let first = try conversation.statementBehind(input) {
                query = first
            }
            let request = request(query, pool.group)
            isUndecided = request.query == .transactionControl
            switch pool.group.admit(self, request) {
            case .run(let token):
                self.token = token
                return takeServer(pool)
            case .queue(let handle):
                self.handle = handle
                isWaiting = true
                return false
            case .reject(let rejection):
                refuseBatch(WireError(rejection))
                return true
            }
        } catch {
            leaveBecause(error)
            return false
        }
    }

    func request(_ facts: TextFacts?, _ group: PoolGroup) -> SlotRequest {
        let named = facts.map(\.release) ?? 0
        let release = named != 0 ? named : releaseNumber != 0 ? releaseNumber : group.releaseNumber
        if clientClass?.version != group.classVersion || classifiedRelease != release || classifiedIn !== group {
            let name = core.catalog.releases.name(of: release)
            clientClass = group.classify(identity(release: name.isEmpty ? nil : name))
            (classifiedRelease, classifiedIn) = (release, group)
        }
        let query = facts?.query
        return SlotRequest(
            query?.key ?? .transactionControl, query?.statementKind ?? .transactionControl,
            clientClass ?? group.classify(ClientIdentity(user: "")))
    }

    func identity(release: String? = nil) -> ClientIdentity {
        ClientIdentity(
            user: startup?.user ?? "", application: applicationName, database: startup?.database ?? "",
            release: release)
    }

    /// The slot is there; true: a server is too.
    func takeServer(_ pool: Pool) -> Bool {
        (attachedAt, begunAt) = (core.now, core.now)
        wasCancelledByBudget = false
        if server != nil {
            quietSince = nil
            return true
        }
        guard let server = pool.acquire(self) else {
            isWaiting = true
            return false
        }
        attach(server)
        return true
    }

    /// The budgets let the client's transaction begin.
    func hasTurn(_ token: SlotToken) {
        guard isWaiting, handle != nil, case .open = phase, let pool else {
            pool?.group.abandoned(token)
            return
        }
        handle = nil
        isWaiting = false
        self.token = token
        core.waited(core.now - waitingSince)
        guard takeServer(pool) else { return }
        resumeReading()
        pump()
    }

    func attach(_ server: ServerLink) {
        isWaiting = false
        self.server = server
        quietSince = nil
        server.attach(self)
    }

    /// A server was opened or became free. False: the client is not waiting any more.
    func take(_ server: ServerLink) -> Bool {
        guard isWaiting, let token, case .open = phase else { return false }
        pool?.group.started(token)
        (attachedAt, begunAt) = (core.now, core.now)
        attach(server)
        resumeReading()
        pump()
        return true
    }

    /// The next statement inside a transaction. False: it was refused, and what is left is to be looked at anew.
    func startStatement(_ conversation: ClientConversation) -> Bool {
        guard let token, let pool, let server, server.conversation.isQuiet else { return true }
        if server.conversation.status == .idle { (attachedAt, begunAt) = (core.now, core.now) }
        do throws(WireError) {
            guard let query = try conversation.peek(input) else { return true }
            quietSince = nil
            let request = request(query, pool.group)
            if isUndecided, request.query != .transactionControl { (usualQuery, isUndecided) = (request.query, false) }
            guard case .reject(let rejection) = pool.group.statementStarted(token, request) else { return true }
            if server.conversation.hasOpenBatch {
                // What was answered of it is neither committed nor taken back: refused from here on, it would be both.
                fail(WireError(rejection))
                return false
            }
            let isInside = server.conversation.status != .idle
            if isInside { server.spoilTransaction() } else { quietSince = core.now }
            refuseBatch(WireError(rejection), isInside ? .failed : .idle)
            return false
        } catch {
            leaveBecause(error)
            return false
        }
    }

    /// As PostgreSQL does: where messages begin is not known any more, and no answer would be understood.
    func leaveBecause(_ error: WireError) {
        if error.message.hasPrefix("invalid message length") { end() } else { fail(error) }
    }

    /// What was not certain before may be so now.
    func batchEnded() {
        if server?.conversation.status == .idle { begunAt = core.now }
        guard isStalled else { return }
        isStalled = false
        resumeReading()
        pump()
    }
}
