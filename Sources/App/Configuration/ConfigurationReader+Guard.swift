import Crypto
import Decide
import Foundation
import Guard
import PGWire

/// The guard: on its own in a file, or beside everything else in `mainstay.yaml`.
extension ConfigurationReader {
    private static let usersLimit = 16 << 20

    /// - Parameter isAlone: teams and services are not read, so whether they exist is not asked.
    func readGuard(isAlone: Bool = false) -> GuardSettings? {
        guard let field = top["guard"] else { return nil }
        let section = Section(field, "a mapping")
        var settings = GuardSettings()
        if let listen = section["listen"].flatMap({ hostAndPort($0, ports: 0...65_535, defaultHost: settings.host) }) {
            (settings.host, settings.port) = listen
        }
        if let metrics = section["metrics"].flatMap({ hostAndPort($0, ports: 0...65_535, defaultHost: "127.0.0.1") }) {
            settings.metrics = GuardSettings.Address(host: metrics.host, port: metrics.port)
        }
        if let field = section["state"], let name = field.text("the path of a file") {
            settings.stateFile = path(name, of: field)
        }
        if let mode = section["mode"]?.choice(GuardSettings.Mode.self) { settings.mode = mode }
        if let auth = section["auth"]?.choice(GuardSettings.Authentication.self) { settings.authentication = auth }
        readGuardDesk(section, isAlone: isAlone)
        readGuardUsers(section, &settings)
        readGuardLimits(section, &settings)
        if let field = section["auth-query"] { readAuthQuery(field, &settings) }
        if let field = section["tls"] { readGuardTLS(field, &settings) }
        if let field = section["timeouts"] { readGuardTimeouts(field, &settings) }
        if let field = section["budgets"] { readBudgets(field, &settings) }
        let others = section["other-databases"]
        if let others {
            settings.databases[GuardSettings.anyDatabase] = readGuardDatabase(
                others, isAlone: isAlone, as: GuardPolicy.anyDatabase)
        }
        if let databases = section["databases"] {
            for entry in databases.entries("database") {
                settings.databases[entry.name] = readGuardDatabase(entry, isAlone: isAlone, as: entry.name)
            }
        } else if others == nil {
            section.field.problemAtKey("'databases' is missing: the guard has to know where the database is")
        }
        section.finish()
        return settings
    }

    /// Whom its decisions concern.
    private func readGuardDesk(_ section: Section, isAlone: Bool) {
        if let field = section["team"] { guarded.team = name(field, of: "team", isAlone: isAlone) }
        if let pages = section["page-observed"]?.bool() { guarded.pagesObserved = pages }
    }

    private func name(_ field: Field, of what: String, isAlone: Bool) -> String? {
        isAlone ? field.text("the name of a \(what)") : reference(field, what)
    }

    private func readGuardUsers(_ section: Section, _ settings: inout GuardSettings) {
        if let field = section["admin"] {
            let admin = Section(field, "a mapping with 'users'")
            settings.adminUsers = Set(admin["users"]?.list("user names").compactMap { $0.text("a user name") } ?? [])
            admin.finish()
        }
        let users = section["users"]
        if let users {
            let inner = Section(users, "a mapping with 'file'")
            if let file = inner.required("file", "the guard takes users and secrets from it") {
                readUsersFile(file, &settings)
            }
            inner.finish()
        }
        if users == nil, section["auth-query"] == nil, settings.authentication != .trust {
            section.field.problemAtKey(
                "'users' is missing: clients prove who they are by \(settings.authentication.rawValue), so name the file with their secrets, or 'auth-query' to ask the database (auth: trust believes everybody)"
            )
        }
    }

    private func readAuthQuery(_ field: Field, _ settings: inout GuardSettings) {
        let section = Section(field, "a mapping with 'user'")
        let user = section.required("user", "the guard asks the database as this user")?.text("a user name")
        var query = AuthQuerySettings(user: user ?? "")
        if let password = section["password"]?.text("a password, such as ${GUARD_PASSWORD}") {
            log.hide(password, as: "•••")
            query.password = password
        }
        query.database = section["database"]?.text("the name of a database, as the servers know it")
        if let field = section["query"], let text = field.text("an SQL query with $1 for the user's name") {
            query.query = text
            if !text.contains("$1") { field.problem("the query has no $1, which stands for the user's name") }
        }
        section.finish()
        if user != nil { settings.authQuery = query }
    }

    private func readUsersFile(_ field: Field, _ settings: inout GuardSettings) {
        guard let name = field.text("the path of a file") else { return }
        let path = self.path(name, of: field)
        log.files.append(path)
        switch TextFile.read(path, limit: Self.usersLimit) {
        case .failure(let reason):
            field.problem("'\(field.written)' cannot be read: \(reason.message)")
        case .success(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else {
                field.problem("'\(field.written)' is not UTF-8 text")
                break
            }
            do {
                settings.users = try UsersFile.parse(text)
                // Nobody can know it who does not know the secrets themselves.
                settings.mock = MockSecret(Array(SHA256.hash(data: Data("mainstay guard\n".utf8) + Data(bytes))))
            } catch {
                field.problem("'\(field.written)', \(error)")
            }
        }
    }

    private func readGuardLimits(_ section: Section, _ settings: inout GuardSettings) {
        if let size = section["pool-size"]?.integer(1...10_000) { settings.limits.poolSize = size }
        if let count = section["max-clients"]?.integer(1...1_000_000) { settings.limits.clients = count }
        if let count = section["max-pools"]?.integer(1...1_000_000) { settings.limits.pools = count }
        if let count = section["max-waiting"]?.integer(0...1_000_000) { settings.limits.waiting = count }
        if let size = section["max-message-mib"]?.integer(1...1_000) { settings.limits.message = size << 20 }
        if let count = section["max-prepared"]?.integer(1...100_000) { settings.limits.prepared = count }
    }

    private func readGuardTLS(_ field: Field, _ settings: inout GuardSettings) {
        let section = Section(field, "a mapping with 'certificate' and 'key'")
        let certificate = section.required("certificate", "clients see it").flatMap(existingFile)
        let key = section.required("key", "it belongs to the certificate").flatMap(existingFile)
        let isRequired = section["required"]?.bool() ?? false
        section.finish()
        if let certificate, let key {
            settings.tls = .files(certificate: certificate, key: key, isRequired: isRequired)
        }
    }

    private func existingFile(_ field: Field) -> String? {
        guard let name = field.text("the path of a file") else { return nil }
        let path = self.path(name, of: field)
        log.files.append(path)
        if case .failure(let reason) = TextFile.read(path, limit: 1 << 20) {
            field.problem("'\(field.written)' cannot be read: \(reason.message)")
            return nil
        }
        return path
    }

    private func readGuardTimeouts(_ field: Field, _ settings: inout GuardSettings) {
        let section = Section(field, "a mapping of durations")
        func read(_ name: String, _ range: ClosedRange<Span>, into value: inout Int64) {
            if let span = section[name]?.span(range) { value = span.milliseconds * 1_000_000 }
        }
        read("login", .seconds(1) ... .minutes(10), into: &settings.timeouts.login)
        read("connect", .milliseconds(100) ... .minutes(10), into: &settings.timeouts.connect)
        read("queue", .milliseconds(100) ... .hours(1), into: &settings.timeouts.queue)
        read("idle-transaction", .seconds(1) ... .days(1), into: &settings.timeouts.idleTransaction)
        read("transaction", .seconds(1) ... .days(7), into: &settings.timeouts.transaction)
        read("client-idle", .seconds(1) ... .days(30), into: &settings.timeouts.clientIdle)
        read("server-idle", .seconds(1) ... .days(7), into: &settings.timeouts.serverIdle)
        read("server-lifetime", .seconds(1) ... .days(30), into: &settings.timeouts.serverLifetime)
        read("drain", .zero ... .hours(1), into: &settings.timeouts.drain)
        read("pause", .seconds(1) ... .hours(1), into: &settings.timeouts.pause)
        section.finish()
    }

    private func readBudgets(_ field: Field, _ settings: inout GuardSettings) {
        let section = Section(field, "a mapping")
        if let mode = section["mode"]?.choice(BudgetSettings.Mode.self) { settings.budgets.mode = mode }
        if let cancels = section["cancels-writes"]?.bool() { settings.budgets.cancelsWrites = cancels }
        if let span = section["longest-statement"]?.span(.seconds(1) ... .days(1)) {
            settings.budgets.statementCap = span
        }
        for item in section["protected"]?.items() ?? [] {
            let pattern = Section(item, "a mapping with 'user', 'application' or 'database'")
            let found = ClientPattern(
                user: pattern["user"]?.text(), application: pattern["application"]?.text(),
                database: pattern["database"]?.text())
            pattern.finish()
            if pattern.isEmpty {
                item.problem("name whom to protect: 'user', 'application' or 'database'")
            } else {
                settings.budgets.protected.append(found)
            }
        }
        section.finish()
    }

    // MARK: Databases

    private func readGuardDatabase(_ field: Field, isAlone: Bool, as name: String) -> DatabaseSettings {
        if field.isText {
            let (target, database) = readTarget(field) ?? (nil, nil)
            return DatabaseSettings(targets: [target].compactMap(\.self), database: database)
        }
        let section = Section(field, "a URL, or a mapping with 'targets',")
        var targets: [Target] = []
        var database: String?
        for item in section.required("targets", "where the database is, the first that answers is used")?.items() ?? []
        {
            guard let (target, name) = readTarget(item) else { continue }
            targets.append(target)
            if let name { database = name }
        }
        if section["targets"] != nil, targets.isEmpty, log.isEmpty {
            section.field.problem("name at least one target, such as postgres://db.example.test:5432/shop")
        }
        var settings = DatabaseSettings(targets: targets, database: database)
        settings.poolSize = section["pool-size"]?.integer(1...10_000)
        if let replicas = section["replicas"] { settings.replicas = readReplicas(replicas) }
        if let field = section["service"] {
            guarded.services[name] = self.name(field, of: "service", isAlone: isAlone)
        }
        section.finish()
        return settings
    }

    private func readReplicas(_ field: Field) -> ReplicaSettings? {
        let section = Section(field, "a mapping with 'targets' and 'rules'")
        let targets =
            section.required("targets", "where the replicas are; they are used in turn")?.items()
            .compactMap { readTarget($0)?.0 } ?? []
        let size = section["pool-size"]?.integer(1...10_000)
        var rules: [(pattern: ClientPattern, use: ReplicaUse)] = []
        for item in section.required("rules", "they say what goes to the replicas; the first that matches counts")?
            .items() ?? []
        {
            let rule = Section(item, "a mapping with 'use', and 'user' or 'application' for whom")
            let pattern = ClientPattern(user: rule["user"]?.text(), application: rule["application"]?.text())
            let use = rule.required("use", "always, reads or never")?.choice(ReplicaUse.self)
            rule.finish()
            if let use { rules.append((pattern, use)) }
        }
        section.finish()
        guard !targets.isEmpty else { return nil }
        return ReplicaSettings(targets: targets, poolSize: size, rules: rules)
    }

    private func readTarget(_ field: Field) -> (Target, String?)? {
        guard let text = field.text("a URL such as postgres://db.example.test:5432/shop") else { return nil }
        guard let parts = URLComponents(string: text), let scheme = parts.scheme,
            ["postgres", "postgresql"].contains(scheme)
        else {
            field.problem(
                "this is not a URL such as postgres://db.example.test:5432/shop (special characters of a password have to be percent-encoded)"
            )
            return nil
        }
        if let password = parts.password { log.hide(password, as: "•••") }
        let query = Dictionary(
            (parts.queryItems ?? []).map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { _, last in last })
        let host = query["host"] ?? parts.host ?? ""
        guard !host.isEmpty else {
            field.problem("the URL names no host; for a Unix socket write postgres:///shop?host=/var/run/postgresql")
            return nil
        }
        var target = Target(host: host, port: parts.port ?? 5_432)
        target.user = parts.user.flatMap { $0.isEmpty ? nil : $0 }
        target.password = parts.password
        for (name, value) in query.sorted(by: { $0.key < $1.key }) {
            switch name {
            case "host": break
            case "sslmode":
                guard let mode = Target.TLS(rawValue: value) else {
                    field.problem("sslmode is one of \(Target.TLS.allCases.map(\.rawValue).joined(separator: ", "))")
                    continue
                }
                target.tls = mode
            case "sslrootcert": target.rootCertificate = self.path(value, of: field)
            default: field.problem("the URL's '\(name)' is not known here (known are host, sslmode, sslrootcert)")
            }
        }
        let database = parts.path.split(separator: "/").first.map(String.init)
        return (target, database)
    }

    // MARK: A file of its own

    private static let others = [
        "people", "teams", "channels", "services", "journeys", "checks", "gates", "rollouts", "server", "incidents",
    ]

    /// Only the guard's part; what else `mainstay.yaml` may hold is left alone.
    func readGuardOnly() -> GuardSettings? {
        for name in Self.others { _ = top[name] }
        let settings = readGuard(isAlone: true)
        if settings == nil {
            top.field.problemAtKey("'guard' is missing: it says where to listen and where the database is")
        }
        top.finish()
        return settings
    }
}
