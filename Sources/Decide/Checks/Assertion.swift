/// One expectation of a step.
package struct Assertion: Hashable, Sendable, Codable {
    package var subject: Expression
    package var predicate: Predicate

    package init(_ subject: Expression, _ predicate: Predicate) {
        self.subject = subject
        self.predicate = predicate
    }

    static let success = Assertion(.status, .between(200, 299))

    var variables: [String] { subject.variables + predicate.expected.flatMap(\.templateVariables) }

    func problems(isSQL: Bool) -> [String] {
        (subject.problem(isSQL: isSQL).map { [$0] } ?? []) + predicate.expected.flatMap(\.templateProblems)
    }

    /// Nil when it holds; otherwise a sentence: `n is 0, expected 1`.
    package func failure(
        in observation: StepObservation, _ variables: [String: JSONValue]
    ) throws(DefinitionError) -> String? {
        let predicate = try predicate.filled(variables)
        let found = readingBooleans(try subject.select(from: observation, variables), predicate)
        switch predicate.judge(found) {
        case .holds: return nil
        case .fails: return "\(subject.name) \(describe(found)), expected \(predicate.words)"
        case .undecided(let reason):
            guard let reason, reason != found.gap else {
                let found = found.gap.map { ": \($0)" } ?? " \(describe(found))"
                return "\(subject.name)\(found), expected \(predicate.words)"
            }
            let value = found.values.isEmpty ? " \(reason)" : " \(describe(found)): it \(reason)"
            return "\(subject.name)\(value), expected \(predicate.words)"
        }
    }

    private func describe(_ found: Selection) -> String {
        if case .cookie = subject { return found.values.isEmpty ? "is missing" : "is another" }
        if found.isList {
            return found.values.isEmpty ? "has no values" : "is \(JSONValue.array(found.values).briefText)"
        }
        return found.values.first.map { "is \($0.briefText)" } ?? "is missing"
    }

    /// SQLite has no booleans: where true or false is expected of a column, 1 and 0 are read as such.
    private func readingBooleans(_ found: Selection, _ predicate: Predicate) -> Selection {
        guard case .column = subject, predicate.expected.contains(where: { $0.bool != nil }) else { return found }
        var found = found
        found.values = found.values.map { $0 == 1 ? true : $0 == 0 ? false : $0 }
        return found
    }
}

/// What a step's answer means.
package struct StepVerdict: Hashable, Sendable {
    /// One sentence for each expectation that does not hold; empty: the step passed.
    package var failures: [String]
    package var captured: [String: JSONValue]
}

extension JourneyStep {
    /// All that is expected, the implied status included.
    package var expectations: [Assertion] {
        isSQL || expect.contains { $0.subject == .status } ? expect : [.success] + expect
    }

    /// Whether any expectation or capture reads the body as JSON.
    package var readsJSON: Bool {
        (expect.map(\.subject) + captures.values).contains { if case .json = $0 { true } else { false } }
    }

    /// Judges an answer; captures are taken only when all expectations hold.
    package func judge(
        _ observation: StepObservation, _ variables: [String: JSONValue]
    ) throws(DefinitionError) -> StepVerdict {
        let expectations = expectations
        guard !expectations.isEmpty else { throw DefinitionError("a SQL step without an expectation proves nothing") }
        var verdict = StepVerdict(failures: [], captured: [:])
        for assertion in expectations {
            if let failure = try assertion.failure(in: observation, variables) { verdict.failures.append(failure) }
        }
        guard verdict.failures.isEmpty else { return verdict }
        for (name, expression) in captures.sorted(by: { $0.key < $1.key }) {
            switch try expression.capture(from: observation, variables) {
            case .success(let value): verdict.captured[name] = value
            case .failure(let failure):
                verdict.failures.append("\(expression.name) cannot be captured as \(name): \(failure.reason)")
            }
        }
        return verdict
    }
}
