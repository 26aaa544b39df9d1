/// The desk of one feature (or component): gathers its alerts into at most one open incident, and tells its rollout
/// what the journeys found.
///
/// Invariants: 1. At most one incident is open. 2. Incident numbers of a desk are 1, 2, 3, … without gaps.
/// 3. A rollout is told of every journey result with its variant forced, and of every alert.
package struct FeatureState: Hashable, Sendable, Codable {
    /// `service/feature`.
    package var id: String
    package var openIncident: String?
    package var incidents: Int
    package var firing: [String: Alert]
    package var rollout: String?

    package var service: String { String(id.prefix { $0 != "/" }) }
    package var feature: String { String(id.drop { $0 != "/" }.dropFirst()) }

    init(id: String) {
        self.id = id
        incidents = 0
        firing = [:]
    }
}

package enum FeatureEvent: Hashable, Sendable, Codable {
    case alertFired(Alert)
    case alertResolved(id: String)
    case journeyPassed(check: String, forced: [String: String], startedAt: Instant)
    case reportsCounted(reporters: Int, total: Int)
    /// What users get has changed: look at once.
    case changed(cause: String)
    case rolloutStarted(String)
    case rolloutEnded(String)
    case incidentClosed(String)
}

extension FeatureState {
    static func step(_ state: FeatureState?, _ event: Event, _ input: StepInput) throws(Refusal) -> Step<FeatureState> {
        guard case .feature(let event) = event else { throw Machine.misfit(event, input.subject) }
        var state = state ?? FeatureState(id: input.subject.id)
        switch event {
        case .alertFired(let alert):
            return state.fire(alert)
        case .alertResolved(let id):
            return state.resolve(id)
        case .journeyPassed(let check, let forced, let startedAt):
            return state.pass(check, forced, startedAt)
        case .reportsCounted(let reporters, let total):
            var step = Step(state)
            if let incident = state.openIncident {
                step.forward(.incident, incident, .incident(.reportsCounted(reporters: reporters, total: total)))
            }
            return step
        case .changed(let cause):
            return state.look(cause, input)
        case .rolloutStarted(let id):
            state.rollout = id
        case .rolloutEnded(let id):
            if state.rollout == id { state.rollout = nil }
        case .incidentClosed(let id):
            if state.openIncident == id { state.openIncident = nil }
        }
        return Step(state)
    }

    private mutating func fire(_ alert: Alert) -> Step<FeatureState> {
        firing[alert.id] = alert
        let incident: String
        let event: IncidentEvent
        if let open = openIncident {
            incident = open
            event = .alertAdded(alert)
        } else {
            incidents += 1
            incident = "\(service)-\(feature)-\(incidents)"
            openIncident = incident
            event = .opened(service: service, feature: feature, alert)
        }
        var step = Step(self)
        if let rollout, alert.kind == .journey {
            step.forward(.rollout, rollout, .rollout(.journeyFailed(check: alert.id)))
        }
        step.forward(.incident, incident, .incident(event))
        return step
    }

    private mutating func resolve(_ id: String) -> Step<FeatureState> {
        firing[id] = nil
        var step = Step(self)
        if let openIncident { step.forward(.incident, openIncident, .incident(.alertResolved(id: id))) }
        if let rollout, firing.isEmpty { step.forward(.rollout, rollout, .rollout(.cleared)) }
        return step
    }

    private func pass(_ check: String, _ forced: [String: String], _ startedAt: Instant) -> Step<FeatureState> {
        var step = Step(self)
        if let rollout, !forced.isEmpty {
            step.forward(.rollout, rollout, .rollout(.journeyPassed(check: check, at: startedAt)))
        }
        if let openIncident, firing[check] != nil {
            step.forward(.incident, openIncident, .incident(.journeyPassed(check: check, startedAt: startedAt)))
        }
        return step
    }

    private func look(_ cause: String, _ input: StepInput) -> Step<FeatureState> {
        var step = Step(self)
        for check in input.policy.feature(service, feature)?.proof ?? [] where input.policy.checks[check] != nil {
            step.effects.append(.run(RunRequest(check: check, cause: cause)))
        }
        return step
    }
}
