/// A database with a CPU: every statement runs at full speed up to `knee` at a time, and at `knee/n` past it, as
/// statements that share processors do. Time in nanoseconds.
///
/// Work is measured on one shared scale that advances at the common speed, so that a statement ends when the scale has
/// advanced by its work, and speed may change at any time without touching the statements.
struct SimulatedDatabase {
    private struct Job {
        var end: Double
        var request: Int
    }

    var knee: Double
    /// 3: everything takes three times as long.
    var slowdown = 1.0
    private(set) var running = 0
    private var scale = 0.0
    private var at: Int64 = 0
    private var heap: [Job] = []
    private var cancelled: Set<Int> = []
    private var alive: Set<Int> = []

    init(knee: Double) {
        self.knee = knee
    }

    private var speed: Double { min(1, knee / Double(max(1, running))) / slowdown }

    mutating func advance(to now: Int64) {
        scale += Double(now - at) * speed
        at = now
    }

    mutating func start(_ request: Int, work: Double) {
        running += 1
        alive.insert(request)
        heap.append(Job(end: scale + work, request: request))
        var place = heap.count - 1
        while place > 0, heap[place].end < heap[(place - 1) / 2].end {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// False when it had ended already.
    mutating func cancel(_ request: Int) -> Bool {
        guard alive.remove(request) != nil else { return false }
        cancelled.insert(request)
        running -= 1
        return true
    }

    /// When the next statement ends, if nothing changes.
    mutating func nextEnd() -> Int64? {
        while let first = heap.first, cancelled.remove(first.request) != nil { pop() }
        guard let first = heap.first else { return nil }
        return at + max(0, Int64(((first.end - scale) / speed).rounded(.up)))
    }

    mutating func takeEnded() -> Int {
        let request = heap[0].request
        pop()
        running -= 1
        alive.remove(request)
        return request
    }

    private mutating func pop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, heap[child + 1].end < heap[child].end { child += 1 }
            guard heap[child].end < heap[place].end else { return }
            heap.swapAt(place, child)
            place = child
        }
    }
}

struct SimulationDice {
    private var state: UInt64

    init(seed: Int) {
        state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    /// 0 ..< 1
    mutating func share() -> Double {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Double(state >> 11) / 9_007_199_254_740_992
    }

    mutating func number(_ limit: Int) -> Int { Int(share() * Double(limit)) }

    mutating func within(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + share() * (range.upperBound - range.lowerBound)
    }
}

/// Things to come, earliest first.
struct Agenda<Element> {
    private var heap: [(time: Int64, order: Int, element: Element)] = []
    private var order = 0

    var next: Int64? { heap.first?.time }

    private func isBefore(_ one: Int, _ other: Int) -> Bool {
        heap[one].time != heap[other].time ? heap[one].time < heap[other].time : heap[one].order < heap[other].order
    }

    mutating func add(_ element: Element, at time: Int64) {
        order += 1
        heap.append((time, order, element))
        var place = heap.count - 1
        while place > 0, isBefore(place, (place - 1) / 2) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func take() -> Element {
        heap.swapAt(0, heap.count - 1)
        let taken = heap.removeLast()
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { return taken.element }
            if child + 1 < heap.count, isBefore(child + 1, child) { child += 1 }
            guard isBefore(child, place) else { return taken.element }
            heap.swapAt(place, child)
            place = child
        }
    }
}
