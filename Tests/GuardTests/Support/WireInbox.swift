import EndToEndSupport
import NIOCore

/// One message of a server.
struct WireFrame: Sendable {
    var type: Character
    var payload: ByteBuffer
}

/// What a test's client was sent and did not read yet. On its channel's event loop.
final class WireInbox: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    enum Wish {
        /// As PostgreSQL answers a request for encryption.
        case byte
        case frame
    }

    /// How long something may take that has to come at all.
    static let patience = TimeAmount.seconds(60)

    private var bytes = ByteBuffer()
    private var isClosed = false
    private var failure: (any Error)?
    private var waiting: (wish: Wish, promise: EventLoopPromise<WireFrame?>)?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        bytes.writeBuffer(&buffer)
        serve()
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed = true
        serve()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = error
        context.close(promise: nil)
    }

    /// The next frame; nil at the connection's end. A frame cut short by the end is an error.
    func next(_ wish: Wish, on loop: any EventLoop) -> EventLoopFuture<WireFrame?> {
        let promise = loop.makePromise(of: WireFrame?.self)
        waiting = (wish, promise)
        let alarm = loop.scheduleTask(in: Self.patience) { promise.fail(Complaint("nothing came from the guard")) }
        promise.futureResult.whenComplete { _ in alarm.cancel() }
        serve()
        return promise.futureResult
    }

    private func serve() {
        guard let (wish, promise) = waiting else { return }
        if let frame = take(wish) {
            waiting = nil
            promise.succeed(frame)
        } else if isClosed {
            waiting = nil
            if let failure, bytes.readableBytes == 0, !Self.isReset(failure) { return promise.fail(failure) }
            if bytes.readableBytes > 0 { return promise.fail(Complaint("the guard stopped inside a message")) }
            promise.succeed(nil)
        }
    }

    /// The peer may close with our bytes unread.
    private static func isReset(_ error: any Error) -> Bool { (error as? IOError)?.errnoCode == 104 }

    private func take(_ wish: Wish) -> WireFrame? {
        let start = bytes.readerIndex
        switch wish {
        case .byte:
            guard let byte = bytes.readInteger(as: UInt8.self) else { return nil }
            return WireFrame(type: Character(Unicode.Scalar(byte)), payload: ByteBuffer())
        case .frame:
            guard let type = bytes.getInteger(at: start, as: UInt8.self),
                let length = bytes.getInteger(at: start + 1, as: Int32.self), bytes.readableBytes > Int(length)
            else { return nil }
            bytes.moveReaderIndex(forwardBy: 5)
            return WireFrame(
                type: Character(Unicode.Scalar(type)), payload: bytes.readSlice(length: Int(length) - 4) ?? ByteBuffer()
            )
        }
    }
}
