import Decide
import EndToEndSupport
import Foundation
import NIOHTTP1
import SQL
import TestSupport
import Testing

extension EndToEnd {
    /// The guard inside Mainstay, before a real PostgreSQL: what it counts reaches people, and what people say it.
    @Suite(.serialized, .enabled(if: TestDriver.isPostgresAvailable, "needs MAINSTAY_TEST_POSTGRES"))
    struct GuardedTests {
        /// A town with a guard, and its address for clients that call themselves by a name.
        private func guarded(
            _ body: @escaping @Sendable (Town, _ address: @Sendable (String) throws -> String) async throws -> Void
        ) async throws {
            try await Town.run { town in
                let port = try FreePort.take()
                let server = try #require(URLComponents(string: TestDriver.serverURL))
                let target = "postgres://\(server.host ?? ""):\(server.port ?? 5_432)/postgres?sslmode=disable"
                var plan = TownPlan()
                plan.proxy = """
                    guard:
                      listen: "127.0.0.1:\(port)"
                      auth: trust
                      pool-size: 4
                      databases: { notes: { targets: [ "\(target)" ], service: storefront } }
                      budgets: { mode: enforce }
                    """
                try town.configure(plan)
                try await town.startMainstay()
                try await body(town) { name in
                    "postgres://\(server.user ?? "postgres")@127.0.0.1:\(port)/notes?application_name=\(name)"
                }
            }
        }

        @Test("what was counted is listed and exported; a rule by hand is obeyed at once, and ends when it is removed")
        func countsAndRules() async throws {
            try await guarded { town, address in
                var options = PoolOptions()
                options.connections = 1
                let database = try PostgresDatabase(url: try address("reports@r7"), options: options)
                for number in 0..<5 {
                    _ = try await database.read { try $0.query("SELECT \(number) AS tallied").count }
                }
                let list = try await eventually("the query is in the list") {
                    let command = try await Self.mainstay(town, ["guard", "queries"])
                    return command.output.contains("tallied") ? command.output : nil
                }
                #expect(list.contains("r7"), "\(list)")
                let export = town.directory + "/queries.jsonl"
                let exported = try await Self.mainstay(town, ["guard", "queries", "--export", export])
                #expect(exported.code == 0, "\(exported.errors)")
                #expect(try String(contentsOfFile: export, encoding: .utf8).contains("tallied"))

                let added = try await Self.mainstay(
                    town,
                    [
                        "guard", "rule", "add", "--block", "--application", "reports@r7", "--for", "10m", "--reason",
                        "too many",
                    ])
                #expect(added.code == 0, "\(added.errors)\(added.output)")
                try await eventually("the rule holds") {
                    let error = await sqlError { _ = try await database.read { try $0.query("SELECT 1 AS a").count } }
                    return "\(error as Any)".contains("too many") ? true : nil
                }
                let rules = try await town.api.get("/api/v1/guard/rules")["items"]?.array ?? []
                let rule = try #require(rules.first?["id"]?.string)
                let removed = try await Self.mainstay(town, ["guard", "rule", "remove", rule])
                #expect(removed.code == 0, "\(removed.errors)")
                try await eventually("the rule is gone") {
                    _ = try await database.read { try $0.query("SELECT 1 AS a").count }
                    return true
                }
                await database.close()
            }
        }

        /// Each asks again as soon as it has its answer, whatever that is, until it is cancelled.
        private static func crowd(
            _ count: Int, _ address: String, _ sql: String, in group: inout ThrowingTaskGroup<Void, any Error>
        ) throws {
            var options = PoolOptions()
            options.connections = count
            let database = try PostgresDatabase(url: address, options: options)
            for _ in 0..<count {
                group.addTask {
                    while !Task.isCancelled {
                        do {
                            _ = try await database.read { try $0.query(sql).count }
                        } catch is SQLError {
                            try await Task.sleep(for: .milliseconds(20))
                        }
                    }
                }
            }
        }

        @Test("a runaway is held back, and its team has a mail with the query and the release that sends it")
        func runaway() async throws {
            try await guarded { town, address in
                try await withThrowingTaskGroup { group in
                    try Self.crowd(2, try address("shop@r8"), "SELECT 42 AS answered", in: &group)
                    try Self.crowd(12, try address("shop@r9"), "SELECT pg_sleep(1.5) AS slept", in: &group)
                    let mail = try await eventually("the team has a mail") {
                        town.mail.mails.first { $0.contains("pg_sleep") }
                    }
                    #expect(mail.contains("r9"), "\(mail)")
                    let limited = try await town.api.get("/api/v1/guard")["limited"]?.array ?? []
                    #expect("\(limited)".contains("pg_sleep"), "\(limited)")
                    let incidents = try await town.api.get("/api/v1/incidents")["items"]?.array ?? []
                    #expect(incidents.count == 1, "\(incidents)")
                    group.cancelAll()
                }
            }
        }

        private static func mainstay(_ town: Town, _ arguments: [String]) async throws -> Command.Outcome {
            try await Command.run(
                Binaries.mainstay, arguments,
                environment: ["MAINSTAY_URL": town.api.url, "MAINSTAY_TOKEN": town.api.token ?? ""])
        }
    }
}
