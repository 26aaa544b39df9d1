import Decide
import Synchronization

/// Tells those who wait inside this process that something was committed. A signal is only a hint to look: it is
/// never the carrier of what happened, so losing one delays and never loses.
package final class Signals: Sendable {
    package enum Signal: Hashable, Sendable {
        case timeline
        case outbox(Effect.Lane)
        case due
        case flags(service: String)
        case samples
        case guardRules
    }

    private struct State {
        var next = 0
        var listeners: [Int: AsyncStream<Signal>.Continuation] = [:]
    }

    private let state = Mutex(State())

    init() {}

    package func send(_ signal: Signal) {
        let listeners = state.withLock { Array($0.listeners.values) }
        for listener in listeners { listener.yield(signal) }
    }

    /// All signals from now on; at most `limit` wait unread, older ones are dropped first.
    package func stream(limit: Int = 64) -> AsyncStream<Signal> {
        let (stream, continuation) = AsyncStream.makeStream(of: Signal.self, bufferingPolicy: .bufferingNewest(limit))
        let id = state.withLock { state in
            state.next += 1
            state.listeners[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.listeners.removeValue(forKey: id) }
        }
        return stream
    }
}
