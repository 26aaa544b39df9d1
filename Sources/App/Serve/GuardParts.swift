import Guard
import Logging
import Observe
import Record
import Web

/// What the rest of Mainstay has of a guard in the same process: whom to ask, and the taking in of what it counted.
struct GuardParts: Sendable {
    /// Nil: no guard runs in this process.
    let control: (any GuardControl)?
    let intake: QueryIntake?
    let decisions: DecisionQueue

    /// - Parameter control: takes samples as long as the intake runs: also once after the guard itself has stopped.
    init(control: (any GuardControl)?, decisions: DecisionQueue, record: Record, logger: Logger) {
        self.control = control
        self.decisions = decisions
        intake = control.map { control in
            QueryIntake(record: record, logger: logger) { try await control.takeSamples() }
        }
    }

    /// For `/metrics`.
    var gauges: [MetricSample] {
        let decided = Gauges.decisions(decisions)
        guard let intake else { return decided }
        return decided + [
            MetricSample(
                "mainstay_query_samples_waiting", "Samples of queries that are not stored yet.",
                value: Double(intake.waiting)),
            MetricSample(
                "mainstay_query_calls_dropped_total", "Calls in no sample, because storing failed for too long.",
                kind: .counter, value: Double(intake.droppedCalls)),
        ]
    }
}

/// A guard of this process.
extension Guard: GuardControl {}
