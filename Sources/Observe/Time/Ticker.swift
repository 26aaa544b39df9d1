import Decide
import Logging
import Record
import ServiceLifecycle

/// Observes that time has passed: a deadline that a step recorded has come, and the thing is told so.
///
/// Nothing is kept in memory: deadlines lie in the record, so a restart forgets none, and several processes may tick
/// at once (a step that comes too late, too early or twice changes nothing).
package struct Ticker: Service {
    /// Looks again after this even without a signal: another process may have set an earlier deadline.
    static let longestNap: Span = .milliseconds(500)
    private static let batch = 100

    private let record: Record
    private let logger: Logger

    package init(record: Record, logger: Logger) {
        self.record = record
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let stream = record.signals.stream()
                do {
                    let subjects = try await record.overdue(limit: Ticker.batch)
                    for subject in subjects { await wake(subject) }
                    if subjects.count == Ticker.batch { continue }
                    let nap = try await record.nextDeadline().map { max(.milliseconds(1), $0 - record.now()) }
                    await Signals.wait(
                        on: stream, for: [.due], atMost: min(nap ?? Ticker.longestNap, Ticker.longestNap).duration)
                } catch {
                    logger.error("deadlines cannot be read", metadata: ["cause": "\(error)"])
                    await Signals.wait(on: stream, for: [], atMost: .seconds(1))
                }
            }
        }
    }

    private func wake(_ subject: Subject) async {
        do {
            try await record.apply(subject, .deadlineReached, by: .mainstay)
        } catch {
            logger.error("a deadline could not be applied", metadata: ["subject": "\(subject)", "cause": "\(error)"])
            await Signals.wait(on: record.signals.stream(), for: [], atMost: .milliseconds(200))
        }
    }
}
