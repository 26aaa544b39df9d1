import Decide
import Hummingbird
import HummingbirdCore
import Record

/// Accounts: who may sign in, and as what.
enum AccountAPI {
    private static let password = Schema.text(Record.passwordLengths)

    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/api/v1/accounts", "Lists accounts by name.", access: .role(.admin), query: Paging.parameters,
            answers: [.page(of: "Account")], handle: list),
        Endpoint(
            .post, "/api/v1/accounts", "Makes an account.", access: .role(.admin),
            body: .json(
                Schema.object([
                    "name": Schema.text(1...64), "role": Schema.word(Role.self), "password": password,
                ])),
            answers: [.json("Account", status: 201, "Made.")], problems: [409], handle: create),
        Endpoint(
            .post, "/api/v1/accounts/{name}/disable",
            "Ends an account's sessions and tokens; nobody can disable their own.", access: .role(.admin),
            answers: [.json("Account")], problems: [409]
        ) { try await disable($0, true) },
        Endpoint(
            .post, "/api/v1/accounts/{name}/enable", "Lets an account in again.", access: .role(.admin),
            answers: [.json("Account")]
        ) { try await disable($0, false) },
        Endpoint(
            .post, "/api/v1/accounts/{name}/password", "Sets an account's password and ends its sessions.",
            access: .role(.admin), body: .json(Schema.object(["password": password])), answers: [.json("Account")],
            handle: setPassword),
    ]

    @Sendable private static func list(_ call: Call) async throws -> Response {
        let paging = try Paging(call.query)
        let accounts = try await call.services.record.accounts().sorted { $0.name < $1.name }
        return paging.answer(whole: accounts, name: \.name, json: \.json)
    }

    @Sendable private static func create(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let name = fields.text("name", 1...64)
        let role = fields.word("role", Role.self)
        if role == nil { fields.fail("role", "is missing") }
        let password = fields.text("password", Record.passwordLengths)
        try fields.done()
        try await call.services.record.createAccount(
            name, role: role ?? .viewer, password: password, by: try call.actor())
        return Response(status: .created, json: try await account(name, call).json)
    }

    private static func disable(_ call: Call, _ isDisabled: Bool) async throws -> Response {
        let (name, identity) = (try call.parameter("name"), try call.identity())
        if isDisabled, name == identity.account {
            throw Problem(.conflict, "You cannot disable your own account: ask another administrator.")
        }
        try await call.services.record.setDisabled(name, isDisabled, by: identity.actor)
        return Response(json: try await account(name, call).json)
    }

    @Sendable private static func setPassword(_ call: Call) async throws -> Response {
        let name = try call.parameter("name")
        var fields = try await call.fields()
        let password = fields.text("password", Record.passwordLengths)
        try fields.done()
        try await call.services.record.setPassword(name, password, by: try call.actor())
        return Response(json: try await account(name, call).json)
    }

    private static func account(_ name: String, _ call: Call) async throws -> Account {
        guard let account = try await call.services.record.accounts().first(where: { $0.name == name }) else {
            throw Problem.notFound("account '\(name)'")
        }
        return account
    }

    static let schemas: [String: JSONValue] = [
        "Account": Schema.object([
            "name": Schema.text, "role": Schema.word(Role.self), "createdAt": Schema.time, "isDisabled": Schema.flag,
        ])
    ]
}

extension Account {
    var json: JSONValue {
        [
            "name": .string(name), "role": .string(role.rawValue), "createdAt": .time(createdAt),
            "isDisabled": .bool(isDisabled),
        ]
    }
}
