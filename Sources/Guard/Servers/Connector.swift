import NIOCore
import NIOSSL
import PGWire

/// Opens connections to servers: TCP or a Unix socket, TLS as the target wants it.
final class Connector {
    private let loop: SocketLoop
    private let dialer: SocketDialer
    private var contexts: [Target: NIOSSLContext] = [:]

    init(loop: SocketLoop) {
        self.loop = loop
        dialer = SocketDialer(loop: loop)
    }

    /// Whoever asked takes the connection when it is there: its first bytes may come next. The answer never comes
    /// before this returns, not even when it is known at once: those who ask are not done with what they are doing.
    func connect(to target: Target) -> EventLoopFuture<SocketChannel> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        return loop.flatSubmit { bound.value.connectNow(to: target) }
    }

    private func connectNow(to target: Target) -> EventLoopFuture<SocketChannel> {
        guard !target.isLocalSocket else {
            return dialer.dial(socket: "\(target.host)/.s.PGSQL.\(target.port)")
        }
        let dialled = dialer.dial(target.host, target.port)
        guard target.tls != .disable else { return dialled }
        let bound = NIOLoopBound(self, eventLoop: loop)
        return dialled.flatMap { bound.value.negotiate($0, target) }
    }

    private func negotiate(_ socket: SocketChannel, _ target: Target) -> EventLoopFuture<SocketChannel> {
        do {
            let context = try contexts[target] ?? TLSContexts.client(target)
            contexts[target] = context
            let negotiation = TLSNegotiation(
                socket: socket, target: target, context: context, done: loop.makePromise())
            negotiation.begin()
            return negotiation.done.futureResult
        } catch {
            socket.close()
            return loop.makeFailedFuture(error)
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
        connect(to: target).whenComplete { result in
            switch result {
            case .success(let socket):
                socket.receiver = CancelReceiver(socket)
                var bytes = ByteBuffer()
                bytes.writePGCancelRequest(processID: processID, secret: secret)
                socket.send(bytes)
                let alarm = socket.loop.scheduleTask(in: .nanoseconds(limit)) {
                    gone.fail(Unconfirmed())
                    socket.close()
                }
                socket.closeFuture.whenComplete { _ in
                    alarm.cancel()
                    gone.succeed()
                }
            case .failure(let error): gone.fail(error)
            }
        }
        return gone.futureResult
    }

    /// In words, without what would only interest this program's authors.
    func explain(_ error: any Error) -> String {
        switch error {
        case let error as WireError: error.message
        case let error as IOError: SystemWords.say(error)
        case let error as SocketCalls.UnknownHost: error.reason
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
private final class TLSNegotiation: SocketReceiver {
    private let socket: SocketChannel
    private let target: Target
    private let context: NIOSSLContext
    let done: EventLoopPromise<SocketChannel>
    private var alarm: Scheduled<Void>?
    private var isDone = false

    /// For the one byte that is the answer.
    private static let patience = TimeAmount.seconds(10)

    init(socket: SocketChannel, target: Target, context: NIOSSLContext, done: EventLoopPromise<SocketChannel>) {
        self.socket = socket
        self.target = target
        self.context = context
        self.done = done
    }

    func begin() {
        socket.receiver = self
        let bound = NIOLoopBound(self, eventLoop: socket.loop)
        alarm = socket.loop.scheduleTask(in: Self.patience) {
            bound.value.end(WireError(.internalFault, sqlState: "08006", "no answer in time"))
        }
        var bytes = ByteBuffer()
        bytes.writePGSSLRequest()
        socket.send(bytes)
    }

    func receive(_ bytes: ByteBuffer) {
        // More than one byte is somebody else's, put before the encrypted ones.
        guard !isDone, bytes.readableBytes == 1, let answer = bytes.readableBytesView.first else {
            return end(WireError.untrustedServer("\(target): unexpected bytes before TLS"))
        }
        switch answer {
        case UInt8(ascii: "S"):
            do {
                let name = target.tls == .verifyFull || !Self.isAddress(target.host) ? target.host : nil
                let tls = try NIOSSLClientHandler(
                    context: context, serverHostname: name.flatMap { Self.isAddress($0) ? nil : $0 })
                try socket.encrypt(tls)
                succeed()
            } catch {
                end(error)
            }
        case UInt8(ascii: "N") where target.tls == .prefer:
            succeed()
        case UInt8(ascii: "N"):
            end(WireError.untrustedServer("\(target) does not offer TLS, and the configuration needs it"))
        default:
            end(WireError.untrustedServer("\(target) does not speak PostgreSQL's protocol"))
        }
    }

    private func succeed() {
        isDone = true
        alarm?.cancel()
        done.succeed(socket)
    }

    private func end(_ error: any Error) {
        alarm?.cancel()
        if !isDone {
            isDone = true
            done.fail(error)
        }
        socket.close()
    }

    func socketFailed(_ error: any Error) {
        end(error)
    }

    func socketEnded() {
        end(WireError(.internalFault, sqlState: "08006", "\(target) closed the connection"))
    }

    /// IPv4 or IPv6: those have no name that a certificate could be checked for by SNI.
    private static func isAddress(_ host: String) -> Bool {
        host.contains(":") || host.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2E }
    }
}

/// The connection of a cancel request: nothing is said on it, and its end is all that counts.
private final class CancelReceiver: SocketReceiver {
    private let socket: SocketChannel

    init(_ socket: SocketChannel) {
        self.socket = socket
    }

    func receive(_ bytes: ByteBuffer) {}

    func socketFailed(_ error: any Error) { socket.close() }

    func socketEnded() {}
}
