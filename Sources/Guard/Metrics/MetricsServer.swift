import NIOCore
import NIOHTTP1

/// `GET /metrics`, for a guard that runs alone.
enum MetricsServer {
    /// - Parameter render: called on the server's event loop.
    static func listen(
        _ address: GuardSettings.Address, on loop: SocketLoop, render: @escaping @Sendable () -> String
    ) async throws -> SocketListener {
        try await SocketListener.listen(address.host, address.port, on: loop) { socket in
            do {
                try socket.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                try socket.pipeline.syncOperations.addHandler(MetricsHandler(render: render))
                socket.pipeline.syncOperations.fireChannelActive()
            } catch {
                socket.close()
            }
        }
    }
}

private final class MetricsHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let render: @Sendable () -> String
    private var isMetrics = false
    private var patience: Scheduled<Void>?

    /// For the whole of a request: nobody keeps a connection by saying nothing.
    private static let longest = TimeAmount.seconds(10)

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        patience = context.eventLoop.scheduleTask(in: Self.longest) { bound.value.close(promise: nil) }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        patience?.cancel()
        context.fireChannelInactive()
    }

    init(render: @escaping @Sendable () -> String) {
        self.render = render
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            isMetrics = head.method == .GET && head.uri.prefix { $0 != "?" } == "/metrics"
        case .body:
            break
        case .end:
            answer(context)
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        let body = ByteBuffer(string: isMetrics ? render() : "The guard's figures are at /metrics.\n")
        let headers: HTTPHeaders = [
            "content-type": "text/plain; version=0.0.4; charset=utf-8", "content-length": "\(body.readableBytes)",
            "connection": "close",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: isMetrics ? .ok : .notFound, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in bound.value.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
