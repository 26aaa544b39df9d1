extension Incident {
    static func step(_ incident: Incident?, _ event: Event, _ input: StepInput) throws(Refusal) -> Step<Incident> {
        if case .deadlineReached = event { return incident?.wake(input) ?? Step(nil) }
        guard case .incident(let event) = event else { throw Machine.misfit(event, input.subject) }
        if case .opened(let service, let feature, let alert) = event, incident == nil {
            return open(service, feature, alert, input)
        }
        guard let incident else { throw Refusal(.notFound, "There is no incident \(input.subject.id).") }
        switch event {
        case .opened(_, _, let alert), .alertAdded(let alert): return incident.add(alert, input)
        case .alertResolved(let id): return incident.end(alert: id, input)
        case .journeyPassed(let check, let startedAt): return incident.verify(check, startedAt, input)
        case .reportsCounted(let reporters, let total): return incident.count(reporters, total, input)
        case .experimentEnded(let outcome): return incident.conclude(outcome, input)
        case .acknowledged: return try incident.acknowledge(input)
        case .undoRequested(let change): return try incident.undo(asked: change, input)
        case .changeUndone(let change): return incident.mitigate(change, input)
        case .resolved(let reason): return try incident.resolve(by: input.actor, reason, input)
        case .reviewed: return try incident.review(input)
        case .noted(let text): return try incident.note(text, input)
        case .pageDelivered(let page, let to): return incident.delivered(page, to, input)
        case .pageFailed(let page, let to, let reason): return incident.undelivered(page, to, reason, input)
        }
    }

    // MARK: Alerts

    private static func open(_ service: String, _ feature: String, _ alert: Alert, _ input: StepInput) -> Step<Incident>
    {
        let policy = input.policy.feature(service, feature)
        let team =
            policy?.team ?? input.policy.checks[alert.id]?.team ?? input.policy.services[service]?.team
            ?? (alert.kind == .query ? input.policy.guarded.team : nil) ?? ""
        var incident = Incident(
            id: input.subject.id, service: service, feature: feature, team: team,
            severity: policy?.severity ?? alert.severity, status: .triggered,
            title: title(feature, alert), openedAt: input.now, troubleSince: alert.since, alerts: [alert], suspects: [],
            experiments: [], usersExposed: 0, usersActive: 0, reporters: 0, reports: 0, undone: [:], rounds: 0,
            notes: [])
        incident.investigate(input)
        var step = Step(incident)
        step.entries = [incident.entry("incident.opened", "\(incident.title): \(alert.summary)")]
        if let prime = incident.prime {
            step.entries.append(
                incident.entry(
                    "incident.suspect_named",
                    "Suspect 1: \(prime.change.title), by \(prime.change.actor.name): \(prime.reasons.joined(separator: "; ")).",
                    change: prime.change.id))
        }
        incident.page(.opened, &step, input)
        incident.tryOut(alert, &step, input)
        step.state = incident
        return incident.watched(step, input)
    }

    private static func title(_ feature: String, _ alert: Alert) -> String {
        switch alert.kind {
        case .journey: "\(feature) does not work"
        case .check: "\(alert.id) fails"
        case .reports: "Customers report that \(feature) does not work"
        case .query: alert.query?.title ?? "A query overloads \(feature)"
        }
    }

    private func add(_ alert: Alert, _ input: StepInput) -> Step<Incident> {
        var incident = self
        incident.alerts.removeAll { $0.id == alert.id && $0.resolvedAt == nil }
        incident.alerts.append(alert)
        incident.troubleSince = min(troubleSince, alert.since)
        incident.investigate(input)
        var step = Step(incident)
        step.entries = [incident.entry("incident.alert_added", "Also: \(alert.summary)")]
        incident.tryOut(alert, &step, input)
        step.state = incident
        return incident.watched(step, input)
    }

    private func end(alert id: String, _ input: StepInput) -> Step<Incident> {
        var incident = self
        guard let index = alerts.firstIndex(where: { $0.id == id && $0.resolvedAt == nil }) else { return Step(self) }
        incident.alerts[index].resolvedAt = input.now
        var step = Step(incident)
        guard incident.firing.isEmpty, status.isOpen else { return incident.watched(step, input) }
        let isAboutQueries = incident.alerts.allSatisfy { $0.kind == .query }
        incident.close(
            by: "Mainstay",
            isAboutQueries ? "no guard holds it back any more" : "everything it was opened for passes again",
            &step, input)
        return step
    }

    private func verify(_ check: String, _ startedAt: Instant, _ input: StepInput) -> Step<Incident> {
        guard let undoneAt, verifiedAt == nil, startedAt >= undoneAt, firing.contains(where: { $0.id == check })
        else { return watched(Step(self), input) }
        var incident = self
        incident.verifiedAt = input.now
        var step = Step(incident)
        step.entries = [
            incident.entry("incident.verified", "Verified: journey \(check) passes since the undo.")
        ]
        return incident.watched(step, input)
    }

    private func count(_ reporters: Int, _ total: Int, _ input: StepInput) -> Step<Incident> {
        var incident = self
        incident.reporters = max(reporters, self.reporters)
        incident.reports = max(total, reports)
        incident.measure(input)
        return incident.watched(Step(incident), input)
    }

    // MARK: Suspects and the experiment

    /// Ranks anew with what is known now.
    private mutating func investigate(_ input: StepInput) {
        guard let first = alerts.min(by: { $0.since < $1.since }) else { return }
        let verdicts = Dictionary(
            experiments.compactMap { experiment in experiment.verdict.map { (experiment.change, $0) } },
            uniquingKeysWith: { $1 })
        suspects =
            alerts.allSatisfy(\.isDefinitionFault)
            ? []
            : Suspects.rank(
                alert: first, service: service, feature: feature, facts: input.facts, verdicts: verdicts,
                releases: Set(alerts.compactMap { $0.query?.release }).sorted(),
                services: Set(input.policy.services.keys))
        measure(input)
    }

    /// Users who met the prime suspect, and users active at all.
    mutating func measure(_ input: StepInput) {
        if let prime { usersExposed = max(usersExposed, Suspects.exposed(prime.change, input.facts)) }
        usersActive = max(usersActive, input.facts.activeUsers[service] ?? 0, usersExposed)
    }

    /// Puts the best suspect that is a flag, and was not tried yet, to the test.
    private mutating func tryOut(_ alert: Alert, _ step: inout Step<Incident>, _ input: StepInput) {
        guard alert.kind == .journey, !alert.isDefinitionFault, !experiments.contains(where: { $0.endedAt == nil })
        else {
            return
        }
        let tried = Set(experiments.map(\.change))
        guard
            let suspect = suspects.first(where: {
                $0.change.flagStep != nil && $0.change.service == service && !tried.contains($0.change.id)
            }), let flagStep = suspect.change.flagStep
        else { return }
        rounds += 1
        experiments.append(
            Experiment(
                change: suspect.change.id, check: alert.id, oldVariant: flagStep.oldVariant,
                newVariant: flagStep.newVariant))
        let request = ExperimentRequest(
            incident: id, check: alert.id, change: suspect.change.id, flag: flagStep.flag,
            oldVariant: flagStep.oldVariant, newVariant: flagStep.newVariant, round: rounds)
        step.effects.append(.experiment(request))
        step.entries.append(
            entry(
                "experiment.started",
                "Experiment: the journey runs with \(flagStep.oldVariant) and with \(flagStep.newVariant).",
                change: suspect.change.id))
    }

    private func conclude(_ outcome: ExperimentOutcome, _ input: StepInput) -> Step<Incident> {
        guard let index = experiments.firstIndex(where: { $0.change == outcome.change && $0.endedAt == nil }) else {
            return watched(Step(self), input)
        }
        var incident = self
        incident.experiments[index].old = outcome.old
        incident.experiments[index].new = outcome.new
        incident.experiments[index].verdict = outcome.verdict
        incident.experiments[index].failure = outcome.failure
        incident.experiments[index].endedAt = input.now
        incident.investigate(input)
        var step = Step(incident)
        step.entries = [
            incident.entry(
                "experiment.ended", Incident.sentence(incident.experiments[index]), change: outcome.change)
        ]
        if outcome.verdict == .proven {
            incident.convict(outcome.change, &step, input)
        } else if outcome.verdict != nil, let alert = incident.firing.first(where: { $0.id == outcome.check }) {
            incident.tryOut(alert, &step, input)
        }
        step.state = incident
        return incident.watched(step, input)
    }

    static func sentence(_ experiment: Experiment) -> String {
        let (old, new) = (experiment.oldVariant, experiment.newVariant)
        switch experiment.verdict {
        case .proven:
            let why = experiment.new?.failure?.sentence ?? "it fails"
            return "Proof: with \(old) the journey passes, with \(new) it fails (\(why))."
        case .cleared: return "No proof: with \(new) the journey passes as well."
        case .noDifference: return "No proof: the journey fails with \(old) too, so \(new) is not the difference."
        case nil: return "The experiment gave no answer: \(experiment.failure ?? "a leg could not be run soundly")."
        }
    }

    private mutating func convict(_ change: String, _ step: inout Step<Incident>, _ input: StepInput) {
        guard undone[change] == nil, let suspect = suspects.first(where: { $0.change.id == change }) else { return }
        switch input.policy.feature(service, feature)?.undo ?? .ask {
        case .auto:
            order(undo: suspect, by: .mainstay, Suspects.proof(suspect.change).capitalizedFirst + ".", &step)
        case .ask:
            step.entries.append(
                entry(
                    "undo.asked", "\(suspect.change.title) is guilty; the policy is to ask before undoing.",
                    change: change))
            page(.proven, &step, input)
        case .never:
            step.entries.append(
                entry(
                    "undo.withheld", "\(suspect.change.title) is guilty; the policy is never to undo by itself.",
                    change: change))
        }
    }

    private mutating func order(undo suspect: Suspect, by actor: Actor, _ reason: String, _ step: inout Step<Incident>)
    {
        guard let flagStep = suspect.change.flagStep else { return }
        undone[suspect.change.id] = actor.name
        step.forward(
            .flag, Flag.id(suspect.change.service, flagStep.flag),
            .flag(.undone(change: suspect.change.id, reason: reason, incident: id)), by: actor)
    }

    private func undo(asked change: String, _ input: StepInput) throws(Refusal) -> Step<Incident> {
        guard status.isOpen else { throw Refusal(.conflict, "Incident \(id) is \(status.rawValue).") }
        if let by = undone[change] { throw Refusal(.conflict, "\(by) has undone this change already.") }
        guard let suspect = suspects.first(where: { $0.change.id == change }) else {
            throw Refusal(.notFound, "\(change) is not among the suspects of incident \(id).")
        }
        guard suspect.change.flagStep != nil else {
            throw Refusal(.invalid, "\(suspect.change.title) is not a flag's change: Mainstay cannot undo it here.")
        }
        var incident = self
        var step = Step(incident)
        incident.order(undo: suspect, by: input.actor, "Asked for by \(input.actor.name).", &step)
        incident.take(by: input.actor, input)
        step.state = incident
        return incident.watched(step, input)
    }

    private func mitigate(_ change: String, _ input: StepInput) -> Step<Incident> {
        var incident = self
        let by = undone[change] ?? input.actor.name
        incident.undone[change] = by
        guard status.isOpen else { return Step(incident) }
        incident.status = .mitigated
        incident.undoneAt = incident.undoneAt ?? input.now
        incident.measure(input)
        var step = Step(incident)
        let title = suspects.first { $0.change.id == change }?.change.title ?? change
        step.entries = [incident.entry("incident.mitigated", "\(title) undone by \(by).", change: change)]
        incident.page(.undone, &step, input)
        step.state = incident
        return incident.watched(step, input)
    }

    // MARK: People

    private mutating func take(by actor: Actor, _ input: StepInput) {
        guard acknowledgedAt == nil else { return }
        acknowledgedAt = input.now
        acknowledgedBy = actor.name
        if status == .triggered { status = .acknowledged }
    }

    private func acknowledge(_ input: StepInput) throws(Refusal) -> Step<Incident> {
        guard status.isOpen else { throw Refusal(.conflict, "Incident \(id) is \(status.rawValue) already.") }
        if acknowledgedAt != nil { return watched(Step(self), input) }
        var incident = self
        incident.take(by: input.actor, input)
        var step = Step(incident)
        step.entries = [incident.entry("incident.acknowledged", "Acknowledged by \(input.actor.name).")]
        return incident.watched(step, input)
    }

    private func resolve(by actor: Actor, _ reason: String, _ input: StepInput) throws(Refusal) -> Step<Incident> {
        guard status.isOpen else { throw Refusal(.conflict, "Incident \(id) is \(status.rawValue) already.") }
        var incident = self
        var step = Step(incident)
        incident.close(by: actor.name, reason.isEmpty ? "no reason given" : reason, &step, input)
        return step
    }

    private mutating func close(by name: String, _ reason: String, _ step: inout Step<Incident>, _ input: StepInput) {
        measure(input)
        status = .resolved
        resolvedAt = input.now
        resolvedBy = name
        step.entries.append(
            entry(
                "incident.resolved",
                "Resolved by \(name) after \((input.now - troubleSince).spoken): \(reason)."))
        page(.resolved, &step, input)
        step.forward(.feature, desk, .feature(.incidentClosed(id)))
        step.state = self
        step.due = nil
    }

    private func review(_ input: StepInput) throws(Refusal) -> Step<Incident> {
        guard status == .resolved else {
            throw Refusal(.conflict, "Incident \(id) is \(status.rawValue); only a resolved one can be reviewed.")
        }
        var incident = self
        incident.status = .reviewed
        incident.reviewedBy = input.actor.name
        var step = Step(incident)
        step.entries = [incident.entry("incident.reviewed", "Reviewed by \(input.actor.name).")]
        return step
    }

    private func note(_ text: String, _ input: StepInput) throws(Refusal) -> Step<Incident> {
        guard !text.isEmpty, text.utf8.count <= 10_000 else {
            throw Refusal(.invalid, "A note has 1 to 10,000 bytes.")
        }
        guard notes.count < Incident.noteLimit else {
            throw Refusal(.conflict, "Incident \(id) already has \(Incident.noteLimit) notes.")
        }
        var incident = self
        incident.notes.append(Note(at: input.now, by: input.actor.name, text: text))
        var step = Step(incident)
        step.entries = [incident.entry("incident.noted", "\(input.actor.name): \(text)")]
        return incident.watched(step, input)
    }

    /// Keeps the one deadline an open incident has: paging again while nobody acknowledges.
    private func watched(_ step: Step<Incident>, _ input: StepInput) -> Step<Incident> {
        var step = step
        step.due = nextRepage(input)
        return step
    }

    func entry(_ kind: String, _ text: String, change: String? = nil) -> Entry {
        Entry(kind, text, service: service, feature: feature, incident: id, change: change)
    }
}

extension String {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
