import Decide
import Record
import SQL
import Synchronization
import TestSupport

/// A clock that stands still until a test moves it.
final class TestClock: Sendable {
    private let instant = Mutex(Instant(milliseconds: 1_700_000_000_000))

    var now: Instant { instant.withLock { $0 } }
    func advance(_ span: Span) { instant.withLock { $0 = $0 + span } }
}

/// Gives `body` a migrated record over a fresh database.
func withRecord(
    _ driver: TestDriver, policy: Policy = .shop,
    _ body: @Sendable (Record, TestClock, TestDatabase) async throws -> Void
) async throws {
    try await withDatabase(driver) { database, place in
        let clock = TestClock()
        let record = Record(database: database, policy: policy, now: { clock.now })
        try await record.migrate()
        try await body(record, clock, place)
    }
}

extension Policy {
    static let shop = Policy(
        services: [
            "storefront": ServicePolicy(
                name: "storefront", team: "shop",
                features: [
                    "favorites": FeaturePolicy(
                        name: "favorites", team: "shop", flag: "favorites", proof: ["storefront/favorites-saved"],
                        undo: .auto)
                ])
        ],
        teams: ["shop": TeamPolicy(name: "shop", targets: [PageTarget(name: "ada", method: .email)])],
        checks: [
            "storefront/favorites-saved": CheckPolicy(
                id: "storefront/favorites-saved", service: "storefront", feature: "favorites", team: "shop",
                isJourney: true, every: .seconds(5))
        ])
}

extension Record {
    static let flag = Subject(.flag, "storefront/favorites")
    static let check = Subject(.check, "storefront/favorites-saved")

    func declareFavorites() async throws {
        let definition = FlagDefinition(variants: ["v1": "v1", "v2": "v2"], defaultVariant: "v1")
        try await apply(
            Self.flag, .flag(.declared(service: "storefront", key: "favorites", definition)), by: .mainstay)
    }

    /// One change of the flag; each has to differ from the one before.
    func changeFavorites(_ number: Int, by name: String = "ada") async throws -> Applied {
        let definition = FlagDefinition(
            variants: ["v1": "v1", "v2": "v2"], defaultVariant: "v1", metadata: ["number": .integer(Int64(number))])
        return try await apply(
            Self.flag, .flag(.changed(definition, reason: "number \(number)")), by: Actor(.person, name))
    }

    func reportFailure(at instant: Instant) async throws -> Applied {
        let result = CheckResult(
            check: Self.check.id, startedAt: instant, finishedAt: instant,
            failure: CheckFailure(kind: .assertion, step: "the row", message: "n is 0, expected 1"))
        return try await apply(Self.check, .check(.reported(result)), by: .mainstay)
    }
}
