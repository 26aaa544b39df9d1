import EndToEndSupport
import NIOCore
import Synchronization
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
        /// Called with everything that is received.
        var onReceive: (() -> Void)?

        func receive(_ bytes: ByteBuffer) {
            received.writeImmutableBuffer(bytes)
            onReceive?()
        }

        func socketFailed(_ error: any Error) { failures.append(error) }

        func socketEnded() { ends += 1 }

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
        try await Self.withPair { pair in
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

    @Test("who does not answer is not waited for longer than was said")
    func unanswered() async throws {
        try await Self.withLoop { loop in
            // A listener that takes nobody: the kernel answers as many as its queue holds, and then no more.
            let descriptor = try SocketCalls.listen(at: try SocketAddress(ipAddress: "127.0.0.1", port: 0), backlog: 0)
            defer { SocketCalls.close(descriptor) }
            let address = try #require(SocketCalls.localAddress(descriptor))
            var isLate = false
            for _ in 0..<8 where !isLate {
                do {
                    _ = try await loop.flatSubmit {
                        SocketDialer(loop: loop).attempt(address, within: .milliseconds(50))
                    }.get()
                } catch ChannelError.connectTimeout {
                    isLate = true
                }
            }
            #expect(isLate)
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
}
