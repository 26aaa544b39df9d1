/// Whom an incident calls, when, and with which words.
extension Incident {
    enum Purpose: String {
        case opened, proven, undone, resolved
    }

    mutating func page(_ purpose: Purpose, _ step: inout Step<Incident>, _ input: StepInput) {
        call(purpose.rawValue, message(purpose, input), &step, input)
        if purpose == .opened { pagedAt = input.now }
    }

    private func call(_ suffix: String, _ message: PageMessage, _ step: inout Step<Incident>, _ input: StepInput) {
        for target in input.policy.teams[team]?.targets ?? [] {
            let page = "\(id)/\(target.name)/\(target.method.rawValue)/\(suffix)"
            step.forward(
                .page, page,
                .page(
                    .requested(
                        Delivery(page: page, service: service, incident: id, target: target, message: message))))
        }
        if input.policy.teams[team]?.targets.isEmpty ?? true {
            step.entries.append(
                entry("page.impossible", "Nobody was paged: team '\(team)' has no people and no channel."))
        }
    }

    func nextRepage(_ input: StepInput) -> Instant? {
        guard status == .triggered, let pagedAt, rounds(of: notes) < input.policy.repages else { return nil }
        return pagedAt + input.policy.repageAfter
    }

    /// Repages so far, kept as notes of Mainstay's so that people see them too.
    private func rounds(of notes: [Note]) -> Int {
        notes.count { $0.by == Actor.mainstay.name }
    }

    func wake(_ input: StepInput) -> Step<Incident> {
        guard let due = nextRepage(input) else { return Step(self) }
        guard input.now >= due else {
            var step = Step(self)
            step.due = due
            return step
        }
        var incident = self
        let round = rounds(of: notes) + 1
        let text =
            "Nobody acknowledged within \(input.policy.repageAfter): paged again (\(round) of \(input.policy.repages))."
        incident.notes.append(Note(at: input.now, by: Actor.mainstay.name, text: text))
        incident.pagedAt = input.now
        incident.measure(input)
        var step = Step(incident)
        step.entries = [incident.entry("incident.repaged", text)]
        incident.call("again-\(round)", incident.message(.opened, input), &step, input)
        step.due = incident.nextRepage(input)
        return step
    }

    // MARK: Words

    private func message(_ purpose: Purpose, _ input: StepInput) -> PageMessage {
        var lines: [String] = []
        switch purpose {
        case .opened, .proven:
            lines.append("Since \(RFC3339.format(troubleSince)): \(firing.first?.summary ?? title).")
            lines.append(contentsOf: firing.first?.query?.pageLines ?? [])
            lines.append(impact)
            lines.append(contentsOf: cause(purpose, input))
        case .undone:
            lines.append("\(undoneTitles) undone by \(undoneBy).")
            lines.append(impact)
            lines.append(contentsOf: experiments.filter { $0.verdict == .proven }.map(Incident.sentence))
            lines.append(
                firing.contains { $0.kind == .query }
                    ? "The incident ends when no guard has held the query back for \(QueryState.rest.spoken)."
                    : "The journeys run again now; the incident ends when they pass.")
        case .resolved:
            lines.append("Resolved by \(resolvedBy ?? "Mainstay") after \((input.now - troubleSince).spoken).")
            lines.append(impact)
            if !undone.isEmpty { lines.append("\(undoneTitles) undone by \(undoneBy).") }
        }
        let offersUndo = (purpose == .opened || purpose == .proven) && prime?.change.flagStep != nil
        return PageMessage(
            title: "\(word(purpose)) \(title) (\(service))", severity: severity, lines: lines,
            acknowledge: purpose == .opened || purpose == .proven,
            undo: offersUndo ? prime?.change.id : nil, undoTitle: offersUndo ? prime?.change.title : nil,
            isResolved: purpose == .resolved)
    }

    private func word(_ purpose: Purpose) -> String {
        switch purpose {
        case .opened: "[\(severity.rawValue)]"
        case .proven: "[proof]"
        case .undone: "[undone]"
        case .resolved: "[resolved]"
        }
    }

    private var impact: String {
        guard usersActive > 0 else { return "Users affected: not known yet." }
        let share = usersExposed * 10_000 / usersActive
        return "Users exposed: \(usersExposed) of \(usersActive) active (\(percent(basisPoints: share)))."
            + (reporters > 0 ? " \(reporters) reported it." : "")
    }

    private func cause(_ purpose: Purpose, _ input: StepInput) -> [String] {
        guard let prime else { return ["No change of the last \(input.policy.suspectWindow.spoken) is suspected."] }
        var lines = [
            "Suspect: \(prime.change.title), by \(prime.change.actor.name) at \(RFC3339.format(prime.change.at)) "
                + "(\(prime.reasons.joined(separator: "; ")))."
        ]
        if experiments.contains(where: { $0.endedAt == nil }) {
            lines.append("An experiment is testing it now.")
        }
        if purpose == .proven { lines.append("It waits for your decision: undo it with the link below.") }
        return lines
    }

    private var undoneTitles: String {
        undone.keys.sorted().map { id in suspects.first { $0.change.id == id }?.change.title ?? id }
            .joined(separator: ", ")
    }

    private var undoneBy: String { Set(undone.values).sorted().joined(separator: ", ") }

    // MARK: Deliveries

    func delivered(_ page: String, _ to: String, _ input: StepInput) -> Step<Incident> {
        var step = Step(self)
        step.due = nextRepage(input)
        return step
    }

    func undelivered(_ page: String, _ to: String, _ reason: String, _ input: StepInput) -> Step<Incident> {
        var step = Step(self)
        step.due = nextRepage(input)
        return step
    }
}
