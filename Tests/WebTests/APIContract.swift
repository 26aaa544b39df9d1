import Decide
import HTTPTypes

@testable import Web

/// Holds answers against the OpenAPI document: is the status described, and does the body fit its schema?
struct Contract: Sendable {
    static let shared = Contract(OpenAPI.document(API.endpoints, version: "test"))

    private let document: JSONValue

    init(_ document: JSONValue) {
        self.document = document
    }

    /// One sentence for everything that does not fit; nothing for what the document does not speak of.
    func faults(_ method: HTTPRequest.Method, _ uri: String, _ answer: APIClient.Answer) -> [String] {
        let path = String(uri.prefix { $0 != "?" })
        guard let operation = operation(method, path) else { return [] }
        guard let response = operation["responses"]?[String(answer.status)] else {
            return ["the status is not in the document"]
        }
        guard let content = response["content"]?.object else {
            return answer.text.isEmpty || method == .head ? [] : ["there is a body, the document has none"]
        }
        let type = String((answer.headers[.contentType] ?? "").prefix { $0 != ";" })
        guard let schema = content[type]?["schema"] else { return ["content type '\(type)' is not in the document"] }
        return APIClient.isJSON(type) ? faults(answer.json, schema, "body") : []
    }

    private func operation(_ method: HTTPRequest.Method, _ path: String) -> JSONValue? {
        let segments = path.split(separator: "/")
        let templates = (document["paths"]?.object ?? [:]).keys.filter { template in
            let parts = template.split(separator: "/")
            return parts.count == segments.count && zip(parts, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        // A literal path wins over one with parameters, as in the router.
        guard let template = templates.min(by: { $0.count { $0 == "{" } < $1.count { $0 == "{" } }) else { return nil }
        return document["paths"]?[template]?[method.rawValue.lowercased()]
    }

    // MARK: JSON Schema, as far as the document uses it

    func faults(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [String] {
        if let name = schema["$ref"]?.string?.split(separator: "/").last {
            guard let known = document["components"]?["schemas"]?[String(name)] else { return ["no schema \(name)"] }
            return faults(value, known, place)
        }
        if let options = schema["anyOf"]?.array {
            return options.contains { faults(value, $0, place).isEmpty } ? [] : ["\(place) fits no alternative"]
        }
        if let words = schema["enum"]?.array, !words.contains(value) { return ["\(place) is not one of the words"] }
        let types = schema["type"]?.array?.compactMap(\.string) ?? schema["type"]?.string.map { [$0] } ?? []
        guard types.isEmpty || types.contains(where: { isOf($0, value) }) else {
            return ["\(place) is \(value.kindName), not \(types.joined(separator: " or "))"]
        }
        switch value {
        case .object(let members): return faults(members, schema, place)
        case .array(let items):
            guard let item = schema["items"] else { return [] }
            return items.enumerated().flatMap { faults($1, item, "\(place)[\($0)]") }
        default: return []
        }
    }

    private func faults(_ members: [String: JSONValue], _ schema: JSONValue, _ place: String) -> [String] {
        let known = schema["properties"]?.object ?? [:]
        var found = (schema["required"]?.array ?? []).compactMap(\.string).filter { members[$0] == nil }
            .map { "\(place).\($0) is missing" }
        for (name, value) in members {
            if let schema = known[name] {
                found += faults(value, schema, "\(place).\(name)")
            } else if schema["additionalProperties"] == false {
                found.append("\(place).\(name) is not in the document")
            } else if let other = schema["additionalProperties"], other.object != nil {
                found += faults(value, other, "\(place).\(name)")
            }
        }
        return found
    }

    private func isOf(_ type: String, _ value: JSONValue) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("string", .string), ("array", .array), ("object", .object),
            ("integer", .integer), ("number", .integer), ("number", .double):
            true
        default: false
        }
    }
}
