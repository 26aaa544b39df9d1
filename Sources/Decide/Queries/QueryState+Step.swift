extension QueryState {
    static func step(_ state: QueryState?, _ event: Event, _ input: StepInput) throws(Refusal) -> Step<QueryState> {
        switch event {
        case .query(.decided(let decision, let place)):
            guard state != nil || decision.isNews else { return Step(nil) }
            return try known(state, decision, input).take(decision, place, input)
        case .query(.confirmed(let decision, let place)):
            guard decision.kind == .tripped || decision.kind == .breakerOpened else {
                throw Refusal(.invalid, "Only a limit or a refusal can be confirmed, not \(decision.kind.rawValue).")
            }
            return try known(state, decision, input).confirm(decision, place, input)
        case .deadlineReached:
            guard let state else { return Step(nil) }
            return state.settled(Step(state), input)
        default:
            throw Machine.misfit(event, input.subject)
        }
    }

    private static func known(
        _ state: QueryState?, _ decision: QueryDecision, _ input: StepInput
    ) throws(Refusal) -> QueryState {
        guard subject(of: decision) == input.subject else {
            throw Refusal(.invalid, "\(input.subject) does not take a decision about \(subject(of: decision)).")
        }
        var state = state ?? QueryState(id: input.subject.id, database: decision.database)
        if state.alert == nil {
            let desk = input.policy.guarded.desk(of: decision.database)
            (state.service, state.feature) = (desk.service, desk.feature)
        }
        return state
    }

    private func take(_ decision: QueryDecision, _ place: String, _ input: StepInput) -> Step<QueryState> {
        let holder = "\(decision.user)@\(place)"
        var state = self
        var step = Step(state)
        switch decision.kind {
        case .tripped: return state.hold(.limited, decision, holder, input)
        case .breakerOpened: return state.hold(.refused, decision, holder, input)
        case .released: state.letGo(.limited, "query.released", decision, holder, &step, input)
        case .breakerClosed: state.letGo(.refused, "query.let_in", decision, holder, &step, input)
        case .limitRaised, .limitHalved, .cancelled, .breakerHalfOpen: state.follow(decision, holder, input)
        case .statementCapped, .idleCapped: state.tell("query.capped", decision, every: Self.noticeEvery, &step, input)
        case .largeResult: state.tell("query.large", decision, every: Self.noticeEvery, &step, input)
        case .ruleExpired: break
        }
        return state.settled(step, input)
    }

    // MARK: Holds

    private func hold(
        _ kind: Hold.Kind, _ decision: QueryDecision, _ holder: String, _ input: StepInput
    ) -> Step<QueryState> {
        var state = self
        var step = Step(state)
        if let index = holds.firstIndex(where: { $0.kind == kind && $0.place == holder }) {
            let known = holds[index].decision
            state.holds[index].heardAt = input.now
            // The same one again, or a breaker whose probes failed: the hold goes on.
            if known.at == decision.at || kind == .refused && known.isObserved == decision.isObserved {
                state.holds[index].decision.until = decision.until ?? known.until
                return state.settled(step, input)
            }
            state.holds[index].decision = decision
        } else {
            if holds.count >= Self.holdLimit,
                let oldest = holds.indices.min(by: { holds[$0].heardAt < holds[$1].heardAt })
            {
                state.holds.remove(at: oldest)
            }
            state.holds.append(Hold(kind: kind, place: holder, decision: decision, heardAt: input.now))
        }
        state.since = state.since ?? decision.at
        state.recentTrips += 1
        state.trips += 1
        state.last = decision
        if decision.isObserved {
            state.tell("query.observed", decision, every: Self.noticeEvery, &step, input)
        } else {
            let line = kind == .limited ? "query.tripped" : "query.refused"
            state.tell(line, decision, every: Self.lineEvery, &step, input)
        }
        return state.settled(step, isAgain: true, input)
    }

    private mutating func letGo(
        _ kind: Hold.Kind, _ line: String, _ decision: QueryDecision, _ holder: String, _ step: inout Step<QueryState>,
        _ input: StepInput
    ) {
        guard let index = holds.firstIndex(where: { $0.kind == kind && $0.place == holder }) else { return }
        let held = holds.remove(at: index)
        last = decision
        if !held.decision.isObserved { tell(line, decision, every: Self.lineEvery, &step, input) }
    }

    /// How a limit moves is kept, and not told.
    private mutating func follow(_ decision: QueryDecision, _ holder: String, _ input: StepInput) {
        for index in holds.indices where holds[index].place == holder {
            holds[index].heardAt = input.now
            holds[index].decision.cancelled += decision.kind == .cancelled ? decision.cancelled : 0
            if holds[index].kind == .limited, let limit = decision.limit { holds[index].decision.limit = limit }
        }
    }

    private func confirm(_ decision: QueryDecision, _ place: String, _ input: StepInput) -> Step<QueryState> {
        let holder = "\(decision.user)@\(place)"
        let kind: Hold.Kind = decision.kind == .tripped ? .limited : .refused
        guard let index = holds.firstIndex(where: { $0.kind == kind && $0.place == holder }) else {
            return hold(kind, decision, holder, input)
        }
        var state = self
        state.holds[index].heardAt = input.now
        state.holds[index].decision.limit = decision.limit ?? state.holds[index].decision.limit
        state.holds[index].decision.until = decision.until ?? state.holds[index].decision.until
        return state.settled(Step(state), input)
    }

    // MARK: Alert, rest, deadline

    /// What follows from how things are now: whatever the event was, and also when only time has passed.
    /// - Parameter isAgain: a hold has just begun.
    private func settled(_ step: Step<QueryState>, isAgain: Bool = false, _ input: StepInput) -> Step<QueryState> {
        var (state, step) = (self, step)
        state.forgetSilent(&step, input)
        state.alarm(isAgain, &step, input)
        state.calmDown(&step, input)
        step.state = state
        step.due = state.due(input)
        return step
    }

    private mutating func forgetSilent(_ step: inout Step<QueryState>, _ input: StepInput) {
        for hold in holds where input.now >= hold.heardAt + Self.silence {
            guard !hold.decision.isObserved, let text = line("query.lost", every: Self.lineEvery, input) else {
                continue
            }
            step.entries.append(
                entry(
                    "query.lost",
                    "Nothing was heard of the guard that held query \(name) back (\(hold.place)) for "
                        + "\(Self.silence.spoken): it is taken as gone.\(text)"))
        }
        holds.removeAll { input.now >= $0.heardAt + Self.silence }
    }

    private func alarms(_ hold: Hold, _ input: StepInput) -> Bool {
        if hold.decision.isObserved, !input.policy.guarded.pagesObserved { return false }
        return !hold.decision.isCrowd || input.now >= hold.since + Self.crowdPatience
    }

    private mutating func alarm(_ isAgain: Bool, _ step: inout Step<QueryState>, _ input: StepInput) {
        // The latest of what alarms says most about now.
        guard let worst = holds.filter({ alarms($0, input) }).max(by: { $0.since < $1.since })?.decision else { return }
        if let alertedAt, alert != nil, !isAgain || input.now < alertedAt + Self.lineEvery { return }
        let fired = Alert(
            id: "query:\(id)", kind: .query, severity: worst.isObserved || worst.isCrowd ? .low : .high,
            since: alert?.since ?? since ?? worst.at, seenAt: worst.at, summary: worst.summary, query: worst)
        alert = fired
        alertedAt = input.now
        step.forward(.feature, "\(service)/\(feature)", .feature(.alertFired(fired)))
    }

    private mutating func calmDown(_ step: inout Step<QueryState>, _ input: StepInput) {
        guard holds.isEmpty, since != nil else {
            restingSince = nil
            return
        }
        let restingSince = restingSince ?? input.now
        self.restingSince = restingSince
        guard input.now >= restingSince + Self.rest else { return }
        if let alert {
            step.entries.append(
                entry(
                    "query.calm",
                    "No guard has held query \(name) back for \(Self.rest.spoken); it was held back "
                        + (recentTrips == 1 ? "once." : "\(recentTrips) times.")))
            step.forward(.feature, "\(service)/\(feature)", .feature(.alertResolved(id: alert.id)))
        }
        (alert, alertedAt, since, self.restingSince, recentTrips) = (nil, nil, nil, nil, 0)
    }

    private func due(_ input: StepInput) -> Instant? {
        var deadlines = holds.map { $0.heardAt + Self.silence }
        if alert == nil {
            let crowds = holds.filter { $0.decision.isCrowd && !alarms($0, input) }
            deadlines += crowds.map { $0.since + Self.crowdPatience }.filter { $0 > input.now }
        }
        if let restingSince { deadlines.append(restingSince + Self.rest) }
        return deadlines.min()
    }

    // MARK: Lines

    private var name: String { String(id.dropFirst(database.count + 1)) }

    private mutating func tell(
        _ kind: String, _ decision: QueryDecision, every span: Span, _ step: inout Step<QueryState>, _ input: StepInput
    ) {
        guard let more = line(kind, every: span, input) else { return }
        step.entries.append(entry(kind, decision.line + more, decision))
    }

    /// What to add to a line that is written now; nil when the last one of its kind is too new.
    private mutating func line(_ kind: String, every span: Span, _ input: StepInput) -> String? {
        if let last = told[kind], input.now < last.at + span {
            told[kind]?.untold += 1
            return nil
        }
        let untold = told[kind]?.untold ?? 0
        told[kind] = Told(at: input.now, untold: 0)
        return untold == 0 ? "" : " (\(untold) more like this since the last line.)"
    }

    private func entry(_ kind: String, _ text: String, _ decision: QueryDecision? = nil) -> Entry {
        var data: [String: JSONValue] = ["database": .string(database), "query": .string(name)]
        if let decision {
            data["user"] = .string(decision.user)
            data["observed"] = .bool(decision.isObserved)
            data["release"] = decision.release.map(JSONValue.string)
            data["limit"] = decision.limit.map { .integer(Int64($0)) }
            data["share"] = decision.share.map { .double($0) }
        }
        return Entry(kind, text, service: service, feature: feature, data: data)
    }
}
