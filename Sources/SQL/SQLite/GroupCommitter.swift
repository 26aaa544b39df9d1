import GRDB
import Synchronization

/// Commits waiting writes together: many writers, one fsync.
///
/// 1. Only the writer's thread runs bodies, begins and commits.
/// 2. Each body runs in a savepoint; one that throws takes back its own writes and nobody else's.
/// 3. Nobody is answered before the group's COMMIT has returned; if it fails, the whole group is told so.
/// 4. A body whose transaction SQLite took back altogether (a full disk, say) is answered with its error, and the rest
///    of the group is run again without it. So each round is smaller than the last.
final class GroupCommitter: Sendable {
    private struct State {
        var waiting: [any PendingWrite] = []
        var isDraining = false
        var isClosed = false
        var closers: [CheckedContinuation<Void, Never>] = []
        var statistics = SQLiteStatistics()
    }

    private let link: SQLiteLink
    private let options: SQLiteOptions
    private let state = Mutex(State())

    init(link: SQLiteLink, options: SQLiteOptions) {
        self.link = link
        self.options = options
    }

    var statistics: SQLiteStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waitingWrites = state.waiting.count
            return statistics
        }
    }

    func submit<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try Task.checkCancellation()
        return try await withCheckedThrowingContinuation { continuation in
            admit(BodyWrite(body: body, continuation: continuation))
        }
    }

    /// Lets the waiting writes finish and refuses later ones.
    func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                state.isClosed = true
                if !state.isDraining { return true }
                state.closers.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    private func admit(_ write: some PendingWrite) {
        let (refusal, startsDraining) = state.withLock { state -> (SQLError?, Bool) in
            if state.isClosed { return (.closed, false) }
            guard state.waiting.count < options.waitingWrites else {
                return (SQLError(.unavailable, "too many writes waiting (\(options.waitingWrites))"), false)
            }
            state.waiting.append(write)
            defer { state.isDraining = true }
            return (nil, !state.isDraining)
        }
        if let refusal { write.answer(failure: refusal) }
        if startsDraining { link.enqueue { [self] database, statements in drain(Writer(database, statements)) } }
    }

    private func drain(_ writer: Writer) {
        while let group = nextGroup() {
            var remaining = group
            while !remaining.isEmpty { remaining = commit(remaining, writer) }
        }
    }

    private func nextGroup() -> [any PendingWrite]? {
        let (group, closers) = state.withLock { state -> ([any PendingWrite]?, [CheckedContinuation<Void, Never>]) in
            guard !state.waiting.isEmpty else {
                state.isDraining = false
                defer { state.closers = [] }
                return (nil, state.closers)
            }
            let group = Array(state.waiting.prefix(options.groupLimit))
            state.waiting.removeFirst(group.count)
            return (group, [])
        }
        for closer in closers { closer.resume() }
        return group
    }

    /// - Returns: the writes that must be run again.
    private func commit(_ group: [any PendingWrite], _ writer: Writer) -> [any PendingWrite] {
        do {
            try writer.begin()
        } catch {
            for write in group { write.answer(failure: SQLError(notWritten: error)) }
            return []
        }
        var kept = 0
        for (index, write) in group.enumerated() {
            switch writer.run(write, tries: options.tries) {
            case .kept: kept += 1
            case .failed: continue
            case .transactionLost(let failure):
                write.answer(failure: failure)
                var others = group
                others.remove(at: index)
                return others
            }
        }
        return finish(group, kept: kept, writer)
    }

    private func finish(_ group: [any PendingWrite], kept: Int, _ writer: Writer) -> [any PendingWrite] {
        do {
            if kept == 0 { writer.rollback() } else { try writer.commit() }
        } catch {
            writer.rollback()
            let failure = SQLError(sqlite: error, isReadOnly: false)
            if failure.code == .constraint, group.count > 1 {
                // A constraint checked only at COMMIT: alone, each learns whether it was the one.
                for write in group { _ = commit([write], writer) }
                return []
            }
            for write in group {
                write.answer(failure: failure.code == .constraint ? failure : SQLError(notWritten: failure))
            }
            return []
        }
        state.withLock { state in
            state.statistics.commits += kept == 0 ? 0 : 1
            state.statistics.writes += kept
            state.statistics.largestGroup = max(state.statistics.largestGroup, kept)
        }
        for write in group { write.answer(failure: nil) }
        return []
    }
}
