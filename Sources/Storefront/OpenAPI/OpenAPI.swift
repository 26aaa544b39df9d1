import Foundation

/// The description of the API for machines: OpenAPI 3.1, made from the table of operations and of schemas.
enum OpenAPI {
    /// Made once; a test proves that it can be made and that it names every route.
    static let document = Result { try make() }

    private static func make() throws -> String {
        let document: [String: Any] = [
            "openapi": "3.1.0",
            "info": [
                "title": "Storefront", "version": "1.0.0",
                "description": "A small shop. Sign in with POST /api/session and send the token as a bearer token.",
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "tags": ["accounts", "products", "favorites", "posts", "reports", "operations"].map { ["name": $0] },
            "paths": paths(),
            "components": [
                "schemas": schemas(),
                "parameters": parameters(),
                "securitySchemes": [
                    "session": [
                        "type": "http", "scheme": "bearer", "description": "The token from POST /api/session.",
                    ]
                ],
            ],
        ]
        let data = try JSONSerialization.data(
            withJSONObject: document, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }

    private static func paths() -> [String: Any] {
        var paths: [String: [String: Any]] = [:]
        for operation in operations {
            paths[operation.path, default: [:]][operation.method.lowercased()] = operation.json
        }
        return paths
    }
}

extension OpenAPI.Operation {
    var json: [String: Any] {
        var responses: [String: Any] = [:]
        for answer in answers { responses[String(answer.status)] = answer.json }
        for status in problems {
            responses[String(status)] =
                OpenAPI.Answer(
                    status, Self.reason(status), "Problem", type: "application/problem+json"
                ).json
        }
        var json: [String: Any] = [
            "operationId": id, "summary": summary, "tags": [tag], "responses": responses,
            "security": isSignedIn ? [["session": [String]()]] : [[String: [String]]](),
        ]
        if !parameters.isEmpty {
            json["parameters"] = parameters.map { ["$ref": "#/components/parameters/\($0)"] }
        }
        if let body {
            json["requestBody"] = [
                "required": true,
                "content": ["application/json": ["schema": ["$ref": "#/components/schemas/\(body)"]]],
            ]
        }
        return json
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 400: "The request cannot be read."
        case 401: "A signed-in user is needed, or the credentials are wrong."
        case 403: "Not allowed, or a write by cookie without the page's token."
        case 404: "There is no such thing; also for an id that cannot be one."
        case 409: "It exists already."
        case 413: "The body is too large."
        case 415: "The body must be application/json."
        case 422: "An input is invalid; `errors` says which."
        case 429: "Too many; Retry-After says when to come back."
        default: "Temporarily unavailable; try again."
        }
    }
}

extension OpenAPI.Answer {
    var json: [String: Any] {
        var json: [String: Any] = ["description": description]
        if let schema {
            json["content"] = [type: ["schema": ["$ref": "#/components/schemas/\(schema)"]]]
        }
        return json
    }
}
