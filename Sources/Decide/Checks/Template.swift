/// Text with `{{variables}}`.
///
/// A template that is exactly one variable has the variable's own value and type: a captured `"007"` stays text, a 42
/// stays a number. In all others values are written out as text.
package struct Template: Sendable, Hashable, Codable {
    package enum Part: Sendable, Hashable {
        case literal(String)
        case variable(String)
    }

    package let source: String
    package let parts: [Part]

    package init(parsing source: String) throws(DefinitionError) {
        self.source = source
        parts = try Self.parse(source)
    }

    /// Braces are text here.
    package init(literal: String) {
        source = literal
        parts = [.literal(literal)]
    }

    package var variables: [String] {
        parts.compactMap { if case .variable(let name) = $0 { name } else { nil } }
    }

    /// The value with its type; null is refused, because nothing may be proven with it.
    package func value(_ variables: [String: JSONValue]) throws(DefinitionError) -> JSONValue {
        if parts.count == 1, case .variable(let name) = parts[0] { return try Self.find(name, variables) }
        return .string(try text(variables))
    }

    package func text(_ variables: [String: JSONValue]) throws(DefinitionError) -> String {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let literal): text += literal
            case .variable(let name): text += try Self.text(of: name, variables)
            }
        }
        return text
    }

    /// For a URL or its path: values are percent-encoded. In the path an empty value, `.` and `..` are refused: they
    /// would address something else.
    package func path(_ variables: [String: JSONValue]) throws(DefinitionError) -> String {
        var path = ""
        var inQuery = false
        for part in parts {
            switch part {
            case .literal(let literal):
                path += PercentEncoding.complete(literal)
                inQuery = inQuery || literal.contains("?")
            case .variable(let name):
                let text = try Self.text(of: name, variables)
                guard inQuery || !["", ".", ".."].contains(text) else {
                    throw DefinitionError("{{\(name)}} is '\(text)', which cannot stand in a path")
                }
                path += PercentEncoding.encode(text)
            }
        }
        return path
    }

    private static func find(_ name: String, _ variables: [String: JSONValue]) throws(DefinitionError) -> JSONValue {
        guard let value = variables[name] else { throw DefinitionError("nothing has set the variable {{\(name)}}") }
        guard value != .null else { throw DefinitionError("the variable {{\(name)}} is null") }
        return value
    }

    private static func text(of name: String, _ variables: [String: JSONValue]) throws(DefinitionError) -> String {
        switch try find(name, variables) {
        case .string(let value): return value
        case .integer(let value): return String(value)
        case .double(let value): return String(value)
        case .bool(let value): return value ? "true" : "false"
        case let other: throw DefinitionError("{{\(name)}} is a whole \(other.kindName) and cannot be part of a text")
        }
    }

    private static func parse(_ source: String) throws(DefinitionError) -> [Part] {
        var parts: [Part] = []
        var rest = source[...]
        while let open = rest.firstRange(of: "{{") {
            if open.lowerBound > rest.startIndex { parts.append(.literal(String(rest[..<open.lowerBound]))) }
            rest = rest[open.upperBound...]
            guard let close = rest.firstRange(of: "}}") else {
                throw DefinitionError("'\(source)' opens {{ and does not close it")
            }
            let name = String(rest[..<close.lowerBound].drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            guard isName(name) else { throw DefinitionError("{{\(name)}} is not a variable's name") }
            parts.append(.variable(name))
            rest = rest[close.upperBound...]
        }
        if !rest.isEmpty || parts.isEmpty { parts.append(.literal(String(rest))) }
        return parts
    }

    /// Letters, digits, `_`, `-`; dots join words: `account.email`.
    package static func isName(_ name: String) -> Bool {
        let words = name.split(separator: ".", omittingEmptySubsequences: false)
        return words.allSatisfy { word in
            guard let first = word.utf8.first, PercentEncoding.isLetter(first) || first == UInt8(ascii: "_") else {
                return false
            }
            return word.utf8.allSatisfy {
                PercentEncoding.isLetter($0) || PercentEncoding.isDigit($0) || $0 == UInt8(ascii: "_")
                    || $0 == UInt8(ascii: "-")
            }
        }
    }
}

extension Template {
    package init(from decoder: any Decoder) throws {
        let stored = try Stored(from: decoder)
        self = stored.literal ? Template(literal: stored.text) : try Template(parsing: stored.text)
    }

    package func encode(to encoder: any Encoder) throws {
        try Stored(text: source, literal: parts == [.literal(source)]).encode(to: encoder)
    }

    private struct Stored: Codable {
        var text: String
        var literal: Bool
    }
}

extension JSONValue {
    /// Every text in it, filled as a template.
    package func filled(_ variables: [String: JSONValue]) throws(DefinitionError) -> JSONValue {
        switch self {
        case .string(let text): return try Template(parsing: text).value(variables)
        case .array(let elements):
            var filled: [JSONValue] = []
            for element in elements { filled.append(try element.filled(variables)) }
            return .array(filled)
        case .object(let members):
            var filled: [String: JSONValue] = [:]
            for (key, value) in members { filled[key] = try value.filled(variables) }
            return .object(filled)
        case .null, .bool, .integer, .double: return self
        }
    }

    var templateVariables: [String] { templates.flatMap { $0.0?.variables ?? [] } }
    var templateProblems: [String] { templates.compactMap(\.1) }

    private var templates: [(Template?, String?)] {
        switch self {
        case .string(let text):
            do throws(DefinitionError) {
                return [(try Template(parsing: text), nil)]
            } catch {
                return [(nil, error.message)]
            }
        case .array(let elements): return elements.flatMap(\.templates)
        case .object(let members): return members.sorted { $0.key < $1.key }.flatMap(\.value.templates)
        case .null, .bool, .integer, .double: return []
        }
    }
}

/// RFC 3986.
package enum PercentEncoding {
    /// All but letters, digits and `-._~`.
    package static func encode(_ text: String) -> String {
        encode(text) { isLetter($0) || isDigit($0) || "-._~".utf8.contains($0) }
    }

    /// Only what may not stand in a URL at all; what is encoded already stays.
    package static func complete(_ text: String) -> String {
        encode(text) { $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}".utf8.contains($0) }
    }

    private static func encode(_ text: String, _ keeps: (UInt8) -> Bool) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if keeps(byte) {
                bytes.append(byte)
            } else {
                let hex = String(byte, radix: 16, uppercase: true)
                bytes += Array((hex.utf8.count == 1 ? "%0" : "%").utf8) + Array(hex.utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
