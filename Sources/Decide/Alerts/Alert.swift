/// One thing that is wrong now.
package struct Alert: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable {
        case journey, check, reports, query
    }

    /// What is wrong: the check's id, `reports:service/feature` or `query:database/fingerprint`.
    package var id: String
    package var kind: Kind
    package var severity: Severity
    /// Start of the run that first showed it.
    package var since: Instant
    /// When it was seen; changes after it are not suspected. A change during the failing run may well be the cause.
    package var seenAt: Instant
    /// One sentence.
    package var summary: String
    /// Variants that were forced in the failing run.
    package var forced: [String: String]
    /// The check itself is wrong; no change is accused.
    package var isDefinitionFault: Bool
    /// What the failing journey did.
    package var steps: [StepResult]
    package var resolvedAt: Instant?
    /// What a guard decided about the query that is wrong.
    package var query: QueryDecision?

    package init(
        id: String, kind: Kind, severity: Severity, since: Instant, seenAt: Instant? = nil, summary: String,
        forced: [String: String] = [:],
        isDefinitionFault: Bool = false, steps: [StepResult] = [], resolvedAt: Instant? = nil,
        query: QueryDecision? = nil
    ) {
        self.seenAt = seenAt ?? since
        self.id = id
        self.kind = kind
        self.severity = severity
        self.since = since
        self.summary = summary
        self.forced = forced
        self.isDefinitionFault = isDefinitionFault
        self.steps = steps
        self.resolvedAt = resolvedAt
        self.query = query
    }
}
