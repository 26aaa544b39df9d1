extension OpenAPI {
    /// The same rules as `Validator`, as regular expressions.
    private enum Pattern {
        static let id = "^[1-9][0-9]{0,17}$"
        static let line = "^[^\\x00-\\x1f\\x7f]*$"
        static let words = "^[^\\x00-\\x1f\\x7f]*[^\\s\\x00-\\x1f\\x7f][^\\x00-\\x1f\\x7f]*$"
        static let lines =
            "^[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]*[^\\s\\x00-\\x1f\\x7f][^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]*$"
        static let email = "^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\\.[A-Za-z0-9-]{1,63})+$"
        static let price = "^[0-9]+\\.[0-9]{2}$"
    }

    static func schemas() -> [String: Any] {
        var all: [String: Any] = [
            "Text": ["type": "string"], "Document": ["type": "object"],
            "Health": object(["status": string(), "database": string(), "flags": string()]),
            "Receipt": object(["delivered": ["type": "boolean"]]),
            "Pressed": object(["product": id, "favorite": ["type": "boolean"]]),
            "Problem": object(
                [
                    "type": string(), "title": string(), "detail": string(), "instance": string(),
                    "status": ["type": "integer", "minimum": 400, "maximum": 599],
                    "errors": list(object(["field": string(), "message": string()])),
                ], optional: ["errors"]),
        ]
        for part in [accountSchemas(), productSchemas(), postSchemas()] { all.merge(part) { first, _ in first } }
        return all
    }

    private static func accountSchemas() -> [String: Any] {
        let password = string(Pattern.words, 1...200)
        return [
            "NewUser": object([
                "email": string(Pattern.email, 3...254), "name": string(Pattern.words, 1...80),
                "password": string(Pattern.words, 8...200),
            ]),
            "Credentials": object(["email": string(Pattern.email, 3...254), "password": password]),
            "User": object(["id": id, "email": string(), "name": string()]),
            "Session": object([
                "token": string(), "expires_in": ["type": "integer", "description": "Seconds."],
                "user": reference("User"),
            ]),
            "NewReport": object(
                [
                    "feature": ["type": "string", "enum": Feature.allCases.map(\.rawValue)],
                    "text": string(Pattern.lines, 1...Reports.textLimit),
                    "page": [
                        "type": ["string", "null"], "maxLength": 500, "pattern": Pattern.line,
                        "description": "Path of the page that it is about.",
                    ],
                ], optional: ["page"]),
        ]
    }

    private static func productSchemas() -> [String: Any] {
        let price: [String: Any] = ["type": "string", "pattern": Pattern.price, "examples": ["19.90"]]
        let currency: [String: Any] = ["type": "string", "const": "EUR"]
        return [
            "Product": object([
                "id": id, "name": string(), "category": category, "description": string(), "price": price,
                "currency": currency,
            ]),
            "ProductPage": page("Product"),
            "Favorite": object([
                "product": id, "name": string(), "price": price, "currency": currency, "added_at": time,
            ]),
            "FavoritePage": page("Favorite"),
        ]
    }

    private static func postSchemas() -> [String: Any] {
        [
            "NewPost": object([
                "title": string(Pattern.words, 1...PostInput.titleLimit),
                "body": string(Pattern.lines, 1...PostInput.bodyLimit),
            ]),
            "Post": object([
                "id": id, "author": id, "author_name": string(), "title": string(), "body": string(),
                "created_at": time,
            ]),
            "PostList": object(
                [
                    "items": list(reference("Post")),
                    "next": id.merging(["description": "Value of `before`."]) { a, _ in a },
                ],
                optional: ["next"]),
        ]
    }

    static func parameters() -> [String: Any] {
        [
            "product": parameter("product", in: "path", id, "Id of a product."),
            "post": parameter("post", in: "path", id, "Id of a post."),
            "q": parameter(
                "q", in: "query", string(Pattern.line, 0...ProductSearch.textLimit),
                "Words that name or department must contain; the first \(ProductSearch.wordLimit) count."),
            "category": parameter(
                "category", in: "query", ["anyOf": [category, ["const": ""]]], "Only this department; empty: all."),
            "before": parameter("before", in: "query", id, "Only posts older than this one."),
            "page": parameter(
                "page", in: "query", ["type": "integer", "minimum": 1, "maximum": Paging.pageLimit, "default": 1],
                "Which page, from 1."),
            "page_size": parameter(
                "page_size", in: "query",
                ["type": "integer", "minimum": 1, "maximum": Paging.sizeLimit, "default": Paging().size],
                "Items on a page."),
        ]
    }

    private static var id: [String: Any] { ["type": "string", "pattern": Pattern.id, "examples": ["42"]] }

    private static var time: [String: Any] { ["type": "string", "format": "date-time"] }

    private static var category: [String: Any] {
        ["type": "string", "enum": Category.allCases.map(\.rawValue)]
    }

    private static func string(_ pattern: String? = nil, _ length: ClosedRange<Int>? = nil) -> [String: Any] {
        var schema: [String: Any] = ["type": "string"]
        if let pattern { schema["pattern"] = pattern }
        if let length {
            schema["minLength"] = length.lowerBound
            schema["maxLength"] = length.upperBound
        }
        return schema
    }

    private static func list(_ items: [String: Any]) -> [String: Any] { ["type": "array", "items": items] }

    private static func reference(_ name: String) -> [String: Any] { ["$ref": "#/components/schemas/\(name)"] }

    private static func object(_ properties: [String: Any], optional: Set<String> = []) -> [String: Any] {
        [
            "type": "object", "properties": properties,
            "required": properties.keys.filter { !optional.contains($0) }.sorted(),
        ]
    }

    private static func page(_ item: String) -> [String: Any] {
        let number: [String: Any] = ["type": "integer", "minimum": 0]
        return object(["items": list(reference(item)), "page": number, "page_size": number, "total": number])
    }

    private static func parameter(
        _ name: String, in place: String, _ schema: [String: Any], _ description: String
    ) -> [String: Any] {
        ["name": name, "in": place, "required": place == "path", "schema": schema, "description": description]
    }
}
