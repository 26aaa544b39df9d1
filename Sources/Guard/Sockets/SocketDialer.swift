import Glibc
import NIOCore
import NIOPosix

/// Makes connections: to each address of a name in turn, until one answers.
struct SocketDialer {
    let loop: SocketLoop

    /// For all addresses together.
    static let patience = TimeAmount.seconds(10)

    func dial(socket path: String) -> EventLoopFuture<SocketChannel> {
        loop.makeCompletedFuture { try SocketAddress(unixDomainSocketPath: path) }.flatMap { [self] in
            attempt($0, within: Self.patience)
        }
    }

    func dial(_ host: String, _ port: Int) -> EventLoopFuture<SocketChannel> {
        let deadline = NIODeadline.now() + Self.patience
        do {
            return attempt(try SocketAddress(ipAddress: host, port: port), within: Self.patience)
        } catch {
            // A name: the system may ask others for it, and take its time.
            return NIOThreadPool.singleton
                .runIfActive(eventLoop: loop) { try SocketCalls.resolve(host, port) }
                .flatMap { [self] in dial($0[...], until: deadline) }
        }
    }

    private func dial(
        _ addresses: ArraySlice<SocketAddress>, until deadline: NIODeadline
    ) -> EventLoopFuture<SocketChannel> {
        guard let first = addresses.first else { return loop.makeFailedFuture(ChannelError.unknownLocalAddress) }
        // Those behind it have a chance, even if nothing at all comes from the first.
        let span = TimeAmount.nanoseconds((deadline - .now()).nanoseconds / Int64(addresses.count))
        let made = attempt(first, within: span)
        guard addresses.count > 1 else { return made }
        return made.flatMapError { [self] _ in dial(addresses.dropFirst(), until: deadline) }
    }

    func attempt(_ address: SocketAddress, within span: TimeAmount) -> EventLoopFuture<SocketChannel> {
        let promise = loop.makePromise(of: SocketChannel.self)
        do {
            try begin(address, within: span, promise)
        } catch {
            promise.fail(error)
        }
        return promise.futureResult
    }

    private func begin(
        _ address: SocketAddress, within span: TimeAmount, _ promise: EventLoopPromise<SocketChannel>
    ) throws {
        let family = SocketCalls.family(of: address)
        let descriptor = try SocketCalls.open(family)
        let socket: SocketChannel
        let isThere: Bool
        do {
            if family != AF_UNIX { try SocketCalls.tune(descriptor) }
            isThere = try SocketCalls.connect(descriptor, to: address)
            socket = try SocketChannel(descriptor, peer: address, on: loop, connecting: isThere ? nil : promise)
        } catch {
            SocketCalls.close(descriptor)
            throw error
        }
        guard !isThere else { return promise.succeed(socket) }
        let alarm = loop.scheduleTask(in: span) { socket.giveUpConnecting(ChannelError.connectTimeout(span)) }
        promise.futureResult.whenComplete { _ in alarm.cancel() }
    }
}
