/// The steps by which a release reaches users.
///
/// ```
/// running ──journey fails──▶ suspended ──experiment clears it, journeys pass──▶ running
///    │  ▲                        └──undone──▶ undone ◀──undone── running, completed
///    │  └─hold over, every journey passed since the stage began: next stage (PROVEN)
///    │    hold over, some journey did not pass yet: stays, looks again (UNPROVEN)
///    └──last stage proven──▶ completed
/// ```
/// Invariants:
/// 1. The share never grows while a journey of the feature fails, or before each has passed in the present stage.
/// 2. A feature without journeys never gets beyond its first stage by itself: nothing would prove it.
/// 3. `undone` is final.
package struct Rollout: Hashable, Sendable, Codable {
    package enum Status: String, Hashable, Sendable, Codable {
        case running, suspended, completed, undone
    }

    package enum Verdict: String, Hashable, Sendable, Codable {
        case worse = "WORSE"
        case proven = "PROVEN"
        case unproven = "UNPROVEN"
    }

    package var id: String
    package var plan: RolloutPlan
    package var status: Status
    package var stage: Int
    package var stageStartedAt: Instant
    package var startedAt: Instant
    /// When each journey last passed with the new variant.
    package var passes: [String: Instant]
    /// One for each stage entered.
    package var verdicts: [Verdict]
    package var endedAt: Instant?

    package var service: String { plan.service }
    package var share: Int { plan.stages[stage].share }
    package var change: String { Rollout.change(id) }

    package static func change(_ id: String) -> String { "release:\(id)" }

    /// Looks again this often while a hold is over and proof is missing.
    static let patience: Span = .seconds(1)
}

package struct RolloutPlan: Hashable, Sendable, Codable {
    package var release: String
    package var service: String
    package var feature: String
    package var flag: String
    package var variant: String
    package var stages: [RolloutPolicy.Stage]
    package var proof: [String]
    package var forced: Bool
    package var reason: String
}

package enum RolloutEvent: Hashable, Sendable, Codable {
    case started(RolloutPlan)
    /// A journey passed with the new variant forced for the synthetic user.
    case journeyPassed(check: String, at: Instant)
    case journeyFailed(check: String)
    /// The alert that suspended it is over and the experiment did not convict it.
    case cleared
    case undone(reason: String)
}

extension Rollout {
    static func step(_ rollout: Rollout?, _ event: Event, _ input: StepInput) throws(Refusal) -> Step<Rollout> {
        if case .deadlineReached = event, let rollout { return rollout.wake(input) }
        guard case .rollout(let event) = event else { throw Machine.misfit(event, input.subject) }
        if case .started(let plan) = event {
            guard rollout == nil else { throw Refusal(.conflict, "Rollout \(input.subject.id) has already started.") }
            return try start(plan, input)
        }
        guard let rollout else { throw Refusal(.notFound, "There is no rollout \(input.subject.id).") }
        switch event {
        case .started: return Step(rollout)
        case .journeyPassed(let check, let at): return rollout.note(check, passedAt: at, input)
        case .journeyFailed(let check): return rollout.suspend(check, input)
        case .cleared: return rollout.resume(input)
        case .undone(let reason): return rollout.undo(reason, input)
        }
    }

    private static func start(_ plan: RolloutPlan, _ input: StepInput) throws(Refusal) -> Step<Rollout> {
        guard !plan.stages.isEmpty else { throw Refusal(.invalid, "The rollout has no stages.") }
        let rollout = Rollout(
            id: input.subject.id, plan: plan, status: .running, stage: 0, stageStartedAt: input.now,
            startedAt: input.now, passes: [:], verdicts: [])
        var step = rollout.waiting(
            [rollout.entry("rollout.started", "Rollout of \(plan.feature) \(plan.variant): \(describe(plan.stages)).")])
        rollout.serve(&step, by: input.actor)
        step.forward(.feature, rollout.desk, .feature(.rolloutStarted(rollout.id)))
        return step
    }

    private func note(_ check: String, passedAt: Instant, _ input: StepInput) -> Step<Rollout> {
        guard status == .running || status == .suspended, plan.proof.contains(check) else { return Step(self) }
        var rollout = self
        rollout.passes[check] = passedAt
        return rollout.status == .running ? rollout.wake(input) : Step(rollout)
    }

    /// Decides at the end of a stage's hold. Also called early and twice; then it only waits on.
    private func wake(_ input: StepInput) -> Step<Rollout> {
        guard status == .running else { return Step(self) }
        guard input.now >= holdEnds else { return waiting([]) }
        guard isProven else { return unproven(input) }
        var rollout = self
        rollout.settle(.proven)
        if stage == plan.stages.count - 1 { return rollout.complete(input) }
        rollout.stage += 1
        rollout.stageStartedAt = input.now
        var step = rollout.waiting([
            rollout.entry(
                "rollout.advanced",
                "PROVEN at \(percent(basisPoints: share)): \(plan.proof.count) of \(plan.proof.count) journeys passed with "
                    + "\(plan.variant). Next: \(percent(basisPoints: rollout.share)).")
        ])
        rollout.serve(&step, by: .mainstay)
        return step
    }

    private func unproven(_ input: StepInput) -> Step<Rollout> {
        var rollout = self
        let isNews = verdicts.count == stage
        rollout.settle(.unproven)
        let missing = plan.proof.filter { passes[$0].map { $0 < stageStartedAt } ?? true }
        let why =
            plan.proof.isEmpty
            ? "no journey proves \(plan.feature)"
            : "no pass yet by \(missing.joined(separator: ", "))"
        var step = Step(rollout)
        if isNews {
            step.entries = [
                rollout.entry("rollout.held", "UNPROVEN at \(percent(basisPoints: share)): \(why). The share stays.")
            ]
        }
        // Without journeys nothing can ever prove it: no need to look again.
        step.due = plan.proof.isEmpty ? nil : input.now + Rollout.patience
        return step
    }

    private func complete(_ input: StepInput) -> Step<Rollout> {
        var rollout = self
        rollout.status = .completed
        rollout.endedAt = input.now
        var step = Step(rollout)
        step.entries = [
            rollout.entry("rollout.completed", "PROVEN at 100 %: \(plan.feature) \(plan.variant) is for everyone.")
        ]
        step.forward(.flag, Flag.id(service, plan.flag), .flag(.rolloutCompleted(rollout: id)))
        step.forward(.release, plan.release, .release(.rolloutEnded(completed: true)))
        step.forward(.feature, desk, .feature(.rolloutEnded(id)))
        return step
    }

    private func suspend(_ check: String, _ input: StepInput) -> Step<Rollout> {
        guard status == .running else { return Step(self) }
        var rollout = self
        rollout.status = .suspended
        var step = Step(rollout)
        step.entries = [
            rollout.entry(
                "rollout.suspended", "Rollout stopped at \(percent(basisPoints: share)): journey \(check) fails.")
        ]
        return step
    }

    private func resume(_ input: StepInput) -> Step<Rollout> {
        guard status == .suspended else { return Step(self) }
        var rollout = self
        rollout.status = .running
        rollout.stageStartedAt = input.now
        return rollout.waiting([
            rollout.entry(
                "rollout.resumed",
                "Rollout goes on at \(percent(basisPoints: share)): the journeys pass again, the hold starts anew.")
        ])
    }

    private func undo(_ reason: String, _ input: StepInput) -> Step<Rollout> {
        guard status != .undone else { return Step(self) }
        var rollout = self
        rollout.status = .undone
        rollout.endedAt = input.now
        rollout.settle(.worse)
        var step = Step(rollout)
        step.entries = [
            rollout.entry("rollout.undone", "WORSE: rollout of \(plan.feature) \(plan.variant) undone. \(reason)")
        ]
        step.forward(.release, plan.release, .release(.rolloutEnded(completed: false)), by: input.actor)
        step.forward(.feature, desk, .feature(.rolloutEnded(id)))
        return step
    }

    private var desk: String { "\(service)/\(plan.feature)" }
    private var holdEnds: Instant { stageStartedAt + plan.stages[stage].hold }

    private var isProven: Bool {
        !plan.proof.isEmpty && plan.proof.allSatisfy { passes[$0].map { $0 >= stageStartedAt } ?? false }
    }

    private mutating func settle(_ verdict: Verdict) {
        if verdicts.count > stage { verdicts[stage] = verdict } else { verdicts.append(verdict) }
    }

    private func waiting(_ entries: [Entry]) -> Step<Rollout> {
        var step = Step(self)
        step.entries = entries
        step.due = holdEnds
        return step
    }

    private func serve(_ step: inout Step<Rollout>, by actor: Actor) {
        let event = FlagRolledOut(
            rollout: id, change: change, variant: plan.variant, share: share, release: plan.release,
            forced: plan.forced, reason: plan.reason)
        step.forward(.flag, Flag.id(service, plan.flag), .flag(.rolledOut(event)), by: actor)
    }

    private func entry(_ kind: String, _ text: String) -> Entry {
        Entry(
            kind, text, service: service, feature: plan.feature, change: change,
            data: ["share": .integer(Int64(share)), "stage": .integer(Int64(stage))])
    }

    private static func describe(_ stages: [RolloutPolicy.Stage]) -> String {
        stages.map {
            $0.hold == .zero ? percent(basisPoints: $0.share) : "\(percent(basisPoints: $0.share)) for \($0.hold)"
        }
        .joined(separator: " → ")
    }
}
