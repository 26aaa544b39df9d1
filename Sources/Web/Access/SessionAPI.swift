import Decide
import Hummingbird
import HummingbirdCore
import Record

/// Signing in and out, for programs that keep cookies.
enum SessionAPI {
    static let endpoints: [Endpoint] = [
        Endpoint(
            .post, "/api/v1/session",
            "Signs in: sets the session cookie and tells the secret that every later write sends as X-CSRF-Token.",
            access: .open,
            body: .json(Schema.object(["name": Schema.text(1...64), "password": Schema.text(1...200)])),
            answers: [.json("Session", status: 201, "Signed in.")], problems: [401, 403, 429], handle: signIn),
        Endpoint(
            .get, "/api/v1/session", "Tells who asks.", access: .signedIn, answers: [.json("Session")], handle: show),
        Endpoint(
            .delete, "/api/v1/session", "Signs out.", access: .open, answers: [.nothing()], problems: [403],
            handle: signOut),
    ]

    @Sendable private static func signIn(_ call: Call) async throws -> Response {
        var fields = try await call.fields(upTo: 4 << 10)
        let (name, password) = (fields.text("name", 1...64), fields.text("password", 1...200))
        try fields.done()
        let success = try await SignIn.attempt(
            name: name, password: password, request: call.request, context: call.context, services: call.services)
        var response = Response(status: .created, json: Identity(session: success.session).json)
        response.headers[.setCookie] = success.cookie
        return response
    }

    @Sendable private static func show(_ call: Call) async throws -> Response {
        Response(json: try call.identity().json)
    }

    @Sendable private static func signOut(_ call: Call) async throws -> Response {
        Response(
            status: .noContent, headers: [.setCookie: try await SignIn.end(call.request, services: call.services)])
    }

    static let schemas: [String: JSONValue] = [
        "Session": Schema.object([
            "account": Schema.text, "role": Schema.word(Role.self), "scopes": Schema.list(Schema.word(Scope.self)),
            "csrf": Schema.nullable(Schema.text),
        ])
    ]
}

extension Identity {
    fileprivate var json: JSONValue {
        [
            "account": .string(account), "role": .string(role.rawValue),
            "scopes": .array(scopes.map(\.rawValue).sorted().map(JSONValue.string)), "csrf": .text(csrf),
        ]
    }
}
