import Synchronization

/// Which people used the shop within the last minutes; Mainstay's synthetic user is not one of them.
final class ActiveUsers: Sendable {
    static let windowMilliseconds: Int64 = 5 * 60_000
    /// Users remembered; past it, new ones are not counted until others have gone.
    static let limit = 100_000

    private let seen = Mutex<[Int64: Int64]>([:])

    func saw(_ user: User, at now: Int64) {
        guard !user.synthetic else { return }
        seen.withLock { seen in
            if seen[user.id] == nil, seen.count >= Self.limit { return }
            seen[user.id] = now
        }
    }

    func count(at now: Int64) -> Int {
        seen.withLock { seen in
            seen = seen.filter { now - $0.value <= Self.windowMilliseconds }
            return seen.count
        }
    }
}
