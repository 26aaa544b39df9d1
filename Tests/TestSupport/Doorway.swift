import Dispatch
import Synchronization

/// A door between a test and a body that runs on a driver's own thread (which, unlike the test, may block).
package final class Doorway: Sendable {
    private let opened = DispatchSemaphore(value: 0)
    private let arrived = Mutex((count: 0, waiters: [CheckedContinuation<Void, Never>]()))

    package init() {}

    /// From the body: says that it is here and waits to be let on.
    package func pass() {
        let waiters = arrived.withLock { arrived in
            arrived.count += 1
            defer { arrived.waiters = [] }
            return arrived.waiters
        }
        for waiter in waiters { waiter.resume() }
        opened.wait()
    }

    /// From the test: waits for a body to be at the door.
    package func arrival() async {
        await withCheckedContinuation { continuation in
            let isHere = arrived.withLock { arrived in
                if arrived.count > 0 { return true }
                arrived.waiters.append(continuation)
                return false
            }
            if isHere { continuation.resume() }
        }
    }

    package func open() { opened.signal() }
}

/// Lets other tasks run until `condition` holds; the test's time limit ends it when it never does.
package func until(_ condition: () -> Bool) async {
    while !condition() { await Task.yield() }
}
