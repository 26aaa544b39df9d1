import Decide
import Foundation
import Logging
import Record
import SQL
import Synchronization
import TestSupport
import Testing
import Web

@testable import App

/// What passes between the guard and the record, with a guard that only writes down what it is told.
struct GuardHouseTests {
    private static let subject = Subject(.query, "shop/0000000000000007")
    private static let policy = Policy(
        services: [
            "storefront": ServicePolicy(
                name: "storefront", team: "shop",
                features: ["favorites": FeaturePolicy(name: "favorites", team: "shop", flag: "favorites")])
        ],
        teams: ["shop": TeamPolicy(name: "shop", targets: [PageTarget(name: "ada", method: .email)])],
        guarded: GuardPolicy(services: ["shop": "storefront"]))

    private static func decision(_ kind: QueryDecision.Kind, at: Instant = WallClock.now()) -> QueryDecision {
        QueryDecision(
            kind: kind, at: at, database: "shop", user: "app", query: QueryKey(fingerprint: 7), text: "SELECT $1",
            release: "abc1234", share: 0.9, budget: 1, limit: 1, slots: 20)
    }

    /// Runs a house, quick in everything, and ends it.
    private static func withHouse(
        _ driver: TestDriver, away: Int = 0,
        _ body: @Sendable (Record, GuardHouse, ScriptedGuard) async throws -> Void
    ) async throws {
        try await withDatabase(driver) { database, _ in
            let record = Record(
                database: AwayDatabase(database, writes: 0), policy: policy, now: WallClock.now)
            try await record.migrate()
            (record.database as? AwayDatabase)?.refuse(writes: away)
            let control = ScriptedGuard()
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            var house = GuardHouse(
                record: record, decisions: DecisionQueue(), control: control, place: "here", logger: logger)
            house.options.pollEvery = .milliseconds(20)
            house.options.confirmEvery = .milliseconds(20)
            house.options.firstRetry = .milliseconds(5)
            let ready = house
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await ready.run() }
                try await body(record, ready, control)
                group.cancelAll()
            }
        }
    }

    private static func eventually(_ condition: () async throws -> Bool) async throws {
        while try await !condition() { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test(
        "what the guard decides is an incident, also when the record is away for a while", .timeLimit(.minutes(1)),
        arguments: TestDriver.available, [0, 4])
    func decisions(_ driver: TestDriver, away: Int) async throws {
        try await Self.withHouse(driver, away: away) { record, house, _ in
            house.decisions.put(Self.decision(.tripped))
            house.decisions.put(Self.decision(.limitRaised))
            house.decisions.put(Self.decision(.released))
            try await Self.eventually {
                try await record.thing(Self.subject)?.query?.status == "resting"
            }
            let incident = try #require(try await record.incident("storefront-database-shop-1"))
            #expect(incident.team == "shop" && incident.alerts.first?.query?.release == "abc1234")
            #expect(try await record.pages(ofIncident: incident.id).count == 1)
            #expect(try await record.timeline().map(\.entry.kind).contains("query.released"))
            #expect(house.decisions.dropped == 0)
        }
    }

    @Test(
        "what the guard still holds back is confirmed, and made up for", .timeLimit(.minutes(1)),
        arguments: [false, true])
    func confirmed(isCrowd: Bool) async throws {
        try await Self.withHouse(.sqlite) { record, _, control in
            var limited = GuardOverview.Limited()
            (limited.database, limited.user, limited.query) = ("shop", "app", QueryKey(fingerprint: 7))
            (limited.limit, limited.size, limited.usage, limited.budget) = (2, 20, 18, 1)
            limited.isCrowd = isCrowd
            control.overview.withLock { $0.limited = [limited] }
            try await Self.eventually { try await record.thing(Self.subject)?.query != nil }
            let query = try #require(try await record.query("shop", QueryKey(fingerprint: 7)))
            #expect(query.status == "held" && query.holds.map(\.place) == ["app@here"])
            #expect(query.holds.map(\.decision.isCrowd) == [isCrowd])
            let first = try #require(query.holds.first?.heardAt)
            try await Self.eventually {
                try await record.thing(Self.subject)?.query?.holds.first.map { $0.heardAt > first } ?? false
            }
            #expect(try await record.thing(Self.subject)?.query?.trips == 1)
        }
    }

    @Test(
        "rules reach the guard when they are made, also by another process, and when they end",
        .timeLimit(.minutes(1)), arguments: TestDriver.available)
    func rules(_ driver: TestDriver) async throws {
        try await Self.withHouse(driver) { record, _, control in
            try await Self.eventually { control.rules == [] }
            let rule = BudgetRule(.block, ClientPattern(user: "reports"), reason: "trouble", lasts: .zero)
            try await record.apply(
                GuardRules.subject, .guardRules(.added(rule, until: WallClock.now() + .hours(1))), by: .mainstay)
            try await Self.eventually { control.rules == ["rule-1"] }
            control.failures.withLock { $0 = 2 }
            let other = Record(database: record.database, policy: record.policy, now: WallClock.now)
            let second = BudgetRule(.limit(1), ClientPattern(user: "reports"), reason: "trouble", lasts: .zero)
            try await other.apply(
                GuardRules.subject, .guardRules(.added(second, until: WallClock.now() + .milliseconds(300))),
                by: .mainstay)
            try await Self.eventually { control.rules == ["rule-1", "rule-2"] }
            try await Self.eventually {
                for subject in try await other.overdue() {
                    try await other.apply(subject, .deadlineReached, by: .mainstay)
                }
                return control.rules == ["rule-1"]
            }
            try await other.apply(GuardRules.subject, .guardRules(.removed(id: "rule-1")), by: .mainstay)
            try await Self.eventually { control.rules == [] }
        }
    }

    @Test("the guard hears of releases of its database's service, and of their undo", .timeLimit(.minutes(1)))
    func releases() async throws {
        try await Self.withHouse(.sqlite) { record, _, control in
            let flag = Subject(.flag, "storefront/favorites")
            let definition = FlagDefinition(variants: ["v1": "v1", "v2": "v2"], defaultVariant: "v1")
            try await record.apply(
                flag, .flag(.declared(service: "storefront", key: "favorites", definition)), by: .mainstay)
            let release = NewRelease(
                service: "storefront", feature: "favorites", commit: "abc1234", author: "ada", variant: "v2")
            control.failures.withLock { $0 = 2 }
            try await record.apply(Subject(.release, release.id), .release(.created(release)), by: .mainstay)
            try await record.apply(
                Subject(.release, release.id), .release(.forced(reason: "now")), by: Actor(.person, "ada"))
            try await Self.eventually { control.calls.withLock { $0 } == ["started \(release.id) in shop"] }
            try await record.apply(
                flag, .flag(.undone(change: Rollout.change(release.id), reason: "it broke", incident: nil)),
                by: Actor(.person, "ada"))
            try await Self.eventually {
                control.calls.withLock { $0.last } == "started before \(release.id) in shop"
            }
        }
    }

    @Test("the guard hears of releases that another system told of, and of their undo", .timeLimit(.minutes(1)))
    func externalReleases() async throws {
        try await Self.withHouse(.sqlite) { record, _, control in
            var change = Change(
                id: Change.external("storefront", "run-7"), kind: .release, service: "storefront", feature: nil,
                title: "2.1.0", actor: Actor(.service, "ci"), reason: nil, at: WallClock.now(), release: "2.1.0")
            #expect(try await record.note(change: change))
            try await Self.eventually { control.calls.withLock { $0 } == ["started 2.1.0 in shop"] }
            change.undoneAt = WallClock.now()
            #expect(try await !record.note(change: change))
            try await Self.eventually { control.calls.withLock { $0.last } == "started before 2.1.0 in shop" }
        }
    }
}

/// How decisions wait.
struct DecisionQueueTests {
    private static func decision(_ kind: QueryDecision.Kind, _ query: UInt64) -> QueryDecision {
        QueryDecision(
            kind: kind, at: .epoch, database: "shop", user: "app", query: QueryKey(fingerprint: query))
    }

    private static func drain(_ queue: DecisionQueue) -> [String] {
        var found: [String] = []
        while let next = queue.take() { found.append("\(next.kind.rawValue) \(next.query?.fingerprint ?? 0)") }
        return found
    }

    @Test(
        "what is full drops what wakes nobody first, then what is stale, and never the latest of a query",
        arguments: [
            (
                [(.tripped, 1), (.largeResult, 2), (.released, 1), (.tripped, 3)],
                ["tripped 1", "released 1", "tripped 3"], 1
            ),
            (
                [(.tripped, 1), (.released, 1), (.tripped, 1), (.released, 1)],
                ["released 1", "tripped 1", "released 1"], 1
            ),
            ([(.tripped, 1), (.tripped, 2), (.tripped, 3), (.tripped, 4)], (1...4).map { "tripped \($0)" }, 0),
            ([(.statementCapped, 1), (.statementCapped, 1), (.limitRaised, 1)], ["statementCapped 1"], 1),
            (
                [(.breakerOpened, 1), (.released, 1), (.tripped, 1), (.breakerClosed, 1)],
                ["breakerOpened 1", "tripped 1", "breakerClosed 1"], 1
            ),
        ] as [([(QueryDecision.Kind, UInt64)], [String], Int)])
    func full(put: [(QueryDecision.Kind, UInt64)], waiting: [String], dropped: Int) {
        let queue = DecisionQueue(limit: 3)
        for (kind, query) in put { queue.put(Self.decision(kind, query)) }
        #expect(queue.dropped == dropped)
        #expect(Self.drain(queue) == waiting)
    }

    @Test("whoever waits is rung, and let go at the end")
    func rings() async {
        let queue = DecisionQueue()
        queue.put(Self.decision(.tripped, 1))
        queue.put(Self.decision(.tripped, 2))
        queue.finish()
        var rung = 0
        for await _ in queue.rings() { rung += 1 }
        #expect(rung == 1 && queue.isFinished && queue.count == 2)
    }

    @Test("who listens after another that has gone is told of what waits")
    func listensAgain() async {
        let queue = DecisionQueue()
        let gone = queue.rings()
        queue.put(Self.decision(.tripped, 1))
        let next = queue.rings()
        for await _ in gone {}
        var rung = 0
        for await _ in next {
            rung += 1
            queue.finish()
        }
        #expect(rung == 1)
    }
}

/// Writes down what it is told.
private final class ScriptedGuard: GuardControl {
    struct Refused: Error {}

    let overview = Mutex(GuardOverview())
    let calls = Mutex<[String]>([])
    /// How many of the next calls fail.
    let failures = Mutex(0)
    private let given = Mutex<[GuardRule]?>(nil)

    /// Ids; nil: none were ever given.
    var rules: [String]? { given.withLock { $0?.map(\.id) } }

    private func answer() throws {
        let fails = failures.withLock { left in
            defer { left = max(0, left - 1) }
            return left > 0
        }
        if fails { throw Refused() }
    }

    func overview() async throws -> GuardOverview { overview.withLock { $0 } }
    func connections() async throws -> GuardConnections { GuardConnections() }
    func reload() async throws {}
    func takeSamples() async throws -> [QuerySample] { [] }
    func pause(database: String?, deadline: Span) async throws {}
    func resume(database: String?) async throws {}
    func switchTarget(database: String, to target: String, deadline: Span) async throws {}

    func setRules(_ rules: [GuardRule]) async throws {
        try answer()
        given.withLock { $0 = rules }
    }

    func releaseStarted(_ release: String, database: String?) async throws {
        try answer()
        calls.withLock { $0.append("started \(release) in \(database ?? "all")") }
    }

    func releaseProven(database: String?) async throws {
        try answer()
        calls.withLock { $0.append("proven in \(database ?? "all")") }
    }
}

/// A database whose next writes are refused.
private final class AwayDatabase: SQLDatabase {
    private let database: any SQLDatabase
    private let refusals: Mutex<Int>

    init(_ database: any SQLDatabase, writes: Int) {
        self.database = database
        refusals = Mutex(writes)
    }

    var dialect: SQLDialect { database.dialect }
    func refuse(writes: Int) { refusals.withLock { $0 = writes } }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await database.read(body)
    }

    func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        let isRefused = refusals.withLock { left in
            defer { left = max(0, left - 1) }
            return left > 0
        }
        if isRefused { throw SQLError(.unavailable, "the database is away") }
        return try await database.write(body)
    }

    func close() async {}
}
