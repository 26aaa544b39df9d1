import EndToEndSupport
import NIOCore
import NIOPosix
import NIOSSL
import PGWire

/// A client that has every byte in its own hands. Nothing blocks, and what does not come is an error.
struct WireClient: Sendable {
    /// What the server told somebody whom it did not let in.
    struct Refusal: Error, CustomStringConvertible {
        var fields: ErrorFields
        var description: String { "\(fields.code) \(fields.message)" }
    }

    /// Everything up to ReadyForQuery, or to the connection's end.
    struct Answer: Sendable {
        var types = ""
        var rows: [[String?]] = []
        var tags: [String] = []
        var errors: [ErrorFields] = []
        /// Of ReadyForQuery; nil: the connection ended.
        var status: Character?

        var states: [String] { errors.map(\.code) }
    }

    let channel: any Channel
    private let inbox: NIOLoopBound<WireInbox>

    static func connect(_ port: Int) async throws -> WireClient {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        // Made first: the guard may have closed the connection, and taken its handlers, before it could be asked for.
        let inbox = try await loop.submit { NIOLoopBound(WireInbox(), eventLoop: loop) }.get()
        let channel = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(inbox.value)
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return WireClient(channel: channel, inbox: inbox)
    }

    // MARK: Bytes

    func send(_ write: (inout ByteBuffer) -> Void) async throws {
        var bytes = ByteBuffer()
        write(&bytes)
        try await channel.writeAndFlush(bytes)
    }

    /// For a peer that may have closed already: what is wrong is told by what it said.
    func trySending(_ write: (inout ByteBuffer) -> Void) async {
        try? await send(write)
    }

    func next(_ wish: WireInbox.Wish = .frame) async throws -> WireFrame? {
        let (inbox, loop) = (inbox, channel.eventLoop)
        return try await loop.flatSubmit { inbox.value.next(wish, on: loop) }.get()
    }

    /// The answer to a request for encryption.
    func byte() async throws -> Character? { try await next(.byte)?.type }

    func close() async {
        try? await channel.close()
    }

    /// Turns to TLS, once the server said `S`.
    func encrypt(trusting certificate: String?, as host: String?) async throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = certificate == nil ? .none : .fullVerification
        if let certificate { configuration.trustRoots = .file(certificate) }
        let (context, channel) = (try NIOSSLContext(configuration: configuration), channel)
        try await channel.eventLoop.submit {
            let handler = try NIOSSLClientHandler(context: context, serverHostname: host)
            try channel.pipeline.syncOperations.addHandler(handler, position: .first)
        }.get()
    }

    // MARK: Log-in

    func startUp(user: String, database: String, _ more: [String: String] = [:]) async throws {
        try await send { bytes in
            bytes.writePGStartupMessage(
                parameters: [.init(name: "user", value: user), .init(name: "database", value: database)]
                    + more.map { .init(name: $0.key, value: $0.value) })
        }
    }

    /// What the session starts with: parameters, and under `key` the two halves of the key to cancel with.
    struct Session: Sendable {
        var parameters: [String: String] = [:]
        var processID: Int32 = 0
        var secret: [UInt8] = []
        /// Types of all frames.
        var types = ""
    }

    /// - Parameter hearing: every frame on the way.
    /// - Throws: `Refusal` with the server's words.
    @discardableResult
    func logIn(
        user: String = "postgres", database: String = "postgres", password: String? = nil, isEncrypted: Bool = false,
        _ more: [String: String] = [:], hearing: (WireFrame) -> Void = { _ in }
    ) async throws -> Session {
        try await startUp(user: user, database: database, more)
        var login = ServerAuthentication(
            user: user, credential: password.map { .password(SecretBytes($0.utf8)) } ?? .none,
            nonce: ScramNonce(.random(in: 0 ... .max), .random(in: 0 ... .max), .random(in: 0 ... .max)),
            isEncrypted: isEncrypted)
        var session = Session()
        var isIn = false
        while let frame = try await next() {
            session.types.append(frame.type)
            hearing(frame)
            if isIn {
                if try Self.read(frame, into: &session) { return session }
                continue
            }
            switch login.receive(type: frame.type.asciiValue ?? 0, payload: frame.payload) {
            case .wait: break
            case .send(let bytes): try await channel.writeAndFlush(bytes)
            case .done: isIn = true
            case .fail(let error, let fields): throw fields.map { Refusal(fields: $0) as any Error } ?? error
            }
        }
        throw Complaint("the guard closed the connection without a word, after '\(session.types)'")
    }

    /// True: the session is ready.
    private static func read(_ frame: WireFrame, into session: inout Session) throws -> Bool {
        var payload = frame.payload
        switch frame.type {
        case "S":
            let name = payload.readNullTerminatedString() ?? ""
            session.parameters[name] = payload.readNullTerminatedString()
        case "K":
            session.processID = payload.readInteger() ?? 0
            session.secret = Array(payload.readableBytesView)
        case "E": throw Refusal(fields: try ErrorFields(parsing: payload))
        case "Z": return true
        default: break
        }
        return false
    }

    // MARK: Questions

    func query(_ text: String) async throws -> Answer {
        try await send { $0.writePGQuery(text) }
        return try await answer()
    }

    func answer() async throws -> Answer {
        var answer = Answer()
        while let frame = try await next() {
            answer.types.append(frame.type)
            var payload = frame.payload
            switch frame.type {
            case "D": answer.rows.append(Self.row(&payload))
            case "C": answer.tags.append(payload.readNullTerminatedString() ?? "")
            case "E": answer.errors.append(try ErrorFields(parsing: payload))
            case "Z":
                answer.status = payload.readInteger(as: UInt8.self).map { Character(Unicode.Scalar($0)) }
                return answer
            default: break
            }
        }
        return answer
    }

    private static func row(_ payload: inout ByteBuffer) -> [String?] {
        let count = payload.readInteger(as: Int16.self) ?? 0
        return (0..<count).map { _ in
            let length = Int(payload.readInteger(as: Int32.self) ?? -1)
            return length < 0 ? nil : payload.readString(length: length)
        }
    }

    /// Waits for the first message of a type; nil: the connection ended first.
    func until(_ type: Character) async throws -> WireFrame? {
        while let frame = try await next() { if frame.type == type { return frame } }
        return nil
    }
}
