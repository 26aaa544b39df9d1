import Decide
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
}
