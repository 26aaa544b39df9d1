import DequeModule
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What one client sends, from the end of its start-up to its end: reads its messages, tells the server's conversation
/// what will be owed, and writes what the server is to get. No sockets, no clock.
///
/// Invariants:
/// 1. A client's names of prepared statements never reach a server when statements are shared: each is sent under a
///    name of ours that stands for its text, and is made on a server before it is used there.
/// 2. What leaves a trace in the session (`taint`) is noted before it is sent: the client then keeps its server.
/// 3. Nothing is sent to a server that skips to the next Sync but that Sync.
package final class ClientConversation {
    /// How far `forward` got.
    package enum Progress: Equatable {
        /// Everything that was there; an unfinished message may be left.
        case all
        /// The next message needs a server. It is the statement `query` when that is known.
        case needsServer
        /// The next message can only be understood when the server has answered what it was sent.
        case waitsForServer
        /// The next batch is something else than what the server still runs: it is to be decided upon by itself.
        case waitsForEnd
        /// The client said goodbye.
        case terminated
    }

    /// Messages that have to be seen whole.
    package var wholeLimit = 64 << 20
    /// Clients' statements are shared by servers; otherwise they are passed through as they are.
    package let sharesStatements: Bool
    /// A batch that is another query waits for the end of what the server runs, where one has to be told from another.
    package var decidesByBatch = false
    /// How many statements are kept on one server.
    package var preparedLimit = 500
    /// How many names of statements one client may have: a client that never closes them must not fill the memory.
    static let namedLimit = 10_000
    /// Likewise for the bytes of their texts.
    static let namedBytesLimit = 16 << 20

    package let changes = StatementChanges()
    /// What the client left in its server's session.
    package internal(set) var taint: SessionTaint {
        get { changes.taint }
        set { changes.taint = newValue }
    }

    let catalog: QueryCatalog
    let registry: StatementRegistry
    /// What constants mean to the client, by `CarriedSettings.Table.literals`; 0: the same as to all others.
    package var literals: UInt32 = 0 {
        didSet { spaceOf = nil }
    }
    private var spaceOf: (path: UInt32, space: UInt32)?
    /// What was sent last, since the client has its server.
    var newest: QueryInfo?
    /// What was sent may change them, and is not answered yet.
    var literalsChange = false
    /// Grows with each Sync.
    var batch: UInt64 = 0
    /// The latest Parse of the unnamed statement, as a whole frame.
    var unnamed = ByteBuffer()
    var unnamedSerial: UInt64 = 0
    var unnamedQuery: TextFacts?
    /// The unnamed statement is a `DEALLOCATE` of `PreparedStatement.doomed`.
    var unnamedDeallocates = false
    /// Of the unnamed portal.
    var boundQuery: TextFacts?
    /// Of the portal with a name that was bound last; which one is executed is not looked at.
    var namedPortalQuery: TextFacts?
    /// The text of the message at the front, when it was looked at before it could be sent.
    private var peeked: TextFacts?
    /// `DEALLOCATE ALL` or the like is under way: which names there are is not known before its end.
    var awaitsDeallocation = false
    /// Bytes of a message that is passed on as it comes.
    private var rest = 0
    private var restIsDropped = false
    /// A batch that was answered with an error is read over, up to its Sync.
    var isRefusing = false
    var refusedStatus = TransactionStatus.idle
    var refusedRest = 0
    var refusedEnds = false
    var refusedIsExtended = false

    package init(catalog: QueryCatalog, registry: StatementRegistry, sharesStatements: Bool) {
        self.catalog = catalog
        self.registry = registry
        self.sharesStatements = sharesStatements
    }

    /// The client left something in its server's session, or may have.
    package var isTainted: Bool { changes.taint.rawValue != 0 || changes.carried.isPending }

    /// Of its prepared statements.
    var space: UInt32 {
        let path = changes.carried.space
        if let spaceOf, spaceOf.path == path { return spaceOf.space }
        let space = catalog.carried.space(path: path, literals: literals)
        spaceOf = (path, space)
        return space
    }

    /// What the client's session has on whatever server it gets.
    package var carried: CarriedSettings? { changes.carried.committed }

    /// Whether the client is between two messages.
    package var isBetweenMessages: Bool { rest == 0 }

    /// After `DISCARD ALL` or the like by us.
    package func forgetTaint() {
        taint = []
        changes.carried.clear()
    }

    /// What the client wants, looked at before it gets a server: the text of its first statement.
    package func peek(_ input: ByteBuffer) throws(WireError) -> TextFacts? {
        peeked = nil
        guard rest == 0, let header = try FrameHeader(peeking: input), input.readableBytes >= header.size else {
            return nil
        }
        let facts = facts(of: header, input)
        if header.type == ClientMessage.query || header.type == ClientMessage.parse { peeked = facts }
        return facts
    }

    /// The first statement of a transaction whose beginning is at the front, if it stands in the same batch, as some
    /// drivers send it. Nil: it is not there, or not known.
    package func statementBehind(_ input: ByteBuffer) throws(WireError) -> TextFacts? {
        var rest = input
        var (isFirst, hasParsed) = (true, false)
        for _ in 0..<Self.framesLookedAt {
            guard let header = try FrameHeader(peeking: rest), rest.readableBytes >= header.size else { return nil }
            let isStale = hasParsed && header.type == ClientMessage.bind
            if !isFirst, !isStale, let facts = facts(of: header, rest), !facts.query.kind.isTransactionControl {
                return facts
            }
            switch header.type {
            case ClientMessage.parse: hasParsed = true
            case ClientMessage.bind, ClientMessage.describe, ClientMessage.execute, ClientMessage.flush: break
            default: return nil
            }
            isFirst = false
            rest.moveReaderIndex(forwardBy: header.size)
        }
        return nil
    }

    /// Whether the batch at the front may be sent behind what the server still runs for the client: more of the same,
    /// or the end of its transaction. Anything else has to be accounted for, and perhaps refused, by itself.
    private func mayFollow(_ header: FrameHeader, _ input: ByteBuffer, _ server: ServerConversation) -> Bool {
        // A copy's end comes from the client: what it sends instead is for the server to refuse.
        guard decidesByBatch, !server.hasOpenBatch, server.owes, !server.isCopyingIn, let before = newest,
            before.kind != .copy, let facts = facts(of: header, input)
        else { return true }
        if header.type != ClientMessage.bind { peeked = facts }
        switch facts.query.kind {
        case .commit, .rollback: return true
        case .begin: return false
        default: return facts.query.fingerprint == before.fingerprint
        }
    }

    private static let framesLookedAt = 12

    private func facts(of header: FrameHeader, _ input: ByteBuffer) -> TextFacts? {
        var payload = input.payload(header)
        switch header.type {
        case ClientMessage.query:
            return look(payload)
        case ClientMessage.parse:
            guard payload.skipZeroTerminated() else { return nil }
            return look(payload)
        case ClientMessage.bind:
            guard payload.skipZeroTerminated(), let name = payload.readZeroTerminated() else { return nil }
            return name.isEmpty ? unnamedQuery : changes[name].map(TextFacts.init)
        case ClientMessage.describe, ClientMessage.close:
            guard payload.readInteger(as: UInt8.self) == UInt8(ascii: "S"), let name = payload.readZeroTerminated()
            else { return nil }
            return name.isEmpty ? unnamedQuery : changes[name].map(TextFacts.init)
        default:
            return nil
        }
    }

    /// Whether the batch at the front is one statement, outside of a transaction, that only reads as far as its text
    /// tells, and is there as a whole.
    package func onlyReads(_ facts: TextFacts, _ input: ByteBuffer) throws(WireError) -> Bool {
        guard facts.query.isReadOnly, facts.query.kind == .select, facts.query.statementCount == 1 else { return false }
        var rest = input
        // More than one of a kind would be a statement that nobody looked at.
        var (parses, binds, isFirst) = (0, 0, true)
        while let header = try FrameHeader(peeking: rest), rest.readableBytes >= header.size {
            switch header.type {
            case ClientMessage.query: return isFirst
            case ClientMessage.sync: return parses <= 1 && binds <= 1
            case ClientMessage.parse: parses += 1
            case ClientMessage.bind: binds += 1
            case ClientMessage.describe, ClientMessage.execute: break
            default: return false
            }
            isFirst = false
            rest.moveReaderIndex(forwardBy: header.size)
        }
        return false
    }

    /// Text up to its zero.
    func look(_ payload: ByteBuffer) -> TextFacts? {
        payload.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress, let end = memchr(base, 0, bytes.count) else { return nil }
            let text = UnsafeRawBufferPointer(start: base, count: end - UnsafeMutableRawPointer(mutating: base))
            return TextFacts(query: catalog.look(at: text), release: catalog.release(in: text))
        }
    }

    /// The text of the message that is being sent; not looked at a second time.
    func lookOnce(_ payload: ByteBuffer) -> TextFacts? {
        guard let found = peeked else { return look(payload) }
        peeked = nil
        return found
    }

    /// Reads as many messages as can be handled now. `client` gets what we answer ourselves.
    ///
    /// - Throws: when the client breaks the protocol; it is told and the connection is closed.
    package func forward(
        _ input: inout ByteBuffer, server: ServerConversation?, to toServer: inout ForwardBuffer,
        client: inout ForwardBuffer, now: Int64
    ) throws(WireError) -> Progress {
        if isRefusing || rest > 0 || server == nil { peeked = nil }
        if server == nil { newest = nil }
        while true {
            if isRefusing {
                skipRefused(&input, &client)
                if isRefusing { return .all }
            }
            if rest > 0 {
                let count = min(rest, input.readableBytes)
                if count == 0 { return .all }
                if restIsDropped { input.moveReaderIndex(forwardBy: count) } else { toServer.pass(&input, count) }
                rest -= count
                if rest > 0 { return .all }
            }
            guard let header = try FrameHeader(peeking: input) else { return .all }
            if header.type == ClientMessage.terminate { return .terminated }
            guard let server else {
                guard input.readableBytes >= header.size || header.type == ClientMessage.copyData else {
                    return try unfinished(header)
                }
                if try answerAlone(header, &input, &client) { continue }
                return .needsServer
            }
            if !server.owes {
                awaitsDeallocation = false
                if !server.hasOpenBatch { literalsChange = false }
            }
            if server.isSkippingToSync, header.type != ClientMessage.sync {
                peeked = nil
                rest = header.size
                restIsDropped = true
                continue
            }
            guard mayFollow(header, input, server) else { return .waitsForEnd }
            if streams(header, input) {
                peeked = nil
                stream(header, server)
                continue
            }
            guard input.readableBytes >= header.size else { return try unfinished(header) }
            let isSent = try send(header, &input, server, &toServer, &client, now)
            peeked = nil
            guard isSent else {
                urge(server, input, &toServer)
                return .waitsForServer
            }
        }
    }

    /// Waiting for the rest is only allowed where it will end.
    private func unfinished(_ header: FrameHeader) throws(WireError) -> Progress {
        guard header.size <= wholeLimit else {
            throw WireError(
                .tooLarge, sqlState: "54000",
                "a message of \(header.size) bytes is larger than the guard's limit of \(wholeLimit)")
        }
        guard Self.isKnown(header.type) else { throw Self.unknown(header.type) }
        return .all
    }

    /// A server keeps its answers to an open batch back: those that are waited for have to be asked for.
    private func urge(_ server: ServerConversation, _ input: ByteBuffer, _ toServer: inout ForwardBuffer) {
        guard server.hasOpenBatch, server.owes else { return }
        toServer.insert(after: input) { $0.writePGFrame("H") }
    }

    static func isKnown(_ type: UInt8) -> Bool {
        switch type {
        case ClientMessage.bind, ClientMessage.close, ClientMessage.copyData, ClientMessage.copyDone,
            ClientMessage.copyFail, ClientMessage.describe, ClientMessage.execute, ClientMessage.flush,
            ClientMessage.functionCall, ClientMessage.parse, ClientMessage.password, ClientMessage.query,
            ClientMessage.sync, ClientMessage.terminate:
            true
        default: false
        }
    }

    static func unknown(_ type: UInt8) -> WireError {
        .protocolViolation("invalid frontend message type \(type)")
    }

    private func streams(_ header: FrameHeader, _ input: ByteBuffer) -> Bool {
        switch header.type {
        case ClientMessage.copyData, ClientMessage.functionCall: true
        // A Bind is passed as it comes where nothing in it is changed.
        case ClientMessage.bind: !sharesStatements && input.readableBytes < header.size
        default: false
        }
    }

    private func stream(_ header: FrameHeader, _ server: ServerConversation) {
        rest = header.size
        restIsDropped = false
        switch header.type {
        case ClientMessage.functionCall:
            // Which function it is only the server knows.
            if sharesStatements { taint.insert(.unreadable) }
            server.sent(Reply(kind: .functionCall))
        case ClientMessage.bind:
            server.sent(Reply(kind: .bind))
        default:
            // Data for a copy that has ended with an error: the server would read over it.
            restIsDropped = !server.owes && !server.isCopyingIn
        }
    }

    /// What needs no server. False: it does.
    private func answerAlone(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ client: inout ForwardBuffer
    ) throws(WireError) -> Bool {
        switch header.type {
        case ClientMessage.copyData, ClientMessage.copyDone, ClientMessage.copyFail, ClientMessage.flush:
            rest = header.size
            restIsDropped = true
        case ClientMessage.sync:
            input.moveReaderIndex(forwardBy: header.size)
            batch += 1
            client.append { $0.writePGReadyForQuery(status: .idle) }
        case ClientMessage.query where sharesStatements:
            guard let name = deallocated(input.payload(header)), changes[name] != nil else { return false }
            input.moveReaderIndex(forwardBy: header.size)
            deallocate(name, .idle, &client)
        case ClientMessage.parse where sharesStatements:
            // A client that prepares and waits for it must not need a server: those that have one may wait for it.
            var payload = input.payload(header)
            guard let name = payload.readZeroTerminated().map(Self.name), !name.isEmpty, changes[name] == nil,
                changes.count < Self.namedLimit, let statement = registry.proven(payload, space: space)
            else { return false }
            input.moveReaderIndex(forwardBy: header.size)
            changes.set(name, to: statement, batch: batch)
            changes.settleOldest()
            client.append { Reply.Kind.parse.writeSynthetic(to: &$0) }
        default:
            guard Self.isKnown(header.type) else { throw Self.unknown(header.type) }
            return false
        }
        return true
    }

    /// `DEALLOCATE name` of a statement that the protocol made: no server knows the name.
    func deallocated(_ payload: ByteBuffer) -> String? {
        guard !changes.isEmpty else { return nil }
        let bytes = payload.readableBytesView
        guard let first = bytes.first(where: { $0 > 0x20 }), first | 0x20 == UInt8(ascii: "d"),
            let end = bytes.firstIndex(of: 0), bytes.count <= 300
        else { return nil }
        return Deallocate.name(String(decoding: bytes[..<end], as: UTF8.self)).map(Self.name)
    }

    func deallocate(_ name: String, _ status: TransactionStatus, _ client: inout ForwardBuffer) {
        changes.remove(name)
        client.append { buffer in
            buffer.writePGFrame("C") { $0.writePGString("DEALLOCATE") }
            buffer.writePGReadyForQuery(status: status)
        }
    }
}

// MARK: Refusing

extension ClientConversation {
    /// Answers the batch at the front of `input` with an error instead of sending it: a simple query at once, anything
    /// else up to its Sync, which may come later. `status` is what the client is told of its transaction.
    package func refuse(
        _ input: inout ByteBuffer, _ error: WireError, _ status: TransactionStatus = .idle,
        client: inout ForwardBuffer
    ) {
        client.append { $0.writePGErrorResponse(error, severity: .error) }
        isRefusing = true
        peeked = nil
        refusedStatus = status
        skipRefused(&input, &client)
    }

    /// Reads over a refused batch.
    func skipRefused(_ input: inout ByteBuffer, _ client: inout ForwardBuffer) {
        while isRefusing {
            if refusedRest > 0 {
                let count = min(refusedRest, input.readableBytes)
                input.moveReaderIndex(forwardBy: count)
                refusedRest -= count
                if refusedRest > 0 { return }
            }
            if refusedEnds {
                (isRefusing, refusedEnds) = (false, false)
                batch += 1
                client.append { [refusedStatus] in $0.writePGReadyForQuery(status: refusedStatus) }
                return
            }
            guard let type = input.getInteger(at: input.readerIndex, as: UInt8.self),
                let length = input.getInteger(at: input.readerIndex + 1, as: UInt32.self)
            else { return }
            refusedEnds = type == ClientMessage.sync || (type == ClientMessage.query && !refusedIsExtended)
            if type != ClientMessage.sync { refusedIsExtended = true }
            if refusedEnds { refusedIsExtended = false }
            refusedRest = max(5, Int(length) + 1)
        }
    }
}
