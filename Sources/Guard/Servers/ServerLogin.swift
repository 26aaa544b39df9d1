import NIOCore
import PGWire

/// Logs in to a server, and no more: to know whether it can be used.
final class ServerLogin: SocketReceiver {
    private var start: ServerStart
    private let connector: Connector
    private var input = ByteBuffer()
    private var socket: SocketChannel?
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
        connector.connect(to: target).whenComplete { result in
            switch result {
            case .success(let socket): bound.value.begin(socket)
            case .failure(let error): bound.value.finish(.failure(error))
            }
        }
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
        socket?.close()
    }

    private func begin(_ socket: SocketChannel) {
        // It took too long.
        guard promise != nil else { return socket.close() }
        self.socket = socket
        socket.receiver = self
        socket.send(start.begin(isEncrypted: socket.isEncrypted))
    }

    func receive(_ bytes: ByteBuffer) {
        input.writeImmutableBuffer(bytes)
        switch start.receive(&input) {
        case .wait: break
        case .send(let bytes): socket?.send(bytes)
        case .done(let done): finish(.success(done.parameters))
        case .fail(let error): finish(.failure(error))
        }
    }

    func socketEnded() {
        socket = nil
        finish(.failure(WireError(.internalFault, sqlState: "08006", "it closed the connection")))
    }

    func socketFailed(_ error: any Error) {
        finish(.failure(error))
        close()
    }
}
