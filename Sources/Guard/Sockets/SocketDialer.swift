import Glibc
import NIOCore
import NIOPosix

/// Makes connections.
struct SocketDialer {
    let loop: SocketLoop

    /// For all addresses of a name together, and for finding them.
    static let patience = TimeAmount.seconds(10)

    func dial(socket path: String) -> EventLoopFuture<SocketChannel> {
        loop.makeCompletedFuture { try SocketAddress(unixDomainSocketPath: path) }.flatMap { [self] in
            dial([$0], until: .now() + Self.patience)
        }
    }

    func dial(_ host: String, _ port: Int) -> EventLoopFuture<SocketChannel> {
        let deadline = NIODeadline.now() + Self.patience
        do {
            return dial([try SocketAddress(ipAddress: host, port: port)], until: deadline)
        } catch {
            return resolve(host, port, until: deadline).flatMap { [self] in dial($0, until: deadline) }
        }
    }

    /// The system may ask others for a name, and take its time.
    private func resolve(_ host: String, _ port: Int, until deadline: NIODeadline) -> EventLoopFuture<[SocketAddress]> {
        let promise = loop.makePromise(of: [SocketAddress].self)
        let alarm = loop.scheduleTask(deadline: deadline) {
            promise.fail(SocketCalls.UnknownHost(name: host, reason: "its address was not found in time"))
        }
        promise.futureResult.whenComplete { _ in alarm.cancel() }
        NIOThreadPool.singleton
            .runIfActive(eventLoop: loop) { try SocketCalls.resolve(host, port) }
            .cascade(to: promise)
        return promise.futureResult
    }

    func dial(_ addresses: [SocketAddress], until deadline: NIODeadline) -> EventLoopFuture<SocketChannel> {
        let race = DialRace(addresses, until: deadline, on: loop)
        race.next()
        return race.promise.futureResult
    }
}

/// Attempts at the addresses of one name: the next begins when one has failed, or has not answered for a while; the
/// first that is there is taken, and the others are given up.
private final class DialRace {
    private let loop: SocketLoop
    private var waiting: ArraySlice<SocketAddress>
    private var running: [ObjectIdentifier: SocketChannel] = [:]
    private let deadline: NIODeadline
    /// Of the first: what its owner meant most likely.
    private var failure: (any Error)?
    private var isOver = false
    private var impatience: Scheduled<Void>?
    private var alarm: Scheduled<Void>?
    let promise: EventLoopPromise<SocketChannel>

    /// As others wait (RFC 8305).
    private static let headStart = TimeAmount.milliseconds(250)

    init(_ addresses: [SocketAddress], until deadline: NIODeadline, on loop: SocketLoop) {
        self.loop = loop
        waiting = addresses[...]
        self.deadline = deadline
        promise = loop.makePromise()
        let bound = NIOLoopBound(self, eventLoop: loop)
        alarm = loop.scheduleTask(deadline: deadline) { bound.value.end(.failure(ChannelError.connectTimeout(.zero))) }
    }

    func next() {
        impatience?.cancel()
        while !isOver, let address = waiting.popFirst() {
            do {
                try begin(address)
            } catch {
                failure = failure ?? error
                continue
            }
            guard !waiting.isEmpty else { return }
            let bound = NIOLoopBound(self, eventLoop: loop)
            impatience = loop.scheduleTask(in: Self.headStart) { bound.value.next() }
            return
        }
        if running.isEmpty { end(.failure(failure ?? ChannelError.connectTimeout(.zero))) }
    }

    private func begin(_ address: SocketAddress) throws {
        let family = SocketCalls.family(of: address)
        let descriptor = try SocketCalls.open(family)
        do {
            if family != AF_UNIX { try SocketCalls.tune(descriptor) }
            // Even one that is there at once is told of when the kernel says that it takes bytes.
            _ = try SocketCalls.connect(descriptor, to: address)
        } catch {
            SocketCalls.close(descriptor)
            throw error
        }
        let made = loop.makePromise(of: SocketChannel.self)
        let socket: SocketChannel
        do {
            socket = try SocketChannel(descriptor, peer: address, on: loop, connecting: made)
        } catch {
            made.fail(error)
            throw error
        }
        running[ObjectIdentifier(socket)] = socket
        let bound = NIOLoopBound((self, socket), eventLoop: loop)
        made.futureResult.whenComplete { result in
            let (race, socket) = bound.value
            race.running[ObjectIdentifier(socket)] = nil
            race.ended(result)
        }
    }

    private func ended(_ result: Result<SocketChannel, any Error>) {
        switch result {
        case .success(let socket):
            if isOver { socket.close() } else { end(result) }
        case .failure(let error):
            guard !isOver else { return }
            failure = failure ?? error
            next()
        }
    }

    private func end(_ result: Result<SocketChannel, any Error>) {
        guard !isOver else { return }
        isOver = true
        alarm?.cancel()
        impatience?.cancel()
        for socket in running.values { socket.giveUpConnecting(ChannelError.connectTimeout(.zero)) }
        promise.completeWith(result)
    }
}
