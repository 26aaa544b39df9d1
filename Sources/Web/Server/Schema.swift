import Decide

/// JSON Schema 2020-12, as OpenAPI 3.1 uses it.
enum Schema {
    static let text: JSONValue = ["type": "string"]
    static let time: JSONValue = ["type": "string", "format": "date-time"]
    static let integer: JSONValue = ["type": "integer"]
    static let count: JSONValue = ["type": "integer", "minimum": 0]
    static let flag: JSONValue = ["type": "boolean"]
    static let words: JSONValue = ["type": "object", "additionalProperties": ["type": "string"]]
    static let anything: JSONValue = ["type": "object"]

    static func text(_ length: ClosedRange<Int>) -> JSONValue {
        ["type": "string", "minLength": .count(length.lowerBound), "maxLength": .count(length.upperBound)]
    }

    static func text(_ length: ClosedRange<Int>, pattern: String) -> JSONValue {
        [
            "type": "string", "minLength": .count(length.lowerBound), "maxLength": .count(length.upperBound),
            "pattern": .string(pattern),
        ]
    }

    static func integer(_ range: ClosedRange<Int64>) -> JSONValue {
        ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
    }

    static func word<Word: RawRepresentable & CaseIterable>(_ type: Word.Type) -> JSONValue
    where Word.RawValue == String {
        ["type": "string", "enum": .array(type.allCases.map { .string($0.rawValue) })]
    }

    static func word(_ words: String...) -> JSONValue {
        ["type": "string", "enum": .array(words.map(JSONValue.string))]
    }

    static func list(_ items: JSONValue) -> JSONValue { ["type": "array", "items": items] }

    static func ref(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

    static func nullable(_ schema: JSONValue) -> JSONValue { ["anyOf": [schema, ["type": "null"]]] }

    /// Every property is there, but for those named, which may be missing or null; and there are no others.
    static func object(_ properties: [String: JSONValue], optional: Set<String> = []) -> JSONValue {
        var properties = properties
        for name in optional { properties[name] = properties[name].map(nullable) }
        let required = properties.keys.filter { !optional.contains($0) }.sorted()
        var schema: [String: JSONValue] = [
            "type": "object", "properties": .object(properties), "additionalProperties": false,
        ]
        if !required.isEmpty { schema["required"] = .array(required.map(JSONValue.string)) }
        return .object(schema)
    }

    /// One page of a list.
    static func page(of name: String) -> JSONValue {
        object(["items": list(ref(name)), "next": nullable(text)])
    }
}

struct QueryParameter: Sendable {
    var name: String
    var about: String
    var schema: JSONValue
    var isRequired: Bool

    init(_ name: String, _ about: String, _ schema: JSONValue = Schema.text, isRequired: Bool = false) {
        self.name = name
        self.about = about
        self.schema = schema
        self.isRequired = isRequired
    }
}

/// What a request's body holds.
struct RequestSchema: Sendable {
    var mediaTypes: [String]
    var schema: JSONValue
    var isRequired: Bool

    static func json(_ schema: JSONValue) -> RequestSchema {
        RequestSchema(mediaTypes: ["application/json"], schema: schema, isRequired: true)
    }
}

/// What an operation answers when all is well.
struct Answer: Sendable {
    var status: Int
    var about: String
    var mediaType: String?
    var schema: JSONValue?

    static func json(_ name: String, status: Int = 200, _ about: String = "Done.") -> Answer {
        Answer(status: status, about: about, mediaType: "application/json", schema: Schema.ref(name))
    }

    static func page(of name: String) -> Answer {
        Answer(status: 200, about: "One page.", mediaType: "application/json", schema: Schema.page(of: name))
    }

    static func text(_ mediaType: String, status: Int = 200, _ about: String) -> Answer {
        Answer(status: status, about: about, mediaType: mediaType, schema: Schema.text)
    }

    static func nothing(status: Int = 204, _ about: String = "Done.") -> Answer {
        Answer(status: status, about: about)
    }
}
