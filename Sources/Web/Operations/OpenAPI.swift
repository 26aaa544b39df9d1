import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// The OpenAPI 3.1 document, made from the endpoints themselves.
enum OpenAPI {
    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/openapi.json", "This document.", access: .open,
            answers: [
                Answer(status: 200, about: "OpenAPI 3.1.", mediaType: "application/json", schema: Schema.anything)
            ]
        ) { call in
            Response(json: document(API.endpoints, version: call.services.version))
        }
    ]

    static func document(_ endpoints: [Endpoint], version: String) -> JSONValue {
        var paths: [String: [String: JSONValue]] = [:]
        for endpoint in endpoints {
            paths[endpoint.path, default: [:]][endpoint.method.rawValue.lowercased()] = operation(endpoint)
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Mainstay", "version": .string(version),
                "description": "Flags, releases, rollouts, checks, incidents and the timeline of Mainstay.",
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "paths": .object(paths.mapValues(JSONValue.object)),
            "components": [
                "schemas": .object(API.schemas),
                "securitySchemes": [
                    "token": ["type": "http", "scheme": "bearer"],
                    "session": ["type": "apiKey", "in": "cookie", "name": .string(SignIn.cookieName)],
                ],
            ],
        ]
    }

    private static func operation(_ endpoint: Endpoint) -> JSONValue {
        let segments = endpoint.path.split(separator: "/")
        let tag = segments.dropFirst(segments.first == "api" ? 2 : 0).first.map(String.init) ?? "mainstay"
        var operation: [String: JSONValue] = [
            "operationId": .string(identifier(endpoint)), "summary": .string(endpoint.summary),
            "tags": [.string(tag)], "responses": .object(responses(endpoint)),
        ]
        let parameters = pathParameters(endpoint) + endpoint.query.map(parameter)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if endpoint.access != .open {
            operation["security"] = isTokenOnly(endpoint) ? [["token": []]] : [["token": []], ["session": []]]
        }
        if let body = endpoint.body {
            let content = body.mediaTypes.map { ($0, ["schema": body.schema] as JSONValue) }
            operation["requestBody"] = [
                "required": .bool(body.isRequired),
                "content": .object(Dictionary(content, uniquingKeysWith: { $1 })),
            ]
        }
        return .object(operation)
    }

    private static func isTokenOnly(_ endpoint: Endpoint) -> Bool {
        if case .tokenScope = endpoint.access { true } else { false }
    }

    /// `postFlagsServiceKeyUndo`
    private static func identifier(_ endpoint: Endpoint) -> String {
        endpoint.method.rawValue.lowercased()
            + endpoint.path.split { !$0.isLetter && !$0.isNumber }.filter { $0 != "api" && $0 != "v1" }
            .map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    private static func pathParameters(_ endpoint: Endpoint) -> [JSONValue] {
        endpoint.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { segment in
            [
                "name": .string(String(segment.dropFirst().dropLast())), "in": "path", "required": true,
                "schema": Schema.text(1...500),
            ]
        }
    }

    private static func parameter(_ parameter: QueryParameter) -> JSONValue {
        [
            "name": .string(parameter.name), "in": "query", "required": .bool(parameter.isRequired),
            "description": .string(parameter.about), "schema": parameter.schema,
        ]
    }

    // MARK: Responses

    private static func responses(_ endpoint: Endpoint) -> [String: JSONValue] {
        var responses: [String: JSONValue] = [:]
        for status in problems(of: endpoint) {
            responses[String(status)] = problem(status, of: endpoint)
        }
        for answer in endpoint.answers {
            var response: [String: JSONValue] = ["description": .string(answer.about)]
            if let type = answer.mediaType, let schema = answer.schema {
                response["content"] = .object([type: ["schema": schema]])
            }
            responses[String(answer.status)] = .object(response)
        }
        return responses
    }

    /// What can go wrong anywhere, and what follows from what the endpoint takes.
    private static func problems(of endpoint: Endpoint) -> Set<Int> {
        var statuses: Set<Int> = [400, 401, 500, 503]
        statuses.formUnion(endpoint.problems)
        if endpoint.access != .open { statuses.insert(403) }
        if endpoint.path.contains("{") || endpoint.query.contains(where: { $0.name == "service" }) {
            statuses.insert(404)
        }
        if endpoint.body != nil { statuses.formUnion([413, 415, 422]) }
        return statuses
    }

    private static func problem(_ status: Int, of endpoint: Endpoint) -> JSONValue {
        let about = HTTPResponse.Status(code: status).reasonPhrase
        if endpoint.method == .head { return ["description": .string(about)] }
        if endpoint.path.hasPrefix("/ofrep/") {
            if status == 401 || status == 403 { return ["description": .string(about)] }
            return [
                "description": .string(about),
                "content": ["application/json": ["schema": Schema.ref("OFREPError")]],
            ]
        }
        return [
            "description": .string(about),
            "content": ["application/problem+json": ["schema": Schema.ref("Problem")]],
        ]
    }

    static let schemas: [String: JSONValue] = [
        "Problem": [
            "type": "object", "description": "RFC 9457 problem details.",
            "required": ["type", "title", "status", "detail", "requestId"],
            "properties": [
                "type": Schema.text, "title": Schema.text, "status": Schema.integer, "detail": Schema.text,
                "requestId": Schema.text,
                "errors": Schema.list(Schema.object(["field": Schema.text, "message": Schema.text])),
                "reasons": Schema.list(
                    Schema.object(["rule": Schema.text, "holds": Schema.flag, "text": Schema.text])),
            ],
        ]
    ]
}
