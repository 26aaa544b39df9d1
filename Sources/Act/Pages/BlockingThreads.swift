import Dispatch
import Synchronization

/// Threads for calls that block, so that they hold up none of Swift's. A thread lives only while it has work; work beyond
/// their number waits for the thread with the least of it.
final class BlockingThreads: Sendable {
    private let queues: [DispatchQueue]
    private let load: Mutex<[Int]>

    init(label: String, count: Int) {
        queues = (0..<max(1, count)).map { DispatchQueue(label: "\(label).\($0)") }
        load = Mutex(Array(repeating: 0, count: max(1, count)))
    }

    func submit(_ body: @escaping @Sendable () -> Void) {
        let index = load.withLock { load in
            let index = load.indices.min { load[$0] < load[$1] } ?? 0
            load[index] += 1
            return index
        }
        queues[index].async { [self] in
            body()
            load.withLock { $0[index] -= 1 }
        }
    }
}
