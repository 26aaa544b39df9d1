/// What a state machine may look at besides its own state: the time, who acts, the configuration, and facts that the
/// record gathered in the same transaction.
package struct StepInput: Sendable {
    package var now: Instant
    package var actor: Actor
    package var subject: Subject
    package var policy: Policy
    package var facts: Facts

    package init(now: Instant, actor: Actor, subject: Subject, policy: Policy, facts: Facts = Facts()) {
        self.now = now
        self.actor = actor
        self.subject = subject
        self.policy = policy
        self.facts = facts
    }
}

/// What a step decided: all of it is written in one transaction, or none.
package struct Step<State: Sendable>: Sendable {
    package var state: State?
    /// Lines for the timeline.
    package var entries: [Entry] = []
    /// Work for Act and Observe, by way of the outbox.
    package var effects: [Effect] = []
    /// What this means for other things; applied in the same transaction, in order.
    package var forwards: [Occurrence] = []
    /// New or updated lines of the change ledger.
    package var changes: [Change] = []
    /// Customer reports to keep.
    package var reports: [Report] = []
    /// When to send `.deadlineReached`; nil: never. Replaces what an earlier step asked for.
    package var due: Instant?

    package init(_ state: State?) {
        self.state = state
    }

    func map<Other>(_ transform: (State) -> Other) -> Step<Other> {
        var other = Step<Other>(state.map(transform))
        other.entries = entries
        other.effects = effects
        other.forwards = forwards
        other.changes = changes
        other.reports = reports
        other.due = due
        return other
    }

    mutating func forward(_ kind: Subject.Kind, _ id: String, _ event: Event, by actor: Actor = .mainstay) {
        forwards.append(Occurrence(Subject(kind, id), event, by: actor))
    }
}

/// One line of the timeline as a step writes it; the record adds id, time, actor and subject.
package struct Entry: Hashable, Sendable, Codable {
    /// `incident.opened`: capability, dot, past participle.
    package var kind: String
    /// One sentence for people.
    package var text: String
    package var service: String?
    package var feature: String?
    package var incident: String?
    package var change: String?
    /// What a program may want beside the sentence; never holds secrets.
    package var data: [String: JSONValue]

    package init(
        _ kind: String, _ text: String, service: String? = nil, feature: String? = nil, incident: String? = nil,
        change: String? = nil, data: [String: JSONValue] = [:]
    ) {
        self.kind = kind
        self.text = text
        self.service = service
        self.feature = feature
        self.incident = incident
        self.change = change
        self.data = data
    }
}

/// Facts for steps that rank suspects and count users; gathered only for incidents.
package struct Facts: Hashable, Sendable, Codable {
    /// Changes of the last `Policy.suspectWindow`, newest first, at most 200.
    package var changes: [Change] = []
    /// Distinct users by flag, variant and flag version.
    package var exposures: [Exposure] = []
    /// Distinct users seen active by service in the last quarter of an hour.
    package var activeUsers: [String: Int] = [:]

    package init(changes: [Change] = [], exposures: [Exposure] = [], activeUsers: [String: Int] = [:]) {
        self.changes = changes
        self.exposures = exposures
        self.activeUsers = activeUsers
    }
}

/// Who met one variant of one flag under one version of its definition.
package struct Exposure: Hashable, Sendable, Codable {
    package var service: String
    package var flag: String
    package var variant: String
    package var version: Int64
    package var users: Int
    package var firstAt: Instant
    package var lastAt: Instant

    package init(
        service: String, flag: String, variant: String, version: Int64, users: Int, firstAt: Instant, lastAt: Instant
    ) {
        self.service = service
        self.flag = flag
        self.variant = variant
        self.version = version
        self.users = users
        self.firstAt = firstAt
        self.lastAt = lastAt
    }
}
