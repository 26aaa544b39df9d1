import HTTPTypes
import Hummingbird
import NIOCore

/// An error as its reader gets it: RFC 9457 problem details for programs, an error page for people.
struct Problem: Error, Sendable, Equatable {
    /// One input that was refused, and why.
    struct Field: Encodable, Sendable, Equatable {
        var field: String
        var message: String
    }

    var status: HTTPResponse.Status
    var title: String
    var detail: String
    var fields: [Field] = []
    var headers: HTTPFields = [:]

    func response(instance: String) -> Response {
        let body = Body(
            type: "about:blank", title: title, status: status.code, detail: detail, instance: instance,
            errors: fields.isEmpty ? nil : fields)
        var response = Response.json(body, status: status)
        response.headers[.contentType] = "application/problem+json"
        for field in headers { response.headers[field.name] = field.value }
        return response
    }

    private struct Body: Encodable {
        var type: String
        var title: String
        var status: Int
        var detail: String
        var instance: String
        var errors: [Field]?
    }
}

extension Problem {
    static func badRequest(_ detail: String) -> Problem {
        Problem(status: .badRequest, title: "Bad request", detail: detail)
    }

    static var signInNeeded: Problem {
        Problem(
            status: .unauthorized, title: "Sign in needed",
            detail: "Send a session token: Authorization: Bearer <token from POST /api/session>.",
            headers: [.wwwAuthenticate: "Bearer realm=\"storefront\""])
    }

    static var wrongCredentials: Problem {
        Problem(
            status: .unauthorized, title: "Not signed in", detail: "The e-mail address or the password is wrong.",
            headers: [.wwwAuthenticate: "Bearer realm=\"storefront\""])
    }

    static func forbidden(_ detail: String) -> Problem {
        Problem(status: .forbidden, title: "Not allowed", detail: detail)
    }

    static func notFound(_ detail: String) -> Problem {
        Problem(status: .notFound, title: "Not found", detail: detail)
    }

    static func methodNotAllowed(_ allowed: [String]) -> Problem {
        let list = allowed.joined(separator: ", ")
        return Problem(
            status: .methodNotAllowed, title: "Method not allowed", detail: "Allowed here: \(list).",
            headers: [.allow: list])
    }

    static func conflict(_ detail: String, field: String) -> Problem {
        Problem(
            status: .conflict, title: "Conflict", detail: detail, fields: [Field(field: field, message: detail)])
    }

    static func tooLarge(limit: Int) -> Problem {
        Problem(status: .contentTooLarge, title: "Body too large", detail: "At most \(limit) bytes are accepted here.")
    }

    static func unsupportedMediaType(_ wanted: String) -> Problem {
        Problem(
            status: .unsupportedMediaType, title: "Unsupported media type", detail: "Send Content-Type: \(wanted).")
    }

    static func invalid(_ fields: [Field]) -> Problem {
        let detail = fields.map { "\($0.field): \($0.message)" }.joined(separator: " ")
        return Problem(status: .unprocessableContent, title: "Invalid input", detail: detail, fields: fields)
    }

    static func tooManyRequests(_ detail: String, retryAfter seconds: Int) -> Problem {
        Problem(
            status: .tooManyRequests, title: "Too many requests", detail: detail,
            headers: [.retryAfter: String(seconds)])
    }

    static func unavailable(_ detail: String) -> Problem {
        Problem(
            status: .serviceUnavailable, title: "Temporarily unavailable", detail: detail, headers: [.retryAfter: "5"])
    }

    static var unexpected: Problem {
        Problem(
            status: .internalServerError, title: "Something went wrong",
            detail: "The server could not answer this request. It has been logged.")
    }
}
