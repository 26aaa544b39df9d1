extension Assertion {
    /// One line of `expect` as configuration writes it: a key and a plain value (`status: 201`, `n: 1`), or a key and
    /// an object of predicates (`$.items: { count: 2, not: { contains: 7 } }`), each of which becomes an assertion.
    ///
    /// For `status`, `"2xx"` and `"200..299"` are ranges and a list is a choice; `took` takes durations (`500ms`).
    package static func parse(
        _ key: String, _ value: JSONValue, isSQL: Bool
    ) throws(DefinitionError) -> [Assertion] {
        let subject = try Expression(parsing: key, isSQL: isSQL)
        var assertions: [Assertion] = []
        for predicate in try PredicateParser(subject: subject).predicates(value) {
            assertions.append(Assertion(subject, predicate))
        }
        return assertions
    }
}

private struct PredicateParser {
    let subject: Expression

    static let keys = [
        "equals", "not", "oneOf", "between", "contains", "matches", "exists", "absent", "count", "lessThan", "atMost",
        "greaterThan", "atLeast", "type",
    ]

    func predicates(_ value: JSONValue) throws(DefinitionError) -> [Predicate] {
        guard case .object(let members) = value else { return [try plain(value)] }
        guard !members.isEmpty else { throw DefinitionError("\(subject.name): nothing is expected of it") }
        var predicates: [Predicate] = []
        for (key, value) in members.sorted(by: { $0.key < $1.key }) { predicates.append(try predicate(key, value)) }
        return predicates
    }

    private func plain(_ value: JSONValue) throws(DefinitionError) -> Predicate {
        guard case .status = subject else { return .equals(scaled(value)) }
        switch value {
        case .array(let values): return .oneOf(values)
        case .string(let text):
            guard let range = statusRange(text) else {
                if text.contains("{{") { return .equals(value) }
                throw DefinitionError("'\(text)' is not a status (201, 2xx, 200..299)")
            }
            return range
        case .integer(let code) where (100...599).contains(code): return .equals(value)
        default: throw DefinitionError("\(value.briefText) is not a status (201, 2xx, 200..299)")
        }
    }

    private func statusRange(_ text: String) -> Predicate? {
        if text.count == 3, text.hasSuffix("xx"), let hundreds = Int64(text.prefix(1)), (1...5).contains(hundreds) {
            return .between(.integer(hundreds * 100), .integer(hundreds * 100 + 99))
        }
        guard let dots = text.firstRange(of: ".."), let low = Int64(text[..<dots.lowerBound]),
            let high = Int64(text[dots.upperBound...]), low <= high
        else { return nil }
        return .between(.integer(low), .integer(high))
    }

    private func predicate(_ key: String, _ value: JSONValue) throws(DefinitionError) -> Predicate {
        switch key {
        case "equals": return .equals(scaled(value))
        case "oneOf": return .oneOf(try list(key, value))
        case "between":
            let bounds = try list(key, value)
            guard bounds.count == 2 else { throw DefinitionError("'between' needs a list of two numbers") }
            return .between(scaled(bounds[0]), scaled(bounds[1]))
        case "contains": return .contains(value)
        case "matches":
            guard let glob = value.string else { throw DefinitionError("'matches' needs a text") }
            return .matches(glob)
        case "exists": return try bool(key, value) ? .exists : .absent
        case "absent": return try bool(key, value) ? .absent : .exists
        case "count": return .count(try single(key, value))
        case "not": return .not(try single(key, value))
        case "lessThan": return .lessThan(scaled(value))
        case "atMost": return .atMost(scaled(value))
        case "greaterThan": return .greaterThan(scaled(value))
        case "atLeast": return .atLeast(scaled(value))
        case "type":
            guard let type = value.string.flatMap(Predicate.ValueType.init(rawValue:)) else {
                let known = Predicate.ValueType.allCases.map(\.rawValue).joined(separator: ", ")
                throw DefinitionError("'type' is one of \(known)")
            }
            return .type(type)
        default:
            throw DefinitionError("'\(key)' is not a predicate (\(Self.keys.joined(separator: ", ")) are)")
        }
    }

    private func single(_ key: String, _ value: JSONValue) throws(DefinitionError) -> Predicate {
        guard case .object(let members) = value else { return key == "not" ? try plain(value) : .equals(value) }
        guard members.count == 1, let (key, value) = members.first else {
            throw DefinitionError("'\(key)' takes one predicate")
        }
        return try predicate(key, value)
    }

    private func list(_ key: String, _ value: JSONValue) throws(DefinitionError) -> [JSONValue] {
        guard let values = value.array, !values.isEmpty else { throw DefinitionError("'\(key)' needs a list") }
        return values
    }

    private func bool(_ key: String, _ value: JSONValue) throws(DefinitionError) -> Bool {
        guard let bool = value.bool else { throw DefinitionError("'\(key)' is true or false") }
        return bool
    }

    /// Durations are compared in milliseconds.
    private func scaled(_ value: JSONValue) -> JSONValue {
        guard case .took = subject, let text = value.string, let span = Span(parsing: text) else { return value }
        return .integer(span.milliseconds)
    }
}

extension VariableDefinition {
    /// As configuration writes it: `{ random: 1..10000 }`, `{ choice: [ a, b ] }`, `{ text: "order-{{unique}}" }`, or a
    /// plain value; a plain text with `{{…}}` is a text.
    package static func parse(_ value: JSONValue) throws(DefinitionError) -> VariableDefinition {
        if let text = value.string, text.contains("{{") { return .text(try Template(parsing: text)) }
        guard case .object(let members) = value else { return .constant(value) }
        guard members.count == 1, let (key, value) = members.first else {
            throw DefinitionError("a variable is a plain value, or one of random, choice, text and value")
        }
        switch (key, value) {
        case ("random", .string(let text)):
            guard let dots = text.firstRange(of: ".."), let low = Int64(text[..<dots.lowerBound]),
                let high = Int64(text[dots.upperBound...]), low <= high
            else { throw DefinitionError("'random' is a range such as 1..10000, not '\(text)'") }
            return .randomInteger(low, high)
        case ("choice", .array(let values)) where !values.isEmpty: return .randomChoice(values)
        case ("text", .string(let text)): return .text(try Template(parsing: text))
        case ("value", let value): return .constant(value)
        default: throw DefinitionError("a variable is a plain value, or one of random, choice, text and value")
        }
    }
}
