import Decide
import HTTPTypes

/// An answer that is not what was asked for: RFC 9457 problem details for programs, a short page for people.
package struct Problem: Error, Sendable {
    package struct Field: Hashable, Sendable {
        package var name: String
        package var message: String

        package init(_ name: String, _ message: String) {
            self.name = name
            self.message = message
        }
    }

    package var status: HTTPResponse.Status
    /// One sentence that says what to do.
    package var detail: String
    /// What is wrong with which field.
    package var fields: [Field]
    /// Further members.
    package var members: [String: JSONValue]
    package var headers: HTTPFields

    package init(
        _ status: HTTPResponse.Status, _ detail: String, fields: [Field] = [], members: [String: JSONValue] = [:],
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.detail = detail
        self.fields = fields
        self.members = members
        self.headers = headers
    }

    package static let unauthenticated = Problem(
        .unauthorized, "Sign in, or send a token: 'Authorization: Bearer …'.",
        headers: [.wwwAuthenticate: "Bearer realm=\"Mainstay\""])

    package static func forbidden(_ demand: String) -> Problem {
        Problem(.forbidden, "This needs \(demand).")
    }

    package static func notFound(_ what: String) -> Problem {
        Problem(.notFound, "There is no \(what).")
    }

    /// One thing is wrong with what was sent.
    package static func invalid(_ field: String, _ message: String) -> Problem {
        invalid([Field(field, message)])
    }

    static func invalid(_ fields: [Field]) -> Problem {
        let sentences = fields.map { "'\($0.name)' \($0.message)" }.joined(separator: "; ")
        return Problem(.unprocessableContent, "What was sent does not fit: \(sentences).", fields: fields)
    }

    package static func tooMany(_ what: String, retryAfter: Span) -> Problem {
        Problem(
            .tooManyRequests, "Too many \(what); try again in \(max(.seconds(1), retryAfter).spoken).",
            headers: [.retryAfter: String(max(1, (retryAfter.milliseconds + 999) / 1_000))])
    }

    package static func unavailable(_ detail: String, retryAfterSeconds: Int = 5) -> Problem {
        Problem(.serviceUnavailable, detail, headers: [.retryAfter: String(retryAfterSeconds)])
    }

    package init(_ refusal: Refusal) {
        let status: HTTPResponse.Status =
            switch refusal.code {
            case .notFound: .notFound
            case .conflict: .conflict
            case .invalid: .unprocessableContent
            case .forbidden: .forbidden
            }
        self.init(status, refusal.message)
    }

    /// `application/problem+json`.
    func json(requestID: String) -> JSONValue {
        var body = members
        body["type"] = "about:blank"
        body["title"] = .string(status.reasonPhrase)
        body["status"] = .integer(Int64(status.code))
        body["detail"] = .string(detail)
        body["requestId"] = .string(requestID)
        if !fields.isEmpty {
            body["errors"] = .array(
                fields.map { ["field": .string($0.name), "message": .string($0.message)] })
        }
        return .object(body)
    }
}
