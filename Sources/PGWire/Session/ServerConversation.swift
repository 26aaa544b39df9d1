import DequeModule
import NIOCore

/// What one server connection still owes, to whom, and in which state its session is. From the end of its start-up to
/// its end; no sockets, no clock.
///
/// Invariants:
/// 1. `replies` holds, in order, exactly the answers that the server owes for what it was sent, and between them those
///    that we give in its stead. A message that does not fit the oldest one ends the connection: nobody may be given
///    what was meant for somebody else.
/// 2. `isAtRest` is the only state in which the connection may change hands: nothing owed, no transaction, no bytes of
///    a message outstanding, no COPY, no cancel under way.
/// 3. There is never a synthetic answer at the head of `replies` after a call: it is given as soon as its turn comes.
/// 4. `prepared` names every statement of ours that the server may hold; one that it refused is taken out again.
///
/// ```
///            sent(query…)                        Z, nothing more owed, status I
///  at rest ──────────────▶ owing ──────────────────────────────────────────────▶ at rest
///                            │  E in the extended protocol: all up to the next Sync is dropped
///                            │  G: copying in, until the client's c or f, or an error
///                            └─ anything that does not fit: WireError, the connection is closed
/// ```
package final class ServerConversation {
    /// Larger messages that have to be seen whole (errors, mostly) end the connection.
    static let wholeLimit = 16 << 20

    package internal(set) var status = TransactionStatus.idle
    package internal(set) var parameters: [String: String] = [:]
    /// The settings that the server reports, in lower case.
    private var reported: Set<String> = []
    /// The server reads COPY data now.
    package internal(set) var isCopyingIn = false
    /// Cancel requests whose end was not seen yet.
    package var cancelsUnderWay = 0
    /// The statements of `PreparedStatement.id` that the server holds when it has done what it was sent, with the time
    /// of their last use.
    package internal(set) var prepared: [UInt32: UInt64] = [:]
    /// Whose unnamed statement the server holds; 0: nobody's.
    var unnamedSerial: UInt64 = 0

    var replies = Deque<Reply>()
    /// Statements that the server has and did not end, oldest first.
    private var running = Deque<RunningStatement>()
    var useCount: UInt64 = 0
    /// Something that changes tables or types was sent, and its transaction has not ended.
    package var changesSchema = false
    /// Grows with each end of a batch that is sent.
    private var batch: UInt64 = 0
    /// The statements that it holds now.
    var held: Set<UInt32> = []
    /// Of statements (0: the unnamed one) that are being made or taken away: how often, and in which batch at last.
    private var unanswered: [UInt32: (count: Int, batch: UInt64)] = [:]
    /// Bytes of a message that is passed on as it comes.
    private var rest = 0
    private var restIsForClient = false
    /// An error was told and its Sync was not sent yet: the server skips what comes until then.
    package private(set) var isSkippingToSync = false
    private var failure: SQLState?
    /// What the next client's session needs was asked for, and is not answered yet.
    package internal(set) var isSettingUp = false
    /// It was refused, in these words. Nothing more is read then: what follows answers a client in another's session.
    package private(set) var setUpFailure: ErrorFields?
    private var isUnfit = false
    /// How far the answer to the oldest simple query has come. An earlier one's late words begin in the middle.
    private var answer = (hasColumns: false, hasEnd: false)
    private var isCopyingOut = false
    /// What the latest portal was made of; 0: not of ours.
    private var boundStatement: UInt32 = 0

    package init() {}

    package var owes: Bool { !replies.isEmpty }
    /// The golden rule.
    package var isAtRest: Bool {
        isQuiet && status == .idle && !hasOpenBatch && cancelsUnderWay == 0
    }
    /// The client was given a message's beginning and not its end: what it is told now would be taken for the rest.
    package var isInsideMessageOfClient: Bool { rest > 0 && restIsForClient }
    /// The client's last message was answered, though perhaps inside a transaction.
    package var isQuiet: Bool { replies.isEmpty && rest == 0 && !isCopyingIn && !isSkippingToSync }
    /// Something of the extended protocol was sent and its Sync was not: its work is not committed, whatever was
    /// answered. (ReadyForQuery alone does not tell: the answers to a Flush come without one.)
    package private(set) var hasOpenBatch = false
    /// Something of the open batch may have done something: it is the client's to end it.
    private var openBatchRuns = false
    /// All of the open batch was answered, and only prepared or described: the session may as well have ended it.
    package var canEndBatch: Bool { hasOpenBatch && !openBatchRuns && isQuiet && status == .idle }

    // MARK: What was sent

    func sent(_ reply: Reply) {
        if isSkippingToSync {
            guard reply.kind == .sync else { return }
            isSkippingToSync = false
        }
        replies.append(reply)
        if let id = reply.change { unanswered[id] = ((unanswered[id]?.count ?? 0) + 1, batch) }
        switch reply.kind {
        case .sync, .query, .functionCall:
            (hasOpenBatch, openBatchRuns) = (false, false)
            batch += 1
        case .copyEnd: break
        default:
            if reply.audience != .synthetic { hasOpenBatch = true }
            if reply.kind == .bind || reply.kind == .execute { openBatchRuns = true }
        }
    }

    /// Whether an earlier batch makes the statement or takes it away, and an error there may yet prevent that.
    func isUncertain(_ statement: UInt32) -> Bool {
        !unanswered.isEmpty && (unanswered[statement].map { $0.batch < batch } ?? false)
    }

    private func answered(_ reply: Reply) {
        guard let id = reply.change, let entry = unanswered[id] else { return }
        unanswered[id] = entry.count > 1 ? (entry.count - 1, entry.batch) : nil
    }

    /// The server did not do what it was asked: it holds a statement if a later message makes it, or if it did before.
    private func reconsider(_ id: UInt32) {
        let last = unanswered[id] == nil ? nil : replies.last { $0.change == id }
        if last.map({ $0.kind == .parse }) ?? held.contains(id) {
            prepared[id] = prepared[id] ?? 0
        } else {
            prepared[id] = nil
        }
    }

    func began(_ statement: RunningStatement) {
        if !isSkippingToSync { running.append(statement) }
    }

    package var oldestRunning: RunningStatement? { running.first }

    /// For the start-up, which another machine reads.
    package func started(parameters: [String: String]) {
        self.parameters = parameters
        reported = Set(parameters.keys.map { $0.lowercased() })
    }

    func reports(_ setting: String) -> Bool { reported.contains(setting) }

    /// A batch of the client's was sent to its end, and is not answered yet.
    var owesEndOfBatch: Bool {
        replies.contains { $0.endsBatch && !($0.kind == .query && $0.audience == .us) }
    }

    // MARK: What was received

    /// Reads as many messages as are there, passes on to `client` what is the client's, and leaves an unfinished
    /// message that has to be seen whole.
    ///
    /// - Parameter hasClient: whether anybody is to be given anything.
    package func read(
        _ input: inout ByteBuffer, for client: inout ForwardBuffer, hasClient: Bool, events: inout [ServerEvent],
        changes: StatementChanges?
    ) throws(WireError) {
        while !isUnfit {
            if rest > 0 {
                let count = min(rest, input.readableBytes)
                if count == 0 { return }
                pass(&input, count, restIsForClient && hasClient, &client)
                rest -= count
                if rest > 0 { return }
            }
            guard let header = try FrameHeader(peeking: input) else { return }
            if Self.isStreamed(header.type) {
                restIsForClient = try audienceOfStreamed(header.type) == .client
                rest = header.size
                if !running.isEmpty { running[0].bytes += rest }
                continue
            }
            guard header.size <= Self.wholeLimit else {
                throw .tooLarge("the server sent a message of \(header.size) bytes")
            }
            guard input.readableBytes >= header.size else { return }
            try take(header, &input, &client, hasClient, &events, changes)
        }
    }

    private func pass(_ input: inout ByteBuffer, _ count: Int, _ isForClient: Bool, _ client: inout ForwardBuffer) {
        if isForClient { client.pass(&input, count) } else { input.moveReaderIndex(forwardBy: count) }
    }

    private static func isStreamed(_ type: UInt8) -> Bool {
        switch type {
        case ServerMessage.dataRow, ServerMessage.copyData, ServerMessage.notice, ServerMessage.parameterDescription,
            ServerMessage.functionCallResponse, ServerMessage.notification:
            true
        default: false
        }
    }

    private func audienceOfStreamed(_ type: UInt8) throws(WireError) -> Reply.Audience {
        switch type {
        case ServerMessage.notice:
            return replies.first?.audience ?? .client
        case ServerMessage.notification:
            // What the client listens for may come while a Parse of ours is under way.
            return .client
        case ServerMessage.parameterDescription:
            return try head(type, .describeStatement).audience
        case ServerMessage.functionCallResponse:
            return try head(type, .functionCall).audience
        case ServerMessage.copyData:
            guard isCopyingOut else { throw unexpected(type) }
            return try head(type, .query, .execute).audience
        default:
            guard let reply = replies.first, reply.kind == .execute || (reply.kind == .query && answer.hasColumns)
            else { throw unexpected(type) }
            return reply.audience
        }
    }

    /// The oldest answer owed, which has to be of one of these kinds.
    private func head(_ type: UInt8, _ kinds: Reply.Kind...) throws(WireError) -> Reply {
        guard let reply = replies.first, kinds.contains(reply.kind) else { throw unexpected(type) }
        return reply
    }

    private func unexpected(_ type: UInt8) -> WireError {
        .protocolViolation(
            "the server sent '\(Unicode.Scalar(type))' while \(replies.first.map { "\($0.kind)" } ?? "nothing") was owed"
        )
    }

    private func take(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ client: inout ForwardBuffer, _ hasClient: Bool,
        _ events: inout [ServerEvent], _ changes: StatementChanges?
    ) throws(WireError) {
        let type = header.type
        switch type {
        case ServerMessage.rowDescription:
            let reply = try head(type, .query, .describeStatement, .describePortal)
            pass(&input, header.size, reply.audience == .client && hasClient, &client)
            if reply.kind == .query { answer.hasColumns = true } else { settle(input, &client, hasClient, changes) }
        case ServerMessage.commandComplete, ServerMessage.emptyQuery, ServerMessage.portalSuspended:
            try end(header, &input, &client, hasClient, &events, changes)
        case ServerMessage.readyForQuery:
            try ready(header, &input, &client, hasClient, &events, changes)
        case ServerMessage.parseComplete:
            try complete(header, .parse, &input, &client, hasClient, changes)
        case ServerMessage.bindComplete:
            try complete(header, .bind, &input, &client, hasClient, changes)
        case ServerMessage.closeComplete:
            try complete(header, .close, &input, &client, hasClient, changes)
        case ServerMessage.noData:
            let reply = try head(type, .describeStatement, .describePortal)
            pass(&input, header.size, reply.audience == .client && hasClient, &client)
            settle(input, &client, hasClient, changes)
        case ServerMessage.error:
            try fail(header, &input, &client, hasClient, &events, changes)
        case ServerMessage.parameterStatus:
            try parameter(header, &input, &client, hasClient, &events)
        case ServerMessage.copyInResponse, ServerMessage.copyOutResponse, ServerMessage.copyBothResponse,
            ServerMessage.copyDone:
            let reply = try head(type, .query, .execute)
            if type == ServerMessage.copyInResponse || type == ServerMessage.copyBothResponse { beginCopyIn(reply) }
            isCopyingOut = type == ServerMessage.copyOutResponse || type == ServerMessage.copyBothResponse
            pass(&input, header.size, reply.audience == .client && hasClient, &client)
        default:
            throw unexpected(type)
        }
    }

    private func complete(
        _ header: FrameHeader, _ kind: Reply.Kind, _ input: inout ByteBuffer, _ client: inout ForwardBuffer,
        _ hasClient: Bool, _ changes: StatementChanges?
    ) throws(WireError) {
        let reply = try head(header.type, kind)
        pass(&input, header.size, reply.audience == .client && hasClient, &client)
        settle(input, &client, hasClient, changes)
    }

    /// The oldest answer is given; synthetic ones behind it follow at once.
    private func settle(
        _ input: ByteBuffer, _ client: inout ForwardBuffer, _ hasClient: Bool, _ changes: StatementChanges?
    ) {
        let settled = replies.removeFirst()
        answered(settled)
        if settled.statement != 0 {
            if settled.kind == .parse { held.insert(settled.statement) }
            if settled.kind == .close { held.remove(settled.statement) }
        }
        if settled.settlesChange { changes?.settleOldest() }
        if settled.kind == .bind { boundStatement = settled.statement }
        while let next = replies.first, next.audience == .synthetic || next.kind == .copyEnd {
            replies.removeFirst()
            if next.settlesChange { changes?.settleOldest() }
            if next.audience == .synthetic, hasClient {
                client.insert(after: input) { next.kind.writeSynthetic(to: &$0) }
            }
        }
    }

    /// The end of a statement that was asked for; a simple query goes on until ReadyForQuery.
    private func end(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ client: inout ForwardBuffer, _ hasClient: Bool,
        _ events: inout [ServerEvent], _ changes: StatementChanges?
    ) throws(WireError) {
        let reply =
            header.type == ServerMessage.portalSuspended
            ? try head(header.type, .execute) : try head(header.type, .query, .execute)
        let (tag, rows) =
            header.type == ServerMessage.commandComplete
            ? CommandTag.read(input, at: input.readerIndex + FrameHeader.size, count: header.size - FrameHeader.size)
            : (.other, 0)
        if reply.audience == .client { changes?.carried.ended(tag) }
        if tag == .deallocateAll || tag == .discardAll {
            prepared.removeAll(keepingCapacity: true)
            held.removeAll(keepingCapacity: true)
            if reply.audience == .client { changes?.removeAll() }
        }
        pass(&input, header.size, reply.audience == .client && hasClient, &client)
        (isCopyingIn, isCopyingOut) = (false, false)
        if reply.kind == .query { answer = (false, true) }
        guard reply.audience == .client else { return }
        if reply.kind == .execute {
            if var statement = running.popFirst() {
                statement.rows = rows
                statement.tag = tag
                events.append(.ended(statement))
            }
            settle(input, &client, hasClient, changes)
        } else if !running.isEmpty {
            running[0].rows += rows
            running[0].tag = tag
        }
    }

    private func ready(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ client: inout ForwardBuffer, _ hasClient: Bool,
        _ events: inout [ServerEvent], _ changes: StatementChanges?
    ) throws(WireError) {
        let reply = try head(header.type, .sync, .query, .functionCall)
        guard header.size == 6,
            let byte = input.getInteger(at: input.readerIndex + FrameHeader.size, as: UInt8.self),
            let status = TransactionStatus(rawValue: byte)
        else { throw .protocolViolation("the server sent a malformed ReadyForQuery") }
        if reply.kind == .query {
            guard answer.hasEnd else { throw unexpected(header.type) }
            answer = (false, false)
        }
        self.status = status
        isCopyingIn = false
        if reply.kind == .query, reply.audience == .client, let statement = running.popFirst() {
            events.append(.ended(statement))
            let isLast = replies.count == 1 && !hasOpenBatch
            if isLast, status == .idle, statement.sqlState == nil { changes?.cleared(by: statement.query) }
        }
        if !(reply.kind == .query && reply.audience == .us) {
            changes?.batchEnded(status, isLast: replies.count == 1 && !hasOpenBatch)
        } else if failure == nil {
            isSettingUp = false
        } else if isSettingUp {
            isUnfit = true
        }
        pass(&input, header.size, reply.audience == .client && hasClient, &client)
        events.append(
            reply.audience == .client ? .ready(status) : .ourQueryEnded(status, sqlState: failure))
        failure = nil
        settle(input, &client, hasClient, changes)
        if changesSchema, status == .idle {
            events.append(.schemaChanged)
            changesSchema = owes || hasOpenBatch
        }
    }

    private func beginCopyIn(_ reply: Reply) {
        // A Sync that was sent before the server asked for data is read, and ignored, as part of the copy.
        var index = 1
        while index < replies.count, replies[index].kind != .copyEnd {
            if replies[index].kind == .sync { replies.remove(at: index) } else { index += 1 }
        }
        isCopyingIn = index == replies.count
        // It ends this copy and no later one of the same query.
        if !isCopyingIn { replies.remove(at: index) }
        // What that Sync was to commit is open still.
        let last = replies.last { $0.kind != .copyEnd && $0.audience != .synthetic } ?? reply
        hasOpenBatch = !last.endsBatch
        openBatchRuns = hasOpenBatch
    }

    private func parameter(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ client: inout ForwardBuffer, _ hasClient: Bool,
        _ events: inout [ServerEvent]
    ) throws(WireError) {
        var payload =
            input.getSlice(
                at: input.readerIndex + FrameHeader.size, length: header.size - FrameHeader.size) ?? ByteBuffer()
        guard let name = payload.readZeroTerminated(), let value = payload.readZeroTerminated() else {
            throw .protocolViolation("the server sent a malformed ParameterStatus")
        }
        parameters[name] = value
        // A Parse of ours reports nothing: what comes meanwhile is the client's to know.
        let isForClient = !(replies.first.map { $0.kind == .query && $0.audience == .us } ?? false)
        pass(&input, header.size, isForClient && hasClient, &client)
        if isForClient { events.append(.parameter(name: name, value: value)) }
    }

    private func fail(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ client: inout ForwardBuffer, _ hasClient: Bool,
        _ events: inout [ServerEvent], _ changes: StatementChanges?
    ) throws(WireError) {
        let payload =
            input.getSlice(
                at: input.readerIndex + FrameHeader.size, length: header.size - FrameHeader.size) ?? ByteBuffer()
        let state = ErrorFields.sqlState(in: payload) ?? SQLState("XX000")
        if ErrorFields.isFatal(payload) { events.append(.farewell(state)) }
        guard let reply = replies.first else {
            // Said on its own: the server closes. The client is told where there is one.
            pass(&input, header.size, hasClient, &client)
            guard ErrorFields.isFatal(payload) else { throw unexpected(header.type) }
            return
        }
        (isCopyingIn, isCopyingOut) = (false, false)
        let isOurQuery = reply.audience == .us && reply.kind == .query
        if !isOurQuery { changes?.carried.failed() }
        if isOurQuery {
            failure = state
            if isSettingUp { setUpFailure = try ErrorFields(parsing: payload) }
            input.moveReaderIndex(forwardBy: header.size)
        } else if let changes, hasClient, let renamed = changes.renamed(payload, isOfOldest: reply.settlesChange) {
            input.moveReaderIndex(forwardBy: header.size)
            client.insert(after: input) { $0.writeImmutableBuffer(renamed) }
        } else {
            // One that a Parse of ours met is the client's too: its own batch is lost with it.
            pass(&input, header.size, hasClient, &client)
        }
        if state == .featureNotSupported,
            reply.kind == .bind || reply.kind == .execute || reply.kind == .describeStatement,
            ErrorFields.mentionsCachedPlan(payload)
        {
            events.append(.stale(statement: reply.kind == .execute ? boundStatement : reply.statement))
        }
        switch reply.kind {
        case .query:
            answer = (false, true)
            if !isOurQuery, !running.isEmpty { running[0].sqlState = state }
        case .functionCall, .sync: break
        default: skip(state, &events, changes)
        }
    }

    /// An error in the extended protocol takes all with it up to the next Sync.
    private func skip(_ state: SQLState, _ events: inout [ServerEvent], _ changes: StatementChanges?) {
        var isFirst = true
        var undone = 0
        var skipped: [Reply] = []
        while let next = replies.first, next.isSkippedByError {
            replies.removeFirst()
            skipped.append(next)
            answered(next)
            if next.kind == .execute || next.kind == .query, next.audience == .client,
                var statement = running.popFirst()
            {
                statement.sqlState = state
                events.append(isFirst ? .ended(statement) : .skipped(statement))
                isFirst = false
            }
            if next.settlesChange { undone += 1 }
            guard next.unnamedSerial != 0 else { continue }
            if unnamedSerial == next.unnamedSerial { unnamedSerial = 0 }
            // One that we were to make again, and that was skipped only, can be made again.
            if next.audience == .client || skipped.count == 1 { changes?.lostUnnamed = next.unnamedSerial }
        }
        for id in skipped.compactMap(\.change) where id != 0 { reconsider(id) }
        changes?.undoOldest(undone)
        isSkippingToSync = replies.isEmpty
    }
}
