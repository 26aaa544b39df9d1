/// What a user does, step by step, with the proof that it worked.
///
/// Steps run in order and stop at the first failure. `always` steps run after them whatever happened, a timeout
/// included, with a time budget of their own; one that fails is a failure too, because what the journey made may
/// still be there.
package struct Journey: Sendable, Hashable, Codable {
    package var variables: [String: VariableDefinition]
    package var steps: [JourneyStep]
    package var always: [JourneyStep]
    /// `http://127.0.0.1:8090`, without a path that ends in `/`.
    package var baseURL: String
    /// Location of each database that SQL steps may name.
    package var databases: [String: String]
    /// What `{{account.email}}` and `{{account.password}}` stand for; never shown.
    package var account: JourneyAccount?
    /// Names of further variables and captures whose values are never shown.
    package var secrets: [String]
    /// For all `always` steps together.
    package var cleanUpTimeout: Span

    package init(
        baseURL: String, variables: [String: VariableDefinition] = [:], steps: [JourneyStep],
        always: [JourneyStep] = [], databases: [String: String] = [:], account: JourneyAccount? = nil,
        secrets: [String] = [], cleanUpTimeout: Span = .seconds(10)
    ) {
        self.baseURL = baseURL
        self.variables = variables
        self.steps = steps
        self.always = always
        self.databases = databases
        self.account = account
        self.secrets = secrets
        self.cleanUpTimeout = cleanUpTimeout
    }

    /// Set for every journey; one that is declared or captured under the same name wins.
    static let builtIn = ["unique", "user"]

    /// What is wrong with the definition, one sentence each. A journey with problems fails without touching the
    /// service.
    package func problems() -> [String] {
        var problems: [String] = steps.isEmpty ? ["a journey needs at least one step"] : []
        if !baseURL.hasPrefix("http://"), !baseURL.hasPrefix("https://") {
            problems.append("'\(baseURL)' does not begin with http:// or https://")
        }
        for (name, variable) in variables.sorted(by: { $0.key < $1.key }) {
            problems += variable.problems(variables: variables).map { "variable \(name): \($0)" }
        }
        var known = Set(Self.builtIn).union(variables.keys)
        if account != nil { known.formUnion(["account.email", "account.password"]) }
        for step in steps + always {
            problems += step.problems(known: known, databases: databases.keys).map { "\(step.name): \($0)" }
            known.formUnion(step.captures.keys)
        }
        return problems
    }
}

package struct JourneyAccount: Sendable, Hashable, Codable {
    package var email: String
    package var password: String

    package init(email: String, password: String) {
        self.email = email
        self.password = password
    }
}

package struct JourneyStep: Sendable, Hashable, Codable {
    package enum Action: Sendable, Hashable, Codable {
        case http(HTTPAction)
        /// A reading statement; each `:name` in it is the variable of that name (`:account_email` for a dotted one).
        case sql(String, on: String)
    }

    package var name: String
    package var action: Action
    /// Repeat until it passes or this time is up. Repeats the whole request, so it belongs on steps that only read.
    package var eventually: Span?
    /// Set from the answer once all expectations hold; a value that is missing or null is a failure.
    package var captures: [String: Expression]
    /// All must hold. An HTTP step without an assertion on the status expects 200…299; a SQL step without any
    /// expectation proves nothing and is an error in the definition.
    package var expect: [Assertion]

    package init(
        _ name: String, _ action: Action, eventually: Span? = nil, captures: [String: Expression] = [:],
        expect: [Assertion] = []
    ) {
        self.name = name
        self.action = action
        self.eventually = eventually
        self.captures = captures
        self.expect = expect
    }

    package var isSQL: Bool { if case .sql = action { true } else { false } }

    func problems(known: Set<String>, databases: some Collection<String>) -> [String] {
        var problems: [String] = []
        var used = expect.flatMap(\.variables)
        switch action {
        case .http(let action):
            used += action.variables
            problems += action.problems()
        case .sql(let statement, let database):
            let flat = Set(known.map(SQLNames.flatten))
            let unknown = SQLNames.used(in: statement).filter { !flat.contains($0) }
            problems += unknown.map { "uses :\($0), which nothing sets" }
            if !databases.contains(database) { problems.append("there is no database '\(database)'") }
            if expect.isEmpty { problems.append("a SQL step without an expectation proves nothing") }
        }
        if let eventually, eventually <= .zero { problems.append("'eventually' must be longer than 0") }
        used += captures.values.flatMap(\.variables)
        problems += Set(used).subtracting(known).sorted().map { "uses {{\($0)}}, which nothing sets" }
        problems += expect.flatMap { $0.problems(isSQL: isSQL) }
        problems += captures.values.compactMap { $0.problem(isSQL: isSQL) }
        problems += captures.keys.filter { !Template.isName($0) }.sorted().map { "'\($0)' is not a variable's name" }
        return problems
    }
}
