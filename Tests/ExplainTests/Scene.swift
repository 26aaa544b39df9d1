import Decide
import Foundation
import Record
import SQL
import Synchronization
import TestSupport

/// A record with a real incident in it: every state comes from applying events, as in production. The clock is the
/// scene's own.
final class Scene: Sendable {
    enum End {
        /// All is well; the release waits at the gate.
        case calm
        /// The incident is open, nothing concluded yet.
        case open
        /// The experiment has proven the change; with undo `ask` it waits for a person, with `auto` it is undone.
        case proven
        /// Undone, verified and resolved.
        case resolved
    }

    static let start = Instant(milliseconds: 1_795_341_600_000)
    static let hostile = "<script>alert('x')</script> **nothing** is saved | `code` & [link](javascript:alert(1))"
    static let incident = "storefront-favorites-1"
    static let release = "storefront-favorites-v2-4f2a9c1e77b0"
    static let journey = "storefront/favorites-saved"

    let record: Record
    private let clock: SceneClock
    private let directory: TemporaryDirectory

    init(until end: End = .resolved, undo: FeaturePolicy.Undo = .auto) async throws {
        let directory = try TemporaryDirectory("scene")
        let clock = SceneClock()
        self.directory = directory
        self.clock = clock
        record = Record(
            database: try openDatabase(directory.path + "/scene.db"), policy: Scene.policy(undo: undo),
            now: { clock.time.withLock { $0 } })
        try await record.migrate()
        try await calm()
        if end == .calm { return }
        try await breakIt()
        if end == .open { return }
        try await prove()
        if end == .proven { return }
        try await recover()
    }

    var now: Instant { clock.time.withLock { $0 } }

    func wait(_ span: Span) { clock.time.withLock { $0 = $0 + span } }

    func close() async throws {
        await record.database.close()
        try directory.remove()
    }

    // MARK: What is configured

    private static func policy(undo: FeaturePolicy.Undo) -> Policy {
        func check(_ name: String, feature: String?, component: String? = nil, isJourney: Bool) -> CheckPolicy {
            CheckPolicy(
                id: "storefront/\(name)", service: "storefront", feature: feature, component: component, team: "shop",
                isJourney: isJourney, every: .seconds(5))
        }
        let checks = [
            check("favorites-saved", feature: "favorites", isJourney: true),
            check("posts-read", feature: "posts", isJourney: true),
            check("api", feature: nil, component: "api", isJourney: false),
            check("database", feature: nil, component: "database", isJourney: false),
        ]
        return Policy(
            services: [
                "storefront": ServicePolicy(
                    name: "storefront", team: "shop",
                    features: [
                        "favorites": FeaturePolicy(
                            name: "favorites", team: "shop", flag: "favorites", proof: [journey], undo: undo),
                        "posts": FeaturePolicy(name: "posts", team: "shop", proof: ["storefront/posts-read"]),
                    ])
            ],
            teams: [
                "shop": TeamPolicy(
                    name: "shop",
                    targets: [
                        PageTarget(name: "ada", method: .email), PageTarget(name: "shop-chat", method: .slack),
                    ])
            ],
            checks: Dictionary(checks.map { ($0.id, $0) }, uniquingKeysWith: { $1 }))
    }

    // MARK: What happens

    private func calm() async throws {
        let flag = FlagDefinition(
            variants: ["v1": .string("v1"), "v2": .string("v2"), "off": .string("off")], defaultVariant: "v1")
        try await record.apply(
            Subject(.flag, "storefront/favorites"),
            .flag(.declared(service: "storefront", key: "favorites", flag)), by: Actor(.service, "storefront"))
        var results: [CheckResult] = []
        for check in record.policy.checks.keys {
            results += (0..<118).map { result(check, at: now - .seconds(30 * Int64(118 - $0)), failure: nil) }
            try await record.apply(
                Subject(.check, check), .check(.reported(result(check, at: now, failure: nil))), by: .mainstay)
        }
        try await record.sample(results)
        try await apply(
            .release, Scene.release,
            .release(
                .created(
                    NewRelease(
                        service: "storefront", feature: "favorites", commit: "4f2a9c1e77b0aa31", author: "lin",
                        variant: "v2"
                    ))), by: lin)
    }

    private func breakIt() async throws {
        wait(.minutes(1))
        try await apply(.release, Scene.release, .release(.forced(reason: "The launch is today.")), by: lin)
        wait(.milliseconds(300))
        let version = try await record.flag(service: "storefront", key: "favorites")?.version ?? 0
        try await record.add(
            ExposureBatch(
                id: "one", service: "storefront",
                items: [
                    .init(
                        flag: "favorites", variant: "v2", version: version, firstAt: now, lastAt: now, evaluations: 9,
                        users: (1...7).map { UserHash(key: "user-\($0)").value })
                ], active: (1...300).map { UserHash(key: "user-\($0)").value }, at: now))
        wait(.milliseconds(3_900))
        try await fail(forced: ["favorites": "v2"])
        wait(.milliseconds(600))
        for page in try await record.pages(ofIncident: Scene.incident) {
            try await record.apply(
                Subject(.page, page.id), .page(.delivered(proof: "250 2.0.0 Ok: queued as 4XQ2")), by: .mainstay)
        }
        for (index, text) in [Scene.hostile, "I press the heart and nothing happens.\nTwice."].enumerated() {
            try await report(text, by: "customer-\(index)")
        }
    }

    private func prove() async throws {
        wait(.milliseconds(700))
        let change = Rollout.change(Scene.release)
        let outcome = ExperimentOutcome(
            check: Scene.journey, change: change, old: result(Scene.journey, at: now, failure: nil, variant: "v1"),
            new: result(Scene.journey, at: now, failure: "n is 0, expected 1", variant: "v2"))
        try await apply(.incident, Scene.incident, .incident(.experimentEnded(outcome)), by: .mainstay)
    }

    private func recover() async throws {
        wait(.seconds(2))
        try await apply(.incident, Scene.incident, .incident(.acknowledged), by: Actor(.person, "ada"))
        try await apply(
            .incident, Scene.incident, .incident(.noted("Told support: <b>fixed</b>.")), by: Actor(.person, "ada"))
        for _ in 1...2 {
            wait(.seconds(2))
            try await pass()
        }
    }

    func fail(forced: [String: String] = [:]) async throws {
        let failed = result(
            Scene.journey, at: now - .milliseconds(500), failure: "n is 0, expected 1", variant: "v2", forced: forced)
        try await record.sample([failed])
        try await apply(.check, Scene.journey, .check(.reported(failed)), by: .mainstay)
    }

    func pass() async throws {
        let passed = result(Scene.journey, at: now - .milliseconds(200), failure: nil)
        try await record.sample([passed])
        try await apply(.check, Scene.journey, .check(.reported(passed)), by: .mainstay)
    }

    func report(_ text: String, by reporter: String) async throws {
        let report = Report(
            id: UUID().uuidString, service: "storefront", feature: "favorites", text: text, reporter: reporter,
            page: "/products/7", at: now)
        try await apply(
            .reports, "storefront/favorites", .reports(.received(report)), by: Actor(.customer, "a customer"))
    }

    private var lin: Actor { Actor(.person, "lin") }

    private func apply(_ kind: Subject.Kind, _ id: String, _ event: Event, by actor: Actor) async throws {
        try await record.apply(Subject(kind, id), event, by: actor)
    }

    private func result(
        _ check: String, at: Instant, failure: String?, variant: String = "v1", forced: [String: String] = [:]
    ) -> CheckResult {
        guard check == Scene.journey else {
            return CheckResult(check: check, startedAt: at, finishedAt: at + .milliseconds(18), failure: nil)
        }
        let row = "the row is in the database"
        let steps = [
            StepResult(name: "press the button", did: "PUT /api/favorites/42 → 201", took: .milliseconds(31)),
            StepResult(
                name: row, did: "SELECT count(*) AS n FROM favorites … → 1 row", took: .milliseconds(4),
                failure: failure),
            StepResult(name: "take it back", did: "DELETE /api/favorites/42 → 204", took: .milliseconds(12)),
        ]
        return CheckResult(
            check: check, startedAt: at, finishedAt: at + .milliseconds(47),
            failure: failure.map { CheckFailure(kind: .assertion, step: row, message: $0) }, steps: steps,
            forced: forced)
    }
}

private final class SceneClock: Sendable {
    let time = Mutex(Scene.start)
}
