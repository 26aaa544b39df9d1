import Synchronization

/// Bounds the number of streams that are open at once.
package final class StreamSlots: Sendable {
    private let limit: Int
    private let state = Mutex(0)

    package init(limit: Int) {
        self.limit = limit
    }

    package var taken: Int { state.withLock { $0 } }

    /// A slot, given back when the last reference to it goes away: a response whose body is never written must not
    /// keep it.
    /// - Throws: `Problem` 503 when all are taken.
    func take() throws -> Slot {
        let isFree = state.withLock { taken in
            guard taken < limit else { return false }
            taken += 1
            return true
        }
        guard isFree else { throw Problem.unavailable("All \(limit) streams are taken.") }
        return Slot(self)
    }

    fileprivate func giveBack() {
        state.withLock { $0 -= 1 }
    }

    final class Slot: Sendable {
        private let slots: StreamSlots

        fileprivate init(_ slots: StreamSlots) {
            self.slots = slots
        }

        deinit { slots.giveBack() }
    }
}
