import AsyncHTTPClient
import Decide
import Foundation
import HTTPTypes
import Hummingbird
import Interop
import Logging
import MainstayKit
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

/// A Mainstay server for tests: a real one over HTTP, on a port of its own, that answers as it is told.
final class FakeMainstay: Sendable {
    struct State {
        /// Shutting down: streams end as soon as they are opened.
        var isStopping = false
        var definitions: [UInt8]?
        var subscribers: [Int: AsyncStream<String>.Continuation] = [:]
        var connections = 0
        var authorizations: Set<String> = []
        var services: Set<String> = []
        /// Statuses of the next answers to exposures; 202 when empty.
        var exposureStatuses: [HTTPResponse.Status] = []
        var batches: [JSONValue] = []
        /// Of the batches answered with success, each id once: as the real server knows a repetition.
        var accepted: [JSONValue] = []
        var reportStatus = HTTPResponse.Status.created
        var reports: [JSONValue] = []
    }

    let state = Mutex(State())

    /// Serves while `body` runs, then shuts down whatever is still open.
    func serve<Result: Sendable>(
        port: Int = 0, _ body: (_ port: Int) async throws -> Result
    ) async throws -> Result {
        let (ports, ready) = AsyncStream<Int>.makeStream()
        var logger = Logger(label: "fake-mainstay")
        logger.logLevel = .critical
        let application = Application(
            router: router(), configuration: .init(address: .hostname("127.0.0.1", port: port), reuseAddress: true),
            onServerRunning: { channel in
                ready.yield(channel.localAddress?.port ?? 0)
                ready.finish()
            }, logger: logger)
        state.withLock { $0.isStopping = false }
        let services = ServiceGroup(services: [application], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { ready.finish() }
                try await services.run()
            }
            do {
                guard let port = await ports.first(where: { _ in true }) else { throw NotReached() }
                let result = try await body(port)
                try await stop(services, &group)
                return result
            } catch {
                try await stop(services, &group)
                throw error
            }
        }
    }

    /// Gracefully: a server that is cancelled drops connections it has accepted and not yet taken up, at which NIO
    /// stops the process.
    private func stop(_ services: ServiceGroup, _ group: inout ThrowingTaskGroup<Void, any Error>) async throws {
        state.withLock { $0.isStopping = true }
        dropStreams()
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
    }

    /// A free port for servers that come and go, below those that the system gives to others in the meantime.
    static func fixedPort() async throws -> Int {
        let first = Int(ProcessInfo.processInfo.processIdentifier) % 10_000
        for offset in 0..<200 {
            let port = 20_000 + (first + offset) % 10_000
            do {
                return try await FakeMainstay().serve(port: port) { $0 }
            } catch {
                continue
            }
        }
        throw NotReached()
    }

    func publish(_ set: FlagSet) { publish(FlagdCodec.encode(set)) }

    func publish(_ bytes: [UInt8]) {
        state.withLock { state in
            state.definitions = bytes
            for subscriber in state.subscribers.values { subscriber.yield(Self.event(bytes)) }
        }
    }

    /// What the next connection gets first.
    func prepare(_ set: FlagSet) { state.withLock { $0.definitions = FlagdCodec.encode(set) } }

    func dropStreams() {
        state.withLock { state in
            for subscriber in state.subscribers.values { subscriber.finish() }
            state.subscribers = [:]
        }
    }

    private static func event(_ bytes: [UInt8]) -> String {
        "event: flags\nid: 1\ndata: \(String(decoding: bytes, as: UTF8.self))\n\n"
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/api/v1/flags/stream") { request, _ in
            let service = request.uri.queryParameters["service"].map(String.init) ?? ""
            let events = self.subscribe(request.headers[.authorization] ?? "", service)
            return Response(
                status: .ok, headers: [.contentType: "text/event-stream"],
                body: ResponseBody { writer in
                    for await event in events { try await writer.write(ByteBuffer(string: event)) }
                    try await writer.finish(nil)
                })
        }
        router.post("/api/v1/exposures") { request, _ in
            let batch = try await Self.json(request)
            let status = self.state.withLock { state in
                let status = state.exposureStatuses.isEmpty ? .accepted : state.exposureStatuses.removeFirst()
                state.batches.append(batch)
                let isKnown = state.accepted.contains { $0["batch"] == batch["batch"] }
                if status == .accepted, !isKnown { state.accepted.append(batch) }
                return status
            }
            return Response(status: status)
        }
        router.post("/api/v1/reports") { request, _ in
            let report = try await Self.json(request)
            let status = self.state.withLock { state in
                state.reports.append(report)
                return state.reportStatus
            }
            return Response(
                status: status, body: .init(byteBuffer: ByteBuffer(string: #"{"title":"T","detail":"Too many."}"#)))
        }
        return router
    }

    private func subscribe(_ authorization: String, _ service: String) -> AsyncStream<String> {
        let (events, continuation) = AsyncStream<String>.makeStream()
        state.withLock { state in
            state.connections += 1
            if state.isStopping { return continuation.finish() }
            state.authorizations.insert(authorization)
            state.services.insert(service)
            state.subscribers[state.connections] = continuation
            continuation.yield(": welcome\n\n")
            if let definitions = state.definitions { continuation.yield(Self.event(definitions)) }
        }
        return events
    }

    private static func json(_ request: Request) async throws -> JSONValue {
        let body = try await request.body.collect(upTo: 4 * 1_024 * 1_024)
        return try JSONValue(parsing: Array(body.readableBytesView))
    }
}

/// Waits until something is so; fails after a time that no working machine needs.
func eventually(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("not reached: \(what)", sourceLocation: sourceLocation)
    throw NotReached()
}

struct NotReached: Error {}
