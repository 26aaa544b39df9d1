import Decide
import Logging
import NIOCore
import NIOSSL
import PGWire

/// From the first byte to the first ReadyForQuery.
extension ClientLink {
    func greet() {
        do throws(WireError) {
            guard let packet = try StartupPacket.parse(&input) else { return }
            switch packet {
            case .sslRequest: try answerSSL()
            case .gssEncRequest:
                guard input.readableBytes == 0 else { throw Self.early }
                write(ByteBuffer(bytes: [UInt8(ascii: "N")]))
            case .cancel(let processID, let secret):
                phase = .closed
                core.closed(self)
                let bound = NIOLoopBound(self, eventLoop: core.loop)
                // Whoever asks waits for the end of the connection: the signal must be out by then.
                core.cancel(processID: processID, secret: secret).whenComplete { _ in
                    bound.value.closeSocket()
                }
            case .startup(let startup):
                try begin(startup)
            }
        } catch {
            // As PostgreSQL does: what is no start-up packet is not worth an answer.
            if error.code == .tooLarge || error.message.hasPrefix("invalid length")
                || error.message.hasPrefix("unsupported frontend protocol 2.")
            {
                return end()
            }
            fail(error)
        }
    }

    static let early = WireError.protocolViolation("received unencrypted data after an encryption request")

    func answerSSL() throws(WireError) {
        guard input.readableBytes == 0 else { throw Self.early }
        guard let handler = core.tlsHandler(), !isEncrypted else {
            return write(ByteBuffer(bytes: [UInt8(ascii: "N")]))
        }
        write(ByteBuffer(bytes: [UInt8(ascii: "S")]))
        do {
            try encrypt(handler)
        } catch {
            core.logger.error("TLS cannot be started", metadata: ["cause": "\(error)"])
            end()
        }
    }

    func begin(_ startup: StartupParameters) throws(WireError) {
        self.startup = startup
        if core.needsTLS, !isEncrypted {
            throw WireError(
                .notAuthorized, sqlState: "28000", "this server takes encrypted connections only: sslmode=require")
        }
        if startup.replication != .none {
            throw .unsupported("the guard does not pass replication through: connect to the database itself")
        }
        guard !isOneTooMany else {
            throw WireError(
                .notAuthorized, sqlState: "53300", "sorry, too many clients already (the guard's max-clients)")
        }
        guard !core.isDraining else {
            throw WireError(.notAuthorized, sqlState: "57P03", "the guard is shutting down")
        }
        let negotiation = ProtocolNegotiation(answering: startup)
        if let negotiation {
            var bytes = ByteBuffer()
            bytes.writePGNegotiateProtocolVersion(negotiation)
            write(bytes)
        }
        // Whether there is such a database is told after the log-in, as PostgreSQL does: names cannot be tried out.
        guard let lookup = core.lookUp(startup) else {
            return authenticate(as: startup, found: nil)
        }
        phase = .lookingUp
        let bound = NIOLoopBound(self, eventLoop: core.loop)
        lookup.whenComplete { result in
            let client = bound.value
            guard case .lookingUp = client.phase else { return }
            switch result {
            case .success(let found): client.authenticate(as: startup, found: found)
            case .failure(let error):
                client.core.logger.error(
                    "a user could not be looked up",
                    metadata: ["database": "\(startup.database)", "cause": "\(client.core.connector.explain(error))"])
                client.fail(
                    WireError(
                        .internalFault, sqlState: "08006", "the database could not be asked for this user's password"))
            }
        }
    }

    func authenticate(as startup: StartupParameters, found: LookedUpSecret?) {
        var authentication = core.authentication(for: startup, isEncrypted: isEncrypted, found: found)
        let action = authentication.begin(at: core.instant)
        phase = .authenticating
        self.authentication = authentication
        take(action)
        if input.readableBytes > 0 { authenticate() }
    }

    func authenticate() {
        while case .authenticating = phase {
            do throws(WireError) {
                guard let header = try FrameHeader(peeking: input) else { return }
                guard header.size <= ClientAuthentication.payloadLimit + FrameHeader.size else {
                    throw .tooLarge("a message of \(header.size) bytes before the end of authentication")
                }
                guard input.readableBytes >= header.size, var frame = input.readSlice(length: header.size) else {
                    return
                }
                frame.moveReaderIndex(forwardBy: FrameHeader.size)
                guard let action = authentication?.receive(type: header.type, payload: frame) else { return }
                take(action)
            } catch {
                return fail(error)
            }
        }
    }

    func take(_ action: ClientAuthentication.Action) {
        guard let startup else { return }
        switch action {
        case .send(let bytes): write(bytes)
        case .done(let bytes, let credential):
            write(bytes)
            phase = .expected
            authentication = nil
            guard !isClosed else { return }
            if startup.database == AdminConsole.database { return openConsole(startup) }
            core.remember(credential, of: startup.user)
            do throws(WireError) {
                let pool = try core.pool(for: startup)
                (self.pool, home) = (pool, pool)
                pool.greet(self)
            } catch {
                fail(error)
            }
        case .fail(let bytes, let error, let reason):
            core.counters.refusedLogins += 1
            core.logger.info(
                "a client was not let in",
                metadata: ["client": "\(remoteAddress)", "reason": "\(reason)", "cause": "\(error)"])
            if bytes.readableBytes > 0 { write(bytes) }
            end()
        }
    }

    func openConsole(_ startup: StartupParameters) {
        guard core.settings.adminUsers.contains(startup.user) else {
            return fail(
                WireError(.notAuthorized, sqlState: "42501", "user \"\(startup.user)\" may not use the guard's console")
            )
        }
        console = AdminConsole(core: core, user: startup.user)
        finishLogin(SessionParameters(AdminConsole.parameters))
    }

    /// The session begins.
    func welcome() {
        guard case .expected = phase, let startup, let pool,
            let parameters = pool.parameters(of: Self.cleaned(startup.applicationName ?? ""))
        else { return }
        self.parameters = parameters
        let conversation = ClientConversation(
            catalog: core.catalog, registry: pool.statements, sharesStatements: core.settings.mode == .transaction)
        conversation.literals = core.catalog.carried.literals(parameters.values)
        conversation.wholeLimit = core.settings.limits.message
        conversation.preparedLimit = core.settings.limits.prepared
        self.conversation = conversation
        finishLogin(parameters)
    }

    /// As servers do with an application's name: bytes beyond printable ASCII become `?`.
    static func cleaned(_ name: String) -> String {
        String(decoding: name.utf8.map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    func finishLogin(_ parameters: SessionParameters) {
        var bytes = parameters.reports
        bytes.writePGBackendKeyData(processID: key.processID, secret: key.secretBytes)
        bytes.writePGReadyForQuery(status: .idle)
        write(bytes)
        phase = .open
        guard !isClosed else { return }
        restedAt = core.now
        core.opened(self)
        resumeReading()
        if input.readableBytes > 0 { pump() }
    }
}
