import Decide
import Hummingbird
import HummingbirdCore
import Record

/// Tokens: how services, tools and programs of people get in. A token is shown once, when it is made.
enum TokenAPI {
    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/api/v1/tokens", "Lists tokens by digest.", access: .role(.admin), query: Paging.parameters,
            answers: [.page(of: "Token")], handle: list),
        Endpoint(
            .post, "/api/v1/tokens", "Makes a token and shows it, this once.", access: .role(.admin),
            body: .json(
                Schema.object(
                    [
                        "name": Schema.text(1...100), "account": Schema.text(1...64),
                        "scopes": [
                            "type": "array", "items": Schema.word(Scope.self), "minItems": 1, "maxItems": 20,
                        ],
                    ], optional: ["account"])),
            answers: [.json("NewToken", status: 201, "Made.")], problems: [404], handle: create),
        Endpoint(
            .delete, "/api/v1/tokens/{digest}", "Revokes a token.", access: .role(.admin), answers: [.nothing()],
            handle: revoke),
    ]

    @Sendable private static func list(_ call: Call) async throws -> Response {
        let paging = try Paging(call.query)
        let tokens = try await call.services.record.tokens().sorted { $0.digest < $1.digest }
        return paging.answer(whole: tokens, name: \.digest, json: \.json)
    }

    @Sendable private static func create(_ call: Call) async throws -> Response {
        let identity = try call.identity()
        var fields = try await call.fields()
        let name = fields.text("name", 1...100)
        let account = fields.optionalText("account", 1...64) ?? identity.account
        let words = fields.list("scopes", limit: 20)
        let scopes = words.compactMap { $0.string.flatMap(Scope.init(rawValue:)) }
        if scopes.count != words.count {
            let known = Scope.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            fields.fail("scopes", "holds something that is not one of \(known)")
        }
        try fields.done()
        let token = try await call.services.record.createToken(
            name, account: account, scopes: Set(scopes), by: identity.actor)
        return Response(status: .created, json: ["token": .string(token), "digest": .string(Secrets.digest(token))])
    }

    @Sendable private static func revoke(_ call: Call) async throws -> Response {
        try await call.services.record.revokeToken(try call.parameter("digest"), by: try call.actor())
        return Response(status: .noContent)
    }

    static let schemas: [String: JSONValue] = [
        "Token": Schema.object([
            "digest": Schema.text, "name": Schema.text, "account": Schema.text,
            "scopes": Schema.list(Schema.word(Scope.self)), "createdAt": Schema.time, "isRevoked": Schema.flag,
        ]),
        "NewToken": Schema.object(["token": Schema.text, "digest": Schema.text]),
    ]
}

extension AccessToken {
    fileprivate var json: JSONValue {
        [
            "digest": .string(digest), "name": .string(name), "account": .string(account),
            "scopes": .array(scopes.map(\.rawValue).sorted().map(JSONValue.string)), "createdAt": .time(createdAt),
            "isRevoked": .bool(isRevoked),
        ]
    }
}
