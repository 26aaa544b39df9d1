import Decide

/// The whole house without disk, clock or network: applies events as the record does, and lets a test play Act and
/// Observe.
package struct House {
    package var now = Instant(milliseconds: 1_700_000_000_000)
    package var policy: Policy
    package var things: [Subject: Thing] = [:]
    package var due: [Subject: Instant] = [:]
    package var entries: [Entry] = []
    package var effects: [Effect] = []
    package var changes: [String: Change] = [:]
    package var exposures: [Exposure] = []
    package var activeUsers: [String: Int] = [:]
    private var effectKeys: Set<String> = []

    package init(policy: Policy = .shop()) {
        self.policy = policy
    }

    /// All or nothing, as the record's transaction.
    package mutating func apply(_ subject: Subject, _ event: Event, by actor: Actor = .mainstay) throws {
        var after = self
        var queue = [Occurrence(subject, event, by: actor)]
        while !queue.isEmpty {
            let next = queue.removeFirst()
            let facts = Facts(
                changes: after.changes.values.sorted { $0.at > $1.at }, exposures: exposures, activeUsers: activeUsers)
            let input = StepInput(
                now: now, actor: next.actor, subject: next.subject, policy: policy, facts: facts)
            let step = try Machine.step(after.things[next.subject], next.event, input)
            after.things[next.subject] = step.state
            after.due[next.subject] = step.due
            after.entries += step.entries
            for effect in step.effects where after.effectKeys.insert(effect.key).inserted {
                after.effects.append(effect)
            }
            for change in step.changes { after.changes[change.id] = change }
            queue += step.forwards
        }
        self = after
    }

    /// Lets time pass to `instant`, waking whatever is due on the way, in order.
    package mutating func wait(_ span: Span) throws {
        let end = now + span
        while let next = due.filter({ $0.value <= end }).min(by: { ($0.value, $0.key.id) < ($1.value, $1.key.id) }) {
            now = max(now, next.value)
            due[next.key] = nil
            try apply(next.key, .deadlineReached)
        }
        now = end
    }

    /// Effects since the last call.
    package mutating func takeEffects() -> [Effect] {
        defer { effects = [] }
        return effects
    }

    package func kinds() -> [String] { entries.map(\.kind) }

    package func incident(_ id: String = "storefront-favorites-1") -> Incident? {
        things[Subject(.incident, id)]?.incident
    }
    package func flag(_ key: String = "favorites") -> Flag? { things[Subject(.flag, "storefront/\(key)")]?.flag }
    package var rollout: Rollout? { things.values.compactMap(\.rollout).first }

    // MARK: The favorites outage, event by event

    package static let journey = "storefront/favorites-saved"
    package static let release = NewRelease(
        service: "storefront", feature: "favorites", commit: "abc1234", author: "ada", variant: "v2")

    package mutating func declareFavorites() throws {
        let definition = FlagDefinition(
            variants: ["v1": "v1", "v1b": "v1b", "v2": "v2"], defaultVariant: "v1")
        try apply(
            Subject(.flag, "storefront/favorites"),
            .flag(.declared(service: "storefront", key: "favorites", definition)))
    }

    package mutating func createRelease() throws {
        try apply(
            Subject(.release, House.release.id), .release(.created(House.release)), by: Actor(.person, "ada"))
    }

    package mutating func forceRelease() throws {
        try declareFavorites()
        try createRelease()
        try apply(
            Subject(.release, House.release.id), .release(.forced(reason: "The sale starts at noon.")),
            by: Actor(.person, "ada"))
    }

    package mutating func run(passing: Bool, forced: [String: String] = ["favorites": "v2"]) throws {
        try apply(
            Subject(.check, House.journey), .check(.reported(result(passing: passing, forced: forced))))
    }

    package func result(passing: Bool, forced: [String: String] = [:]) -> CheckResult {
        CheckResult(
            check: House.journey, startedAt: now - .milliseconds(500), finishedAt: now,
            failure: passing
                ? nil
                : CheckFailure(kind: .assertion, step: "the row is in the database", message: "n is 0, expected 1"),
            forced: forced)
    }

    package mutating func endExperiment(old: Bool, new: Bool, failure: String? = nil) throws {
        let change = "release:\(House.release.id)"
        let outcome = ExperimentOutcome(
            check: House.journey, change: change, old: result(passing: old, forced: ["favorites": "v1"]),
            new: result(passing: new, forced: ["favorites": "v2"]), failure: failure)
        try apply(
            Subject(.incident, "storefront-favorites-1"), .incident(.experimentEnded(outcome)))
    }
}

extension Policy {
    /// A shop with favorites, guarded by one journey and owned by ada and lin.
    package static func shop(undo: FeaturePolicy.Undo = .auto, proof: [String] = [House.journey]) -> Policy {
        let favorites = FeaturePolicy(
            name: "favorites", team: "shop", flag: "favorites", proof: proof, undo: undo,
            rollout: RolloutPolicy(
                name: "careful",
                stages: [
                    .init(share: 500, hold: .seconds(30)), .init(share: 2_500, hold: .seconds(30)),
                    .init(share: 10_000, hold: .seconds(10)),
                ]))
        return Policy(
            services: [
                "storefront": ServicePolicy(name: "storefront", team: "shop", features: ["favorites": favorites])
            ],
            teams: [
                "shop": TeamPolicy(
                    name: "shop",
                    targets: [PageTarget(name: "ada", method: .email), PageTarget(name: "chat", method: .slack)])
            ],
            checks: [
                House.journey: CheckPolicy(
                    id: House.journey, service: "storefront", feature: "favorites", team: "shop", isJourney: true,
                    every: .seconds(5)),
                "storefront/nightly": CheckPolicy(
                    id: "storefront/nightly", service: "storefront", feature: nil, component: "backup", team: "shop",
                    isJourney: false, every: .minutes(10), heartbeatGrace: .minutes(1)),
            ])
    }
}
