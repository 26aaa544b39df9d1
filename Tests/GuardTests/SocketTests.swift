import EndToEndSupport
import Foundation
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Guard

/// The guard's own sockets, with real ones of this machine.
@Suite("Guard: sockets")
struct SocketTests {
    /// Keeps what it is told. Used on the loop only.
    private final class Recorder: SocketReceiver, @unchecked Sendable {
        var received = ByteBuffer()
        var ends = 0
        var failures: [any Error] = []
        var writability: [Bool] = []
        /// Called when something is received.
        var onReceive: (() -> Void)?
        var onEnd: (() -> Void)?

        func receive(_ bytes: ByteBuffer) {
            received.writeImmutableBuffer(bytes)
            onReceive?()
        }

        func socketFailed(_ error: any Error) { failures.append(error) }

        func socketEnded() {
            ends += 1
            onEnd?()
        }

        func socketIsWritable(_ isWritable: Bool) { writability.append(isWritable) }
    }

    /// Both ends of one connection.
    private struct Pair: Sendable {
        let loop: SocketLoop
        let near: SocketChannel
        let far: SocketChannel
        let nearby = Recorder()
        let remote = Recorder()

        func on<Value: Sendable>(_ body: @escaping @Sendable (Pair) throws -> Value) async throws -> Value {
            try await loop.submit { try body(self) }.get()
        }
    }

    private static func withLoop(_ body: (SocketLoop) async throws -> Void) async throws {
        let loop = try SocketLoop()
        do {
            try await body(loop)
        } catch {
            try await loop.shutdownGracefully()
            throw error
        }
        try await loop.shutdownGracefully()
    }

    private static func withPair(_ body: (Pair) async throws -> Void) async throws {
        try await withLoop { loop in
            let accepted = loop.makePromise(of: SocketChannel.self)
            let listener = try await SocketListener.listen("127.0.0.1", 0, on: loop) { accepted.succeed($0) }
            let port = try #require(listener.address?.port)
            let near = try await loop.flatSubmit { SocketDialer(loop: loop).dial("127.0.0.1", port) }.get()
            let pair = Pair(loop: loop, near: near, far: try await accepted.futureResult.get())
            listener.close()
            try await pair.on { pair in
                pair.near.receiver = pair.nearby
                pair.far.receiver = pair.remote
            }
            try await body(pair)
        }
    }

    private static func withUnixPair(_ body: (Pair) async throws -> Void) async throws {
        try await withLoop { loop in
            let pair = try await loop.submit {
                var ends: [Int32] = [-1, -1]
                let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
                _ = try SocketCalls.must(socketpair(AF_UNIX, kind, 0, &ends), "socketpair")
                let near = try SocketChannel(ends[0], peer: nil, on: loop)
                let pair = Pair(loop: loop, near: near, far: try SocketChannel(ends[1], peer: nil, on: loop))
                pair.near.receiver = pair.nearby
                pair.far.receiver = pair.remote
                return pair
            }.get()
            try await body(pair)
        }
    }

    private static func numbered(_ count: Int) -> ByteBuffer {
        var bytes = ByteBuffer()
        for number in 0..<count { bytes.writeInteger(UInt32(number)) }
        return bytes
    }

    @Test("what is sent arrives, in both directions")
    func bothWays() async throws {
        try await Self.withPair { pair in
            try await pair.on {
                $0.near.send(ByteBuffer(string: "question"))
                $0.far.send(ByteBuffer(string: "answer"))
            }
            try await eventually("both have it", every: .milliseconds(5)) {
                try await pair.on {
                    String(buffer: $0.remote.received) == "question" && String(buffer: $0.nearby.received) == "answer"
                } ? true : nil
            }
            let peer = try await pair.on { $0.far.remoteAddress }
            #expect(peer?.ipAddress == "127.0.0.1")
        }
    }

    @Test("a peer that does not read: what waits for it keeps its order, and the writer is told when it is too much")
    func backlog() async throws {
        // A Unix socket: how much it takes does not grow by itself.
        try await Self.withUnixPair { pair in
            let (pieces, size) = (64, 64 << 10)
            let all = Self.numbered(pieces * size / 4)
            let isWritable = try await pair.on { pair in
                pair.far.setReading(false)
                for index in 0..<pieces {
                    // A part of a larger buffer, as what is passed on usually is.
                    let part = try #require(all.getSlice(at: index * size, length: size))
                    pair.near.send(part)
                }
                return pair.near.isWritable
            }
            #expect(!isWritable)
            try await pair.on { $0.far.setReading(true) }
            try await eventually("everything has arrived", every: .milliseconds(5)) {
                try await pair.on { $0.remote.received.readableBytes == pieces * size } ? true : nil
            }
            let (received, writability) = try await pair.on { ($0.remote.received, $0.nearby.writability) }
            #expect(received == all)
            #expect(writability == [false, true])
        }
    }

    @Test("what a paused connection's peer said before it went is passed on, and then its end, once")
    func endWhilePaused() async throws {
        try await Self.withPair { pair in
            let all = Self.numbered(4_000)
            try await pair.on { pair in
                pair.far.setReading(false)
                pair.near.send(all)
                pair.near.close()
            }
            try await eventually("the end is told", every: .milliseconds(5)) {
                try await pair.on { $0.remote.ends > 0 } ? true : nil
            }
            let (received, ends, own) = try await pair.on { ($0.remote.received, $0.remote.ends, $0.nearby.ends) }
            #expect(received == all)
            #expect(ends == 1 && own == 1)
            try await pair.far.closeFuture.get()
        }
    }

    @Test("who leaves a slow peer is done at once; the peer gets all that it was sent")
    func leaving() async throws {
        try await Self.withUnixPair { pair in
            let all = Self.numbered(256 << 10)
            let (ends, isOpen) = try await pair.on { pair in
                pair.far.setReading(false)
                pair.near.send(all)
                pair.near.closeWhenSent()
                pair.near.closeWhenSent()
                pair.far.send(ByteBuffer(string: "not read any more"))
                return (pair.nearby.ends, pair.near.isOpen)
            }
            #expect(ends == 1 && isOpen)
            try await pair.on { $0.far.setReading(true) }
            try await eventually("all has arrived, and the end", every: .milliseconds(5)) {
                try await pair.on { $0.remote.ends == 1 } ? true : nil
            }
            #expect(try await pair.on { $0.remote.received } == all)
            #expect(try await pair.on { $0.nearby.received.readableBytes } == 0)
            try await pair.near.closeFuture.get()
        }
    }

    @Test("a peer that has ended its own side, or says ever more, gets all that it was sent before it was left")
    func leavingTheLoud() async throws {
        for isLoud in [false, true] {
            try await Self.withUnixPair { pair in
                let all = Self.numbered(256 << 10)
                try await pair.on { pair in
                    pair.far.setReading(false)
                    pair.near.send(all)
                    pair.near.closeWhenSent()
                    if isLoud {
                        for _ in 0..<20 { pair.far.send(all) }
                    } else {
                        SocketCalls.endWriting(pair.far.descriptor)
                    }
                    // What the other side says is told before the loop comes to this one.
                    pair.loop.execute { pair.loop.execute { pair.far.setReading(true) } }
                }
                try await eventually("all has arrived", every: .milliseconds(5)) {
                    try await pair.on { $0.remote.received.readableBytes == all.readableBytes } ? true : nil
                }
                #expect(try await pair.on { $0.remote.received } == all)
                if !isLoud { try await pair.near.closeFuture.get() }
            }
        }
    }

    @Test("a paused connection is given nothing")
    func paused() async throws {
        try await Self.withPair { pair in
            try await pair.on { pair in
                pair.far.setReading(false)
                pair.near.send(ByteBuffer(string: "early"))
            }
            // The same connection, the other way: by then the first has arrived.
            try await pair.on { $0.far.send(ByteBuffer(string: "back")) }
            try await eventually("the other way is open", every: .milliseconds(5)) {
                try await pair.on { $0.nearby.received.readableBytes == 4 } ? true : nil
            }
            #expect(try await pair.on { $0.remote.received.readableBytes } == 0)
            try await pair.on { $0.far.setReading(true) }
            try await eventually("it is given now", every: .milliseconds(5)) {
                try await pair.on { String(buffer: $0.remote.received) == "early" } ? true : nil
            }
        }
    }

    @Test("a write that fails is told later, never to whoever writes, and is the end")
    func failingWrite() async throws {
        try await Self.withPair { pair in
            try await pair.on { pair in
                // Unread bytes make its end a reset.
                pair.far.setReading(false)
                pair.near.send(ByteBuffer(string: "never read"))
            }
            let endsDuringWrites = try await pair.on { pair in
                pair.far.close()
                for _ in 0..<100 { pair.near.send(ByteBuffer(string: "to nobody")) }
                return pair.nearby.ends
            }
            #expect(endsDuringWrites == 0)
            try await eventually("it is told", every: .milliseconds(5)) {
                try await pair.on { $0.nearby.ends == 1 && !$0.near.isOpen } ? true : nil
            }
        }
    }

    @Test("who closes another connection while it is being told of its own saves it from being told any more")
    func closedInTheSameRound() async throws {
        try await Self.withPair { pair in
            try await pair.on { pair in
                pair.nearby.onReceive = { pair.far.close() }
                pair.remote.onReceive = { pair.near.close() }
                pair.near.send(ByteBuffer(string: "a"))
                pair.far.send(ByteBuffer(string: "b"))
            }
            try await eventually("both have ended", every: .milliseconds(5)) {
                try await pair.on { $0.nearby.ends == 1 && $0.remote.ends == 1 } ? true : nil
            }
            let bytes = try await pair.on { $0.nearby.received.readableBytes + $0.remote.received.readableBytes }
            #expect(bytes == 1, "the second heard of its bytes after its end")
            try await pair.on { pair in (pair.nearby.onReceive, pair.remote.onReceive) = (nil, nil) }
        }
    }

    @Test("who is paused while the kernel has told of its bytes already is given them later")
    func pausedInTheSameRound() async throws {
        try await Self.withPair { pair in
            try await pair.on { pair in
                pair.nearby.onReceive = { pair.far.setReading(false) }
                pair.remote.onReceive = { pair.near.setReading(false) }
                pair.near.send(ByteBuffer(string: "a"))
                pair.far.send(ByteBuffer(string: "b"))
            }
            let count: @Sendable (Pair) -> Int = {
                $0.nearby.received.readableBytes + $0.remote.received.readableBytes
            }
            try await eventually("one is told", every: .milliseconds(5)) {
                try await pair.on(count) > 0 ? true : nil
            }
            #expect(try await pair.on(count) == 1)
            try await pair.on { pair in
                (pair.nearby.onReceive, pair.remote.onReceive) = (nil, nil)
                for socket in [pair.near, pair.far] { socket.setReading(true) }
            }
            try await eventually("the other is told", every: .milliseconds(5)) {
                try await pair.on(count) == 2 ? true : nil
            }
        }
    }

    @Test("when a write fails, what the peer said before it went is passed on all the same")
    func lastWords() async throws {
        try await Self.withUnixPair { pair in
            // More than is read at once.
            let words = Self.numbered(25_000)
            try await pair.on { pair in
                pair.far.send(words)
                pair.far.close()
                pair.near.send(ByteBuffer(string: "one more question"))
            }
            try await eventually("the end is told", every: .milliseconds(5)) {
                try await pair.on { $0.nearby.ends == 1 } ? true : nil
            }
            #expect(try await pair.on { $0.nearby.received } == words)
        }
    }

    // MARK: Making connections

    @Test("a port where nobody listens is refused, in the system's words")
    func refused() async throws {
        try await Self.withLoop { loop in
            let listener = try await SocketListener.listen("127.0.0.1", 0, on: loop) { $0.close() }
            let port = try #require(listener.address?.port)
            listener.close()
            try await listener.closeFuture.get()
            let error = await #expect(throws: IOError.self) {
                try await loop.flatSubmit { SocketDialer(loop: loop).dial("127.0.0.1", port) }.get()
            }
            #expect(error.map(SystemWords.say) == "connection refused")
        }
    }

    @Test("a name is tried at each of its addresses")
    func named() async throws {
        try await Self.withLoop { loop in
            let listener = try await SocketListener.listen("127.0.0.1", 0, on: loop) { _ in }
            let port = try #require(listener.address?.port)
            // Often ::1 comes first.
            let socket = try await loop.flatSubmit { SocketDialer(loop: loop).dial("localhost", port) }.get()
            #expect(socket.remoteAddress?.ipAddress == "127.0.0.1")
            let error = await #expect(throws: SocketCalls.UnknownHost.self) {
                try await loop.flatSubmit { SocketDialer(loop: loop).dial("no.such.host.invalid", port) }.get()
            }
            #expect(error?.name == "no.such.host.invalid")
        }
    }

    /// The address of a listener that takes nobody: the kernel answers as many as its queue holds, and then no more.
    private static func withSilence(
        _ loop: SocketLoop, _ body: (SocketAddress) async throws -> Void
    ) async throws {
        let descriptor = try SocketCalls.listen(at: try SocketAddress(ipAddress: "127.0.0.1", port: 0), backlog: 0)
        defer { SocketCalls.close(descriptor) }
        let address = try #require(SocketCalls.localAddress(descriptor))
        for _ in 0..<8 {
            do {
                _ = try await dial([address], within: .milliseconds(50), on: loop)
            } catch ChannelError.connectTimeout {
                return try await body(address)
            }
        }
        Issue.record("the kernel answers for ever")
    }

    private static func dial(
        _ addresses: [SocketAddress], within span: TimeAmount, on loop: SocketLoop
    ) async throws -> SocketChannel {
        try await loop.flatSubmit { SocketDialer(loop: loop).dial(addresses, until: .now() + span) }.get()
    }

    @Test("who does not answer is not waited for longer than was said, nor when others are left to ask")
    func unanswered() async throws {
        try await Self.withLoop { loop in
            try await Self.withSilence(loop) { silent in
                let listener = try await SocketListener.listen("127.0.0.1", 0, on: loop) { _ in }
                let other = try #require(listener.address)
                let socket = try await Self.dial([silent, other], within: .hours(1), on: loop)
                #expect(socket.remoteAddress == other)
            }
        }
    }

    @Test("of several addresses that fail, the first tells why")
    func firstFailure() async throws {
        try await Self.withLoop { loop in
            let missing = try SocketAddress(unixDomainSocketPath: "/no/such/folder/socket")
            let listener = try await SocketListener.listen("127.0.0.1", 0, on: loop) { $0.close() }
            let closed = try #require(listener.address)
            listener.close()
            try await listener.closeFuture.get()
            for (addresses, words) in [
                ([missing, closed], "there is no such socket"), ([closed, missing], "connection refused"),
            ] {
                let error = await #expect(throws: IOError.self) {
                    _ = try await Self.dial(addresses, within: .seconds(10), on: loop)
                }
                #expect(error.map(SystemWords.say) == words)
            }
        }
    }

    @Test("a Unix socket is reached, and one that is not there is told of later, not in the middle of asking")
    func unixSocket() async throws {
        try await withTemporaryDirectory("guard-socket") { directory in
            try await Self.withLoop { loop in
                let place = try SocketAddress(unixDomainSocketPath: "\(directory)/.s.PGSQL.5432")
                let listener = try await loop.submit {
                    try SocketListener(at: place, on: loop, refused: { _ in }, accepted: { _ in })
                }.get()
                var target = Target(host: directory, port: 5_432)
                let there = target
                _ = try await loop.flatSubmit { Connector(loop: loop).connect(to: there) }.get()
                listener.close()

                target.host = "\(directory)/nowhere"
                let nowhere = target
                let (isTold, failed) = try await loop.submit {
                    let told = NIOLoopBoundBox(false, eventLoop: loop)
                    let made = Connector(loop: loop).connect(to: nowhere)
                    made.whenComplete { _ in told.value = true }
                    return (told.value, made)
                }.get()
                #expect(!isTold)
                await #expect(throws: IOError.self) { _ = try await failed.get() }
            }
        }
    }

    @Test("a port that is taken is told so")
    func taken() async throws {
        try await Self.withLoop { loop in
            let first = try await SocketListener.listen("127.0.0.1", 0, on: loop) { $0.close() }
            let port = try #require(first.address?.port)
            let error = await #expect(throws: IOError.self) {
                _ = try await SocketListener.listen("127.0.0.1", port, on: loop) { $0.close() }
            }
            #expect(error.map(SystemWords.say) == "the address is in use already")
        }
    }

    // MARK: The loop

    @Test("tasks and timers run in order, and a task that makes another for ever keeps no socket waiting")
    func order() async throws {
        try await Self.withPair { pair in
            let loop = pair.loop
            let said = Mutex<[String]>([])
            let say: @Sendable (String) -> Void = { word in said.withLock { $0.append(word) } }
            let last = try await loop.submit {
                let now = NIODeadline.now()
                loop.scheduleTask(deadline: now + .milliseconds(20)) { say("second") }
                loop.scheduleTask(deadline: now + .milliseconds(10)) { say("first") }
                loop.scheduleTask(deadline: now + .milliseconds(15)) { say("cancelled") }.cancel()
                return loop.scheduleTask(deadline: now + .milliseconds(20)) { say("third") }
            }.get()
            try await last.futureResult.get()
            #expect(said.withLock { $0 } == ["first", "second", "third"])

            let isOver = Atomic(false)
            @Sendable func again() { if !isOver.load(ordering: .relaxed) { loop.execute(again) } }
            loop.execute(again)
            try await pair.on { $0.near.send(ByteBuffer(string: "still here")) }
            try await eventually("bytes come through", every: .milliseconds(5)) {
                try await pair.on { $0.remote.received.readableBytes == 10 } ? true : nil
            }
            isOver.store(true, ordering: .relaxed)
        }
    }

    @Test("at its end connections are closed, and whoever waits for a time is told")
    func end() async throws {
        let loop = try SocketLoop()
        let accepted = loop.makePromise(of: SocketChannel.self)
        let listener = try await SocketListener.listen("127.0.0.1", 0, on: loop) { accepted.succeed($0) }
        let port = try #require(listener.address?.port)
        let near = try await loop.flatSubmit { SocketDialer(loop: loop).dial("127.0.0.1", port) }.get()
        let far = try await accepted.futureResult.get()
        let late = loop.scheduleTask(in: .hours(1)) {}
        let told = Mutex<[String]>([])
        far.closeFuture.whenComplete { _ in told.withLock { $0.append("closed") } }
        late.futureResult.whenFailure { error in told.withLock { $0.append("\(error)") } }
        try await loop.shutdownGracefully()
        #expect(told.withLock { Set($0) } == ["closed", "\(EventLoopError.shutdown)"])
        #expect(!near.isActive && !far.isActive)
        // Once more, as careful callers do.
        try await loop.shutdownGracefully()
    }

    @Test("at its end nothing new begins, and whoever waits for a connection is told; it may be ended by several")
    func endWithPlans() async throws {
        let loop = try SocketLoop()
        try await Self.withSilence(loop) { silent in
            let listener = try await SocketListener.listen("127.0.0.1", 0, on: loop) { _ in }
            let there = try #require(listener.address)
            let near = try await Self.dial([there], within: .seconds(10), on: loop)
            let told = Mutex<[String]>([])
            let dial: @Sendable (SocketAddress, String) -> Void = { address, name in
                SocketDialer(loop: loop).dial([address], until: .now() + .hours(1)).whenFailure { _ in
                    told.withLock { $0.append(name) }
                }
            }
            try await loop.submit {
                let recorder = Recorder()
                recorder.onEnd = { dial(there, "begun at the end") }
                near.receiver = recorder
                dial(silent, "never answered")
            }.get()
            async let one: Void = loop.shutdownGracefully()
            async let other: Void = loop.shutdownGracefully()
            _ = try await (one, other)
            #expect(told.withLock { Set($0) } == ["never answered", "begun at the end"])
        }
    }
}
