/// Whether one check passes now, and since when.
///
/// ```
/// unknown ──pass──▶ passing ──`failures` in a row──▶ failing ──`passes` in a row──▶ passing
///    └──────────────`failures` in a row───────────────▲
/// ```
/// Invariant: an alert fires on entering `failing` and resolves on leaving it, once each.
package struct CheckState: Hashable, Sendable, Codable {
    package enum Status: String, Hashable, Sendable, Codable {
        case unknown, passing, failing
    }

    package var id: String
    package var service: String
    package var status: Status
    /// Since when it has had this status.
    package var since: Instant
    package var failuresInARow: Int
    package var passesInARow: Int
    /// The result that made it fail, kept while it fails and until the next failure.
    package var lastFailure: CheckResult?
    /// Heartbeats: when it was last heard.
    package var heardAt: Instant?
}

package enum CheckEvent: Hashable, Sendable, Codable {
    case reported(CheckResult)
    /// A heartbeat: `failure` is what the sender says went wrong.
    case pinged(failure: String?)
    /// A heartbeat's clock starts when the check is first configured: silence from then on counts.
    case expected
}

extension CheckState {
    /// Whether a result changes anything worth a step; all others are samples, rolled up and forgotten. Results
    /// with forced variants always count, because a running rollout waits for them.
    package static func isNews(_ result: CheckResult, _ state: CheckState?) -> Bool {
        guard let state, result.forced.isEmpty else { return true }
        return result.passed ? state.status != .passing || state.failuresInARow > 0 : true
    }

    static func step(_ state: CheckState?, _ event: Event, _ input: StepInput) throws(Refusal) -> Step<CheckState> {
        guard let policy = input.policy.checks[input.subject.id] else {
            throw Refusal(.notFound, "There is no check \(input.subject.id) in the configuration.")
        }
        let state =
            state
            ?? CheckState(
                id: policy.id, service: policy.service, status: .unknown, since: input.now, failuresInARow: 0,
                passesInARow: 0)
        switch event {
        case .deadlineReached: return state.listen(policy, input)
        case .check(.reported(let result)): return state.take(result, policy, input)
        case .check(.pinged(let failure)): return try state.hear(failure, policy, input)
        case .check(.expected): return state.expect(policy, input)
        default: throw Machine.misfit(event, input.subject)
        }
    }

    private func take(_ result: CheckResult, _ policy: CheckPolicy, _ input: StepInput) -> Step<CheckState> {
        result.passed ? pass(result, policy, input) : fail(result, policy, input)
    }

    private func fail(_ result: CheckResult, _ policy: CheckPolicy, _ input: StepInput) -> Step<CheckState> {
        var state = self
        state.failuresInARow += 1
        state.passesInARow = 0
        state.lastFailure = result
        guard status != .failing, state.failuresInARow >= policy.failures else {
            var step = Step(state)
            step.due = state.silenceAt(policy)
            return step
        }
        state.status = .failing
        state.since = input.now
        var step = Step(state)
        step.due = state.silenceAt(policy)
        let alert = Alert(
            id: id, kind: policy.isJourney ? .journey : .check, severity: policy.severity, since: result.startedAt,
            seenAt: result.finishedAt, summary: result.failure?.sentence ?? "", forced: result.forced,
            isDefinitionFault: result.failure?.kind == .definition, steps: result.steps)
        step.entries = [
            Entry(
                "check.failed", "\(policy.isJourney ? "Journey" : "Check") \(id) fails: \(alert.summary)",
                service: service, feature: policy.feature,
                data: [
                    "took_ms": .integer(result.took.milliseconds),
                    "forced": .object(result.forced.mapValues(JSONValue.string)),
                ])
        ]
        step.forward(.feature, policy.desk, .feature(.alertFired(alert)))
        return step
    }

    private func pass(_ result: CheckResult, _ policy: CheckPolicy, _ input: StepInput) -> Step<CheckState> {
        var state = self
        state.passesInARow += 1
        state.failuresInARow = 0
        var step = Step(state)
        if !result.forced.isEmpty || status == .failing {
            step.forward(
                .feature, policy.desk,
                .feature(.journeyPassed(check: id, forced: result.forced, startedAt: result.startedAt)))
        }
        if status == .failing, state.passesInARow >= policy.passes {
            step.entries = [
                Entry(
                    "check.recovered",
                    "\(policy.isJourney ? "Journey" : "Check") \(id) passes again after \((input.now - since).spoken).",
                    service: service, feature: policy.feature)
            ]
            step.forward(.feature, policy.desk, .feature(.alertResolved(id: id)))
        }
        if status == .unknown || status == .failing && state.passesInARow >= policy.passes {
            state.status = .passing
            state.since = input.now
        }
        step.state = state
        step.due = state.silenceAt(policy)
        return step
    }

    // MARK: Heartbeats

    private func silenceAt(_ policy: CheckPolicy) -> Instant? {
        guard let grace = policy.heartbeatGrace, status != .failing, let heardAt else { return nil }
        return heardAt + policy.every + grace
    }

    private func expect(_ policy: CheckPolicy, _ input: StepInput) -> Step<CheckState> {
        var state = self
        state.heardAt = state.heardAt ?? input.now
        var step = Step(state)
        step.due = state.silenceAt(policy)
        return step
    }

    private func hear(_ failure: String?, _ policy: CheckPolicy, _ input: StepInput) throws(Refusal) -> Step<CheckState>
    {
        guard policy.heartbeatGrace != nil else {
            throw Refusal(.invalid, "\(id) is not a heartbeat: it is run, not pinged.")
        }
        var state = self
        state.heardAt = input.now
        let result = CheckResult(
            check: id, startedAt: input.now, finishedAt: input.now,
            failure: failure.map { CheckFailure(kind: .assertion, step: nil, message: $0) })
        return state.take(result, policy, input)
    }

    private func listen(_ policy: CheckPolicy, _ input: StepInput) -> Step<CheckState> {
        guard let at = silenceAt(policy), let heardAt, input.now >= at else {
            var step = Step(self)
            step.due = silenceAt(policy)
            return step
        }
        let silence = CheckFailure(
            kind: .silence, step: nil,
            message: "nothing heard for \((input.now - heardAt).spoken), expected every \(policy.every)")
        let result = CheckResult(check: id, startedAt: heardAt, finishedAt: input.now, failure: silence)
        var state = self
        state.failuresInARow = max(state.failuresInARow, policy.failures)
        return state.fail(result, policy, input)
    }
}
