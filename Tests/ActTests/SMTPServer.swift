import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A mail server on a port of its own that does as it is told, one behaviour a connection.
final class SMTPServer: Sendable {
    enum Stage: Sendable {
        case greeting, hello, tls, signIn, mail, receiver, data, text, quit
    }

    enum Behaviour: Sendable {
        case accept
        case refuse(Stage, String)
        /// Says nothing more.
        case hang(Stage)
        case drop(Stage)
        /// Takes the text and answers only after `release()`.
        case hold
        /// Another protocol: says this once somebody has spoken, then nothing.
        case recite(String)
    }

    enum Security: Sendable {
        case none
        /// After the command STARTTLS, which it offers.
        case startTLS(NIOSSLContext)
        /// From the first byte.
        case implicit(NIOSSLContext)
    }

    struct Mail: Sendable {
        /// Whether all of it came over TLS.
        var isEncrypted = false
        var from = ""
        var to = ""
        var text = ""
    }

    struct State {
        var behaviours: [Behaviour]
        var mails: [Mail] = []
        var commands: [String] = []
        /// Every byte that came in, as it was on the way: over TLS it can be read by nobody.
        var wire: [UInt8] = []
        var held: [@Sendable () -> Void] = []
        var connections = 0
    }

    let state: Mutex<State>
    let password: String?
    let security: Security
    let onText: @Sendable () -> Void
    private let channel = Mutex<(any Channel)?>(nil)

    private init(
        _ behaviours: [Behaviour], password: String?, security: Security, onText: @escaping @Sendable () -> Void
    ) {
        state = Mutex(State(behaviours: behaviours))
        self.password = password
        self.security = security
        self.onText = onText
    }

    /// - Parameters:
    ///   - behaviours: of the first, second… connection; the last one is repeated.
    ///   - password: base64 of what AUTH PLAIN must say; nil: offers no sign-in.
    ///   - onText: called when a text has come in, before it is answered.
    static func run(
        _ behaviours: [Behaviour] = [.accept], password: String? = nil, security: Security = .none,
        onText: @escaping @Sendable () -> Void = {}, _ body: (SMTPServer) async throws -> Void
    ) async throws {
        let server = SMTPServer(behaviours, password: password, security: security, onText: onText)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(WireTap(server))
                    if case .implicit(let context) = security {
                        try pipeline.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try pipeline.addHandler(SMTPConversation(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.channel.withLock { $0 = channel }
        do {
            try await body(server)
        } catch {
            try? await channel.close()
            throw error
        }
        try? await channel.close()
    }

    var port: Int { channel.withLock { $0?.localAddress?.port } ?? 0 }
    var url: String {
        if case .implicit = security { return "smtps://127.0.0.1:\(port)" }
        return "smtp://127.0.0.1:\(port)"
    }
    var mails: [Mail] { state.withLock { $0.mails } }
    var commands: [String] { state.withLock { $0.commands } }
    var wire: String { String(decoding: state.withLock { $0.wire }, as: UTF8.self) }

    func release() {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for answer in held { answer() }
    }

    func nextBehaviour() -> Behaviour {
        state.withLock { state in
            state.connections += 1
            return state.behaviours.count > 1 ? state.behaviours.removeFirst() : state.behaviours[0]
        }
    }
}

/// Keeps what comes in before anybody decrypts it.
private final class WireTap: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let server: SMTPServer

    init(_ server: SMTPServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        server.state.withLock { $0.wire += bytes.readableBytesView }
        context.fireChannelRead(data)
    }
}

/// One connection's side of RFC 5321.
private final class SMTPConversation: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: SMTPServer
    private let behaviour: SMTPServer.Behaviour
    private var pending = ""
    private var mail = SMTPServer.Mail()
    private var readsText = false
    private var isSilent = false
    private var isEncrypted = false

    init(_ server: SMTPServer) {
        self.server = server
        behaviour = server.nextBehaviour()
        if case .implicit = server.security { isEncrypted = true }
    }

    func channelActive(context: ChannelHandlerContext) {
        if case .recite = behaviour { return }
        answer(.greeting, "220 post.example ESMTP", context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        pending += String(buffer: unwrapInboundIn(data))
        while let end = pending.range(of: readsText ? "\r\n.\r\n" : "\r\n") {
            let part = String(pending[..<end.lowerBound])
            pending = String(pending[end.upperBound...])
            if readsText { take(text: part, context) } else { take(command: part, context) }
        }
    }

    private func take(command: String, _ context: ChannelHandlerContext) {
        server.state.withLock { $0.commands.append(command) }
        if case .recite(let text) = behaviour {
            say(text, context)
            isSilent = true
            return
        }
        switch command.prefix(4).uppercased() {
        case "EHLO":
            let signIn = server.password == nil ? "" : "250-AUTH PLAIN\r\n"
            let tls = offersTLS ? "250-STARTTLS\r\n" : ""
            answer(.hello, "250-post.example\r\n\(tls)\(signIn)250-SIZE 1000000\r\n250 HELP", context)
        case "STAR" where offersTLS: startTLS(context)
        case "HELO": answer(.hello, "250 post.example", context)
        case "AUTH" where command.split(separator: " ").count == 2: say("334 ", context)
        case "AUTH": signIn(String(command.split(separator: " ")[2]), context)
        case "MAIL":
            mail.from = between(command)
            mail.isEncrypted = isEncrypted
            answer(.mail, "250 2.1.0 Ok", context)
        case "RCPT":
            mail.to = between(command)
            answer(.receiver, "250 2.1.5 Ok", context)
        case "DATA":
            if answer(.data, "354 End data with <CR><LF>.<CR><LF>", context) { readsText = true }
        case "QUIT":
            answer(.quit, "221 2.0.0 Bye", context)
        default:
            if let password = server.password, command == password {
                signIn(command, context)
            } else {
                say(server.password == nil ? "502 5.5.2 Unknown" : "535 5.7.8 Wrong: \(command)", context)
            }
        }
    }

    private var offersTLS: Bool {
        if case .startTLS = server.security { return !isEncrypted }
        return false
    }

    private func startTLS(_ context: ChannelHandlerContext) {
        guard case .startTLS(let security) = server.security, answer(.tls, "220 2.0.0 Go ahead", context) else {
            return
        }
        do {
            let pipeline = context.pipeline.syncOperations
            let tap = try pipeline.handler(type: WireTap.self)
            try pipeline.addHandler(NIOSSLServerHandler(context: security), position: .after(tap))
            isEncrypted = true
        } catch {
            context.close(promise: nil)
        }
    }

    private func signIn(_ given: String, _ context: ChannelHandlerContext) {
        // It repeats what it was told, as a careless server would.
        let isRight = given == server.password
        answer(.signIn, isRight ? "235 2.7.0 Welcome" : "535 5.7.8 Wrong: \(given)", context)
    }

    private func take(text: String, _ context: ChannelHandlerContext) {
        readsText = false
        mail.text = text.replacing("\r\n..", with: "\r\n.")
        if case .drop(.text) = behaviour { return context.close(promise: nil) }
        let count = server.state.withLock { state in
            if case .refuse(.text, _) = behaviour { return 0 }
            state.mails.append(mail)
            return state.mails.count
        }
        server.onText()
        let reply = "250 2.0.0 Ok: queued as 4X\(count)"
        if case .hold = behaviour {
            let channel = context.channel
            server.state.withLock {
                $0.held.append { channel.writeAndFlush(ByteBuffer(string: "\(reply)\r\n"), promise: nil) }
            }
        } else {
            answer(.text, reply, context)
        }
    }

    @discardableResult
    private func answer(_ stage: SMTPServer.Stage, _ reply: String, _ context: ChannelHandlerContext) -> Bool {
        switch behaviour {
        case .refuse(stage, let refusal): say(refusal, context)
        case .hang(stage): isSilent = true
        case .drop(stage): context.close(promise: nil)
        default:
            say(reply, context)
            return true
        }
        return false
    }

    private func say(_ line: String, _ context: ChannelHandlerContext) {
        guard !isSilent else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "\(line)\r\n")), promise: nil)
    }

    private func between(_ command: String) -> String {
        String(command.split(separator: "<").last?.prefix { $0 != ">" } ?? "")
    }
}
