import AsyncHTTPClient
import Decide
import NIOCore
import NIOPosix
import SQL

/// Runs one check once. Never throws and never outlives its timeouts: whatever happens is in the result.
package struct CheckRunner: Sendable {
    package struct Options: Sendable {
        /// A longer body is a failure.
        package var bodyLimit = 1 << 20
        /// A SQL step with more rows is a failure.
        package var rowLimit = 1_000
        /// Between the attempts of an `eventually` step: the first pause, and the longest.
        package var firstPause = Span.milliseconds(100)
        package var longestPause = Span.milliseconds(500)
        /// How long a signed mark outlives the run's own timeouts.
        package var markSlack = Span.seconds(30)

        package init() {}
    }

    let client: HTTPClient
    let probe: SQLProbe
    let secret: @Sendable (String) -> String?
    let options: Options
    let clock: @Sendable () -> Instant
    let randomness: @Sendable () -> any RandomNumberGenerator

    /// - Parameters:
    ///   - client: made with `clientConfiguration()`; another one would follow redirects, wait on refused connections,
    ///     and queue checks of one host behind one another.
    ///   - secret: the synthetic secret of a service by its name; without one, requests are not marked and runs
    ///     that force a variant fail.
    ///   - randomness: for the journeys' variables; one generator a run.
    package init(
        client: HTTPClient, probe: SQLProbe, secret: @escaping @Sendable (_ service: String) -> String?,
        options: Options = Options(), clock: @escaping @Sendable () -> Instant,
        randomness: @escaping @Sendable () -> any RandomNumberGenerator = { SystemRandomNumberGenerator() }
    ) {
        self.client = client
        self.probe = probe
        self.secret = secret
        self.options = options
        self.clock = clock
        self.randomness = randomness
    }

    /// What an HTTP client for checks must be like.
    package static func clientConfiguration() -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        // A refused connection is an answer; the default would try again until the deadline and call it a timeout.
        configuration.connectionPool.retryConnectionEstablishment = false
        // The default of 8 would let a few hanging checks of one host delay all its others.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1_024
        // Shorter than servers keep idle connections, so that none is used that is just being closed.
        configuration.connectionPool.idleTimeout = .seconds(3)
        return configuration
    }

    /// - Parameter forcing: variants by flag key that the service must serve to the synthetic user in this run.
    package func run(_ definition: CheckDefinition, forcing: [String: String] = [:]) async -> CheckResult {
        let startedAt = clock()
        let began = ContinuousClock.now
        var steps: [StepResult] = []
        var failure: CheckFailure?
        do {
            switch definition.kind {
            case .journey(let journey):
                var run = JourneyRun(definition, journey, mark: try mark(definition, forcing), runner: self)
                failure = await run.run()
                steps = run.results
            default:
                try await runSingle(definition, mark: try mark(definition, forcing))
            }
        } catch {
            let found = ProbeFailure(error, limit: definition.timeout)
            failure = CheckFailure(kind: found.kind, step: nil, message: found.message)
        }
        let took = Span(began.duration(to: .now))
        let result = CheckResult(
            check: definition.id, startedAt: startedAt, finishedAt: startedAt + took, failure: failure, steps: steps,
            forced: forcing)
        return Redaction(definition.locationSecrets)(result)
    }

    private func mark(_ definition: CheckDefinition, _ forcing: [String: String]) throws(ProbeFailure) -> String? {
        guard let secret = secret(definition.service) else {
            if forcing.isEmpty { return nil }
            throw ProbeFailure(
                .definition, "no variant can be forced: service \(definition.service) has no synthetic secret")
        }
        var lasts = definition.timeout + options.markSlack
        if case .journey(let journey) = definition.kind { lasts = lasts + journey.cleanUpTimeout }
        let header = SyntheticHeader(user: definition.user, expires: clock() + lasts, forced: forcing)
        return SyntheticSigner(secret: secret).value(header)
    }

    private func runSingle(_ definition: CheckDefinition, mark: String?) async throws(ProbeFailure) {
        if let problem = definition.problems().first { throw ProbeFailure(.definition, problem) }
        let deadline = ContinuousClock.now + definition.timeout.duration
        switch definition.kind {
        case .http(let check): try await run(check, mark: mark, until: deadline)
        case .tcp(let check): try await connect(check, within: definition.timeout)
        case .postgres(let location), .sqlite(let location):
            _ = try await ask(location, "SELECT 1 AS one", [:], within: definition.timeout)
        case .heartbeat: throw ProbeFailure(.definition, "a heartbeat is heard, not run")
        case .journey: break
        }
    }

    private func run(
        _ check: HTTPCheck, mark: String?, until deadline: ContinuousClock.Instant
    ) async throws(ProbeFailure) {
        let step = check.step
        let http = HTTPProbe(client: client, baseURL: nil, mark: mark, bodyLimit: options.bodyLimit, clock: clock)
        do {
            let call = try HTTPCall(check.request, [:])
            let answer = try await http.send(call, jar: CookieJar(), until: deadline, parsesJSON: step.readsJSON)
            let verdict = try step.judge(.http(answer.observation), [:])
            guard !verdict.failures.isEmpty else { return }
            throw ProbeFailure(.assertion, verdict.failures.joined(separator: "; ").brief(1_000))
        } catch {
            throw ProbeFailure(error, limit: deadline.remaining)
        }
    }

    private func connect(_ check: TCPCheck, within limit: Span) async throws(ProbeFailure) {
        do {
            let channel = try await ClientBootstrap(group: client.eventLoopGroup)
                .connectTimeout(.milliseconds(limit.milliseconds))
                .connect(host: check.host, port: check.port).get()
            try await channel.close()
        } catch ChannelError.alreadyClosed {
            return  // The other side was faster; the connection did open.
        } catch {
            throw ProbeFailure(error, limit: limit)
        }
    }

    /// Asks a database; the rows as assertions read them.
    func ask(
        _ location: String, _ statement: String, _ parameters: [String: SQLValue], within limit: Span
    ) async throws(ProbeFailure) -> SQLObservation {
        do {
            let rows = try await probe.run(
                location: location, sql: statement, parameters: parameters,
                timeoutMilliseconds: max(1, limit.milliseconds), rowLimit: options.rowLimit)
            return SQLObservation(
                columns: rows.first?.columns.names ?? [], rows: rows.map { $0.values.map(JSONValue.init) })
        } catch {
            throw ProbeFailure(error, limit: limit)
        }
    }
}

extension CheckDefinition {
    /// Addresses of databases and the passwords in them.
    var locationSecrets: [String] {
        let locations: [String] =
            switch kind {
            case .postgres(let location), .sqlite(let location): [location]
            case .journey(let journey): Array(journey.databases.values)
            case .http, .tcp, .heartbeat: []
            }
        return locations.filter { $0.contains("://") }.flatMap { location -> [String] in
            let afterScheme = location[(location.firstRange(of: "://")?.upperBound ?? location.startIndex)...]
            guard let at = afterScheme.lastIndex(of: "@"), let colon = afterScheme[..<at].firstIndex(of: ":") else {
                return [location]
            }
            return [location, String(afterScheme[afterScheme.index(after: colon)..<at])]
        }
    }
}

extension JSONValue {
    /// A column's value as assertions and captures see it; bytes become `\x` and hexadecimal digits.
    init(_ value: SQLValue) {
        switch value {
        case .null: self = .null
        case .integer(let number): self = .integer(number)
        case .real(let number): self = .double(number)
        case .text(let text): self = .string(text)
        case .blob(let bytes):
            let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            self = .string("\\x" + digits.joined())
        }
    }
}

extension SQLValue {
    /// A variable as a statement's parameter; nil for lists and objects.
    init?(_ value: JSONValue) {
        switch value {
        case .integer(let number): self = .integer(number)
        case .double(let number): self = .real(number)
        case .string(let text): self = .text(text)
        case .bool(let flag): self = .integer(flag ? 1 : 0)
        case .null, .array, .object: return nil
        }
    }
}
