import NIOCore
import NIOPosix
import Testing

@testable import Guard

/// The way out of a connection, on real sockets.
@Suite("Outlet")
struct OutletTests {
    /// Keeps what it is given until it is told to read.
    private final class Reader: ChannelInboundHandler, @unchecked Sendable {
        typealias InboundIn = ByteBuffer

        var received = ByteBuffer()

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            received.writeBuffer(&bytes)
        }
    }

    /// The end that writes.
    private final class Writer: ChannelInboundHandler, @unchecked Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        let outlet = Outlet()
        var context: ChannelHandlerContext?

        func handlerAdded(context: ChannelHandlerContext) { self.context = context }

        func channelInactive(context: ChannelHandlerContext) { outlet.shut() }
    }

    /// Two ends of a connection on one loop, whose reading end reads nothing until it is asked to.
    private func connected(
        _ body: (_ loop: any EventLoop, Writer, Reader, _ ends: (writing: any Channel, reading: any Channel))
            async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let (writer, reader) = (Writer(), Reader())
        let accepted = loop.makePromise(of: (any Channel).self)
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.socketOption(.so_rcvbuf), value: 131_072)
            .childChannelInitializer { channel in
                accepted.succeed(channel)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(reader)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let client = try await ClientBootstrap(group: group)
            .channelOption(.socketOption(.so_sndbuf), value: 65_536)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(writer) }
            }
            .connect(to: #require(server.localAddress)).get()
        try await body(loop, writer, reader, (client, accepted.futureResult.get()))
        try await server.close()
        try await group.shutdownGracefully()
    }

    /// Whether the socket was found.
    private static func open(_ writer: Writer, _ loop: any EventLoop) async throws -> Bool {
        try await loop.submit {
            if let context = writer.context { writer.outlet.open(writing: ByteBuffer(), context) }
        }.get()
        return try await loop.submit { writer.outlet.isDirect }.get()
    }

    #if os(Linux)
        @Test("the socket of a plain connection is found")
        func finds() async throws {
            try await connected { loop, writer, _, ends in
                #expect(try await Self.open(writer, loop))
                try await ends.writing.close()
                let isStillDirect = try await loop.submit { writer.outlet.isDirect }.get()
                #expect(!isStillDirect)
            }
        }
    #endif

    @Test("bytes arrive in order, whether the socket takes them or the channel has to keep them")
    func order() async throws {
        let (count, size) = (600, 8_192)
        try await connected { loop, writer, reader, ends in
            _ = try await Self.open(writer, loop)
            try await ends.reading.setOption(.autoRead, value: true).get()
            // Many turns of the loop, so that the socket has room again while the channel still keeps something.
            for first in stride(from: 0, to: count, by: 20) {
                try await loop.submit {
                    for number in first..<first + 20 {
                        var bytes = ByteBuffer()
                        for _ in 0..<size / 8 { bytes.writeInteger(number) }
                        writer.outlet.write(bytes, writer.context)
                    }
                }.get()
            }
            while try await loop.submit({ reader.received.readableBytes }).get() < count * size {
                try await Task.sleep(for: .milliseconds(5))
            }
            let isSorted = try await loop.submit {
                (0..<count * size / 8).allSatisfy {
                    reader.received.getInteger(at: $0 * 8, as: Int.self) == $0 / (size / 8)
                }
            }.get()
            #expect(isSorted)
            try await ends.writing.close()
        }
    }

    @Test("a connection that ends soon is spared the search for its socket")
    func soon() async throws {
        try await connected { loop, writer, _, ends in
            let direct = try await loop.submit {
                writer.outlet.openSoon()
                return (0..<9).map { _ in
                    writer.outlet.write(ByteBuffer(integer: 1), writer.context)
                    return writer.outlet.isDirect
                }
            }.get()
            #expect(direct.prefix(7).allSatisfy { !$0 })
            #if os(Linux)
                #expect(direct.last == true)
            #endif
            try await ends.writing.close()
        }
    }

    @Test("a write to a connection that the other end has closed ends the channel, as the channel's own would")
    func broken() async throws {
        try await connected { loop, writer, _, ends in
            _ = try await Self.open(writer, loop)
            // Data that nobody reads makes the close a reset.
            try await loop.submit { writer.outlet.write(ByteBuffer(repeating: 1, count: 100), writer.context) }.get()
            try await ends.reading.close()
            while ends.writing.isActive {
                try await loop.submit { writer.outlet.write(ByteBuffer(integer: 1), writer.context) }.get()
            }
            let isDirect = try await loop.submit { writer.outlet.isDirect }.get()
            #expect(!isDirect)
        }
    }
}
