/// The planned starts, earliest first: a binary heap, so that thousands of checks cost no more than a few comparisons
/// a start.
package struct StartQueue: Hashable, Sendable {
    package struct Start: Hashable, Sendable {
        package var id: String
        package var at: Instant

        package init(id: String, at: Instant) {
            self.id = id
            self.at = at
        }
    }

    private var heap: [Start] = []

    package init() {}

    package init(_ starts: some Sequence<Start>) {
        for start in starts { insert(start) }
    }

    package var first: Start? { heap.first }
    package var count: Int { heap.count }
    /// In no order.
    package var all: [Start] { heap }

    package mutating func insert(_ start: Start) {
        heap.append(start)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.isEarlier(heap[child], heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Removes the earliest start if its time has come.
    package mutating func pop(at now: Instant) -> Start? {
        guard let first = heap.first, first.at <= now else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var earliest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if Self.isEarlier(heap[child], heap[earliest]) { earliest = child }
            }
            guard earliest != parent else { return first }
            heap.swapAt(parent, earliest)
            parent = earliest
        }
    }

    private static func isEarlier(_ left: Start, _ right: Start) -> Bool {
        left.at != right.at ? left.at < right.at : left.id < right.id
    }
}
