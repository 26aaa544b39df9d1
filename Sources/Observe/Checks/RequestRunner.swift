import Decide
import Logging
import Record

/// How requests reach the checks: the scheduler, so that a requested run never overlaps a planned one of its check.
package struct CheckAccess: Sendable {
    /// Runs a check now and takes its result in; nil when there is no such check.
    package var runNow: @Sendable (_ check: String, _ forcing: [String: String]) async -> CheckResult?
    /// Runs one leg of an experiment: the result goes to the experiment alone.
    package var runApart: @Sendable (_ check: String, _ forcing: [String: String]) async -> CheckResult?
    /// Service and feature of a check.
    package var place: @Sendable (_ check: String) -> (service: String, feature: String?)?

    package init(
        runNow: @escaping @Sendable (String, [String: String]) async -> CheckResult?,
        runApart: @escaping @Sendable (String, [String: String]) async -> CheckResult?,
        place: @escaping @Sendable (String) -> (service: String, feature: String?)?
    ) {
        self.runNow = runNow
        self.runApart = runApart
        self.place = place
    }
}

/// Carries out what steps asked Observe to look at: a check at once, or an experiment.
package struct RequestRunner: Sendable {
    private static let lease: Span = .minutes(2)
    private static let atOnce = 16
    private static let longestNap: Duration = .milliseconds(500)

    private let record: Record
    private let checks: CheckAccess
    private let candidates: CandidateVariants
    private let owner: String
    private let logger: Logger

    package init(record: Record, checks: CheckAccess, candidates: CandidateVariants, owner: String, logger: Logger) {
        self.record = record
        self.checks = checks
        self.candidates = candidates
        self.owner = owner
        self.logger = logger
    }

    /// Until cancelled. Requests of one journey wait for one another; those of others do not wait for it.
    package func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let stream = record.signals.stream()
                do {
                    let claimed = try await record.claim(
                        .observe, owner: owner, lease: Self.lease, limit: Self.atOnce)
                    for effect in claimed { group.addTask { await perform(effect) } }
                    if claimed.count == Self.atOnce { continue }
                } catch {
                    logger.error("requests cannot be read", metadata: ["cause": "\(error)"])
                }
                await Signals.wait(on: stream, for: [.outbox(.observe)], atMost: Self.longestNap)
            }
            group.cancelAll()
        }
    }

    private func perform(_ effect: ClaimedEffect) async {
        do {
            switch effect.effect {
            case .run(let request):
                if record.now() <= effect.expiresAt, let place = checks.place(request.check) {
                    try await candidates.refresh(record)
                    let forcing = candidates.forced(service: place.service, feature: place.feature)
                    _ = await checks.runNow(request.check, forcing)
                }
                try await record.apply([], completing: effect)
            case .experiment(let request):
                let outcome =
                    record.now() <= effect.expiresAt
                    ? await experiment(request)
                    : ExperimentOutcome(
                        check: request.check, change: request.change, old: nil, new: nil,
                        failure: "it could not be run in time")
                let event = Event.incident(.experimentEnded(outcome))
                try await record.apply(
                    [Occurrence(Subject(.incident, request.incident), event, by: .mainstay)], completing: effect)
            case .deliver:
                break
            }
        } catch {
            // Its lease ends, and it is tried again.
            logger.error("a request failed", metadata: ["effect": "\(effect.key)", "cause": "\(error)"])
        }
    }

    /// Old first: it is quick when it passes, and it says at once when the service is down altogether.
    private func experiment(_ request: ExperimentRequest) async -> ExperimentOutcome {
        let old = await checks.runApart(request.check, [request.flag: request.oldVariant])
        let new = await checks.runApart(request.check, [request.flag: request.newVariant])
        return ExperimentOutcome(
            check: request.check, change: request.change, old: old, new: new,
            failure: old == nil || new == nil ? "there is no journey \(request.check) any more" : nil)
    }
}
