/// Everything that can happen to anything: past tense, one case a state machine.
package enum Event: Hashable, Sendable, Codable {
    /// The time that a step asked to be woken at has come.
    case deadlineReached
    case flag(FlagEvent)
    case release(ReleaseEvent)
    case rollout(RolloutEvent)
    case check(CheckEvent)
    case feature(FeatureEvent)
    case incident(IncidentEvent)
    case page(PageEvent)
    case reports(ReportsEvent)
    case query(QueryEvent)
    case guardRules(GuardRulesEvent)
}

/// An event with its address.
package struct Occurrence: Hashable, Sendable, Codable {
    package var subject: Subject
    package var event: Event
    package var actor: Actor

    package init(_ subject: Subject, _ event: Event, by actor: Actor) {
        self.subject = subject
        self.event = event
        self.actor = actor
    }
}

/// Why something cannot be done now, in words for whoever asked. Nothing was changed.
package struct Refusal: Error, Hashable, Sendable, Codable {
    package enum Code: String, Hashable, Sendable, Codable {
        case notFound, conflict, invalid, forbidden
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
