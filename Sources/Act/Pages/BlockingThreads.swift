import Dispatch
import Synchronization

/// Threads for calls that block, so that they hold up none of Swift's. A thread lives only while it has work; what
/// comes while all are busy waits in order for the first that becomes free. Callers bound how much that can be.
final class BlockingThreads: Sendable {
    typealias Work = @Sendable () -> Void

    private struct State {
        /// Each is one thread at most, and in this list only while it has nothing to do.
        var free: [DispatchQueue]
        var waiting: [Work] = []
    }

    private let state: Mutex<State>

    init(label: String, count: Int) {
        state = Mutex(State(free: (0..<max(1, count)).map { DispatchQueue(label: "\(label).\($0)") }))
    }

    func submit(_ work: @escaping Work) {
        let queue = state.withLock { state -> DispatchQueue? in
            guard let queue = state.free.popLast() else {
                state.waiting.append(work)
                return nil
            }
            return queue
        }
        guard let queue else { return }
        queue.async { self.run(work, on: queue) }
    }

    private func run(_ work: Work, on queue: DispatchQueue) {
        work()
        while let next = next(for: queue) { next() }
    }

    /// The work that has waited longest; without any, the queue is free again.
    private func next(for queue: DispatchQueue) -> Work? {
        state.withLock { state in
            if !state.waiting.isEmpty { return state.waiting.removeFirst() }
            state.free.append(queue)
            return nil
        }
    }
}
