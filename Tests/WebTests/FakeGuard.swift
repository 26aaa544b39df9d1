import Decide
import Synchronization

@testable import Web

/// A guard that remembers what it was asked, and refuses when told to.
final class FakeGuard: GuardControl {
    struct Trouble: Error, CustomStringConvertible {
        var description: String
    }

    private struct State {
        var paused: Set<String> = []
        var isAllPaused = false
        var asked: [String] = []
        var trouble: String?
    }

    private let state = Mutex(State())
    static let hostile = "SELECT '<script>alert(1)</script>' FROM posts WHERE \"x\" = $1"

    var asked: [String] { state.withLock { $0.asked } }
    func fail(_ trouble: String?) { state.withLock { $0.trouble = trouble } }

    private func ask(_ words: String, _ change: (inout State) throws -> Void = { _ in }) throws {
        try state.withLock { state in
            if let trouble = state.trouble { throw Trouble(description: trouble) }
            try change(&state)
            state.asked.append(words)
        }
    }

    func overview() async throws -> GuardOverview {
        let paused = state.withLock { $0.paused }
        var overview = GuardOverview()
        overview.databases = ["shop", "stock"]
        overview.clients = 12
        overview.startedAt = Instant(milliseconds: 1_700_000_000_000)
        overview.mode = .enforce
        overview.figures = [.pins: 1_234, .refusedLogins: 3, .waitMilliseconds: 90_000]
        overview.pools = ["shop", "stock"].map { name in
            var pool = GuardOverview.Pool()
            (pool.database, pool.user, pool.target) = (name, "app<b>", "db.test:5432")
            (pool.size, pool.serversBusy, pool.clientsWaiting, pool.waitMilliseconds) = (20, 3, 1, 1_500)
            pool.isPaused = paused.contains(name)
            return pool
        }
        var limited = GuardOverview.Limited()
        (limited.database, limited.user, limited.query) = ("shop", "app", QueryKey(fingerprint: 0xC3))
        (limited.text, limited.release, limited.limit, limited.size) = (Self.hostile, "v2", 2, 20)
        (limited.usage, limited.budget, limited.waiting, limited.turnedAway) = (14.5, 2, 3, 40)
        limited.until = Instant(milliseconds: 1_700_000_600_000)
        var crowd = limited
        (crowd.query, crowd.text, crowd.isCrowd) = (QueryKey(fingerprint: 0xC4), "SELECT 1", true)
        (crowd.limit, crowd.turnedAway) = (15, 0)
        overview.limited = [limited, crowd]
        return overview
    }

    func connections() async throws -> GuardConnections {
        var connections = GuardConnections()
        var client = GuardConnections.Client()
        (client.id, client.database, client.user, client.application) = (7, "shop", "app<b>", "web<i>@r2")
        (client.address, client.state, client.pinnedBy) = ("10.0.0.7:51000", "active", "listen")
        client.connectedSeconds = 3_700
        var server = GuardConnections.Server()
        (server.processID, server.database, server.user, server.target) = (4_711, "shop", "app<b>", "db.test:5432")
        (server.state, server.prepared, server.connectedSeconds) = ("active", 12, 90)
        (connections.clients, connections.servers) = ([client], [server])
        (connections.clientCount, connections.serverCount) = (900, 1)
        return connections
    }

    func reload() async throws { try ask("reload") }

    func takeSamples() async throws -> [QuerySample] { [] }

    func pause(database: String?, deadline: Span) async throws {
        try ask("pause \(database ?? "all") \(deadline)") { state in
            state.paused.formUnion(database.map { [$0] } ?? ["shop", "stock"])
            if database == nil { state.isAllPaused = true }
        }
    }

    func resume(database: String?) async throws {
        try ask("resume \(database ?? "all")") { state in
            guard database == nil || !state.isAllPaused else {
                throw Trouble(description: "everything is paused: resume all databases")
            }
            state.paused.subtract(database.map { [$0] } ?? ["shop", "stock"])
            if database == nil { state.isAllPaused = false }
        }
    }

    /// As the guard itself: `host:port` and nothing else, and what may hold a password is not said again.
    func switchTarget(database: String, to target: String, deadline: Span) async throws {
        let parts = target.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, Int(parts[1]) != nil, !parts[0].contains("@") else {
            throw Trouble(description: "that is no server: write host:port; the database has db.test:5432")
        }
        try ask("switch \(database) to \(target) \(deadline)")
    }

    func setRules(_ rules: [GuardRule]) async throws { try ask("rules \(rules.count)") }

    func releaseStarted(_ release: String, database: String?) async throws { try ask("started \(release)") }

    func releaseProven(database: String?) async throws { try ask("proven") }
}
