import Glibc
import NIOCore
import NIOPosix

/// Takes connections, and gives each to its owner.
final class SocketListener: PollSource, @unchecked Sendable {
    private let loop: SocketLoop
    private let accepted: (SocketChannel) -> Void
    private let refused: (any Error) -> Void
    private let closed: EventLoopPromise<Void>
    let address: SocketAddress?

    private static let backlog: Int32 = 1_024
    /// In one round: others want their turn.
    private static let atOnce = 64
    /// Without descriptors or memory for another connection.
    private static let rest = TimeAmount.seconds(1)

    /// On the loop.
    init(
        at wanted: SocketAddress, on loop: SocketLoop, refused: @escaping (any Error) -> Void,
        accepted: @escaping (SocketChannel) -> Void
    ) throws {
        let descriptor = try SocketCalls.listen(at: wanted, backlog: Self.backlog)
        self.loop = loop
        self.accepted = accepted
        self.refused = refused
        address = SocketCalls.localAddress(descriptor)
        closed = loop.makePromise()
        super.init(descriptor: descriptor)
        do {
            try loop.poller.add(self, .readable)
        } catch {
            closed.succeed()
            throw error
        }
    }

    /// - Parameters:
    ///   - refused: called on the loop when connections cannot be taken, for want of descriptors mostly.
    ///   - accepted: called on the loop for each connection.
    static func listen(
        _ host: String, _ port: Int, on loop: SocketLoop, refused: @escaping @Sendable (any Error) -> Void = { _ in },
        accepted: @escaping @Sendable (SocketChannel) -> Void
    ) async throws -> SocketListener {
        var failure: (any Error)?
        let addresses = try await NIOThreadPool.singleton.runIfActive { try SocketCalls.resolve(host, port) }
        for address in addresses {
            do {
                return try await loop.submit {
                    try SocketListener(at: address, on: loop, refused: refused, accepted: accepted)
                }.get()
            } catch let error as IOError where [EAFNOSUPPORT, EADDRNOTAVAIL].contains(error.errnoCode) {
                // This machine has no such addresses; another of the name may do.
                failure = failure ?? error
            }
        }
        throw failure ?? SocketCalls.UnknownHost(name: host, reason: "it has no address")
    }

    var closeFuture: EventLoopFuture<Void> { closed.futureResult }

    override func ready(_ events: Events) {
        for _ in 0..<Self.atOnce where descriptor >= 0 {
            do {
                guard let (descriptor, peer) = try SocketCalls.accept(descriptor) else { return }
                take(descriptor, peer)
            } catch let error as IOError where Self.passing.contains(error.errnoCode) {
                // That connection has gone already.
                continue
            } catch {
                refused(error)
                return pause()
            }
        }
    }

    private func take(_ descriptor: Int32, _ peer: SocketAddress?) {
        let socket: SocketChannel
        do {
            socket = try SocketChannel(descriptor, peer: peer, on: loop)
            try SocketCalls.tune(descriptor)
        } catch {
            return refused(error)
        }
        accepted(socket)
    }

    /// What `accept(2)` tells of the one connection, not of the machine.
    private static let passing: Set<Int32> = [
        ECONNABORTED, EINTR, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH,
    ]

    /// Whoever waits would be told again and again that somebody is there.
    private func pause() {
        loop.poller.watch(self, [])
        loop.scheduleTask(in: Self.rest) { self.loop.poller.watch(self, .readable) }
    }

    /// From any thread.
    func close() {
        if loop.inEventLoop { finish() } else { loop.execute { self.finish() } }
    }

    override func loopEnded() {
        finish()
    }

    private func finish() {
        guard descriptor >= 0 else { return }
        loop.poller.remove(self)
        closed.succeed()
    }
}
