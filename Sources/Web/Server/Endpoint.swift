import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// One operation of the API: how it is reached, by whom, what it answers, and what does it. The router and the OpenAPI
/// document are both made from it, so they cannot differ.
struct Endpoint: Sendable {
    var method: HTTPRequest.Method
    /// `/api/v1/flags/{service}/{key}`
    var path: String
    var summary: String
    var access: AccessRule
    var query: [QueryParameter]
    var body: RequestSchema?
    var answers: [Answer]
    /// Statuses of problems beside those that follow from access, parameters and body.
    var problems: [Int]
    var handle: @Sendable (Call) async throws -> Response

    init(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, access: AccessRule,
        query: [QueryParameter] = [], body: RequestSchema? = nil, answers: [Answer], problems: [Int] = [],
        handle: @escaping @Sendable (Call) async throws -> Response
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.access = access
        self.query = query
        self.body = body
        self.answers = answers
        self.problems = problems
        self.handle = handle
    }

    func register(on router: Router<WebContext>, _ services: WebServices) {
        let known = Set(query.map(\.name))
        router.on(RouterPath(path), method: method) { request, context in
            if access != .open { try context.require(access) }
            let query = try Query(request, knowing: known)
            return try await handle(Call(request: request, context: context, query: query, services: services))
        }
    }
}

/// One request to one endpoint, access and query checked.
struct Call: Sendable {
    var request: Request
    var context: WebContext
    var query: Query
    var services: WebServices

    /// A part of the path, unescaped. What cannot name anything is not found.
    func parameter(_ name: String) throws -> String {
        guard let raw = context.parameters.get(name), let text = PercentCoding.decode(raw.utf8), !text.isEmpty,
            text.utf8.count <= 500, !text.contains(where: \.isNewline)
        else { throw Problem.notFound("\(name) of this name") }
        return text
    }

    /// The members of the JSON body.
    func fields(upTo limit: Int? = nil) async throws -> JSONFields {
        try await request.fields(upTo: limit ?? services.settings.maxBody)
    }

    /// Who asks.
    func identity() throws -> Identity {
        guard let identity = context.identity else { throw Problem.unauthenticated }
        return identity
    }

    func actor() throws -> Actor { try identity().actor }
}

/// The query of a request: known names only, each once, so that a mistyped filter is told and not ignored.
struct Query: Sendable {
    private var values: [String: String] = [:]

    init(_ request: Request, knowing known: Set<String>) throws {
        guard let text = request.uri.query, !text.isEmpty else { return }
        guard let fields = FormFields(decoding: text.utf8) else {
            throw Problem(.badRequest, "The query of the address cannot be read.")
        }
        for name in fields.names {
            guard known.contains(name) else {
                let what = known.isEmpty ? "none" : known.sorted().map { "'\($0)'" }.joined(separator: ", ")
                throw Problem(
                    .badRequest, "'\(name.prefix(100))' is no parameter of this operation; there are: \(what).")
            }
            guard fields.all(name).count == 1 else { throw Problem(.badRequest, "'\(name)' is given twice.") }
            values[name] = fields[name]
        }
    }

    /// Nil when it is not given or empty.
    func text(_ name: String, upTo bytes: Int = 500) throws -> String? {
        guard let value = values[name], !value.isEmpty else { return nil }
        guard value.utf8.count <= bytes else { throw Problem(.badRequest, "'\(name)' is longer than \(bytes) bytes.") }
        return value
    }

    func integer(_ name: String, _ range: ClosedRange<Int64>) throws -> Int64? {
        guard let value = values[name] else { return nil }
        guard let number = Int64(value), range.contains(number) else {
            throw Problem(
                .badRequest, "'\(name)' must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    func instant(_ name: String) throws -> Instant? {
        guard let value = values[name] else { return nil }
        guard let instant = RFC3339.parse(value) else {
            throw Problem(.badRequest, "'\(name)' must be a time like 2026-11-22T04:51:49Z.")
        }
        return instant
    }

    func word<Word: RawRepresentable & CaseIterable>(_ name: String, _ type: Word.Type) throws -> Word?
    where Word.RawValue == String {
        guard let value = values[name] else { return nil }
        guard let word = Word(rawValue: value) else {
            let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(.badRequest, "'\(name)' is one of: \(known).")
        }
        return word
    }
}
