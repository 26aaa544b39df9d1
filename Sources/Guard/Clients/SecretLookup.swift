import Decide
import DequeModule
import Logging
import NIOCore
import PGWire

/// What a database says of a user who wants to log in.
struct LookedUpSecret: Equatable {
    /// Nil: there is no such user, or one without a password.
    var secret: StoredSecret?
    var validUntil: Instant?
}

/// Asks one database for users' secrets, over one connection that it opens when it is needed and keeps.
///
/// Invariants:
/// 1. Nothing that a client sent reaches the connection but the user's name, as a parameter: not its settings, not its
///    `search_path`.
/// 2. One question at a time; answers belong to the oldest question.
/// 3. A failed connection fails the questions that wait for it, and no later one.
/// 4. Once it is closed it has no connection, not even one that was being opened, and opens none.
final class SecretLookup {
    /// Log-ins that wait for an answer.
    static let queueLimit = 1_000
    /// For one answer, the connection included.
    static let patience = TimeAmount.seconds(10)

    private enum Phase {
        case open
        /// Replaced: those who have asked are answered, then it closes itself.
        case leaving
        case closed
    }

    private unowned let core: GuardCore
    let targets: [Target]
    private let database: String
    private let settings: AuthQuerySettings
    private var waiting = Deque<(user: String, promise: EventLoopPromise<LookedUpSecret>)>()
    private var connection: SecretConnection?
    private var isConnecting = false
    private var isBusy = false
    private var nextTarget = 0
    private var phase = Phase.open

    var isClosed: Bool { phase == .closed }

    init(core: GuardCore, targets: [Target], database: String, settings: AuthQuerySettings) {
        self.core = core
        self.targets = targets
        self.database = database
        self.settings = settings
    }

    func ask(_ user: String) -> EventLoopFuture<LookedUpSecret> {
        guard waiting.count < Self.queueLimit else {
            return core.loop.makeFailedFuture(
                WireError(.internalFault, sqlState: "53000", "too many log-ins wait for the database's answer"))
        }
        let promise = core.loop.makePromise(of: LookedUpSecret.self)
        waiting.append((user, promise))
        next()
        return promise.futureResult
    }

    /// Another has taken its place.
    func retire() {
        guard phase == .open else { return }
        phase = .leaving
        next()
    }

    func close() {
        phase = .closed
        fail(WireError(.internalFault, sqlState: "57P01", "the guard is shutting down"))
        connection?.close()
        connection = nil
    }

    private func fail(_ error: any Error) {
        let failed = waiting
        waiting = []
        for entry in failed { entry.promise.fail(error) }
    }

    private func next() {
        guard !isBusy, phase != .closed else { return }
        guard let first = waiting.first else {
            if phase == .leaving { close() }
            return
        }
        guard let connection, connection.isOpen else { return connect() }
        isBusy = true
        let bound = NIOLoopBound(self, eventLoop: core.loop)
        connection.ask(settings.query, first.user).whenComplete { bound.value.answered($0) }
    }

    private func answered(_ result: Result<LookedUpSecret, any Error>) {
        isBusy = false
        if case .failure = result {
            connection?.close()
            connection = nil
        }
        waiting.popFirst()?.promise.completeWith(result)
        next()
    }

    private func connect() {
        guard !isConnecting else { return }
        isConnecting = true
        let target = targets[nextTarget % targets.count]
        let made = SecretConnection(core: core, start: core.lookupStart(settings, database: database, target))
        let bound = NIOLoopBound((self, made), eventLoop: core.loop)
        made.open(target).whenComplete { result in
            let (lookup, made) = bound.value
            lookup.isConnecting = false
            switch result {
            case .success where lookup.isClosed:
                made.close()
            case .success:
                lookup.connection = made
                lookup.next()
            case .failure(let error):
                lookup.nextTarget += 1
                lookup.fail(error)
                lookup.next()
            }
        }
    }
}

/// The connection of a `SecretLookup`.
private final class SecretConnection: SocketReceiver {
    private let core: GuardCore
    private var start: ServerStart?
    private var input = ByteBuffer()
    private var socket: SocketChannel?
    private var opening: EventLoopPromise<Void>?
    private var answer: EventLoopPromise<LookedUpSecret>?
    private var asked = ""
    /// So far: the time of one that was answered must not end another.
    private var questions = 0
    private var found = LookedUpSecret()
    private var failure: WireError?
    private(set) var isOpen = false

    private static let messageLimit = 64 << 10

    init(core: GuardCore, start: ServerStart) {
        self.core = core
        self.start = start
    }

    func open(_ target: Target) -> EventLoopFuture<Void> {
        let promise = core.loop.makePromise(of: Void.self)
        opening = promise
        let bound = NIOLoopBound(self, eventLoop: core.loop)
        core.connector.connect(to: target).whenComplete { result in
            switch result {
            case .success(let socket): bound.value.begin(socket)
            case .failure(let error): bound.value.fail(error)
            }
        }
        expire { $0.opening != nil }
        return promise.futureResult
    }

    func ask(_ query: String, _ user: String) -> EventLoopFuture<LookedUpSecret> {
        let promise = core.loop.makePromise(of: LookedUpSecret.self)
        guard let socket, isOpen else {
            promise.fail(WireError(.internalFault, sqlState: "08006", "the connection is closed"))
            return promise.futureResult
        }
        answer = promise
        (asked, found, failure) = (user, LookedUpSecret(), nil)
        var bytes = ByteBuffer()
        bytes.writePGLookup(query, parameter: user)
        socket.send(bytes)
        questions += 1
        let question = questions
        expire { $0.answer != nil && $0.questions == question }
        return promise.futureResult
    }

    private func expire(_ isStillOpen: @escaping (SecretConnection) -> Bool) {
        let bound = NIOLoopBound((self, isStillOpen), eventLoop: core.loop)
        core.loop.scheduleTask(in: SecretLookup.patience) {
            let (connection, isStillOpen) = bound.value
            guard isStillOpen(connection) else { return }
            connection.fail(WireError(.internalFault, sqlState: "08006", "no answer in time"))
        }
    }

    func close() {
        isOpen = false
        socket?.close()
    }

    private func fail(_ error: any Error) {
        let (opening, answer) = (self.opening, self.answer)
        (self.opening, self.answer) = (nil, nil)
        close()
        opening?.fail(error)
        answer?.fail(error)
    }

    private func begin(_ socket: SocketChannel) {
        // It took too long.
        guard opening != nil, let bytes = start?.begin(isEncrypted: socket.isEncrypted) else { return socket.close() }
        self.socket = socket
        socket.receiver = self
        socket.send(bytes)
    }

    func receive(_ bytes: ByteBuffer) {
        input.writeImmutableBuffer(bytes)
        // What was read is given back.
        defer { input = input.readableBytes == 0 ? ByteBuffer() : input.copied }
        if start != nil { logIn() }
        do throws(WireError) {
            while start == nil, let header = try FrameHeader(peeking: input) {
                guard header.size <= Self.messageLimit else { throw .tooLarge("an answer of \(header.size) bytes") }
                guard input.readableBytes >= header.size, var frame = input.readSlice(length: header.size) else {
                    return
                }
                frame.moveReaderIndex(forwardBy: FrameHeader.size)
                try take(header.type, &frame)
            }
        } catch {
            fail(error)
        }
    }

    private func logIn() {
        switch start?.receive(&input) {
        case .wait, nil: break
        case .send(let bytes): socket?.send(bytes)
        case .fail(let error): fail(error)
        case .done:
            (start, isOpen) = (nil, true)
            let promise = opening
            opening = nil
            promise?.succeed()
        }
    }

    private func take(_ type: UInt8, _ payload: inout ByteBuffer) throws(WireError) {
        switch type {
        case ServerMessage.dataRow:
            if let row = try LookedUpSecret(row: &payload, of: asked) { found = row }
        case ServerMessage.error:
            let fields = try ErrorFields(parsing: payload)
            failure = WireError(.refusedByServer, sqlState: fields.code, "auth-query: \(fields.message)")
        case ServerMessage.readyForQuery:
            let promise = answer
            answer = nil
            if let failure { promise?.fail(failure) } else { promise?.succeed(found) }
        default: break
        }
    }

    func socketEnded() {
        socket = nil
        fail(WireError(.internalFault, sqlState: "08006", "the database closed the connection"))
    }

    func socketFailed(_ error: any Error) {
        fail(error)
    }
}

extension LookedUpSecret {
    /// A row of user, secret and, if it has a third column, the time at which the secret ends. Nil: it is another
    /// user's. A secret that cannot be read is none.
    ///
    /// - Throws: for a row that is no such row: a query of another shape must not let anybody in.
    init?(row: inout ByteBuffer, of user: String) throws(WireError) {
        guard let count = row.readInteger(as: UInt16.self), count == 2 || count == 3 else {
            throw .protocolViolation("auth-query has to return a user, a secret and perhaps a time")
        }
        var values: [String?] = []
        for _ in 0..<count {
            guard let length = row.readInteger(as: Int32.self) else { throw Self.malformed }
            guard length >= 0 else {
                values.append(nil)
                continue
            }
            guard length <= StoredSecret.lengthLimit, let text = row.readString(length: Int(length)) else {
                throw Self.malformed
            }
            values.append(text)
        }
        guard let name = values[0], Array(name.utf8) == Array(user.utf8) else { return nil }
        self.init()
        secret = values[1].flatMap { StoredSecret(text: $0) }
        guard count == 3, let until = values[2], until != "infinity" else { return }
        guard let end = Self.instant(until) else {
            throw .protocolViolation("auth-query's third column is no time with zone")
        }
        validUntil = end
    }

    private static var malformed: WireError { .protocolViolation("auth-query's answer cannot be read") }

    /// PostgreSQL's ISO style in UTC: `2026-11-28 19:00:00.5+00`.
    private static func instant(_ text: String) -> Instant? {
        guard text.hasSuffix("+00"), let space = text.firstIndex(of: " ") else {
            return text == "-infinity" ? Instant(milliseconds: 0) : nil
        }
        return RFC3339.parse("\(text[..<space])T\(text[text.index(after: space)...].dropLast(3))Z")
    }
}

extension ByteBuffer {
    /// One query with one text parameter, and all of its answer as text.
    fileprivate mutating func writePGLookup(_ query: String, parameter: String) {
        writePGFrame("P") { frame in
            frame.writePGString("")
            frame.writePGString(query)
            frame.writeInteger(UInt16(0))
        }
        writePGFrame("B") { frame in
            frame.writePGString("")
            frame.writePGString("")
            frame.writeInteger(UInt16(0))
            frame.writeInteger(UInt16(1))
            frame.writeInteger(Int32(clamping: parameter.utf8.count))
            frame.writeString(parameter)
            frame.writeInteger(UInt16(0))
        }
        writePGFrame("E") { frame in
            frame.writePGString("")
            frame.writeInteger(UInt32(0))
        }
        writePGSync()
    }
}
