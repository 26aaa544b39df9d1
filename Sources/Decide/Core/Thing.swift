/// The state of any one thing.
package enum Thing: Hashable, Sendable, Codable {
    case flag(Flag)
    case release(Release)
    case rollout(Rollout)
    case check(CheckState)
    case feature(FeatureState)
    case incident(Incident)
    case page(Page)
    case reports(ReportsState)
    case query(QueryState)
    case guardRules(GuardRules)

    package var flag: Flag? { if case .flag(let value) = self { value } else { nil } }
    package var release: Release? { if case .release(let value) = self { value } else { nil } }
    package var rollout: Rollout? { if case .rollout(let value) = self { value } else { nil } }
    package var check: CheckState? { if case .check(let value) = self { value } else { nil } }
    package var feature: FeatureState? { if case .feature(let value) = self { value } else { nil } }
    package var incident: Incident? { if case .incident(let value) = self { value } else { nil } }
    package var page: Page? { if case .page(let value) = self { value } else { nil } }
    package var reports: ReportsState? { if case .reports(let value) = self { value } else { nil } }
    package var query: QueryState? { if case .query(let value) = self { value } else { nil } }
    package var guardRules: GuardRules? { if case .guardRules(let value) = self { value } else { nil } }

    /// For lists: which service it belongs to.
    package var service: String {
        switch self {
        case .flag(let value): value.service
        case .release(let value): value.service
        case .rollout(let value): value.service
        case .check(let value): value.service
        case .feature(let value): value.service
        case .incident(let value): value.service
        case .page(let value): value.service
        case .reports(let value): value.service
        case .query(let value): value.service
        case .guardRules: GuardPolicy.ownService
        }
    }

    /// For lists: one word.
    package var status: String {
        switch self {
        case .flag(let value): value.rollout == nil ? "steady" : "rolling"
        case .release(let value): value.status.rawValue
        case .rollout(let value): value.status.rawValue
        case .check(let value): value.status.rawValue
        case .feature(let value): value.openIncident == nil ? "well" : "ill"
        case .incident(let value): value.status.rawValue
        case .page(let value): value.status.rawValue
        case .reports(let value): value.isFiring ? "firing" : "quiet"
        case .query(let value): value.status
        case .guardRules(let value): value.rules.isEmpty ? "none" : "some"
        }
    }
}

/// The one way anything changes.
package enum Machine {
    /// Invariants, tested by `MachineTests` and `SimulationTests`:
    /// 1. Equal inputs give equal steps.
    /// 2. An event that does not fit the subject's kind is refused, never ignored.
    /// 3. `.deadlineReached` before the deadline changes nothing: wake-ups may come early, late or twice.
    package static func step(_ thing: Thing?, _ event: Event, _ input: StepInput) throws(Refusal) -> Step<Thing> {
        switch input.subject.kind {
        case .flag: try Flag.step(thing?.flag, event, input).map(Thing.flag)
        case .release: try Release.step(thing?.release, event, input).map(Thing.release)
        case .rollout: try Rollout.step(thing?.rollout, event, input).map(Thing.rollout)
        case .check: try CheckState.step(thing?.check, event, input).map(Thing.check)
        case .feature: try FeatureState.step(thing?.feature, event, input).map(Thing.feature)
        case .incident: try Incident.step(thing?.incident, event, input).map(Thing.incident)
        case .page: try Page.step(thing?.page, event, input).map(Thing.page)
        case .reports: try ReportsState.step(thing?.reports, event, input).map(Thing.reports)
        case .query: try QueryState.step(thing?.query, event, input).map(Thing.query)
        case .guardRules: try GuardRules.step(thing?.guardRules, event, input).map(Thing.guardRules)
        case .access: throw Machine.misfit(event, input.subject)
        }
    }

    static func misfit(_ event: Event, _ subject: Subject) -> Refusal {
        Refusal(.invalid, "\(subject) does not take this event: \(event)")
    }
}
