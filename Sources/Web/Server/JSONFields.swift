import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// Reads the members of a JSON body, collecting everything that is wrong with them: `done()` tells it all at once.
struct JSONFields {
    private let members: [String: JSONValue]
    private var read: Set<String> = []
    private var faults: [Problem.Field] = []

    init(_ members: [String: JSONValue]) {
        self.members = members
    }

    /// - Parameter bytes: how long it may be, in UTF-8.
    mutating func text(_ name: String, _ bytes: ClosedRange<Int>) -> String {
        read.insert(name)
        guard let value = members[name], value != .null else { return fault(name, "is missing", "") }
        return checked(name, value, bytes) ?? ""
    }

    mutating func optionalText(_ name: String, _ bytes: ClosedRange<Int>) -> String? {
        read.insert(name)
        guard let value = members[name], value != .null else { return nil }
        return checked(name, value, bytes)
    }

    /// One of the words of an enumeration.
    mutating func word<Word: RawRepresentable & CaseIterable>(_ name: String, _ type: Word.Type) -> Word?
    where Word.RawValue == String {
        guard let text = optionalText(name, 0...100) else { return nil }
        guard let word = Word(rawValue: text) else {
            let known = Word.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            return fault(name, "is not one of \(known)", nil)
        }
        return word
    }

    mutating func flag(_ name: String) -> Bool {
        read.insert(name)
        switch members[name] {
        case nil, .null: return false
        case .bool(let value): return value
        default: return fault(name, "must be true or false", false)
        }
    }

    mutating func integer(_ name: String, _ range: ClosedRange<Int64>) -> Int64 {
        read.insert(name)
        guard let value = members[name] else { return fault(name, "is missing", range.lowerBound) }
        guard let number = value.integer, range.contains(number) else {
            return fault(
                name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)", range.lowerBound)
        }
        return number
    }

    mutating func optionalInteger(_ name: String, _ range: ClosedRange<Int64>) -> Int64? {
        guard let value = members[name], value != .null else {
            read.insert(name)
            return nil
        }
        return integer(name, range)
    }

    mutating func object(_ name: String) -> [String: JSONValue] {
        read.insert(name)
        guard let object = members[name]?.object else { return fault(name, "must be an object", [:]) }
        return object
    }

    /// A list of at most `limit` items.
    mutating func list(_ name: String, limit: Int) -> [JSONValue] {
        read.insert(name)
        guard let list = members[name]?.array else { return fault(name, "must be a list", []) }
        guard list.count <= limit else { return fault(name, "has more than \(limit) items", []) }
        return list
    }

    mutating func fail(_ name: String, _ message: String) {
        faults.append(Problem.Field(name, message))
    }

    /// - Parameter ignoringOthers: a newer client may send more than this server knows.
    func done(ignoringOthers: Bool = false) throws {
        var faults = faults
        if !ignoringOthers {
            faults += members.keys.filter { !read.contains($0) }.sorted().prefix(5)
                .map { Problem.Field(String($0.prefix(100)), "is not known here") }
        }
        if !faults.isEmpty { throw Problem.invalid(Array(faults.prefix(20))) }
    }

    private mutating func fault<Value>(_ name: String, _ message: String, _ instead: Value) -> Value {
        fail(name, message)
        return instead
    }

    private mutating func checked(_ name: String, _ value: JSONValue, _ bytes: ClosedRange<Int>) -> String? {
        guard let text = value.string else { return fault(name, "must be text", nil) }
        guard bytes.contains(text.utf8.count) else {
            return fault(
                name, text.isEmpty ? "is empty" : "must have \(bytes.lowerBound) to \(bytes.upperBound) bytes", nil)
        }
        guard !text.hasControlCharacters else { return fault(name, "holds control characters", nil) }
        return text
    }
}

extension Request {
    /// The members of a JSON body.
    /// - Throws: `Problem` 400 (not JSON), 413, 415, 422 (not an object).
    func fields(upTo limit: Int) async throws -> JSONFields {
        guard let mediaType, mediaType == "application/json" || mediaType.hasSuffix("+json") else {
            throw Problem(.unsupportedMediaType, "Send JSON, with 'Content-Type: application/json'.")
        }
        let body = try await bytes(upTo: limit)
        let value: JSONValue
        do {
            value = try JSONValue(parsing: Array(body.readableBytesView), depthLimit: 64)
        } catch {
            throw Problem(.badRequest, "The body is not JSON: \(error).")
        }
        guard case .object(let members) = value else {
            throw Problem(.unprocessableContent, "The body must be an object.")
        }
        return JSONFields(members)
    }
}
