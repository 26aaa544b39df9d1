import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Record

/// The guard of this process: what it does, and holding it for a moment.
enum GuardAPI {
    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/api/v1/guard", "Shows what the guard does at this moment.", access: .role(.viewer),
            answers: [.json("Guard", "Its pools and what it limits.")], problems: [404], handle: show),
        Endpoint(
            .get, "/api/v1/guard/connections", "Lists the guard's clients and servers, at most 500 of each.",
            access: .role(.viewer), answers: [.json("GuardConnections", "Those that wait come first.")],
            problems: [404]
        ) { call in Response(json: try await GuardAct.connections(call.services).json) },
        Endpoint(
            .post, "/api/v1/guard/reload", "Reads the guard's configuration again; a wrong one changes nothing.",
            access: .role(.admin), answers: [.json("Guard", "The new settings are in force.")], problems: [404, 409]
        ) { call in
            try await GuardAct.reload(call.services, by: try call.actor())
            return try await show(call)
        },
        Endpoint(
            .post, "/api/v1/guard/pause",
            "Lets no new transaction begin, and answers when the running ones have ended; clients wait.",
            access: .role(.responder), body: body(["deadlineMs"]), answers: [.json("Guard", "Paused.")],
            problems: [404, 409]
        ) { call in
            var fields = try await call.fields()
            let (database, deadline) = (fields.optionalText("database", 1...200), deadline(&fields))
            try fields.done()
            try await GuardAct.pause(database, deadline: deadline, call.services, by: try call.actor())
            return try await show(call)
        },
        Endpoint(
            .post, "/api/v1/guard/resume", "Lets transactions begin again.", access: .role(.responder),
            body: body([]), answers: [.json("Guard", "Resumed.")], problems: [404, 409]
        ) { call in
            var fields = try await call.fields()
            let database = fields.optionalText("database", 1...200)
            try fields.done()
            try await GuardAct.resume(database, call.services, by: try call.actor())
            return try await show(call)
        },
        Endpoint(
            .post, "/api/v1/guard/switch",
            "Points a database at another server while clients wait; past the deadline all is as before.",
            access: .role(.admin), body: body(["deadlineMs", "target"], required: ["database", "target"]),
            answers: [.json("Guard", "Switched.")], problems: [404, 409]
        ) { call in
            var fields = try await call.fields()
            let (database, target) = (fields.text("database", 1...200), fields.text("target", 1...1_000))
            let deadline = deadline(&fields)
            try fields.done()
            try await GuardAct.switchTarget(
                database, to: target, deadline: deadline, call.services, by: try call.actor())
            return try await show(call)
        },
    ]

    private static func body(_ more: Set<String>, required: Set<String> = []) -> RequestSchema {
        let members: [String: JSONValue] = [
            "database": Schema.text(1...200), "target": Schema.text(1...1_000),
            "deadlineMs": Schema.integer(GuardAct.deadlines),
        ].filter { $0.key == "database" || more.contains($0.key) }
        return .json(Schema.object(members, optional: Set(members.keys).subtracting(required)))
    }

    private static func deadline(_ fields: inout JSONFields) -> Span {
        Span(
            milliseconds: fields.optionalInteger("deadlineMs", GuardAct.deadlines) ?? GuardAct.standard.milliseconds)
    }

    @Sendable private static func show(_ call: Call) async throws -> Response {
        Response(json: try await GuardAct.overview(call.services).json)
    }

    static let schemas: [String: JSONValue] = [
        "Guard": Schema.object([
            "mode": Schema.word(BudgetSettings.Mode.self), "startedAt": Schema.time, "clients": Schema.count,
            "databases": Schema.list(Schema.text), "queries": Schema.count, "transactions": Schema.count,
            "refusedQueries": Schema.count, "violations": Schema.count,
            "figures": Schema.object(
                Dictionary(uniqueKeysWithValues: GuardFigure.allCases.map { ($0.rawValue, Schema.count) })),
            "pools": Schema.list(
                Schema.object([
                    "database": Schema.text, "user": Schema.text, "clientsActive": Schema.count,
                    "clientsWaiting": Schema.count, "clientsPinned": Schema.count, "serversBusy": Schema.count,
                    "serversIdle": Schema.count, "size": Schema.count, "isPaused": Schema.flag, "waitMs": Schema.count,
                    "target": Schema.text,
                ])),
            "limited": Schema.list(
                Schema.object([
                    "database": Schema.text, "user": Schema.text, "fingerprint": Schema.text,
                    "release": Schema.nullable(Schema.text), "query": Schema.text,
                    "limit": Schema.nullable(Schema.count), "size": Schema.count, "usage": ["type": "number"],
                    "budget": ["type": "number"], "waiting": Schema.count, "turnedAway": Schema.count,
                    "isObserved": Schema.flag, "isCrowd": Schema.flag, "until": Schema.nullable(Schema.time),
                    "sentence": Schema.text,
                ])),
        ]),
        "GuardConnections": Schema.object([
            "clientCount": Schema.count, "serverCount": Schema.count,
            "clients": Schema.list(
                Schema.object([
                    "id": ["type": "integer"], "database": Schema.text, "user": Schema.text,
                    "application": Schema.text, "address": Schema.text, "state": Schema.text,
                    "pinnedBy": Schema.text, "connectedSeconds": Schema.count,
                ])),
            "servers": Schema.list(
                Schema.object([
                    "processId": ["type": "integer"], "database": Schema.text, "user": Schema.text,
                    "target": Schema.text, "state": Schema.text, "prepared": Schema.count,
                    "connectedSeconds": Schema.count,
                ])),
        ]),
    ]
}

extension GuardOverview {
    var json: JSONValue {
        [
            "mode": .string(mode.rawValue), "startedAt": .time(startedAt), "clients": .count(clients),
            "databases": .array(databases.map(JSONValue.string)), "queries": .integer(queries),
            "transactions": .integer(transactions), "refusedQueries": .integer(refusedQueries),
            "violations": .integer(violations), "pools": .array(pools.map(\.json)),
            "limited": .array(limited.map(\.json)),
            "figures": .object(
                Dictionary(
                    uniqueKeysWithValues: GuardFigure.allCases.map { ($0.rawValue, .integer(figures[$0] ?? 0)) })),
        ]
    }
}

extension GuardConnections {
    var json: JSONValue {
        [
            "clientCount": .count(clientCount), "serverCount": .count(serverCount),
            "clients": .array(
                clients.map { client in
                    [
                        "id": .integer(Int64(client.id)), "database": .string(client.database),
                        "user": .string(client.user), "application": .string(client.application),
                        "address": .string(client.address), "state": .string(client.state),
                        "pinnedBy": .string(client.pinnedBy), "connectedSeconds": .count(client.connectedSeconds),
                    ]
                }),
            "servers": .array(
                servers.map { server in
                    [
                        "processId": .integer(Int64(server.processID)), "database": .string(server.database),
                        "user": .string(server.user), "target": .string(server.target),
                        "state": .string(server.state), "prepared": .count(server.prepared),
                        "connectedSeconds": .count(server.connectedSeconds),
                    ]
                }),
        ]
    }
}

extension GuardOverview.Pool {
    fileprivate var json: JSONValue {
        [
            "database": .string(database), "user": .string(user), "clientsActive": .count(clientsActive),
            "clientsWaiting": .count(clientsWaiting), "clientsPinned": .count(clientsPinned),
            "serversBusy": .count(serversBusy), "serversIdle": .count(serversIdle), "size": .count(size),
            "isPaused": .bool(isPaused), "waitMs": .count(waitMilliseconds), "target": .string(target),
        ]
    }
}

extension GuardOverview.Limited {
    fileprivate var json: JSONValue {
        [
            "database": .string(database), "user": .string(user), "fingerprint": .string(query.hex),
            "release": .text(release), "query": .string(text), "limit": limit.map(JSONValue.count) ?? .null,
            "size": .count(size), "usage": .double(usage), "budget": .double(budget), "waiting": .count(waiting),
            "turnedAway": .count(turnedAway), "isObserved": .bool(isObserved), "isCrowd": .bool(isCrowd),
            "until": .time(until), "sentence": .string(sentence),
        ]
    }

    /// What is done to the query, for people.
    var sentence: String {
        let what =
            switch limit {
            case nil: isObserved ? "It would be turned away for now" : "It is turned away for now"
            case let limit?:
                "It \(isCrowd ? "is called far more often than usual, and " : "")\(isObserved ? "would be" : "is") held to \(limit) of \(size) servers"
                    + " (its budget is \(Figures.count(budget)), it uses \(Figures.count(usage)))"
            }
        let waits = waiting > 0 ? "; \(Words.count(waiting, "call waits", "calls wait"))" : ""
        let away =
            turnedAway > 0 && !isObserved
            ? "; \(Words.count(turnedAway, "call was", "calls were")) turned away" : ""
        return what + waits + away + "."
    }
}
