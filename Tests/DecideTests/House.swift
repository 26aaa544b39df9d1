import Decide

/// The whole house without disk, clock or network: applies events as the record does, and lets a test play Act and
/// Observe.
struct House {
    var now = Instant(milliseconds: 1_700_000_000_000)
    var policy: Policy
    var things: [Subject: Thing] = [:]
    var due: [Subject: Instant] = [:]
    var entries: [Entry] = []
    var effects: [Effect] = []
    var changes: [String: Change] = [:]
    var exposures: [Exposure] = []
    var activeUsers: [String: Int] = [:]
    private var effectKeys: Set<String> = []

    init(policy: Policy = .shop()) {
        self.policy = policy
    }

    /// All or nothing, as the record's transaction.
    mutating func apply(_ subject: Subject, _ event: Event, by actor: Actor = .mainstay) throws {
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
    mutating func wait(_ span: Span) throws {
        let end = now + span
        while let next = due.filter({ $0.value <= end }).min(by: { ($0.value, $0.key.id) < ($1.value, $1.key.id) }) {
            now = max(now, next.value)
            due[next.key] = nil
            try apply(next.key, .deadlineReached)
        }
        now = end
    }

    /// Effects since the last call.
    mutating func takeEffects() -> [Effect] {
        defer { effects = [] }
        return effects
    }

    func kinds() -> [String] { entries.map(\.kind) }

    func incident(_ id: String = "storefront-favorites-1") -> Incident? { things[Subject(.incident, id)]?.incident }
    func flag(_ key: String = "favorites") -> Flag? { things[Subject(.flag, "storefront/\(key)")]?.flag }
    var rollout: Rollout? { things.values.compactMap(\.rollout).first }

    // MARK: The favorites outage, event by event

    static let journey = "storefront/favorites-saved"
    static let release = NewRelease(
        service: "storefront", feature: "favorites", commit: "abc1234", author: "ada", variant: "v2")

    mutating func declareFavorites() throws {
        let definition = FlagDefinition(
            variants: ["v1": "v1", "v1b": "v1b", "v2": "v2"], defaultVariant: "v1")
        try apply(
            Subject(.flag, "storefront/favorites"),
            .flag(.declared(service: "storefront", key: "favorites", definition)))
    }

    mutating func createRelease() throws {
        try apply(
            Subject(.release, House.release.id), .release(.created(House.release)), by: Actor(.person, "ada"))
    }

    mutating func forceRelease() throws {
        try declareFavorites()
        try createRelease()
        try apply(
            Subject(.release, House.release.id), .release(.forced(reason: "The sale starts at noon.")),
            by: Actor(.person, "ada"))
    }

    mutating func run(passing: Bool, forced: [String: String] = ["favorites": "v2"]) throws {
        try apply(
            Subject(.check, House.journey), .check(.reported(result(passing: passing, forced: forced))))
    }

    func result(passing: Bool, forced: [String: String] = [:]) -> CheckResult {
        CheckResult(
            check: House.journey, startedAt: now - .milliseconds(500), finishedAt: now,
            failure: passing
                ? nil
                : CheckFailure(kind: .assertion, step: "the row is in the database", message: "n is 0, expected 1"),
            forced: forced)
    }

    mutating func endExperiment(old: Bool, new: Bool, failure: String? = nil) throws {
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
    static func shop(undo: FeaturePolicy.Undo = .auto, proof: [String] = [House.journey]) -> Policy {
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
