import EndToEndSupport
import Foundation
import Guard
import NIOCore
import NIOPosix
import PGWire
import Synchronization

/// A server that lets everybody in and answers as a test wants it to, also wrongly.
final class FakePostgres: Sendable {
    enum Step: Sendable {
        case send(ByteBuffer)
        /// Ends the connection, with everything that was sent before.
        case close
    }

    enum Heard: Hashable, Sendable {
        case connected
        case query(String)
        /// Any other message, by its type.
        case message(Character)
        /// A cancel request, for the process of that number.
        case cancel(Int32)
    }

    struct Behaviour: Sendable {
        /// Nil: the usual answer.
        var answer: @Sendable (Heard) -> [Step]? = { _ in nil }
        /// After the session's start, in the same breath.
        var afterStart = ByteBuffer()
        /// Cancel requests stay open until `endCancels`.
        var holdsCancels = false
        /// Accepts connections and says nothing.
        var isMute = false
        /// The answer to a request for TLS.
        var tlsAnswer = "N"
        /// What a session's start reports.
        var parameters = [
            "server_version": "15.0", "client_encoding": "UTF8", "TimeZone": "UTC", "application_name": "",
            "standard_conforming_strings": "on",
        ]
        /// The first session's start is kept back until `goOn`.
        var holdsFirstStart = false
        /// What is said instead of a session's start.
        var refusal: ErrorFields?
    }

    private struct State {
        var heard: [Heard] = []
        var sessions: [(processID: Int32, channel: any Channel)] = []
        var cancels: [any Channel] = []
        var heldStart: (any Channel, ByteBuffer)?
        var processID: Int32 = 0
    }

    let behaviour: Behaviour
    private let state = Mutex(State())
    private let channels = Mutex<[any Channel]>([])
    private let listener = Mutex<(channel: any Channel, port: Int)?>(nil)

    private init(_ behaviour: Behaviour) {
        self.behaviour = behaviour
    }

    static func run(
        _ behaviour: Behaviour = Behaviour(), _ body: (FakePostgres) async throws -> Void
    ) async throws {
        let fake = FakePostgres(behaviour)
        try await fake.listen(port: 0)
        do {
            try await body(fake)
        } catch {
            try await fake.close()
            throw error
        }
        try await fake.close()
    }

    /// Back at its port, after `close`.
    func reopen() async throws { try await listen(port: target.port) }

    /// Below those that the system gives to whoever asks for any: one that is closed for a while is nobody else's, and
    /// each is used once.
    private static let lastPort = Mutex(10_000 + Int.random(in: 0..<15_000))

    /// - Parameter port: 0: one that was not used before.
    private func listen(port: Int) async throws {
        guard port == 0 else { return try await bind(port) }
        while true {
            do {
                return try await bind(
                    Self.lastPort.withLock { port in
                        port += 1
                        return port
                    })
            } catch let error as IOError where error.errnoCode == EADDRINUSE {
                continue
            }
        }
    }

    private func bind(_ port: Int) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                self.channels.withLock { $0.append(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FakeSession(server: self))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        listener.withLock { $0 = (channel, port) }
    }

    var target: Target {
        let port = listener.withLock { $0?.port } ?? 0
        var target = Target(host: "127.0.0.1", port: port)
        target.tls = .disable
        return target
    }

    /// Nobody listens any more, and every connection is gone, as when a machine dies.
    func close() async throws {
        let listener = listener.withLock { $0?.channel }
        if let listener, listener.isActive { try await listener.close() }
        for channel in channels.withLock({ $0 }) where channel.isActive { try? await channel.close() }
    }

    // MARK: What a test asks

    var heard: [Heard] { state.withLock { $0.heard } }

    func hears(_ event: Heard, times: Int = 1) async throws {
        try await eventually("the server hears \(event)", every: .milliseconds(5)) {
            heard.count { $0 == event } >= times
        }
    }

    /// Said by every session's server, unasked.
    func say(_ write: (inout ByteBuffer) -> Void) async throws {
        var bytes = ByteBuffer()
        write(&bytes)
        for session in state.withLock({ $0.sessions }) where session.channel.isActive {
            try await session.channel.writeAndFlush(bytes)
        }
    }

    func endCancels() async throws {
        let channels = state.withLock { state in
            defer { state.cancels = [] }
            return state.cancels
        }
        for channel in channels { try? await channel.close() }
    }

    /// With the session whose start was kept back.
    func goOn() async throws {
        try await eventually("a session waits for its start", every: .milliseconds(5)) {
            state.withLock { $0.heldStart != nil } ? true : nil
        }
        if let (channel, bytes) = state.withLock({ $0.heldStart }) { try await channel.writeAndFlush(bytes) }
    }

    fileprivate func holds(_ channel: any Channel, _ bytes: ByteBuffer) -> Bool {
        state.withLock { state in
            guard behaviour.holdsFirstStart, state.heldStart == nil else { return false }
            state.heldStart = (channel, bytes)
            return true
        }
    }

    var sessions: [any Channel] { state.withLock { $0.sessions.map(\.channel).filter(\.isActive) } }

    /// Of every kind.
    var connectionCount: Int { channels.withLock { $0.count(where: \.isActive) } }

    // MARK: What its sessions tell

    fileprivate func hear(_ event: Heard) { state.withLock { $0.heard.append(event) } }

    fileprivate func begin(_ channel: any Channel) -> Int32 {
        state.withLock { state in
            state.processID += 1
            state.sessions.append((state.processID, channel))
            state.heard.append(.connected)
            return state.processID
        }
    }

    fileprivate func cancel(_ processID: Int32, _ channel: any Channel) {
        state.withLock { state in
            if behaviour.holdsCancels { state.cancels.append(channel) }
            state.heard.append(.cancel(processID))
        }
        if !behaviour.holdsCancels { channel.close(promise: nil) }
    }
}

/// One connection to a false server.
private final class FakeSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: FakePostgres
    private var bytes = ByteBuffer()
    private var isIn = false

    init(server: FakePostgres) {
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        bytes.writeBuffer(&buffer)
        if server.behaviour.isMute { return }
        if !isIn { greet(context) }
        while isIn, let type = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self),
            let length = bytes.getInteger(at: bytes.readerIndex + 1, as: Int32.self), bytes.readableBytes > Int(length)
        {
            bytes.moveReaderIndex(forwardBy: 5)
            take(Character(Unicode.Scalar(type)), bytes.readSlice(length: Int(length) - 4) ?? ByteBuffer(), context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func greet(_ context: ChannelHandlerContext) {
        switch try? StartupPacket.parse(&bytes) {
        case .sslRequest, .gssEncRequest:
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: server.behaviour.tlsAnswer)), promise: nil)
        case .cancel(let processID, _): server.cancel(processID, context.channel)
        case .startup: start(context)
        case nil: break
        }
    }

    private func start(_ context: ChannelHandlerContext) {
        var answer = ByteBuffer()
        if let refusal = server.behaviour.refusal {
            answer.writePGErrorResponse(refusal)
            context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
            return context.close(promise: nil)
        }
        isIn = true
        answer.writePGAuthenticationOk()
        for (name, value) in server.behaviour.parameters { answer.writePGParameterStatus(name: name, value: value) }
        answer.writePGBackendKeyData(processID: server.begin(context.channel), secret: [1, 2, 3, 4])
        answer.writePGReadyForQuery(status: UInt8(ascii: "I"))
        answer.writeImmutableBuffer(server.behaviour.afterStart)
        if server.holds(context.channel, answer) { return }
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
    }

    private func take(_ type: Character, _ payload: ByteBuffer, _ context: ChannelHandlerContext) {
        var payload = payload
        let event =
            type == "Q"
            ? FakePostgres.Heard.query(payload.readNullTerminatedString() ?? "") : .message(type)
        server.hear(event)
        for step in server.behaviour.answer(event) ?? FakeAnswer.usual(event) {
            switch step {
            case .send(let bytes): context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
            case .close: context.close(promise: nil)
            }
        }
    }
}
