import NIOCore
import PGWire

/// The guard's own database: what `psql -d mainstay` shows and does. Simple queries only.
struct AdminConsole {
    static let database = "mainstay"
    static let parameters = [
        "server_version": "15.0 (Mainstay guard)", "server_encoding": "UTF8", "client_encoding": "UTF8",
        "DateStyle": "ISO, MDY", "TimeZone": "UTC", "standard_conforming_strings": "on", "integer_datetimes": "on",
    ]

    unowned let core: GuardCore

    /// One message, one answer, whole.
    func answer(_ type: UInt8, _ payload: ByteBuffer) -> ByteBuffer {
        var payload = payload
        var bytes = ByteBuffer()
        switch type {
        case ClientMessage.query:
            let text = payload.readZeroTerminatedText() ?? ""
            do throws(WireError) {
                try run(text, &bytes)
            } catch {
                bytes.writePGErrorResponse(error, severity: .error)
            }
            bytes.writePGReadyForQuery(status: .idle)
        case ClientMessage.sync:
            bytes.writePGReadyForQuery(status: .idle)
        default:
            bytes.writePGErrorResponse(
                .unsupported("the guard's console takes simple queries only, such as SHOW POOLS"), severity: .error)
        }
        return bytes
    }

    private func run(_ text: String, _ bytes: inout ByteBuffer) throws(WireError) {
        let words = text.split { $0 == " " || $0 == "\n" || $0 == "\t" || $0 == ";" }.map { $0.uppercased() }
        let argument = text.split { $0 == " " || $0 == "\n" || $0 == "\t" || $0 == ";" }.dropFirst().first.map(
            String.init)
        switch words.first {
        case nil:
            bytes.writeEmptyQuery()
        case "SHOW":
            guard let table = try table(words.dropFirst().first ?? "HELP") else { throw Self.unknown(text) }
            table.write(to: &bytes, tag: "SHOW")
        case "PAUSE":
            for pool in try pools(argument) { pool.pause() }
            bytes.writeCommand("PAUSE")
        case "RESUME":
            for pool in try pools(argument) { pool.resume() }
            bytes.writeCommand("RESUME")
        case "RECONNECT":
            for pool in try pools(argument) { pool.retireAll() }
            bytes.writeCommand("RECONNECT")
        case "RELOAD":
            do {
                try core.requestReload()
            } catch {
                throw WireError(.invalidParameter, sqlState: "F0000", "nothing was changed: \(error)")
            }
            bytes.writeCommand("RELOAD")
        default:
            throw Self.unknown(text)
        }
    }

    private func pools(_ database: String?) throws(WireError) -> [Pool] {
        let found = core.pools.values.filter { database == nil || $0.key.database == database }
        guard database == nil || !found.isEmpty else {
            throw WireError(.invalidParameter, sqlState: "3D000", "nobody has used database \"\(database ?? "")\" yet")
        }
        return Array(found)
    }

    private static func unknown(_ text: String) -> WireError {
        WireError(
            .unsupported, sqlState: "42601",
            "unknown command '\(text.prefix(80))': SHOW POOLS, STATS, QUERIES, CLIENTS, SERVERS or VERSION; PAUSE, RESUME or RECONNECT [database]; RELOAD"
        )
    }

    private func table(_ name: String) throws(WireError) -> AdminTable? {
        switch name {
        case "POOLS": poolTable()
        case "CLIENTS": clientTable()
        case "SERVERS": serverTable()
        case "STATS": statisticsTable()
        case "QUERIES": queryTable()
        case "VERSION": AdminTable(["version"], [["Mainstay guard"]])
        case "HELP":
            AdminTable(
                ["command"], ["POOLS", "STATS", "QUERIES", "CLIENTS", "SERVERS", "VERSION"].map { ["SHOW \($0)"] })
        default: nil
        }
    }

    private func poolTable() -> AdminTable {
        var table = AdminTable([
            "database", "user", "cl_active", "cl_waiting", "cl_pinned", "sv_active", "sv_idle", "sv_login",
            "maxwait_ms",
            "pool_size", "paused",
        ])
        for pool in core.pools.values.sorted(by: { ($0.key.database, $0.key.user) < ($1.key.database, $1.key.user) }) {
            let clients = core.clients.values.filter { $0.pool === pool }
            let starting = pool.servers.values.count(where: \.isStarting)
            let wait = pool.oldestWaiting.map { (core.now - $0.waitingSince) / 1_000_000 } ?? 0
            table.rows.append([
                pool.key.database, pool.key.user, "\(clients.count { $0.server != nil })", "\(pool.waitingCount)",
                "\(clients.count { !($0.conversation?.taint.isEmpty ?? true) })",
                "\(pool.servers.count - pool.idleCount - starting)", "\(pool.idleCount)", "\(starting)", "\(wait)",
                "\(pool.group.limit)", pool.isPaused ? "yes" : "no",
            ])
        }
        return table
    }

    private func clientTable() -> AdminTable {
        var table = AdminTable(["id", "database", "user", "application_name", "address", "state", "connected_s"])
        for client in core.clients.values.sorted(by: { $0.connectedAt < $1.connectedAt }) {
            table.rows.append([
                "\(client.key.processID)", client.startup?.database ?? "", client.startup?.user ?? "",
                client.applicationName, client.remoteAddress, client.stateName,
                "\((core.now - client.connectedAt) / GuardSettings.Timeouts.second)",
            ])
        }
        return table
    }

    private func serverTable() -> AdminTable {
        var table = AdminTable(["pid", "database", "user", "target", "state", "prepared", "connected_s"])
        for pool in core.pools.values {
            for server in pool.servers.values {
                table.rows.append([
                    "\(server.processID)", pool.key.database, pool.key.user, "\(server.target)", server.stateName,
                    "\(server.conversation.prepared.count)",
                    "\((core.now - server.openedAt) / GuardSettings.Timeouts.second)",
                ])
            }
        }
        return table
    }

    private func statisticsTable() -> AdminTable {
        let counters = core.counters
        return AdminTable(
            ["name", "value"],
            [
                ["clients", "\(core.clients.count)"], ["logins", "\(counters.logins)"],
                ["refused_logins", "\(counters.refusedLogins)"], ["refused_clients", "\(counters.refusedClients)"],
                ["queries", "\(counters.queries)"], ["transactions", "\(counters.transactions)"],
                ["refused_queries", "\(counters.refusedQueries)"], ["cancels", "\(counters.cancels)"],
                ["violations", "\(counters.violations)"], ["cleanup_timeouts", "\(counters.cleanupTimeouts)"],
                ["server_ms", "\(counters.serverNanoseconds / 1_000_000)"],
                ["wait_ms", "\(counters.waitNanoseconds / 1_000_000)"],
            ])
    }

    private func queryTable() -> AdminTable {
        var table = AdminTable([
            "fingerprint", "release", "calls", "total_ms", "mean_us", "p95_us", "p99_us", "rows", "errors",
            "empty_writes", "query",
        ])
        let busiest = core.statistics.entries.sorted { $0.value.nanoseconds > $1.value.nanoseconds }.prefix(200)
        for (key, entry) in busiest {
            table.rows.append([
                entry.query.fingerprintText, key.release, "\(entry.calls)", "\(entry.nanoseconds / 1_000_000)",
                "\(entry.nanoseconds / 1_000 / Int64(max(1, entry.calls)))",
                "\(entry.latency.percentile(0.95) / 1_000)", "\(entry.latency.percentile(0.99) / 1_000)",
                "\(entry.rows)", "\(entry.errors.values.reduce(0, +))", "\(entry.emptyWrites)",
                entry.query.normalizedText,
            ])
        }
        return table
    }
}
