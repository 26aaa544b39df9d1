import NIOCore
import NIOPosix
import NIOSSL
import PGWire

/// Opens connections to servers: TCP or a Unix socket, TLS as the target wants it.
final class Connector {
    private let loop: any EventLoop
    private var contexts: [Target: NIOSSLContext] = [:]

    init(loop: any EventLoop) {
        self.loop = loop
    }

    /// - Parameter add: puts the handler in place, once TLS has been agreed on.
    func connect(to target: Target, add: @escaping (any Channel) throws -> Void) -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound((self, add), eventLoop: loop)
        return open(target).flatMap { channel in
            let (connector, add) = bound.value
            guard target.tls != .disable, !target.isLocalSocket else {
                return channel.eventLoop.makeCompletedFuture { try add(channel) }.map { channel }
            }
            return connector.negotiate(channel, target).flatMap { _ in
                channel.eventLoop.makeCompletedFuture { try bound.value.1(channel) }.map { channel }
            }
        }
    }

    private func open(_ target: Target) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: loop)
            .channelOption(.autoRead, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 4)
            .connectTimeout(.seconds(10))
        if target.isLocalSocket {
            return ClientBootstrap(group: loop)
                .connect(unixDomainSocketPath: "\(target.host)/.s.PGSQL.\(target.port)")
        }
        return bootstrap.connect(host: target.host, port: target.port)
    }

    private func negotiate(_ channel: any Channel, _ target: Target) -> EventLoopFuture<Void> {
        do {
            let context = try contexts[target] ?? TLSContexts.client(target)
            contexts[target] = context
            let negotiation = TLSNegotiation(target: target, context: context, done: channel.eventLoop.makePromise())
            try channel.pipeline.syncOperations.addHandler(negotiation)
            negotiation.begin()
            return negotiation.done.futureResult
        } catch {
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    /// A cancel request was sent, and whether its signal is still on its way is not known.
    struct Unconfirmed: Error {}

    /// Sends a cancel request and waits until the server closes: only then is it certain that no signal is on its way.
    ///
    /// - Parameter limit: in nanoseconds; then it fails as `Unconfirmed`.
    func cancel(
        at target: Target, processID: Int32, secret: [UInt8], within limit: Int64
    ) -> EventLoopFuture<Void> {
        let gone = loop.makePromise(of: Void.self)
        connect(to: target) { channel in
            try channel.pipeline.syncOperations.addHandler(CancelHandler(processID: processID, secret: secret))
        }.whenComplete { result in
            switch result {
            case .success(let channel):
                let alarm = channel.eventLoop.scheduleTask(in: .nanoseconds(limit)) {
                    gone.fail(Unconfirmed())
                    channel.close(promise: nil)
                }
                channel.closeFuture.whenComplete { _ in
                    alarm.cancel()
                    gone.succeed()
                }
            case .failure(let error): gone.fail(error)
            }
        }
        return gone.futureResult
    }

    func isEncrypted(_ pipeline: ChannelPipeline) -> Bool {
        do {
            _ = try pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
            return true
        } catch {
            return false
        }
    }

    /// In words, without what would only interest this program's authors.
    func explain(_ error: any Error) -> String {
        switch error {
        case let error as WireError: error.message
        case let error as IOError: SystemWords.say(error)
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { explain($0.error) } ?? error.dnsAError.map { "\($0)" } ?? "\(error)"
        case ChannelError.connectTimeout: "no answer in time"
        case let error as NIOSSLError:
            // BoringSSL's own words name source files.
            "\(error)".contains("CERTIFICATE_VERIFY_FAILED")
                ? "its certificate is not trusted: sslrootcert names its authority, sslmode says what is checked"
                : "TLS could not be agreed on"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "its certificate is not for that name"
        default: "\(error)"
        }
    }
}

/// Asks the server for TLS before anything else is said.
private final class TLSNegotiation: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let target: Target
    let context: NIOSSLContext
    let done: EventLoopPromise<Void>
    private var handler: ChannelHandlerContext?
    private var alarm: Scheduled<Void>?
    private var isDone = false

    /// For the one byte that is the answer.
    private static let patience = TimeAmount.seconds(10)

    init(target: Target, context: NIOSSLContext, done: EventLoopPromise<Void>) {
        self.target = target
        self.context = context
        self.done = done
    }

    func handlerAdded(context: ChannelHandlerContext) { handler = context }
    func handlerRemoved(context: ChannelHandlerContext) {
        alarm?.cancel()
        handler = nil
    }

    func begin() {
        alarm = handler?.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) {
            guard let context = self.handler else { return }
            self.fail(WireError(.internalFault, sqlState: "08006", "no answer in time"), context)
        }
        var bytes = ByteBuffer()
        bytes.writePGSSLRequest()
        handler?.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        // More than one byte is somebody else's, put before the encrypted ones.
        guard !isDone, buffer.readableBytes == 1, let answer = buffer.readableBytesView.first else {
            return fail(.untrustedServer("\(target): unexpected bytes before TLS"), context)
        }
        switch answer {
        case UInt8(ascii: "S"):
            isDone = true
            do {
                let name = target.tls == .verifyFull || !Self.isAddress(target.host) ? target.host : nil
                let tls = try NIOSSLClientHandler(
                    context: self.context, serverHostname: name.flatMap { Self.isAddress($0) ? nil : $0 })
                try context.pipeline.syncOperations.addHandler(tls, position: .first)
                context.pipeline.syncOperations.removeHandler(self, promise: nil)
                done.succeed()
            } catch {
                done.fail(error)
                context.close(promise: nil)
            }
        case UInt8(ascii: "N") where target.tls == .prefer:
            isDone = true
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            done.succeed()
        case UInt8(ascii: "N"):
            fail(.untrustedServer("\(target) does not offer TLS, and the configuration needs it"), context)
        default:
            fail(.untrustedServer("\(target) does not speak PostgreSQL's protocol"), context)
        }
    }

    private func fail(_ error: WireError, _ context: ChannelHandlerContext) {
        guard !isDone else { return context.close(promise: nil) }
        isDone = true
        done.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isDone {
            isDone = true
            done.fail(WireError(.internalFault, sqlState: "08006", "\(target) closed the connection"))
        }
        context.fireChannelInactive()
    }

    /// IPv4 or IPv6: those have no name that a certificate could be checked for by SNI.
    private static func isAddress(_ host: String) -> Bool {
        host.contains(":") || host.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2E }
    }
}

private final class CancelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let processID: Int32
    private let secret: [UInt8]

    init(processID: Int32, secret: [UInt8]) {
        self.processID = processID
        self.secret = secret
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { send(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        send(context)
    }

    private func send(_ context: ChannelHandlerContext) {
        var bytes = ByteBuffer()
        bytes.writePGCancelRequest(processID: processID, secret: secret)
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
