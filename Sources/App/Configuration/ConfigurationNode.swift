import Decide

/// A YAML value with its place. Variables are filled in, aliases are resolved, keys are text.
struct ConfigurationNode {
    struct Place: Hashable {
        var file: String
        /// Both count from 1.
        var line: Int
        var column: Int
    }

    struct Member {
        var key: String
        var place: Place
        var value: ConfigurationNode
    }

    struct Scalar {
        /// As written: what messages quote, because it holds `${NAME}` and not the secret.
        var written: String
        /// With the variables filled in.
        var text: String
        /// Without quotes, so that `5`, `true` and `null` are not texts.
        var isPlain: Bool
        /// A variable in it could not be filled in. That has been told already: nothing else is said about the value.
        var isUnknown = false

        var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(written) }
    }

    enum Value {
        case scalar(Scalar)
        case list([ConfigurationNode])
        case map([Member])
    }

    var value: Value
    var place: Place

    var isNull: Bool { if case .scalar(let scalar) = value { scalar.isNull } else { false } }

    /// In words, for messages.
    var kind: String {
        switch value {
        case .scalar(let scalar): scalar.isNull ? "empty" : "text"
        case .list: "a list"
        case .map: "a mapping"
        }
    }

    /// As JSON: YAML's core schema, so `yes` and `on` are texts, and so is `007`.
    var json: JSONValue {
        switch value {
        case .scalar(let scalar): scalar.json
        case .list(let items): .array(items.map(\.json))
        case .map(let members):
            .object(Dictionary(members.map { ($0.key, $0.value.json) }, uniquingKeysWith: { first, _ in first }))
        }
    }
}

extension ConfigurationNode.Scalar {
    /// Whatever a variable was filled into is text: what stands in the environment cannot change a value's type.
    fileprivate var json: JSONValue {
        guard isPlain, text == written else { return .string(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        let digits = text.drop { $0 == "-" || $0 == "+" }
        guard text.utf8.count - digits.utf8.count <= 1, let first = digits.utf8.first, isDigit(first) else {
            return .string(text)
        }
        let isPadded = first == UInt8(ascii: "0") && digits.utf8.dropFirst().first.map(isDigit) ?? false
        guard !isPadded, digits.utf8.allSatisfy({ isDigit($0) || "+-.eE".utf8.contains($0) }) else {
            return .string(text)
        }
        if let integer = Int64(text) { return .integer(integer) }
        if let double = Double(text), double.isFinite { return .double(double) }
        return .string(text)
    }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
