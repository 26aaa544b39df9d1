import Decide
import PGWire

/// The snapshot in Prometheus' text format.
enum MetricsText {
    static func render(_ snapshot: GuardSnapshot) -> String {
        var text = ""
        let counters = snapshot.counters
        let totals: [(String, String, Int64)] = [
            ("connections", "Clients' connections taken.", counters.clients),
            ("logins", "Clients let in.", counters.logins),
            ("refused_logins", "Clients that could not prove who they are.", counters.refusedLogins),
            ("refused_clients", "Clients refused because there were too many.", counters.refusedClients),
            ("queries", "Statements ended.", counters.queries),
            ("transactions", "Transactions ended.", counters.transactions),
            ("shed_queries", "Batches answered with an error instead of being sent.", counters.refusedQueries),
            ("cancels", "Cancel requests sent to servers.", counters.cancels),
            (
                "protocol_violations", "Servers' answers that nobody had asked for; the connection was closed.",
                counters.violations
            ),
            ("cleanup_timeouts", "Servers closed because they did not come to rest.", counters.cleanupTimeouts),
            ("idle_transactions", "Clients ended because their transaction was idle.", counters.idleTransactions),
            ("long_transactions", "Clients ended because their transaction took too long.", counters.longTransactions),
            ("idle_clients", "Clients ended because they did nothing.", counters.idleClients),
            ("pins", "Clients that began to keep their server.", counters.pins),
            ("reloads", "Times the settings were read again.", counters.reloads),
            ("switches", "Databases moved to another server by hand.", counters.switches),
            ("uncounted_statements", "Statements of queries beyond the most told apart.", snapshot.uncountedStatements),
        ]
        for (name, help, value) in totals { family("\(name)_total", help, "counter", [("", "\(value)")], &text) }
        seconds("server_seconds_total", "Time that clients had servers.", counters.serverNanoseconds, &text)
        seconds("wait_seconds_total", "Time that clients waited for their turn.", counters.waitNanoseconds, &text)
        let names = Set(counters.decisions.keys).union(["tripped", "wouldTrip", "breakerOpened"]).sorted()
        family(
            "budget_decisions_total", "Decisions of the budgets, by name.", "counter",
            names.map { ("{decision=\"\(escaped($0))\"}", "\(counters.decisions[$0] ?? 0)") }, &text)
        family(
            "trips_total", "Queries that were held to less than their share.", "counter",
            [("", "\(counters.decisions["tripped"] ?? 0)")], &text)
        family(
            "pin_causes_total", "What clients did that made them keep their server.", "counter",
            SessionTaint.allNames.map { ("{cause=\"\($0)\"}", "\(counters.pinCauses[$0] ?? 0)") }, &text)
        family("clients", "Clients connected now.", "gauge", [("", "\(snapshot.clients)")], &text)
        family("queries_known", "Queries told apart.", "gauge", [("", "\(snapshot.queries)")], &text)
        let states: [(String, String, (GuardOverview.Pool) -> Int)] = [
            ("pool_clients_active", "Clients with a server.", \.clientsActive),
            ("pool_clients_waiting", "Clients that wait.", \.clientsWaiting),
            ("pool_clients_pinned", "Clients that keep their server.", \.clientsPinned),
            ("pool_servers_busy", "Servers in use.", \.serversBusy),
            ("pool_servers_idle", "Servers at rest.", \.serversIdle), ("pool_size", "Most servers.", \.size),
            ("pool_wait_milliseconds", "The longest wait of those who wait now.", \.waitMilliseconds),
            ("pool_paused", "1: new transactions wait.", { $0.isPaused ? 1 : 0 }),
        ]
        for (name, help, value) in states where !snapshot.pools.isEmpty {
            let values = snapshot.pools.map { pool in
                let labels = "database=\"\(escaped(pool.database))\",user=\"\(escaped(pool.user))\""
                return ("{\(labels)\(pool.isReplica ? ",role=\"replica\"" : "")}", "\(value(pool))")
            }
            family(name, help, "gauge", values, &text)
        }
        return text
    }

    private static func seconds(_ name: String, _ help: String, _ nanoseconds: Int64, _ text: inout String) {
        family(name, help, "counter", [("", "\(Double(nanoseconds) / 1e9)")], &text)
    }

    private static func family(
        _ name: String, _ help: String, _ kind: String, _ values: [(labels: String, value: String)],
        _ text: inout String
    ) {
        text += "# HELP mainstay_guard_\(name) \(help)\n# TYPE mainstay_guard_\(name) \(kind)\n"
        for (labels, value) in values { text += "mainstay_guard_\(name)\(labels) \(value)\n" }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
