import Decide
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
    let user: String

    /// One message, one answer, whole; some take their time.
    func answer(_ type: UInt8, _ payload: ByteBuffer) -> EventLoopFuture<ByteBuffer> {
        var payload = payload
        var bytes = ByteBuffer()
        switch type {
        case ClientMessage.query:
            let text = payload.readZeroTerminatedText() ?? ""
            return run(text).flatMapErrorThrowing { error in
                var bytes = ByteBuffer()
                let told = error as? WireError ?? WireError(.internalFault, sqlState: "XX000", "\(error)")
                bytes.writePGErrorResponse(told, severity: .error)
                return bytes
            }.map { answer in
                var bytes = answer
                bytes.writePGReadyForQuery(status: .idle)
                return bytes
            }
        case ClientMessage.sync:
            bytes.writePGReadyForQuery(status: .idle)
        default:
            bytes.writePGErrorResponse(
                .unsupported("the guard's console takes simple queries only, such as SHOW POOLS"), severity: .error)
        }
        return core.loop.makeSucceededFuture(bytes)
    }

    private func run(_ text: String) -> EventLoopFuture<ByteBuffer> {
        do throws(WireError) {
            let command = try AdminCommand.parse(text)
            switch command {
            case .pause(let database, let span):
                return core.pause(database, within: span.milliseconds * 1_000_000).map { Self.done("PAUSE") }
            case .switchTarget(let database, let target, let span):
                return core.switchTarget(of: database, to: target, within: span.milliseconds * 1_000_000).map {
                    Self.table(
                        AdminTable(
                            ["database", "target", "clients_ended"], [[database, target, "\($0.endedClients)"]]),
                        "SWITCH")
                }
            default:
                return core.loop.makeSucceededFuture(try runAtOnce(command, text))
            }
        } catch {
            return core.loop.makeFailedFuture(error)
        }
    }

    private static func done(_ tag: String) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeCommand(tag)
        return bytes
    }

    private static func table(_ table: AdminTable, _ tag: String) -> ByteBuffer {
        var bytes = ByteBuffer()
        table.write(to: &bytes, tag: tag)
        return bytes
    }

    private func runAtOnce(_ command: AdminCommand, _ text: String) throws(WireError) -> ByteBuffer {
        switch command {
        case .nothing, .pause, .switchTarget:
            var bytes = ByteBuffer()
            bytes.writeEmptyQuery()
            return bytes
        case .show(let name):
            guard let table = table(name) else { throw AdminCommand.unknown(text) }
            return Self.table(table, "SHOW")
        case .resume(let database):
            try core.resume(database)
            return Self.done("RESUME")
        case .reconnect(let database):
            for pool in try pools(database) { pool.retireAll() }
            return Self.done("RECONNECT")
        case .reload:
            do {
                try core.requestReload()
            } catch {
                throw WireError(.invalidParameter, sqlState: "F0000", "nothing was changed: \(error)")
            }
            return Self.done("RELOAD")
        case .addRule(let rule):
            let id = try core.addConsoleRule(rule, by: user)
            return Self.table(AdminTable(["rule"], [[id]]), "RULE")
        case .dropRule(let id):
            guard core.dropRule(id) else { throw AdminCommand.problem("there is no rule '\(id)': SHOW RULES has them") }
            return Self.done("DROP RULE")
        case .letIn(let query):
            guard core.groups.values.reduce(false, { $1.letIn(query) || $0 }) else {
                throw AdminCommand.problem("query \(query.hex) is not limited: SHOW LIMITED has those that are")
            }
            return Self.done("LETIN")
        }
    }

    private func pools(_ database: String?) throws(WireError) -> [Pool] {
        let found = core.pools.values.filter { database == nil || $0.key.database == database }
        guard database == nil || !found.isEmpty else {
            throw WireError(.invalidParameter, sqlState: "3D000", "nobody has used database \"\(database ?? "")\" yet")
        }
        return Array(found)
    }

    private func table(_ name: String) -> AdminTable? {
        switch name {
        case "POOLS": poolTable()
        case "CLIENTS": clientTable()
        case "SERVERS": serverTable()
        case "STATS": statisticsTable()
        case "QUERIES": queryTable()
        case "LIMITED": limitedTable()
        case "RULES": ruleTable()
        case "DATABASES": databaseTable()
        case "VERSION": AdminTable(["version"], [["Mainstay guard"]])
        case "HELP": AdminTable(["command", "what it does"], AdminCommand.help.map { [$0.0, $0.1] })
        default: nil
        }
    }

    private func poolTable() -> AdminTable {
        var table = AdminTable([
            "database", "user", "cl_active", "cl_waiting", "cl_pinned", "sv_active", "sv_idle", "sv_login",
            "maxwait_ms", "pool_size", "paused", "role", "target",
        ])
        for pool in core.poolStates() {
            table.rows.append([
                pool.database, pool.user, "\(pool.clientsActive)", "\(pool.clientsWaiting)", "\(pool.clientsPinned)",
                "\(pool.serversBusy - pool.serversStarting)", "\(pool.serversIdle)", "\(pool.serversStarting)",
                "\(pool.waitMilliseconds)", "\(pool.size)", pool.isPaused ? "yes" : "no",
                pool.isReplica ? "replica" : "primary", pool.target,
            ])
        }
        return table
    }

    private func limitedTable() -> AdminTable {
        var table = AdminTable([
            "database", "user", "fingerprint", "release", "limit", "usage", "budget", "waiting", "turned_away",
            "until_s", "mode", "reason", "query",
        ])
        for group in core.groups.values.sorted(by: { $0.name < $1.name }) {
            for query in core.limited(in: group) {
                table.rows.append([
                    query.database, query.user, query.query.hex, query.release ?? "",
                    query.limit.map { "\($0)" } ?? "turned away", Self.decimal(query.usage), Self.decimal(query.budget),
                    "\(query.waiting)", "\(query.turnedAway)",
                    query.until.map { "\(max(0, ($0 - core.instant).milliseconds / 1_000))" } ?? "",
                    query.isObserved ? "observe" : "enforce", Self.reason(query), query.text,
                ])
            }
        }
        return table
    }

    private static func reason(_ limited: GuardOverview.Limited) -> String {
        limited.limit == nil ? "no room in the database" : limited.isCrowd ? "crowd" : "runaway"
    }

    private static func decimal(_ value: Double) -> String {
        let tenths = Int((min(max(0, value), 1e9) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private func ruleTable() -> AdminTable {
        var table = AdminTable([
            "id", "action", "fingerprint", "user", "application", "database", "ends_in_s", "by", "reason",
        ])
        for rule in core.rules.values.sorted(by: { $0.id < $1.id }) {
            let action =
                switch rule.rule.action {
                case .allow: "allow"
                case .block: "block"
                case .limit(let limit): "limit \(limit)"
                }
            let pattern = rule.rule.pattern
            table.rows.append([
                rule.id, action, pattern.query?.hex ?? "", pattern.user ?? "", pattern.application ?? "",
                pattern.database ?? "", "\(max(0, (rule.until - core.instant).milliseconds / 1_000))", rule.createdBy,
                rule.rule.reason,
            ])
        }
        return table
    }

    private func databaseTable() -> AdminTable {
        var table = AdminTable(["database", "target", "other_targets", "replicas", "switched", "paused"])
        for (name, database) in core.settings.databases.sorted(by: { $0.key < $1.key }) {
            let target = core.switched[name] ?? database.targets.first
            table.rows.append([
                name, target.map { "\($0)" } ?? "",
                database.targets.filter { $0 != target }.map { "\($0)" }.joined(separator: ", "),
                (database.replicas?.targets ?? []).map { "\($0)" }.joined(separator: ", "),
                core.switched[name] != nil ? "yes" : "no", core.pauseEnd(of: name) != nil ? "yes" : "no",
            ])
        }
        return table
    }

    private func clientTable() -> AdminTable {
        AdminTable(
            ["id", "database", "user", "application_name", "address", "state", "connected_s", "pinned_by"],
            core.connections(listed: .max).clients.map { client in
                [
                    "\(client.id)", client.database, client.user, client.application, client.address, client.state,
                    "\(client.connectedSeconds)", client.pinnedBy,
                ]
            })
    }

    private func serverTable() -> AdminTable {
        AdminTable(
            ["pid", "database", "user", "target", "state", "prepared", "connected_s"],
            core.connections(listed: .max).servers.map { server in
                [
                    "\(server.processID)", server.database, server.user, server.target, server.state,
                    "\(server.prepared)", "\(server.connectedSeconds)",
                ]
            })
    }

    private func statisticsTable() -> AdminTable {
        AdminTable(
            ["name", "value"],
            [["clients", "\(core.clients.count)"]]
                + GuardFigure.allCases.map { [$0.rawValue, "\(core.counters[$0])"] })
    }

    private func queryTable() -> AdminTable {
        var table = AdminTable([
            "fingerprint", "database", "release", "calls", "total_ms", "mean_us", "p95_us", "p99_us", "rows", "errors",
            "empty_writes", "query",
        ])
        core.statistics.fold()
        let busiest = core.statistics.entries.sorted { $0.total.nanoseconds > $1.total.nanoseconds }.prefix(200)
        for entry in busiest {
            let figures = entry.total
            table.rows.append([
                entry.query.fingerprintText, entry.database, entry.release, "\(figures.calls)",
                "\(figures.nanoseconds / 1_000_000)", "\(figures.nanoseconds / 1_000 / Int64(max(1, figures.calls)))",
                "\(figures.latency.percentile(0.95) ?? 0)", "\(figures.latency.percentile(0.99) ?? 0)",
                "\(figures.rows)", "\(figures.errorCount)", "\(figures.emptyWrites)", entry.query.normalizedText,
            ])
        }
        return table
    }
}
