import Decide
import EndToEndSupport
import NIOHTTP1
import Testing

@testable import Guard

struct MetricsTests {
    @Test("figures are in Prometheus' format, with one head a family and labels escaped")
    func text() {
        var snapshot = GuardSnapshot()
        snapshot.counters.queries = 7
        snapshot.counters.serverNanoseconds = 1_500_000_000
        snapshot.counters.decisions = ["tripped": 2]
        var pool = GuardOverview.Pool()
        (pool.database, pool.user, pool.serversIdle, pool.size) = ("a\"b", "u", 3, 8)
        var replica = pool
        (replica.isReplica, replica.serversIdle) = (true, 1)
        snapshot.pools = [pool, replica]
        let lines = MetricsText.render(snapshot).split(separator: "\n")
        #expect(lines.contains("mainstay_guard_queries_total 7"))
        #expect(lines.contains("mainstay_guard_server_seconds_total 1.5"))
        #expect(lines.contains("mainstay_guard_budget_decisions_total{decision=\"tripped\"} 2"))
        #expect(lines.contains("mainstay_guard_trips_total 2"))
        #expect(lines.contains(#"mainstay_guard_pool_servers_idle{database="a\"b",user="u"} 3"#))
        #expect(lines.contains(#"mainstay_guard_pool_servers_idle{database="a\"b",user="u",role="replica"} 1"#))
        #expect(lines.contains(#"mainstay_guard_pool_size{database="a\"b",user="u"} 8"#))
        let types = lines.filter { $0.hasPrefix("# TYPE") }
        #expect(Set(types).count == types.count)
        #expect(lines.allSatisfy { $0.hasPrefix("# ") || $0.hasPrefix("mainstay_guard_") })
    }

    @Test("a guard that runs alone shows them on a port of their own")
    func port() async throws {
        let port = try FreePort.take()
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.metrics = GuardSettings.Address(host: "127.0.0.1", port: port)
            } _: { scene in
                let client = try await scene.client()
                _ = try await client.query("SELECT 'counted'")
                let door = Door(url: "http://127.0.0.1:\(port)", token: nil)
                let answer = try await door(.GET, "/metrics")
                #expect(answer.status == 200)
                #expect(answer.text.contains("\nmainstay_guard_queries_total 1\n"))
                #expect(try await door(.GET, "/").status == 404)
            }
        }
    }
}
