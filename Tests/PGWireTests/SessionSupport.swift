import NIOCore
import Testing

@testable import PGWire

/// Frames as bytes.
enum Frame {
    static func make(_ type: Unicode.Scalar, _ payload: [UInt8] = []) -> [UInt8] {
        var buffer = ByteBuffer()
        buffer.writePGFrame(type) { $0.writeBytes(payload) }
        return Array(buffer.readableBytesView)
    }

    static func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

    // MARK: A client's

    static let sync = make("S")
    static let flush = make("H")
    static let terminate = make("X")
    static let copyDone = make("c")
    static let copyFail = make("f", text("no"))
    static func query(_ sql: String) -> [UInt8] { make("Q", text(sql)) }
    static func parse(_ name: String, _ sql: String) -> [UInt8] { make("P", text(name) + text(sql) + [0, 0]) }
    static func bind(_ name: String, portal: String = "") -> [UInt8] {
        make("B", text(portal) + text(name) + [0, 0, 0, 0, 0, 0])
    }
    static func describe(_ name: String) -> [UInt8] { make("D", [UInt8(ascii: "S")] + text(name)) }
    static func describePortal(_ name: String = "") -> [UInt8] { make("D", [UInt8(ascii: "P")] + text(name)) }
    static func close(_ name: String) -> [UInt8] { make("C", [UInt8(ascii: "S")] + text(name)) }
    static func execute(_ portal: String = "") -> [UInt8] { make("E", text(portal) + [0, 0, 0, 0]) }
    static func data(_ text: String) -> [UInt8] { make("d", Array(text.utf8)) }
    static let call = make("F", [0, 0, 0, 1, 0, 0, 0, 0, 0, 0])

    // MARK: A server's

    static let parsed = make("1")
    static let bound = make("2")
    static let closed = make("3")
    static let noData = make("n")
    static let empty = make("I")
    static let suspended = make("s")
    static let idle = make("Z", Array("I".utf8))
    static let open = make("Z", Array("T".utf8))
    static let failed = make("Z", Array("E".utf8))
    static let parameters = make("t", [0, 0])
    static let columns = make("T", [0, 0])
    static let copyIn = make("G", [0, 0, 0])
    static let copyOut = make("H", [0, 0, 0])
    static let result = make("V", [0, 0, 0, 0])
    static func row(_ text: String) -> [UInt8] { make("D", Array(text.utf8)) }
    static func done(_ tag: String) -> [UInt8] { make("C", text(tag)) }
    static func status(_ name: String, _ value: String) -> [UInt8] { make("S", text(name) + text(value)) }
    static let notification = make("A", [0, 0, 0, 1] + text("channel") + text("hello"))

    static func error(
        _ code: String, _ message: String = "no", severity: ErrorFields.Severity = .error
    ) -> [UInt8] {
        var buffer = ByteBuffer()
        buffer.writePGErrorResponse(ErrorFields(severity: severity, code: code, message: message))
        return Array(buffer.readableBytesView)
    }

    static func notice(_ message: String) -> [UInt8] {
        var buffer = ByteBuffer()
        buffer.writePGNoticeResponse(ErrorFields(severity: .notice, code: "00000", message: message))
        return Array(buffer.readableBytesView)
    }

    /// Types and payloads, to be read in a failed expectation.
    static func shown(_ bytes: [UInt8]) -> String {
        var buffer = ByteBuffer(bytes: bytes)
        var frames: [String] = []
        while let type = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self),
            let length = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self), length >= 4,
            buffer.readableBytes > Int(length), let frame = buffer.readBytes(length: Int(length) + 1)
        {
            let payload = frame.dropFirst(5).map { byte in
                (0x20..<0x7F).contains(byte) ? String(Unicode.Scalar(byte)) : byte == 0 ? "·" : "?"
            }
            frames.append("\(Unicode.Scalar(type))[\(payload.joined())]")
        }
        if buffer.readableBytes > 0 { frames.append("+\(buffer.readableBytes) bytes") }
        return frames.joined(separator: " ")
    }
}

/// What the clients of one pool share.
final class SessionPool {
    let catalog = QueryCatalog(seed: 1)
    let registry = StatementRegistry()
}

/// One client, and the server that it has at the moment: one event and the bytes it is to lead to a line.
final class SessionScene {
    let client: ClientConversation
    var server: ServerConversation?
    var events: [ServerEvent] = []
    private var fromClient = ByteBuffer()
    private var fromServer = ByteBuffer()

    init(_ pool: SessionPool = SessionPool(), sharesStatements: Bool = true, server: ServerConversation? = .started()) {
        client = ClientConversation(
            catalog: pool.catalog, registry: pool.registry, sharesStatements: sharesStatements)
        self.server = server
    }

    struct Output: Equatable {
        var server: [UInt8]
        var client: [UInt8]
        var progress: ClientConversation.Progress
    }

    func forward(_ bytes: [UInt8]) throws(WireError) -> Output {
        fromClient.writeBytes(bytes)
        var (toServer, toClient) = (ForwardBuffer(), ForwardBuffer())
        let progress = try client.forward(&fromClient, server: server, to: &toServer, client: &toClient, now: 1)
        return Output(
            server: toServer.take(from: fromClient).map { Array($0.readableBytesView) } ?? [],
            client: toClient.take(from: fromClient).map { Array($0.readableBytesView) } ?? [], progress: progress)
    }

    func read(_ bytes: [UInt8], hasClient: Bool = true) throws(WireError) -> [UInt8] {
        guard let server else { return [] }
        fromServer.writeBytes(bytes)
        var out = ForwardBuffer()
        try server.read(
            &fromServer, for: &out, hasClient: hasClient, events: &events, changes: hasClient ? client.changes : nil)
        return out.take(from: fromServer).map { Array($0.readableBytesView) } ?? []
    }

    /// The client sends; what goes to the server, and back to the client at once.
    func sends(
        _ frames: [UInt8]..., server expected: [[UInt8]]? = nil, client answers: [[UInt8]] = [],
        _ progress: ClientConversation.Progress = .all, at location: SourceLocation = #_sourceLocation
    ) throws {
        let output = try forward(frames.flatMap(\.self))
        let passed = expected ?? frames
        #expect(Frame.shown(output.server) == Frame.shown(passed.flatMap(\.self)), sourceLocation: location)
        #expect(output.server == passed.flatMap(\.self), sourceLocation: location)
        #expect(Frame.shown(output.client) == Frame.shown(answers.flatMap(\.self)), sourceLocation: location)
        #expect(output.client == answers.flatMap(\.self), sourceLocation: location)
        #expect(output.progress == progress, sourceLocation: location)
    }

    /// The server sends; what goes on to the client: the same, if nothing is said.
    func answers(
        _ frames: [UInt8]..., client expected: [[UInt8]]? = nil, at location: SourceLocation = #_sourceLocation
    ) throws {
        let passed = (expected ?? frames).flatMap(\.self)
        let output = try read(frames.flatMap(\.self))
        #expect(Frame.shown(output) == Frame.shown(passed), sourceLocation: location)
        #expect(output == passed, sourceLocation: location)
    }

    func refuse(_ bytes: [UInt8], _ status: TransactionStatus = .idle) -> [UInt8] {
        fromClient.writeBytes(bytes)
        var out = ForwardBuffer()
        client.refuse(
            &fromClient, WireError(.unsupported, sqlState: "53000", "over budget"), status, client: &out)
        return out.take(from: fromClient).map { Array($0.readableBytesView) } ?? []
    }

    /// To a server like a pool does it.
    func moves(to server: ServerConversation, at location: SourceLocation = #_sourceLocation) {
        #expect(self.server?.isAtRest ?? true, sourceLocation: location)
        self.server = server
    }

    var unread: (client: Int, server: Int) { (fromClient.readableBytes, fromServer.readableBytes) }

    /// What is known of the client's settings, in words.
    var carried: String {
        if client.taint.contains(.settings) { return "pinned" }
        if client.changes.carried.isPending { return "pending" }
        return client.carried.map { $0.entries.map(\.statement).joined(separator: "; ") } ?? "none"
    }

    /// What a client may see of a state, to compare two by.
    var state: String {
        let ours = "\(client.taint) \(client.changes.count) \(client.isBetweenMessages) \(carried)"
        guard let server else { return ours }
        return "\(ours) \(server.owes) \(server.isQuiet) \(server.isAtRest) \(server.hasOpenBatch) "
            + "\(server.isCopyingIn) \(server.isSkippingToSync) \(server.status) "
            + "\(server.prepared.keys.sorted()) \(server.parameters.sorted { $0.key < $1.key })"
    }
}

extension ServerConversation {
    static func started() -> ServerConversation {
        let server = ServerConversation()
        server.started(parameters: ["application_name": "", "TimeZone": "UTC"])
        return server
    }
}
