/// One HTTP request as written, with `{{variables}}`.
package struct HTTPAction: Sendable, Hashable, Codable {
    package enum Method: String, Sendable, Hashable, Codable, CaseIterable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
        case options = "OPTIONS"
    }

    package struct Header: Sendable, Hashable, Codable {
        package var name: String
        package var value: Template

        package init(_ name: String, _ value: Template) {
            self.name = name
            self.value = value
        }
    }

    package enum Body: Sendable, Hashable, Codable {
        /// Sent as `application/json`. Every text in it is a template; one that is exactly `{{x}}` keeps x's type.
        case json(JSONValue)
        /// Sent as `application/x-www-form-urlencoded`, in this order.
        case form([Field])
        /// Sent as `text/plain; charset=utf-8` unless a header says otherwise.
        case text(Template)

        package struct Field: Sendable, Hashable, Codable {
            package var name: String
            package var value: Template

            package init(_ name: String, _ value: Template) {
                self.name = name
                self.value = value
            }
        }
    }

    package var method: Method
    /// A path that begins with `/`, appended to the journey's base URL, or an absolute URL. Values of variables are
    /// percent-encoded.
    package var path: Template
    package var headers: [Header]
    package var body: Body?
    /// How many redirects are followed; with 0 the redirect itself is the answer.
    package var redirects: Int

    package init(
        _ method: Method, _ path: Template, headers: [Header] = [], body: Body? = nil, redirects: Int = 0
    ) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.redirects = redirects
    }

    var variables: [String] {
        let inBody: [String] =
            switch body {
            case .json(let value): value.templateVariables
            case .form(let fields): fields.flatMap(\.value.variables)
            case .text(let template): template.variables
            case nil: []
            }
        return path.variables + headers.flatMap(\.value.variables) + inBody
    }

    func problems() -> [String] {
        guard case .json(let value) = body else { return [] }
        return value.templateProblems
    }
}

/// A request with every variable filled in.
package struct HTTPCall: Sendable, Hashable {
    package var method: HTTPAction.Method
    /// Absolute, or a path that begins with `/`.
    package var target: String
    package var headers: [(name: String, value: String)] { pairs.map { ($0.name, $0.value) } }
    package var body: [UInt8]?
    package var redirects: Int
    private var pairs: [Pair]

    private struct Pair: Sendable, Hashable {
        var name: String
        var value: String
    }

    /// Fails with a sentence when a variable is unknown or unfit for its place.
    package init(_ action: HTTPAction, _ variables: [String: JSONValue]) throws(DefinitionError) {
        method = action.method
        redirects = action.redirects
        target = try action.path.path(variables)
        pairs = []
        for header in action.headers {
            let value = try header.value.text(variables)
            guard !value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else {
                throw DefinitionError("header \(header.name) has a control character in its value")
            }
            pairs.append(Pair(name: header.name, value: value))
        }
        guard let body = action.body else { return }
        let type: String
        switch body {
        case .json(let value):
            type = "application/json"
            self.body = Array(try value.filled(variables).compactText.utf8)
        case .form(let fields):
            type = "application/x-www-form-urlencoded"
            var parts: [String] = []
            for field in fields {
                let value = PercentEncoding.encode(try field.value.text(variables))
                parts.append("\(PercentEncoding.encode(field.name))=\(value)")
            }
            self.body = Array(parts.joined(separator: "&").utf8)
        case .text(let template):
            type = "text/plain; charset=utf-8"
            self.body = Array(try template.text(variables).utf8)
        }
        if !pairs.contains(where: { $0.name.lowercased() == "content-type" }) {
            pairs.append(Pair(name: "Content-Type", value: type))
        }
    }
}
