import Decide

/// Any JSON value: what a flag's variant holds, and what a user's attributes may be.
public enum FlagValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([FlagValue])
    case object([String: FlagValue])

    init(_ json: JSONValue) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .double(let value): self = .double(value)
        case .string(let value): self = .string(value)
        case .array(let values): self = .array(values.map(FlagValue.init))
        case .object(let members): self = .object(members.mapValues(FlagValue.init))
        }
    }

    var json: JSONValue {
        switch self {
        case .null: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .double(let value): .double(value)
        case .string(let value): .string(value)
        case .array(let values): .array(values.map(\.json))
        case .object(let members): .object(members.mapValues(\.json))
        }
    }
}

extension FlagValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: FlagValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, FlagValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
    public init(nilLiteral: ()) { self = .null }
}

/// A type that a flag's value can be read as. A value of another type is not converted: the caller's default is served.
public protocol FlagReadable: Sendable {
    /// Nil if `flagValue` is of another type.
    init?(flagValue: FlagValue)
}

extension FlagValue: FlagReadable {
    public init?(flagValue: FlagValue) { self = flagValue }
}

extension Bool: FlagReadable {
    public init?(flagValue: FlagValue) {
        guard case .bool(let value) = flagValue else { return nil }
        self = value
    }
}

extension String: FlagReadable {
    public init?(flagValue: FlagValue) {
        guard case .string(let value) = flagValue else { return nil }
        self = value
    }
}

extension Int: FlagReadable {
    /// Takes `3.0` for 3.
    public init?(flagValue: FlagValue) {
        switch flagValue {
        case .integer(let value): self.init(exactly: value)
        case .double(let value): self.init(exactly: value)
        default: return nil
        }
    }
}

extension Double: FlagReadable {
    public init?(flagValue: FlagValue) {
        switch flagValue {
        case .integer(let value): self = Double(value)
        case .double(let value): self = value
        default: return nil
        }
    }
}
