import Decide
import SQL

/// One run of one journey.
struct JourneyRun: Sendable {
    private let definition: CheckDefinition
    private let journey: Journey
    private let runner: CheckRunner
    private let http: HTTPProbe
    private var variables: [String: JSONValue] = [:]
    private var jar = CookieJar()
    private(set) var results: [StepResult] = []

    init(_ definition: CheckDefinition, _ journey: Journey, mark: String?, runner: CheckRunner) {
        self.definition = definition
        self.journey = journey
        self.runner = runner
        http = HTTPProbe(
            client: runner.client, baseURL: journey.baseURL, mark: mark, bodyLimit: runner.options.bodyLimit,
            clock: runner.clock)
    }

    /// Runs everything, clean-up included, and returns why the journey failed; nil: passed.
    mutating func run() async -> CheckFailure? {
        if let problem = definition.problems().first {
            return CheckFailure(kind: .definition, step: nil, message: problem)
        }
        do {
            var generator = runner.randomness()
            variables = try journey.draw(user: definition.user, using: &generator)
        } catch {
            return CheckFailure(kind: .definition, step: nil, message: error.message)
        }
        let failure = await runSteps()
        let cleanUp = await runCleanUp()
        return failure ?? cleanUp
    }

    private mutating func runSteps() async -> CheckFailure? {
        let deadline = ContinuousClock.now + definition.timeout.duration
        for step in journey.steps {
            guard deadline.remaining > .zero else {
                let message = "was not reached: the journey's \(definition.timeout.spoken) were over"
                return CheckFailure(kind: .timeout, step: step.name, message: message)
            }
            if let failure = await perform(step, until: deadline) { return failure }
        }
        return nil
    }

    /// Every clean-up step is tried, whatever became of the others.
    private mutating func runCleanUp() async -> CheckFailure? {
        let deadline = ContinuousClock.now + journey.cleanUpTimeout.duration
        var first: CheckFailure?
        for step in journey.always {
            guard var failure = await perform(step, until: deadline) else { continue }
            failure.kind = .cleanUp
            first = first ?? failure
        }
        return first
    }

    private mutating func perform(_ step: JourneyStep, until deadline: ContinuousClock.Instant) async -> CheckFailure? {
        let began = ContinuousClock.now
        let limit = step.eventually.map { min(deadline, began + $0.duration) } ?? deadline
        var pause = runner.options.firstPause
        var attempts = 0
        var attempt = Attempt(did: "", failure: nil)
        repeat {
            if attempts > 0 {
                do { try await Task.sleep(for: pause.duration) } catch { break }
                pause = min(.milliseconds(pause.milliseconds * 3 / 2), runner.options.longestPause)
            }
            let earlier = attempt
            attempt = await self.attempt(step, until: limit)
            attempts += 1
            // An attempt that the end of the time cut off says less than the one before it.
            if attempts > 1, attempt.failure?.kind == .timeout, limit.remaining == .zero { attempt = earlier }
        } while attempt.mayPassLater && step.eventually != nil && ContinuousClock.now + pause.duration < limit
        return note(step, attempt, attempts, took: Span(began.duration(to: .now)))
    }

    /// Writes the step down; secrets end here.
    private mutating func note(
        _ step: JourneyStep, _ attempt: Attempt, _ attempts: Int, took: Span
    ) -> CheckFailure? {
        let redaction = Redaction(journey.secretValues(variables))
        let failure = attempt.failure.map { failure in
            let repeated = attempts > 1 ? " (still after \(attempts) attempts in \(took.spoken))" : ""
            return CheckFailure(
                kind: failure.kind, step: step.name, message: redaction(failure.message).brief(1_000) + repeated)
        }
        results.append(
            StepResult(
                name: step.name, did: redaction(attempt.did).brief(300), took: took, attempts: attempts,
                failure: failure?.message))
        return failure
    }

    // MARK: One attempt

    private struct Attempt: Sendable {
        var did: String
        var failure: ProbeFailure?

        /// A wrong definition stays wrong.
        var mayPassLater: Bool { failure.map { $0.kind != .definition } ?? false }
    }

    private mutating func attempt(_ step: JourneyStep, until limit: ContinuousClock.Instant) async -> Attempt {
        let allowed = limit.remaining
        var attempt = Attempt(did: "", failure: nil)
        do {
            guard allowed > .zero else { throw ProbeFailure(.timeout, "no time was left for it") }
            let observation: StepObservation
            switch step.action {
            case .http(let action):
                let call = try HTTPCall(action, variables)
                attempt.did = "\(call.method.rawValue) \(call.target) → no answer"
                let answer = try await http.send(call, jar: jar, until: limit, parsesJSON: step.readsJSON)
                jar = answer.jar
                attempt.did = "\(call.method.rawValue) \(call.target) → \(answer.observation.status)"
                observation = .http(answer.observation)
            case .sql(let statement, let database):
                let text = statement.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                attempt.did = "\(text) → no answer"
                let found = try await ask(statement, on: database, within: allowed)
                attempt.did = "\(text) → \(found.rows.count) \(found.rows.count == 1 ? "row" : "rows")"
                observation = .sql(found)
            }
            let verdict = try step.judge(observation, variables)
            variables.merge(verdict.captured) { $1 }
            if !verdict.failures.isEmpty {
                attempt.failure = ProbeFailure(.assertion, verdict.failures.joined(separator: "; "))
            }
        } catch {
            attempt.failure = ProbeFailure(error, limit: allowed)
        }
        return attempt
    }

    private func ask(
        _ statement: String, on database: String, within limit: Span
    ) async throws(ProbeFailure) -> SQLObservation {
        guard let location = journey.databases[database] else {
            throw ProbeFailure(.definition, "there is no database '\(database)'")
        }
        var parameters: [String: SQLValue] = [:]
        for (name, value) in SQLNames.parameters(of: statement, from: variables) {
            guard let parameter = SQLValue(value) else {
                throw ProbeFailure(.definition, ":\(name) is a \(value.kindName) and cannot be a parameter")
            }
            parameters[name] = parameter
        }
        return try await runner.ask(location, statement, parameters, within: limit)
    }
}
