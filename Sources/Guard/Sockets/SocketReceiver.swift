import NIOCore

/// Who is told what happens to a connection, in calls of its loop.
protocol SocketReceiver: AnyObject {
    /// - Parameter bytes: shared by all connections: whatever is kept of them has to be copied before this returns.
    func receive(_ bytes: ByteBuffer)

    /// Something went wrong; the connection may go on, or its end follows.
    func socketFailed(_ error: any Error)

    /// It is closed, by whomever.
    func socketEnded()

    /// Whether more should be written, or too much waits for the peer already.
    func socketIsWritable(_ isWritable: Bool)
}

extension SocketReceiver {
    func socketIsWritable(_ isWritable: Bool) {}
}

/// Between TLS and a connection's receiver.
final class SocketPassage: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private unowned let socket: SocketChannel
    private var context: ChannelHandlerContext?

    init(_ socket: SocketChannel) {
        self.socket = socket
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func write(_ bytes: ByteBuffer) {
        // Encryption may keep it for a while.
        context?.writeAndFlush(wrapOutboundOut(bytes.copied), promise: nil)
    }

    func close() {
        context?.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        socket.receiver?.receive(unwrapInboundIn(data))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        socket.receiver?.socketFailed(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        socket.tellEnd()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        socket.receiver?.socketIsWritable(socket.isWritable)
    }
}
