import NIOCore
import PGWire

/// Logs in to a server, and no more: to know whether it can be used.
final class ServerLogin: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var start: ServerStart
    private let connector: Connector
    private var input = ByteBuffer()
    private var context: ChannelHandlerContext?
    private var promise: EventLoopPromise<[String: String]>?

    init(start: ServerStart, connector: Connector) {
        self.start = start
        self.connector = connector
    }

    /// Ends with what the server reports of its settings.
    func run(_ target: Target, on loop: any EventLoop) -> EventLoopFuture<[String: String]> {
        let promise = loop.makePromise(of: [String: String].self)
        self.promise = promise
        let bound = NIOLoopBound(self, eventLoop: loop)
        connector.connect(to: target) { try $0.pipeline.syncOperations.addHandler(bound.value) }
            .whenFailure { bound.value.finish(.failure($0)) }
        loop.scheduleTask(in: .seconds(10)) {
            bound.value.finish(.failure(WireError(.internalFault, sqlState: "08006", "no answer in time")))
        }
        return promise.futureResult
    }

    private func finish(_ result: Result<[String: String], any Error>) {
        promise?.completeWith(result)
        promise = nil
    }

    func close() {
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) { begin(context) }

    private var hasBegun = false

    private func begin(_ context: ChannelHandlerContext) {
        guard !hasBegun else { return }
        hasBegun = true
        let bytes = start.begin(isEncrypted: connector.isEncrypted(context.pipeline))
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        input.writeBuffer(&buffer)
        switch start.receive(&input) {
        case .wait: break
        case .send(let bytes): context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        case .done(let done): finish(.success(done.parameters))
        case .fail(let error): finish(.failure(error))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.failure(WireError(.internalFault, sqlState: "08006", "it closed the connection")))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.failure(error))
        context.close(promise: nil)
    }
}
