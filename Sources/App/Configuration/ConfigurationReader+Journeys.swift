import Decide

/// Journeys and their steps.
extension ConfigurationReader {
    private static let methods = ["get", "head", "post", "put", "patch", "delete", "options"]
    private static let stepLimit = 50

    /// What the steps of one journey have in common.
    private struct JourneyContext {
        var service: String
        var databases: Set<String>
        var timeout: Span
    }

    /// Where the parts of one journey stand.
    private struct JourneyFields {
        var journey: Field
        /// Those that run always after the others.
        var steps: [Field]
        var variables: [Field]
        var secrets: [Field]
        /// Whether it or its service has one, rightly or wrongly declared.
        var hasAccount: Bool
    }

    func readJourneys() {
        for field in journeys { readJourney(field) }
    }

    private func readJourney(_ field: Field) {
        let section = Section(field, "a mapping with steps")
        guard let frame = frame(field, section), let service = services[frame.service] else { return }
        let pace = self.pace(section)
        let thresholds = self.thresholds(section)
        let context = JourneyContext(
            service: frame.service, databases: declared["database of \(frame.service)"] ?? [], timeout: pace.timeout)
        var journey = Journey(
            baseURL: service.url ?? "", steps: [], databases: service.databases, account: service.account)
        if let account = section["account"] { journey.account = self.account(account) }
        let variables = (section["variables"].map { pairs($0, "a mapping of variables") }) ?? []
        for variable in variables { journey.variables[variable.name] = self.variable(variable) }
        let secrets = section["secrets"]?.items() ?? []
        journey.secrets = secrets.compactMap { $0.text("the name of a variable") }
        if let span = section["clean-up-timeout"]?.span(.seconds(1) ... .minutes(5)) { journey.cleanUpTimeout = span }
        let user = section["user"]?.text() ?? "synthetic"
        let stepFields = steps(section.required("steps", "what a user does, step by step"))
        let alwaysFields = steps(section["always"])
        var places: [Field] = []
        for (index, item) in (stepFields + alwaysFields).enumerated() {
            guard let step = step(item, context) else { continue }
            places.append(item)
            if index < stepFields.count { journey.steps.append(step) } else { journey.always.append(step) }
        }
        section.finish()
        // A step that could not be read would only bring further complaints about what it would have set.
        if places.count == stepFields.count + alwaysFields.count, !places.isEmpty {
            let fields = JourneyFields(
                journey: field, steps: places, variables: variables, secrets: secrets,
                hasAccount: section["account"] != nil || servicesWithAccount.contains(frame.service))
            check(journey, fields, service: frame.service)
        }
        add(
            field, frame, .journey(journey), every: pace.every, timeout: pace.timeout, thresholds, user: user)
    }

    /// A journey belongs to the feature that it proves, else to the service it names.
    private func frame(_ field: Field, _ section: Section) -> CheckFrame? {
        var frame: CheckFrame
        if let proof = proofs[field.name] {
            if let named = section["service"], let name = reference(named, "service"), name != proof.service {
                named.problem("it is the proof of \(proof.feature.name) of \(proof.service), so it belongs there")
            }
            frame = CheckFrame(
                service: proof.service, name: field.name, feature: proof.feature.name, team: proof.feature.team,
                severity: proof.feature.severity)
        } else {
            guard let service = service(of: field, section), let policy = policies[service] else { return nil }
            frame = CheckFrame(service: service, name: field.name, team: policy.team)
        }
        if let severity = section["severity"]?.choice(Severity.self) { frame.severity = severity }
        return frame
    }

    private func variable(_ field: Field) -> VariableDefinition? {
        do throws(DefinitionError) {
            return try VariableDefinition.parse(field.node.json)
        } catch {
            field.problemAtKey(error.message)
            return nil
        }
    }

    private func steps(_ field: Field?) -> [Field] {
        guard let field else { return [] }
        let items = field.list("steps")
        if field.isList, items.isEmpty { field.problemAtKey("there are no steps in it") }
        if items.count > Self.stepLimit { field.problemAtKey("there are more than \(Self.stepLimit) steps") }
        return Array(items.prefix(Self.stepLimit))
    }

    private func step(_ field: Field, _ context: JourneyContext) -> JourneyStep? {
        let section = Section(field, "a step")
        let name = section["name"]?.text()
        let eventually = section["eventually"]?.span(.milliseconds(100) ... .minutes(5))
        let found = section.oneOf(Self.methods + ["sql"], "what to do")
        let isSQL = found?.name == "sql"
        if let eventually, let key = section["eventually"] {
            if eventually > context.timeout {
                key.problem(
                    "the step may wait longer (\(eventually)) than the whole journey may take (\(context.timeout))")
            }
            if let found, ["post", "patch"].contains(found.name) {
                key.problemAtKey(
                    "it repeats the whole request, which a \(found.name) must not be: move it to a step that reads")
            }
        }
        let expect = expectations(section["expect"], isSQL: isSQL)
        var captures: [String: Expression] = [:]
        for capture in section["capture"].map({ pairs($0, "a mapping of variables") }) ?? [] {
            captures[capture.name] = expression(capture, isSQL: isSQL)
        }
        let action = found.flatMap { isSQL ? sql($0, section, context) : http($0, section, context) }
        section.finish()
        guard let action, let found else { return nil }
        let title = name ?? (isSQL ? "SQL" : "\(found.name.uppercased()) \(found.written)")
        return JourneyStep(title, action, eventually: eventually, captures: captures, expect: expect)
    }

    private func http(_ field: Field, _ section: Section, _ context: JourneyContext) -> JourneyStep.Action? {
        let headers = self.headers(section["headers"])
        let body = self.body(section)
        let redirects = section["redirects"]?.integer(0...10) ?? 0
        guard let path = template(field), let method = HTTPAction.Method(rawValue: field.name.uppercased()) else {
            return nil
        }
        if path.source.hasPrefix("/") {
            guard baseURL(of: context.service, for: field) != nil else { return nil }
        } else if !path.source.lowercased().hasPrefix("http://"), !path.source.lowercased().hasPrefix("https://") {
            field.problem("'\(field.written)' is neither a path that begins with / nor a URL")
            return nil
        }
        return .http(HTTPAction(method, path, headers: headers, body: body, redirects: redirects))
    }

    private func sql(_ field: Field, _ section: Section, _ context: JourneyContext) -> JourneyStep.Action? {
        let statement = field.text("a SQL statement that reads")
        var database: String?
        if let on = section["on"] {
            database = on.reference("database of \(context.service)", among: context.databases)
        } else if context.databases.count == 1 {
            database = context.databases.first
        } else {
            let advice =
                context.databases.isEmpty
                ? "give \(context.service) a database under 'databases'"
                : "name one of \(Field.list(context.databases))"
            section.field.problemAtKey("'on' is missing: \(advice)")
        }
        guard let statement, let database else { return nil }
        return .sql(statement, on: database)
    }

    /// What Decide finds wrong, told at the step or variable that it is about.
    private func check(_ journey: Journey, _ fields: JourneyFields, service: String) {
        var journey = journey
        // What is wrong with these was told where the service is declared.
        journey.baseURL = "http://localhost"
        if fields.hasAccount { journey.account = JourneyAccount(email: "", password: "") }
        for name in declared["database of \(service)"] ?? [] { journey.databases[name] = "" }
        // Numbers in place of names, to find the step again.
        for index in journey.steps.indices { journey.steps[index].name = "\(index)" }
        for index in journey.always.indices { journey.always[index].name = "\(journey.steps.count + index)" }
        var known = Set(journey.variables.keys).union(["unique", "user"])
        known.formUnion((journey.steps + journey.always).flatMap(\.captures.keys))
        if journey.account != nil { known.formUnion(["account.email", "account.password"]) }
        for problem in journey.problems() {
            let parts = problem.firstRange(of: ": ").map { (problem[..<$0.lowerBound], problem[$0.upperBound...]) }
            guard let (subject, message) = parts else {
                fields.journey.problemAtKey(problem)
                continue
            }
            let step = Int(subject).flatMap { fields.steps.indices.contains($0) ? fields.steps[$0] : nil }
            let variable = fields.variables.first { "variable \($0.name)" == subject }
            guard let place = step ?? variable else {
                fields.journey.problemAtKey(problem)
                continue
            }
            let isAccount = message.contains("account.") && !fields.hasAccount
            let advice = isAccount ? ": give the service an 'account'" : ""
            place.problemAtKey("\(message)\(advice)", suggestion: meant(by: message, known))
        }
        for secret in fields.secrets where !known.contains(secret.written) {
            secret.problem(
                "there is no variable or capture '\(secret.written)'",
                suggestion: Spelling.nearest(to: secret.written, among: known))
        }
    }

    /// `uses {{prodcut}}, which nothing sets`: the variable that was meant.
    private func meant(by message: Substring, _ known: Set<String>) -> String? {
        guard message.hasPrefix("uses ") else { return nil }
        let name = message.dropFirst(5).drop { "{:".contains($0) }.prefix { !"},".contains($0) }
        return Spelling.nearest(to: String(name), among: known)
    }
}
