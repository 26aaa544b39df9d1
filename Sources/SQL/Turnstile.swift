import Dispatch
import Synchronization

/// Lets at most `slots` callers through at a time; the others wait in a bounded line, first come first served.
///
/// A slot is a number below `slots`; its holder owns the connection of that number. The slot given back last is given
/// out first, so that a quiet program keeps few connections open.
final class Turnstile: Sendable {
    struct Limits: Sendable {
        var slots: Int
        var waiting: Int
        var waitMilliseconds: Int64
    }

    private struct Waiter {
        let id: UInt64
        let deadline: ContinuousClock.Instant
        let continuation: CheckedContinuation<Int, any Error>
    }

    private struct State {
        var free: [Int]
        var waiters: [Waiter] = []
        var lastId: UInt64 = 0
        /// Cancelled between getting an id and joining the line.
        var cancelled: Set<UInt64> = []
        var isClosed = false
        var closers: [CheckedContinuation<Void, Never>] = []
        var plannedSweep: ContinuousClock.Instant?
    }

    private enum Admission {
        case slot(Int)
        case refused(any Error)
        case waits(sweepAfter: Duration?)
    }

    private let name: String
    private let limits: Limits
    private let state: Mutex<State>

    /// - Parameter name: what the slots are, for messages: "connection".
    init(name: String, limits: Limits) {
        self.name = name
        self.limits = limits
        state = Mutex(State(free: Array((0..<max(limits.slots, 1)).reversed())))
    }

    var waitingCount: Int { state.withLock { $0.waiters.count } }

    /// - Throws: `SQLError.unavailable` when the line is full, the wait too long or the turnstile closed;
    ///   `CancellationError`.
    func enter(waitMilliseconds: Int64? = nil) async throws -> Int {
        try Task.checkCancellation()
        let wait = Duration.milliseconds(waitMilliseconds ?? limits.waitMilliseconds)
        let deadline = ContinuousClock.now + wait
        let id = state.withLock { state in
            state.lastId += 1
            return state.lastId
        }
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let waiter = Waiter(id: id, deadline: deadline, continuation: continuation)
                switch state.withLock({ admit(waiter, in: &$0) }) {
                case .slot(let slot): continuation.resume(returning: slot)
                case .refused(let error): continuation.resume(throwing: error)
                case .waits(let delay): if let delay { planSweep(after: delay) }
                }
            }
        } onCancel: {
            cancel(id)
        }
    }

    func leave(_ slot: Int) {
        let (next, closers) = state.withLock { state -> (Waiter?, [CheckedContinuation<Void, Never>]) in
            if !state.waiters.isEmpty { return (state.waiters.removeFirst(), []) }
            state.free.append(slot)
            guard state.isClosed, state.free.count == limits.slots else { return (nil, []) }
            defer { state.closers = [] }
            return (nil, state.closers)
        }
        next?.continuation.resume(returning: slot)
        for closer in closers { closer.resume() }
    }

    /// Refuses newcomers, sends those who wait away and returns when every slot has been given back.
    func close() async {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(throwing: SQLError.closed) }
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.free.count == limits.slots { return true }
                state.closers.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    private func admit(_ waiter: Waiter, in state: inout State) -> Admission {
        if state.cancelled.remove(waiter.id) != nil { return .refused(CancellationError()) }
        if state.isClosed { return .refused(SQLError.closed) }
        if let slot = state.free.popLast() { return .slot(slot) }
        guard state.waiters.count < limits.waiting else {
            return .refused(SQLError(.unavailable, "too many callers wait for a \(name) (\(limits.waiting))"))
        }
        state.waiters.append(waiter)
        if let planned = state.plannedSweep, planned <= waiter.deadline { return .waits(sweepAfter: nil) }
        state.plannedSweep = waiter.deadline
        return .waits(sweepAfter: waiter.deadline - .now)
    }

    private func cancel(_ id: UInt64) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                // Either not in the line yet, or past it; `enter` forgets the id when it returns.
                state.cancelled.insert(id)
                return nil
            }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(throwing: CancellationError())
    }

    private func planSweep(after delay: Duration) {
        let nanoseconds = delay.components.seconds * 1_000_000_000 + delay.components.attoseconds / 1_000_000_000
        let wait = DispatchTimeInterval.nanoseconds(Int(max(nanoseconds, 1_000_000)))
        DispatchQueue.global().asyncAfter(deadline: .now() + wait) { [weak self] in self?.sweep() }
    }

    /// Sends away who has waited too long, and comes back for the next one. One timer serves the whole line.
    private func sweep() {
        let now = ContinuousClock.now
        let (late, next) = state.withLock { state -> ([Waiter], Duration?) in
            let late = state.waiters.filter { $0.deadline <= now }
            state.waiters.removeAll { $0.deadline <= now }
            if let planned = state.plannedSweep, planned > now { return (late, nil) }
            state.plannedSweep = state.waiters.map(\.deadline).min()
            return (late, state.plannedSweep.map { $0 - now })
        }
        let error = SQLError(.unavailable, "waited too long for a free \(name)")
        for waiter in late { waiter.continuation.resume(throwing: error) }
        if let next { planSweep(after: next) }
    }
}

extension SQLError {
    static let closed = SQLError(.unavailable, "the database is closed")
}
