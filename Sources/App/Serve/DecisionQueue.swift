import Decide
import Synchronization

/// Decisions on their way from a guard to the record: a guard waits for no database.
///
/// Invariants:
/// 1. `put` returns at once, whatever the record does.
/// 2. Past `limit`, the oldest that wakes nobody is dropped, then what a later decision about the same query makes
///    stale. Of each query the latest beginning and the latest end of being held back are never dropped; that a guard
///    decides at most once a second, about queries of which it tracks a few thousand, bounds the rest.
/// 3. What is dropped is counted.
final class DecisionQueue: Sendable {
    static let limit = 1_000

    private struct State {
        var waiting: [QueryDecision] = []
        var dropped = 0
        var isFinished = false
        /// Of whoever listens now.
        var bell: AsyncStream<Void>.Continuation?
    }

    private struct Key: Hashable {
        var database: String
        var user: String
        var query: QueryKey?
        var isBreaker: Bool

        init(_ decision: QueryDecision) {
            (database, user, query) = (decision.database, decision.user, decision.query)
            isBreaker = decision.kind == .breakerOpened || decision.kind == .breakerClosed
        }
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int = DecisionQueue.limit) {
        self.limit = limit
    }

    /// One for each time that somebody has to look, the first at once; ends after `finish()`, or when another listens.
    func rings() -> AsyncStream<Void> {
        let (rings, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let (before, isFinished) = state.withLock { state in
            defer { state.bell = bell }
            return (state.bell, state.isFinished)
        }
        before?.finish()
        bell.yield()
        if isFinished { bell.finish() }
        return rings
    }

    var dropped: Int { state.withLock { $0.dropped } }
    var count: Int { state.withLock { $0.waiting.count } }
    var isFinished: Bool { state.withLock { $0.isFinished } }

    func put(_ decision: QueryDecision) {
        guard decision.isNews else { return }
        let bell = state.withLock { state -> AsyncStream<Void>.Continuation? in
            // A line about it waits to be written already.
            if !decision.isVital, state.waiting.contains(where: { Self.saysSame($0, decision) }) {
                state.dropped += 1
                return nil
            }
            if state.waiting.count >= limit { Self.makeRoom(&state) }
            state.waiting.append(decision)
            return state.bell
        }
        bell?.yield()
    }

    func take() -> QueryDecision? {
        state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
    }

    /// It was taken, and could not be written down.
    func putBack(_ decision: QueryDecision) {
        state.withLock { $0.waiting.insert(decision, at: 0) }
    }

    /// Nothing more comes: what waits is still to be taken.
    func finish() {
        let bell = state.withLock { state in
            state.isFinished = true
            return state.bell
        }
        bell?.finish()
    }

    private static func saysSame(_ one: QueryDecision, _ other: QueryDecision) -> Bool {
        one.kind == other.kind && one.query == other.query && one.database == other.database
    }

    private static func makeRoom(_ state: inout State) {
        guard let index = state.waiting.firstIndex(where: { !$0.isVital }) ?? stale(state.waiting) else { return }
        state.waiting.remove(at: index)
        state.dropped += 1
    }

    /// The oldest after which the same query is held back anew.
    private static func stale(_ waiting: [QueryDecision]) -> Int? {
        var begunLater: Set<Key> = []
        var oldest: Int?
        for (index, decision) in waiting.enumerated().reversed() {
            let key = Key(decision)
            if begunLater.contains(key) { oldest = index }
            if decision.kind == .tripped || decision.kind == .breakerOpened { begunLater.insert(key) }
        }
        return oldest
    }
}
