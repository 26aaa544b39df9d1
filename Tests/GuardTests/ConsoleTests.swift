import EndToEndSupport
import Guard
import PGWire
import Testing

/// What `psql -d mainstay` shows of clients that are there.
@Suite("Guard: console")
struct ConsoleTests {
    @Test("its tables show what is: pools, clients and why they are pinned, servers, queries, figures")
    func tables() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.mode = .transaction
                $0.limits.poolSize = 3
                $0.adminUsers = ["postgres"]
            } _: { scene in
                let (pinned, other) = (
                    try await scene.client(["application_name": "shop@v1"]), try await scene.client()
                )
                let admin = try await scene.client(database: "mainstay")
                func table(_ name: String) async throws -> [[String]] {
                    try await admin.query("SHOW \(name)").rows.map { $0.map { $0 ?? "NULL" } }
                }
                _ = try await pinned.query("LISTEN news")
                _ = try await pinned.query("SET a = 1")
                _ = try await pinned.query("LISTEN more")
                for _ in 0..<3 { _ = try await other.query("SELECT 'x'") }
                let place = "127.0.0.1:\(fake.target.port)"
                #expect(
                    try await table("POOLS") == [
                        ["postgres", "postgres", "1", "0", "1", "1", "1", "0", "0", "3", "no", "primary", place]
                    ])
                let clients = try await table("CLIENTS").map { Array($0[1...3] + [$0[5], $0[7]]) }
                #expect(clients.contains(["postgres", "postgres", "shop@v1", "active", "listen"]), "\(clients)")
                #expect(clients.contains(["postgres", "postgres", "", "idle", ""]), "\(clients)")
                let servers = try await table("SERVERS").map { Array($0[1...4]) }
                #expect(
                    servers.sorted { $0[3] < $1[3] } == [
                        ["postgres", "postgres", place, "active"], ["postgres", "postgres", place, "idle"],
                    ])
                let query = try #require(try await table("QUERIES").first { $0[11] == "SELECT $1" })
                #expect(Array(query[1...3]) == ["postgres", "", "3"] && query[8] == "3" && query[9] == "0", "\(query)")
                let figures = Dictionary(
                    uniqueKeysWithValues: try await table("STATS").map { ($0[0], $0[1]) })
                #expect(figures["queries"] == "6" && figures["transactions"] == "6", "\(figures)")
                #expect(figures["clients"] == "3" && figures["logins"] == "3" && figures["pins"] == "1", "\(figures)")
                #expect(try await table("DATABASES") == [["*", place, "", "", "no", "no"]])

                _ = try await pinned.query("UNLISTEN *")
                #expect(try await table("POOLS").first?[4] == "0")
                _ = try await pinned.query("LISTEN news")
                let counters = try await scene.counters
                #expect(counters.pins == 2 && counters.pinCauses["listen"] == 2, "\(counters.pinCauses)")
            }
        }
    }

    @Test("RECONNECT closes the servers that are idle, and the next query has a new one")
    func reconnect() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.adminUsers = ["postgres"]
            } _: { scene in
                let (client, admin) = (try await scene.client(), try await scene.client(database: "mainstay"))
                #expect(try await client.query("SELECT 'x'").rows == [["x"]])
                #expect(try await admin.query("RECONNECT postgres").tags == ["RECONNECT"])
                #expect(try await client.query("SELECT 'y'").rows == [["y"]])
                #expect(fake.heard.count { $0 == .connected } == 2)
                #expect(try await admin.query("RECONNECT nobody").states == ["3D000"])
            }
        }
    }

    @Test("a server that is not wanted any more when its log-in ends says nothing about where it was")
    func retiredEarly() async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.holdsFirstStart = true
        try await FakePostgres.run(behaviour) { fake in
            try await FakePostgres.run { second in
                try await GuardScene.run(before: [fake.target, second.target]) {
                    $0.adminUsers = ["postgres"]
                } _: { scene in
                    let admin = try await scene.client(database: "mainstay")
                    async let client = scene.client()
                    try await fake.hears(.connected)
                    #expect(try await admin.query("RECONNECT postgres").tags == ["RECONNECT"])
                    try await fake.goOn()
                    #expect(try await client.query("SELECT 'x'").rows == [["x"]])
                    #expect(fake.heard.count { $0 == .connected } == 2)
                    #expect(second.heard.isEmpty)
                }
            }
        }
    }
}
