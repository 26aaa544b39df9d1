/// One check as configured: what is probed, how often, and how long it may take.
package struct CheckDefinition: Sendable, Hashable, Codable {
    /// `service/name`.
    package var id: String
    package var service: String
    package var name: String
    package var feature: String?
    package var component: String?
    /// From start to start.
    package var every: Span
    /// For the whole run; a journey's clean-up has a budget of its own.
    package var timeout: Span
    /// Key of the synthetic user that every HTTP request is marked with.
    package var user: String
    package var kind: CheckKind

    package init(
        service: String, name: String, feature: String? = nil, component: String? = nil, every: Span, timeout: Span,
        user: String = "synthetic", kind: CheckKind
    ) {
        self.id = "\(service)/\(name)"
        self.service = service
        self.name = name
        self.feature = feature
        self.component = component
        self.every = every
        self.timeout = timeout
        self.user = user
        self.kind = kind
    }

    /// Heartbeats are heard, not run.
    package var isRun: Bool { if case .heartbeat = kind { false } else { true } }

    /// What is wrong with the definition, one sentence each, for the configuration's reader.
    package func problems() -> [String] {
        var problems: [String] = []
        if every <= .zero { problems.append("'every' must be longer than 0") }
        if timeout <= .zero, isRun { problems.append("'timeout' must be longer than 0") }
        switch kind {
        case .http(let check): problems += check.problems()
        case .tcp(let check) where !(1...65_535).contains(check.port):
            problems.append("port \(check.port) is not between 1 and 65535")
        case .heartbeat(let grace) where grace < .zero: problems.append("'grace' must not be negative")
        case .journey(let journey): problems += journey.problems()
        case .tcp, .postgres, .sqlite, .heartbeat: break
        }
        return problems
    }
}

package enum CheckKind: Sendable, Hashable, Codable {
    case http(HTTPCheck)
    case tcp(TCPCheck)
    /// Answers `SELECT 1`. The location is a `postgres://` URL and may hold a password: it is never shown.
    case postgres(location: String)
    /// Answers `SELECT 1`. The location is a file.
    case sqlite(location: String)
    /// Silence longer than the interval and `grace` is a failure; told by pings, never run.
    case heartbeat(grace: Span)
    case journey(Journey)
}

/// One request and what must be true of its answer.
package struct HTTPCheck: Sendable, Hashable, Codable {
    /// Absolute, without `{{variables}}`.
    package var url: String
    package var request: HTTPAction
    package var expect: [Assertion]

    /// Without an assertion on the status, 200…299 is expected.
    package init(
        url: String, method: HTTPAction.Method = .get, headers: [HTTPAction.Header] = [], body: HTTPAction.Body? = nil,
        redirects: Int = 0, expect: [Assertion] = []
    ) {
        self.url = url
        request = HTTPAction(method, Template(literal: url), headers: headers, body: body, redirects: redirects)
        self.expect = expect
    }

    /// The same as a step of a journey.
    package var step: JourneyStep { JourneyStep("", .http(request), expect: expect) }

    func problems() -> [String] {
        let used = Set(request.variables + expect.flatMap(\.variables))
        var problems = used.sorted().map { "uses {{\($0)}}: variables are for journeys" }
        if !url.hasPrefix("http://"), !url.hasPrefix("https://") {
            problems.append("'\(url)' does not begin with http:// or https://")
        }
        return problems + expect.flatMap { $0.problems(isSQL: false) }
    }
}

/// A connection that opens is a pass.
package struct TCPCheck: Sendable, Hashable, Codable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

/// What is wrong with a check itself: its owner must mend it, the service is not accused.
package struct DefinitionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence.
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
