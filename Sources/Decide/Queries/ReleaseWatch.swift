/// What a guard is told about the releases of one database's service, worked out from the change ledger.
///
/// Invariants:
/// 1. A release is announced once, and again only when the one after it was undone.
/// 2. A release is called proven only after it was announced, once, and not when it has come back by an undo: what is
///    still sent by the undone one would become what is usual.
package struct ReleaseWatch: Hashable, Sendable {
    package enum Order: Hashable, Sendable {
        case started(release: String)
        case proven
    }

    private struct Running: Hashable, Sendable {
        var change: String
        var release: String
        var awaitsProof: Bool
    }

    private var running: Running?
    private var seen: Set<String> = []

    package init() {}

    /// Id of the change whose undo matters now.
    package var change: String? { running?.change }
    /// The release whose rollout has still to prove itself.
    package var unproven: String? { running.flatMap { $0.awaitsProof ? $0.release : nil } }

    /// - Parameters:
    ///   - changes: the service's latest, in any order.
    ///   - isUndone: of the change that was announced last.
    package mutating func look(_ changes: [Change], isUndone: Bool) -> [Order] {
        let releases = changes.filter { $0.kind == .release && $0.release != nil && $0.undoneAt == nil }
            .sorted { ($0.at, $0.id) > ($1.at, $1.id) }
        defer { seen = Set(changes.map(\.id)).union(running.map { [$0.change] } ?? []) }
        // Only the newest: another system may tell late of one that has been followed by what runs now.
        if let fresh = releases.first, !seen.contains(fresh.id), let release = fresh.release {
            return start(fresh.id, release, awaitsProof: true)
        }
        guard isUndone, let undone = running else { return [] }
        if let before = releases.first, let release = before.release {
            return start(before.id, release, awaitsProof: false)
        }
        running = nil
        return [.started(release: "before \(undone.release)")]
    }

    package mutating func proven() -> [Order] {
        guard unproven != nil else { return [] }
        running?.awaitsProof = false
        return [.proven]
    }

    private mutating func start(_ change: String, _ release: String, awaitsProof: Bool) -> [Order] {
        running = Running(change: change, release: release, awaitsProof: awaitsProof)
        return [.started(release: release)]
    }
}
