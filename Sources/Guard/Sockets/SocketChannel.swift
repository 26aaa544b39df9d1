import DequeModule
import Glibc
import NIOCore

/// One connection on a `SocketLoop`. Bytes come to the receiver, and go with `send`, in one call each; a pipeline is
/// made for those only that need one: TLS and HTTP use this as any channel of SwiftNIO.
///
/// ```
/// connecting ─▶ open ─▶ closed
///      └──────────────────▲
/// ```
///
/// Invariants:
/// 1. Bytes never overtake others: with anything queued, what is written is queued behind it.
/// 2. A failure to send is told in a later round, never to whoever is writing, after what the peer had still said. (TLS
///    keeps its own rules: it may close in the middle of a write.)
/// 3. Reading can be paused; a peer that goes away meanwhile is noticed, and what it said before is passed on.
/// 4. Whatever `Channel` promises to other threads, this is used on its loop only, but for `close` and futures.
final class SocketChannel: PollSource, Channel, ChannelCore, @unchecked Sendable {
    private enum State {
        case connecting(EventLoopPromise<SocketChannel>)
        case open
        case closed
    }

    private struct Queued {
        var bytes: ByteBuffer
        var promise: EventLoopPromise<Void>?
    }

    let loop: SocketLoop
    let allocator = ByteBufferAllocator()
    let remoteAddress: SocketAddress?
    private var madePipeline: ChannelPipeline?
    private let closed: EventLoopPromise<Void>
    private var state: State
    /// Nil: whoever is in the pipeline.
    var receiver: (any SocketReceiver)?
    /// Between TLS and the receiver; nil: bytes are as they come.
    private var passage: SocketPassage?

    private var queued = Deque<Queued>()
    private var queuedBytes = 0
    /// Of the queue's beginning: what is to be sent as soon as the socket takes it.
    private var flushed = 0
    /// What was being sent, or is to be, cannot be.
    private var failure: IOError?
    private(set) var isWritable = true
    private var isReading = true
    private var wantsToWrite = false
    /// Nothing is told any more; it closes when the queue is empty and the peer has read it.
    private var isLeaving = false
    private var peerHasEnded = false

    /// Bytes that wait for a slow peer: above the first nothing more should be written, until there are fewer than the
    /// second.
    private static let (highWater, lowWater) = (64 << 10, 32 << 10)

    /// - Parameter connecting: completed when the connection is there; nil: it is there.
    init(
        _ descriptor: Int32, peer: SocketAddress?, on loop: SocketLoop,
        connecting: EventLoopPromise<SocketChannel>? = nil
    ) throws {
        self.loop = loop
        remoteAddress = peer
        closed = loop.makePromise()
        state = connecting.map { .connecting($0) } ?? .open
        super.init(descriptor: descriptor)
        do {
            try loop.poller.add(self, connecting == nil ? [.readable] : [.writable])
        } catch {
            closed.succeed()
            throw error
        }
    }

    var isOpen: Bool { if case .closed = state { false } else { true } }

    // MARK: Events

    override func ready(_ events: Events) {
        switch state {
        case .connecting(let promise): return connected(promise)
        case .open: break
        case .closed: return
        }
        if events.contains(.writable) { sendQueued() }
        if isLeaving { return readOver(events) }
        let isOver = !events.isDisjoint(with: [.ending, .broken])
        // The kernel may have told of its bytes before reading was paused.
        if isOver || (isReading && events.contains(.readable)) { read(toTheEnd: isOver && !isReading) }
    }

    private func connected(_ promise: EventLoopPromise<SocketChannel>) {
        if let error = SocketCalls.pendingError(descriptor) { return giveUpConnecting(error) }
        state = .open
        watch()
        promise.succeed(self)
    }

    /// - Parameter toTheEnd: the peer has gone, and all that it said is wanted now.
    private func read(toTheEnd: Bool) {
        repeat {
            let count = loop.receive(descriptor)
            if count > 0 {
                pass(loop.received(count))
            } else if count == 0 {
                return finish()
            } else {
                let number = errno
                if number == EINTR { continue }
                if number == EAGAIN { return }
                return fail(IOError(errnoCode: number, reason: "recv"))
            }
        } while toTheEnd && isOpen
    }

    private func pass(_ bytes: ByteBuffer) {
        if passage == nil, let receiver { return receiver.receive(bytes) }
        // Whoever is in the pipeline may keep it.
        pipeline.syncOperations.fireChannelRead(NIOAny(bytes.copied))
        if isOpen { pipeline.syncOperations.fireChannelReadComplete() }
    }

    private func watch() {
        var watched: Events = isLeaving ? (peerHasEnded ? [] : [.readable]) : isReading ? [.readable] : [.ending]
        if wantsToWrite { watched.insert(.writable) }
        loop.poller.watch(self, watched)
    }

    func setReading(_ isOn: Bool) {
        guard isOn != isReading else { return }
        isReading = isOn
        if case .open = state { watch() }
    }

    // MARK: Writing

    /// - Parameter bytes: taken or copied before this returns.
    func send(_ bytes: ByteBuffer) {
        if let passage { return passage.write(bytes) }
        if queued.isEmpty, failure == nil, case .open = state {
            let sent = bytes.withUnsafeReadableBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Self.flags) }
            if sent == bytes.readableBytes { return }
            return queueRest(of: bytes, sent)
        }
        queue(bytes)
    }

    private func queueRest(of bytes: ByteBuffer, _ sent: Int) {
        var rest = bytes
        if sent > 0 {
            rest.moveReaderIndex(forwardBy: sent)
        } else if sent < 0, errno != EAGAIN, errno != EINTR {
            return broke(errno)
        }
        queue(rest)
    }

    private func queue(_ bytes: ByteBuffer) {
        guard failure == nil, isOpen, bytes.readableBytes > 0 else { return }
        // It may be a part of the buffer that all connections share.
        queued.append(Queued(bytes: bytes.copied, promise: nil))
        queuedBytes += bytes.readableBytes
        flushed = queued.count
        sendQueued()
    }

    private func sendQueued() {
        guard case .open = state, failure == nil else { return }
        while flushed > 0, let first = queued.first {
            let count = first.bytes.readableBytes
            let sent =
                count == 0
                ? 0
                : first.bytes.withUnsafeReadableBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Self.flags) }
            if sent < 0 {
                let number = errno
                if number == EINTR { continue }
                guard number == EAGAIN else { return broke(number) }
                break
            }
            queuedBytes -= sent
            if sent < count {
                queued[0].bytes.moveReaderIndex(forwardBy: sent)
                continue
            }
            queued.removeFirst()
            flushed -= 1
            first.promise?.succeed()
            // Whoever was told may have closed it.
            guard case .open = state else { return }
        }
        if wantsToWrite != (flushed > 0) {
            wantsToWrite = flushed > 0
            watch()
        }
        settleWritability()
        guard isLeaving, queued.isEmpty else { return }
        if peerHasEnded { finish() } else { SocketCalls.endWriting(descriptor) }
    }

    /// What the peer still says interests nobody any more, and must not be there when the connection closes: the system
    /// would take back what the peer has not read yet.
    private func readOver(_ events: Events) {
        guard case .open = state else { return }
        if events.contains(.broken) { return finish() }
        // Once a round, as for all: a peer that says much keeps nobody else waiting.
        guard events.contains(.readable), !peerHasEnded else { return }
        let count = loop.receive(descriptor)
        if count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN)) { return }
        if count < 0 || queued.isEmpty { return finish() }
        // It says nothing more, and may still read.
        peerHasEnded = true
        watch()
    }

    private func settleWritability() {
        let now = isWritable ? queuedBytes <= Self.highWater : queuedBytes < Self.lowWater
        guard now != isWritable else { return }
        isWritable = now
        if passage == nil { receiver?.socketIsWritable(now) }
        madePipeline?.syncOperations.fireChannelWritabilityChanged()
    }

    /// Not at once: whoever is writing is in the middle of something.
    private func broke(_ number: Int32) {
        let error = IOError(errnoCode: number, reason: "send")
        failure = error
        if isLeaving { return loop.execute { self.finish() } }
        loop.execute {
            // The peer may have said why.
            if self.isOpen { self.read(toTheEnd: true) }
            self.fail(error)
        }
    }

    private static let flags = Int32(MSG_NOSIGNAL)

    // MARK: The end

    private func fail(_ error: any Error) {
        guard isOpen else { return }
        if passage == nil { receiver?.socketFailed(error) }
        madePipeline?.syncOperations.fireErrorCaught(error)
        finish()
    }

    override func loopEnded() {
        finish()
    }

    private func finish() {
        guard isOpen else { return }
        let before = state
        state = .closed
        if isLeaving { loop.leaving -= 1 }
        loop.poller.remove(self)
        let unsent = queued
        queued = []
        (queuedBytes, flushed) = (0, 0)
        for write in unsent { write.promise?.fail(ChannelError.ioOnClosedChannel) }
        if case .connecting(let promise) = before {
            promise.fail(ChannelError.ioOnClosedChannel)
        } else {
            madePipeline?.syncOperations.fireChannelInactive()
            madePipeline?.syncOperations.fireChannelUnregistered()
        }
        tellEnd()
        // Later: whoever closed it may be on its way through the pipeline.
        loop.execute {
            if let pipeline = self.madePipeline { self.removeHandlers(pipeline: pipeline) }
            self.passage = nil
            self.closed.succeed()
        }
    }

    func tellEnd() {
        let told = receiver
        receiver = nil
        told?.socketEnded()
    }

    /// As the peer's end of TLS wants it; at once without.
    func close() {
        if let passage { passage.close() } else { finish() }
    }

    /// What was sent is to reach a peer that is slow to take it, within some time. To the receiver it is closed at
    /// once.
    func closeWhenSent() {
        guard passage == nil, case .open = state, failure == nil, !queued.isEmpty else { return close() }
        guard !isLeaving else { return }
        isLeaving = true
        loop.leaving += 1
        watch()
        tellEnd()
        loop.scheduleTask(in: Self.patience) { self.finish() }
    }

    private static let patience = TimeAmount.seconds(5)

    /// The connection cannot be made, or not in time.
    func giveUpConnecting(_ error: any Error) {
        guard case .connecting(let promise) = state else { return }
        state = .closed
        loop.poller.remove(self)
        closed.succeed()
        promise.fail(error)
    }

    var isEncrypted: Bool { passage != nil }

    /// From now on all bytes go through TLS.
    func encrypt(_ handler: some ChannelHandler) throws {
        let passage = SocketPassage(self)
        try pipeline.syncOperations.addHandlers([handler, passage])
        self.passage = passage
    }

    // MARK: Channel

    var eventLoop: any EventLoop { loop }
    var closeFuture: EventLoopFuture<Void> { closed.futureResult }
    var pipeline: ChannelPipeline {
        if let madePipeline { return madePipeline }
        let made = ChannelPipeline(channel: self)
        madePipeline = made
        return made
    }
    var localAddress: SocketAddress? { isOpen ? SocketCalls.localAddress(descriptor) : nil }
    var parent: (any Channel)? { nil }
    var isActive: Bool { if case .open = state { true } else { false } }
    var _channelCore: any ChannelCore { self }

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        loop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        loop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    // MARK: What comes out of the pipeline

    func localAddress0() throws -> SocketAddress {
        guard let localAddress else { throw ChannelError.ioOnClosedChannel }
        return localAddress
    }

    func remoteAddress0() throws -> SocketAddress {
        guard let remoteAddress else { throw ChannelError.operationUnsupported }
        return remoteAddress
    }

    func register0(promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
    func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) { register0(promise: promise) }
    func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) { register0(promise: promise) }
    func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) { register0(promise: promise) }

    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isOpen, failure == nil else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let bytes = unwrapData(data, as: ByteBuffer.self)
        queued.append(Queued(bytes: bytes, promise: promise))
        queuedBytes += bytes.readableBytes
    }

    func flush0() {
        flushed = queued.count
        sendQueued()
    }

    /// Reading goes on by itself.
    func read0() {}

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        guard isOpen else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        finish()
        promise?.succeed()
    }

    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }

    func channelRead0(_ data: NIOAny) {}

    func errorCaught0(error: any Error) {}
}
