import Decide
import EndToEndSupport
import Guard
import PGWire
import Synchronization
import Testing

/// What a guard keeps across a restart.
@Suite("Guard: memory")
struct MemoryTests {
    private final class Kept: Sendable {
        let states = Mutex<[GuardState]>([])
        var last: GuardState? { states.withLock { $0.last } }
    }

    @Test("rules and a switched database are kept at once, baselines at the end, and all are back after a restart")
    func restart() async throws {
        try await FakePostgres.run { first in
            try await FakePostgres.run { second in
                let (kept, place) = (Kept(), "127.0.0.1:\(second.target.port)")
                func keeping(_ restored: GuardState?) -> Guard.Memory {
                    Guard.Memory(restored: restored, keep: { state in kept.states.withLock { $0.append(state) } })
                }
                try await GuardScene.run(before: [first.target], memory: keeping(nil)) {
                    $0.adminUsers = ["postgres"]
                } _: { scene in
                    let (admin, client) = (try await scene.client(database: "mainstay"), try await scene.client())
                    #expect(try await client.query("SELECT 'x'").rows == [["x"]])
                    let rule = "BLOCK APPLICATION reports FOR 1h BECAUSE 'it''s late'"
                    #expect(try await admin.query(rule).rows == [["console-1"]])
                    #expect(kept.last?.rules.map(\.rule.reason) == ["it's late"])
                    #expect(try await admin.query("SWITCH postgres TO \(place)").states == [])
                    #expect(kept.last?.switched == ["postgres": place])
                }
                try await GuardScene.run(before: [first.target], memory: keeping(kept.last)) {
                    $0.adminUsers = ["postgres"]
                } _: { scene in
                    let asked = second.heard.count
                    let client = try await scene.client(["application_name": "reports"])
                    #expect(second.heard.count > asked)
                    let told = try await client.query("SELECT 'x'")
                    #expect(told.states == ["53000"] && told.errors[0].message.contains("it's late"), "\(told)")
                    let admin = try await scene.client(database: "mainstay")
                    #expect(try await admin.query("BLOCK USER bob FOR 1m").rows == [["console-2"]])
                }
            }
        }
    }

    @Test("a limit that was lifted, a rule that is dropped: the console says what is and what is not there")
    func console() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.adminUsers = ["postgres"]
            } _: { scene in
                let (admin, client) = (try await scene.client(database: "mainstay"), try await scene.client())
                #expect(try await client.query("SELECT 'x'").rows == [["x"]])
                let id = try await admin.query("BLOCK DATABASE postgres FOR 1h").rows[0][0] ?? ""
                #expect(try await client.query("SELECT 'x'").states == ["53000"])
                #expect(try await admin.query("SHOW RULES").rows.count == 1)
                #expect(try await admin.query("DROP RULE \(id)").tags == ["DROP RULE"])
                #expect(try await client.query("SELECT 'x'").rows == [["x"]])
                #expect(try await admin.query("DROP RULE \(id)").states == ["42601"])
                #expect(try await admin.query("LETIN ab").states == ["42601"])
                for name in [
                    "POOLS", "QUERIES", "LIMITED", "RULES", "CLIENTS", "SERVERS", "STATS", "DATABASES", "HELP",
                ] {
                    #expect(try await admin.query("SHOW \(name)").tags == ["SHOW"])
                }
                #expect(try await admin.query("SHOW NOTHING").states == ["42601"])
            }
        }
    }

    @Test("the house's rules replace its earlier ones and leave the console's alone")
    func house() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.adminUsers = ["postgres"]
            } _: { scene in
                let (admin, client) = (try await scene.client(database: "mainstay"), try await scene.client())
                func rule(_ id: String, _ action: BudgetRule.Action, _ user: String) -> GuardRule {
                    GuardRule(
                        id: id, rule: BudgetRule(action, ClientPattern(user: user), reason: id, lasts: .hours(1)),
                        until: Instant(milliseconds: 3_600_000), createdBy: "ada",
                        createdAt: Instant(milliseconds: 0))
                }
                try await scene.proxy.setRules([rule("r1", .block, "postgres")])
                #expect(try await client.query("SELECT 'x'").states == ["53000"])
                _ = try await admin.query("BLOCK USER bob FOR 1h")
                try await scene.proxy.setRules([rule("r2", .block, "eve")])
                #expect(try await client.query("SELECT 'x'").rows == [["x"]])
                let ids = try await admin.query("SHOW RULES").rows.map { $0[0] }
                #expect(ids == ["console-1", "r2"])
            }
        }
    }

    @Test("statements are counted under the release that the text names, the client names, or that is running")
    func releases() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                try await scene.proxy.releaseStarted("r1", database: "postgres")
                let named = try await scene.client(["application_name": "shop@r2"])
                let quiet = try await scene.client()
                _ = try await quiet.query("SELECT 'x'")
                _ = try await named.query("SELECT 'x'")
                _ = try await named.query("SELECT 'x' /*release='r3'*/")
                _ = try await named.query("SELECT 'x' /*application='jobs',release='r2'*/")
                let samples = try await scene.proxy.takeSamples()
                #expect(Set(samples.map(\.release)) == ["r1", "shop@r2", "r3", "jobs@r2"])
                #expect(Set(samples.map(\.query)).count == 1)
                #expect(samples.allSatisfy { $0.figures.calls == 1 && $0.database == "postgres" })
                #expect(try await scene.proxy.takeSamples().isEmpty)
            }
        }
    }
}
