import Decide
import Logging
import Record
import ServiceLifecycle
import Synchronization

/// Takes check results in: what changes a state becomes an event at once, everything becomes a sample.
package final class ResultIntake: Service {
    /// Samples waiting to be written; past it the oldest are dropped (and counted), never a change of state.
    static let sampleLimit = 20_000
    private static let flushEvery: Duration = .seconds(1)

    private struct State {
        var known: [String: CheckState] = [:]
        var waiting: [CheckResult] = []
        var dropped = 0
    }

    private let record: Record
    private let logger: Logger
    private let state = Mutex(State())

    package init(record: Record, logger: Logger) {
        self.record = record
        self.logger = logger
    }

    package var droppedSamples: Int { state.withLock { $0.dropped } }

    /// Reads the checks' states anew: at start, and when another process may have changed them.
    package func refresh() async throws {
        let states = try await record.things(.check, limit: 2_000).compactMap(\.thing.check)
        let known = Dictionary(states.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        state.withLock { $0.known = known }
    }

    package func take(_ result: CheckResult) async {
        let isNews = state.withLock { state in
            if state.waiting.count >= ResultIntake.sampleLimit {
                state.waiting.removeFirst(ResultIntake.sampleLimit / 10)
                state.dropped += ResultIntake.sampleLimit / 10
            }
            state.waiting.append(result)
            return CheckState.isNews(result, state.known[result.check])
        }
        guard isNews else { return }
        do {
            let applied = try await record.apply(
                Subject(.check, result.check), .check(.reported(result)), by: .mainstay)
            state.withLock { state in
                for thing in applied.things.values {
                    if case .check(let check) = thing { state.known[check.id] = check }
                }
            }
        } catch {
            // The next run reports the same state of the world again: nothing is lost but time.
            logger.error(
                "a check's result could not be recorded",
                metadata: ["check": "\(result.check)", "passed": "\(result.passed)", "cause": "\(error)"])
        }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await Signals.wait(on: self.record.signals.stream(), for: [], atMost: ResultIntake.flushEvery)
                await self.flush()
            }
        }
        await flush()
    }

    package func flush() async {
        let batch = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        guard !batch.isEmpty else { return }
        do {
            try await record.sample(batch)
        } catch {
            state.withLock { $0.waiting.insert(contentsOf: batch, at: 0) }
            // Cut short by shutdown: the last flush writes them.
            if Task.isCancelled { return }
            logger.error("samples could not be written, will try again", metadata: ["cause": "\(error)"])
        }
    }
}
