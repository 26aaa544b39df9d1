import Decide
import Logging
import Record
import ServiceLifecycle
import Synchronization

/// Takes what a guard counted, every few seconds, and stores it. What could not be stored is kept and tried again: a
/// guard tells each call once.
package final class QueryIntake: Service {
    /// Samples waiting to be stored; past it the oldest are dropped, and their calls counted.
    package static let waitingLimit = 20_000
    /// Samples of one transaction, so that nobody else waits long for the database's one writer.
    static let batch = 500

    private struct State {
        /// With the time at which they were taken: a database that was away must not move calls past a change.
        var waiting: [(at: Instant, sample: QuerySample)] = []
        var droppedCalls = 0
    }

    private let record: Record
    private let logger: Logger
    private let every: Duration
    private let limit: Int
    private let take: @Sendable () async throws -> [QuerySample]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: a test's own.
    ///   - take: everything counted since it was last asked.
    package init(
        record: Record, logger: Logger, every: Duration = .seconds(10), limit: Int = QueryIntake.waitingLimit,
        take: @escaping @Sendable () async throws -> [QuerySample]
    ) {
        self.record = record
        self.logger = logger
        self.every = every
        self.limit = limit
        self.take = take
    }

    /// Calls that are in no sample, because the database did not answer for too long.
    package var droppedCalls: Int { state.withLock { $0.droppedCalls } }
    package var waiting: Int { state.withLock { $0.waiting.count } }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await Task.sleep(for: self.every) } catch { return }
                await self.round()
            }
        }
        // Cut off, it could store nothing: what the guard has counted stays with the guard.
        if Task.isCancelled { return }
        // What was counted since, and what a shutdown in the middle of a round left.
        await round()
    }

    /// Takes once, and stores all that waits. One at a time.
    package func round() async {
        do {
            keep(try await take())
        } catch {
            if !Task.isCancelled {
                logger.error("a guard's counts could not be taken, will try again", metadata: ["cause": "\(error)"])
            }
        }
        await store()
    }

    private func keep(_ samples: [QuerySample]) {
        let now = record.now()
        state.withLock { state in
            state.waiting += samples.filter { $0.figures.calls > 0 }.map { (now, $0) }
            let excess = state.waiting.count - limit
            guard excess > 0 else { return }
            state.droppedCalls += state.waiting.prefix(excess).reduce(0) { $0 + $1.sample.figures.calls }
            state.waiting.removeFirst(excess)
        }
    }

    private func store() async {
        while true {
            let batch = state.withLock { state in
                state.waiting.prefix(QueryIntake.batch).prefix { $0.at == state.waiting[0].at }.map { $0 }
            }
            guard let at = batch.first?.at else { return }
            do {
                try await record.sample(queries: batch.map(\.sample), at: at)
                state.withLock { $0.waiting.removeFirst(batch.count) }
            } catch {
                // Cut short by shutdown: the last round stores them.
                if Task.isCancelled { return }
                logger.error(
                    "queries' samples could not be stored, will try again",
                    metadata: ["waiting": "\(waiting)", "cause": "\(error)"])
                return
            }
        }
    }
}
