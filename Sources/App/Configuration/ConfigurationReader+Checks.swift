import Decide

/// Checks of one thing.
extension ConfigurationReader {
    /// Where a check belongs.
    struct CheckFrame {
        var service: String
        var name: String
        var feature: String?
        var component: String?
        var team: String
        var severity = Severity.high
    }

    static let intervals: ClosedRange<Span> = .seconds(1) ... .days(1)
    static let timeouts: ClosedRange<Span> = .milliseconds(100) ... .minutes(5)
    private static let kinds = ["http", "tcp", "database", "postgres", "sqlite", "heartbeat"]

    /// One under `checks`.
    func readCheck(_ field: Field) {
        let section = Section(field, "a mapping")
        let service = self.service(of: field, section)
        guard let service, let policy = policies[service] else {
            // Without its service nothing else can be judged; that it is missing has been told.
            return
        }
        var frame = CheckFrame(service: service, name: field.name, team: policy.team)
        if let name = section["feature"]?.reference("feature of \(service)", among: policy.features.keys),
            let feature = policy.features[name]
        {
            (frame.feature, frame.team, frame.severity) = (name, feature.team, feature.severity)
        }
        if let team = section["team"].flatMap({ reference($0, "team") }) { frame.team = team }
        read(section, frame)
    }

    /// The `check` of a component. Returns its id.
    func readCheck(_ field: Field, _ frame: CheckFrame) -> String? {
        read(Section(field, "a mapping"), frame)
    }

    /// The service that is named, or the only one there is.
    func service(of field: Field, _ section: Section) -> String? {
        if let named = section["service"] { return reference(named, "service") }
        let all = declared["service"] ?? []
        if all.count == 1 { return all.first }
        field.problemAtKey("'service' is missing: there are several services (\(Field.list(all)))")
        return nil
    }

    @discardableResult
    private func read(_ section: Section, _ frame: CheckFrame) -> String? {
        var frame = frame
        if let severity = section["severity"]?.choice(Severity.self) { frame.severity = severity }
        let found = section.oneOf(Self.kinds, "the thing to check")
        if let found, found.name == "heartbeat" {
            let every = found.span(.seconds(1) ... .days(40))
            let grace = section["grace"]?.span(.zero ... .days(7)) ?? .minutes(1)
            section.finish()
            guard let every else { return nil }
            return add(section.field, frame, .heartbeat(grace: grace), every: every, timeout: every)
        }
        let pace = self.pace(section)
        let kind = found.flatMap { self.kind($0, section, service: frame.service) }
        let thresholds = self.thresholds(section)
        section.finish()
        guard let kind else { return nil }
        return add(section.field, frame, kind, every: pace.every, timeout: pace.timeout, thresholds)
    }

    /// A run is over before the next one begins.
    func pace(_ section: Section, every fallback: Span = .seconds(10)) -> (every: Span, timeout: Span) {
        let every = section["every"]?.span(Self.intervals) ?? fallback
        let timeout = section["timeout"]?.span(Self.timeouts)
        if let timeout, timeout > every, let field = section["timeout"] {
            field.problem("a run may not take longer (\(timeout)) than the time to the next one (every \(every))")
        }
        return (every, timeout ?? min(every, .seconds(10)))
    }

    func thresholds(_ section: Section) -> (failures: Int, passes: Int) {
        (section["failures"]?.integer(1...100) ?? 1, section["passes"]?.integer(1...100) ?? 2)
    }

    private func kind(_ field: Field, _ section: Section, service: String) -> CheckKind? {
        switch field.name {
        case "http": return http(field, section, service: service)
        case "tcp":
            return hostAndPort(field, ports: 1...65_535).map { .tcp(TCPCheck(host: $0.host, port: $0.port)) }
        case "database":
            let known = declared["database of \(service)"] ?? []
            guard let name = field.reference("database of \(service)", among: known),
                let location = services[service]?.databases[name]
            else { return nil }
            return Self.isPostgres(location) ? .postgres(location: location) : .sqlite(location: location)
        case "postgres":
            guard let location = self.location(field) else { return nil }
            guard Self.isPostgres(location) else {
                field.problem("this does not begin with postgres://")
                return nil
            }
            return .postgres(location: location)
        default:
            guard let location = self.location(field) else { return nil }
            guard !Self.isPostgres(location) else {
                field.problem("this is not the path of a SQLite file; use 'postgres' for it")
                return nil
            }
            return .sqlite(location: location)
        }
    }

    private func http(_ field: Field, _ section: Section, service: String) -> CheckKind? {
        enum Method: String, CaseIterable { case get = "GET", head = "HEAD", post = "POST", options = "OPTIONS" }
        let method = section["method"]?.choice(Method.self).flatMap { HTTPAction.Method(rawValue: $0.rawValue) } ?? .get
        let headers = self.headers(section["headers"])
        let body = self.body(section)
        let redirects = section["redirects"]?.integer(0...10) ?? 0
        let expect = expectations(section["expect"], isSQL: false)
        guard let text = field.text("a path such as /healthz, or a URL") else { return nil }
        var url: String
        if text.hasPrefix("/") {
            guard let base = baseURL(of: service, for: field) else { return nil }
            url = base + text
        } else {
            guard let absolute = httpURL(field, allowsQuery: true) else { return nil }
            url = absolute
        }
        url = PercentEncoding.complete(url)
        return .http(
            HTTPCheck(url: url, method: method, headers: headers, body: body, redirects: redirects, expect: expect))
    }

    func baseURL(of service: String, for field: Field) -> String? {
        if let url = services[service]?.url { return url }
        // One that is declared wrongly was told there.
        if !servicesWithURL.contains(service) {
            field.problem("\(service) has no 'url' that this path could belong to")
        }
        return nil
    }

    /// Registers a check and tells what Decide finds wrong with it. Returns its id.
    @discardableResult
    func add(
        _ field: Field, _ frame: CheckFrame, _ kind: CheckKind, every: Span, timeout: Span,
        _ thresholds: (failures: Int, passes: Int) = (1, 1), user: String = "synthetic"
    ) -> String? {
        let definition = CheckDefinition(
            service: frame.service, name: frame.name, feature: frame.feature, component: frame.component, every: every,
            timeout: timeout, user: user, kind: kind)
        guard checks[definition.id] == nil else {
            field.problemAtKey("\(frame.service) has a check, journey or checked component '\(frame.name)' already")
            return nil
        }
        var isJourney = false
        var grace: Span?
        switch kind {
        // Its problems are told step by step.
        case .journey: isJourney = true
        case .heartbeat(let span): grace = span
        case .http, .tcp, .postgres, .sqlite: for problem in definition.problems() { field.problemAtKey(problem) }
        }
        checks[definition.id] = definition
        checkPolicies[definition.id] = CheckPolicy(
            id: definition.id, service: frame.service, feature: frame.feature, component: frame.component,
            team: frame.team, severity: frame.severity, isJourney: isJourney, every: every,
            failures: thresholds.failures, passes: thresholds.passes, heartbeatGrace: grace)
        return definition.id
    }
}
