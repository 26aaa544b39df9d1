import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import ServiceLifecycle
import Synchronization

/// Server-sent events (WHATWG HTML §9.2).
enum EventStream {
    static let keepAlive = ByteBuffer(string: ": keep-alive\n\n")

    /// One event. `data` must be one line, which compact JSON is.
    static func frame(event: String, id: String, data: some Sequence<UInt8>) -> ByteBuffer {
        var frame = ByteBuffer(string: "event: \(event)\nid: \(id)\ndata: ")
        frame.writeBytes(data)
        frame.writeString("\n\n")
        return frame
    }

    /// Closes the connection of a client that did not take what it was sent.
    private struct Interrupted: Error {}

    /// Answers with a stream that `produce` writes until the client goes, stalls, or the server shuts down.
    static func response(
        to request: Request, slot: StreamSlots.Slot, patience: Span,
        _ produce: @escaping @Sendable (EventWriter) async throws -> Void
    ) -> Response {
        let body = ResponseBody { writer in
            defer { withExtendedLifetime(slot) {} }
            let events = EventWriter(writer)
            try await cancelWhenGracefulShutdown {
                try await whileOpen(request) { try await drop(stalled: events, after: patience, produce) }
            }
            // Ending an answer waits until the client has taken all of it, which a stalled one never does.
            guard !events.wasInterrupted else { throw Interrupted() }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-store",
                // Proxies that buffer would hold events back.
                HTTPField.Name("X-Accel-Buffering")!: "no",
            ], body: body)
    }

    /// Runs `body` until it ends or the client closes its connection.
    private static func whileOpen(_ request: Request, _ body: @escaping @Sendable () async throws -> Void) async throws
    {
        let (closed, closer) = AsyncStream.makeStream(of: Void.self)
        try await request.body.consumeWithInboundCloseHandler { _ in
            try await firstOf(body) { for await _ in closed {} }
        } onInboundClosed: {
            closer.finish()
        }
    }

    private static func drop(
        stalled events: EventWriter, after patience: Span,
        _ produce: @escaping @Sendable (EventWriter) async throws -> Void
    ) async throws {
        try await firstOf {
            try await produce(events)
        } _: {
            while !events.hasStalled(for: patience.duration) { try await Task.sleep(for: patience.duration / 4) }
        }
    }

    private static func firstOf(
        _ one: @escaping @Sendable () async throws -> Void, _ other: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await one() }
            group.addTask { try await other() }
            defer { group.cancelAll() }
            do { try await group.next() } catch is CancellationError {}
        }
    }
}

/// Writes to one stream, and knows since when a write has been waiting for the client.
///
/// Unchecked: `ResponseBodyWriter` is not marked Sendable, but is only ever used by one task at a time, the producer.
final class EventWriter: @unchecked Sendable {
    private var writer: any ResponseBodyWriter
    private let waitingSince = Mutex<ContinuousClock.Instant?>(nil)
    private let interrupted = Mutex(false)

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    func write(_ frame: ByteBuffer) async throws {
        waitingSince.withLock { $0 = .now }
        defer {
            waitingSince.withLock { $0 = nil }
            if Task.isCancelled { interrupted.withLock { $0 = true } }
        }
        try await writer.write(frame)
    }

    /// Whether a write was still waiting for the client when the stream was told to end.
    var wasInterrupted: Bool { interrupted.withLock { $0 } }

    func hasStalled(for patience: Duration) -> Bool {
        waitingSince.withLock { $0.map { ContinuousClock.now - $0 > patience } ?? false }
    }
}
