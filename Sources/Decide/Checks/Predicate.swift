/// What must be true of a value. Texts inside expected values are templates, so `"{{product}}"` is the variable with
/// its type.
package indirect enum Predicate: Hashable, Sendable, Codable {
    case equals(JSONValue)
    case oneOf([JSONValue])
    /// Both ends included; numbers only.
    case between(JSONValue, JSONValue)
    /// A list has this element, or a text has this part.
    case contains(JSONValue)
    /// A glob over the whole text: `*` any run, `?` one character.
    case matches(String)
    /// There is a value, and it is not null.
    case exists
    /// There is no value, and the way to where it would be is there.
    case absent
    /// The number of elements of a list, of members of an object, or of values found.
    case count(Predicate)
    case lessThan(JSONValue)
    case atMost(JSONValue)
    case greaterThan(JSONValue)
    case atLeast(JSONValue)
    case type(ValueType)
    /// Holds only where the other is definitely false: a missing, null or differently typed value fails both.
    case not(Predicate)

    package enum ValueType: String, Hashable, Sendable, Codable, CaseIterable {
        case text, number, integer, boolean, list, object, null

        func includes(_ value: JSONValue) -> Bool {
            switch (self, value) {
            case (.text, .string), (.number, .integer), (.number, .double), (.integer, .integer), (.boolean, .bool),
                (.list, .array), (.object, .object), (.null, .null):
                true
            case (.integer, .double(let value)): value == value.rounded()
            default: false
            }
        }
    }

    var expected: [JSONValue] {
        switch self {
        case .equals(let value), .contains(let value), .lessThan(let value), .atMost(let value),
            .greaterThan(let value), .atLeast(let value):
            [value]
        case .oneOf(let values): values
        case .between(let low, let high): [low, high]
        case .matches(let glob): [.string(glob)]
        case .count(let inner), .not(let inner): inner.expected
        case .exists, .absent, .type: []
        }
    }

    /// With all templates filled in.
    func filled(_ variables: [String: JSONValue]) throws(DefinitionError) -> Predicate {
        switch self {
        case .equals(let value): return .equals(try value.filled(variables))
        case .oneOf(let values):
            var filled: [JSONValue] = []
            for value in values { filled.append(try value.filled(variables)) }
            return .oneOf(filled)
        case .between(let low, let high): return .between(try low.filled(variables), try high.filled(variables))
        case .contains(let value): return .contains(try value.filled(variables))
        case .matches(let glob): return .matches(try Template(parsing: glob).text(variables))
        case .lessThan(let value): return .lessThan(try value.filled(variables))
        case .atMost(let value): return .atMost(try value.filled(variables))
        case .greaterThan(let value): return .greaterThan(try value.filled(variables))
        case .atLeast(let value): return .atLeast(try value.filled(variables))
        case .count(let inner): return .count(try inner.filled(variables))
        case .not(let inner): return .not(try inner.filled(variables))
        case .exists, .absent, .type: return self
        }
    }

    /// After "expected": `201`, `to contain 7`, `not "x"`.
    var words: String {
        switch self {
        case .equals(let value): value.briefText
        case .oneOf(let values): "one of " + values.map(\.briefText).joined(separator: ", ")
        case .between(let low, let high): "\(low.briefText) to \(high.briefText)"
        case .contains(let value): "to contain \(value.briefText)"
        case .matches(let glob): "to match '\(glob)'"
        case .exists: "a value"
        case .absent: "no value"
        case .count(let inner): "a count of \(inner.words)"
        case .lessThan(let value): "less than \(value.briefText)"
        case .atMost(let value): "at most \(value.briefText)"
        case .greaterThan(let value): "more than \(value.briefText)"
        case .atLeast(let value): "at least \(value.briefText)"
        case .type(let type): "a value of type \(type.rawValue)"
        case .not(let inner): "not \(inner.words)"
        }
    }
}
