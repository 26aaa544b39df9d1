import Decide

/// Services with their databases, components, flags and features.
extension ConfigurationReader {
    func readServices() {
        guard let field = top.required("services", "name the services that are watched") else { return }
        let fields = field.entries("service")
        declare("service", fields)
        if field.node.isNull || field.hasNoMembers { field.problemAtKey("there is no service in it") }
        for field in fields { readService(field) }
    }

    private func readService(_ field: Field) {
        let section = Section(field, "a mapping")
        var settings = ServiceSettings(name: field.name)
        let team = section.required("team", "who is paged when it fails").flatMap { reference($0, "team") } ?? ""
        settings.url = section["url"].flatMap { httpURL($0) }
        if section["url"] != nil { servicesWithURL.insert(field.name) }
        let databases = section["databases"]?.entries("database") ?? []
        declared["database of \(field.name)"] = Set(databases.map(\.name))
        for database in databases { settings.databases[database.name] = location(database) }
        settings.token = secret(section, "token")
        if let token = settings.token, token.utf8.count < 32 {
            (section["token"] ?? section["token-file"])?.problem(
                "the token is shorter than 32 characters: make a longer one")
        }
        settings.syntheticSecret = secret(section, "synthetic-secret")
        let hasSecret = section["synthetic-secret"] != nil || section["synthetic-secret-file"] != nil
        if hasSecret { servicesWithSecret.insert(field.name) }
        settings.account = section["account"].flatMap(account)
        if section["account"] != nil { servicesWithAccount.insert(field.name) }
        settings.origins = (section["origins"]?.items() ?? []).compactMap { httpURL($0) }
        services[field.name] = settings
        let flags = (section["flags"]?.entries("flag") ?? [])
        declared["flag of \(field.name)"] = Set(flags.map(\.name))
        for flag in flags { readFlag(flag, service: field.name) }
        readComponents(section["components"], service: field.name, team: team)
        var policy = ServicePolicy(name: field.name, team: team, features: [:])
        for feature in section["features"]?.entries("feature") ?? [] {
            policy.features[feature.name] = readFeature(feature, service: settings, team: team)
        }
        section.finish()
        policies[field.name] = policy
    }

    func account(_ field: Field) -> JourneyAccount? {
        let section = Section(field, "a mapping with email and password")
        let email = section.required("email", "whom journeys sign in as").flatMap { $0.text() }
        let password = requiredSecret(section, "password", "journeys sign in with it")
        section.finish()
        guard let email, let password else { return nil }
        return JourneyAccount(email: email, password: password)
    }

    // MARK: Components

    private func readComponents(_ field: Field?, service: String, team: String) {
        let fields = field?.entries("component") ?? []
        let names = Set(fields.map(\.name))
        var depends: [String: [String]] = [:]
        for field in fields {
            let section = Section(field, "a mapping")
            let owner = section["team"].flatMap { reference($0, "team") } ?? team
            let others = (section["depends"]?.items() ?? []).compactMap {
                $0.reference("component of \(service)", among: names)
            }
            let check = section["check"].flatMap { check in
                readCheck(check, CheckFrame(service: service, name: field.name, component: field.name, team: owner))
            }
            section.finish()
            depends[field.name] = others
            components.append(
                ComponentSettings(service: service, name: field.name, team: owner, depends: others, check: check))
        }
        for field in fields {
            if let circle = circle(from: field.name, depends) {
                field.problemAtKey("components depend on one another in a circle: \(circle.joined(separator: " → "))")
                return
            }
        }
    }

    private func circle(from start: String, _ depends: [String: [String]]) -> [String]? {
        var paths = [[start]]
        var seen: Set<String> = []
        while let path = paths.popLast() {
            guard let last = path.last else { continue }
            for next in depends[last] ?? [] {
                if next == start { return path + [start] }
                if seen.insert(next).inserted { paths.append(path + [next]) }
            }
        }
        return nil
    }

    // MARK: Flags

    private func readFlag(_ field: Field, service: String) {
        let section = Section(field, "a mapping with variants and default")
        var variants: [String: JSONValue] = [:]
        if let field = section.required("variants", "a list such as [ v1, v2 ], or a mapping of names to values") {
            variants = self.variants(field)
        }
        let fallback = section.required("default", "the variant that everybody gets until it is changed")
            .flatMap { variants.isEmpty ? nil : $0.reference("variant", among: variants.keys) }
        let targeting = section["targeting"]
        section.finish()
        guard !variants.isEmpty, let fallback else { return }
        var definition = FlagDefinition(variants: variants, defaultVariant: fallback)
        if let targeting {
            guard targeting.isMap else {
                return targeting.problem("a JsonLogic rule is expected here, not \(targeting.node.kind)")
            }
            definition.targeting = targeting.node.json
            let compiled = CompiledFlagSet(compiling: FlagSet(version: 1, flags: [field.name: definition]))
            for problem in compiled.problems { targeting.problemAtKey(problem.message) }
        }
        flags.append(DeclaredFlag(service: service, key: field.name, definition: definition))
    }

    private func variants(_ field: Field) -> [String: JSONValue] {
        var variants: [String: JSONValue] = [:]
        if field.isMap {
            for entry in field.entries("variant") { variants[entry.name] = entry.node.json }
        } else {
            for item in field.items() {
                guard let name = item.text("the name of a variant") else { continue }
                if variants.updateValue(.string(name), forKey: name) != nil {
                    item.problem("'\(name)' is in the list twice")
                }
            }
        }
        if variants.isEmpty { field.problem("there are no variants: name at least one") }
        let kinds = Set(variants.values.map(\.kindName))
        if kinds.count > 1 {
            field.problem(
                "the values of a flag's variants must be of one kind, not \(kinds.sorted().joined(separator: " and "))")
        }
        return variants
    }

    // MARK: Features

    private func readFeature(_ field: Field, service: ServiceSettings, team: String) -> FeaturePolicy {
        let section = Section(field, "a mapping")
        var policy = FeaturePolicy(name: field.name, team: team)
        policy.flag = section["flag"].flatMap { flag in
            flag.reference("flag of \(service.name)", among: declared["flag of \(service.name)"] ?? [])
        }
        policy.undo = policy.flag == nil ? .never : .ask
        if let undo = section["undo"], let choice = undo.choice(FeaturePolicy.Undo.self) {
            policy.undo = choice
            if choice != .never, section["flag"] == nil {
                undo.problem(
                    "'\(choice.rawValue)' needs a flag to turn back: give the feature a 'flag', or write 'never'")
            }
        }
        if let team = section["team"].flatMap({ reference($0, "team") }) { policy.team = team }
        if let severity = section["severity"]?.choice(Severity.self) { policy.severity = severity }
        policy.gate = gatePolicy(section["gate"])
        policy.rollout = rolloutPolicy(section["rollout"], feature: field.name)
        if let tests = section["tests"]?.text() { policy.tests = tests }
        if let reports = section["reports"] { policy.reports = self.reports(reports) }
        readProof(section["proof"], &policy, service: service)
        section.finish()
        return policy
    }

    private func readProof(_ field: Field?, _ policy: inout FeaturePolicy, service: ServiceSettings) {
        var names: [String] = []
        for item in field?.items() ?? [] {
            guard let name = reference(item, "journey") else { continue }
            if let other = proofs[name] ?? (names.contains(name) ? Proof(service: service.name, feature: policy) : nil)
            {
                item.problem("'\(name)' is the proof of \(other.feature.name) already; a journey proves one feature")
            } else {
                names.append(name)
            }
        }
        policy.proof = names.map { "\(service.name)/\($0)" }
        for name in names { proofs[name] = Proof(service: service.name, feature: policy) }
        if let field, policy.flag != nil, !names.isEmpty, !servicesWithSecret.contains(service.name) {
            field.problemAtKey(
                "journeys try out the variants of \(policy.flag ?? "a flag"), which \(service.name) only believes with a "
                    + "shared secret: give the service a 'synthetic-secret' or 'synthetic-secret-file'")
        }
    }

    private func reports(_ field: Field) -> ReportsPolicy {
        var policy = ReportsPolicy()
        let section = Section(field, "a mapping with users, within and quiet")
        if let users = section["users"]?.integer(1...10_000) { policy.users = users }
        if let within = section["within"]?.span(.seconds(10) ... .days(1)) { policy.within = within }
        if let quiet = section["quiet"]?.span(.seconds(10) ... .days(1)) { policy.quiet = quiet }
        section.finish()
        return policy
    }
}
