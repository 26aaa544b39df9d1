import Decide

extension QueryDecision {
    var json: JSONValue {
        [
            "kind": .string(kind.rawValue), "at": .time(at), "database": .string(database), "user": .string(user),
            "query": .text(query?.hex), "text": .string(text), "release": .text(release),
            "isObserved": .bool(isObserved), "isCrowd": .bool(isCrowd), "explanation": .string(explanation),
            "share": share.map(JSONValue.double) ?? .null, "budget": budget.map(JSONValue.double) ?? .null,
            "limit": limit.map(JSONValue.count) ?? .null, "servers": slots.map(JSONValue.count) ?? .null,
            "cancelled": .count(cancelled), "until": .time(until),
        ]
    }

    static let schemas: [String: JSONValue] = [
        "QueryDecision": Schema.object([
            "kind": Schema.word(Kind.self), "at": Schema.time, "database": Schema.text, "user": Schema.text,
            "query": Schema.nullable(Schema.text), "text": Schema.text, "release": Schema.nullable(Schema.text),
            "isObserved": Schema.flag, "isCrowd": Schema.flag, "explanation": Schema.text,
            "share": Schema.nullable(["type": "number"]), "budget": Schema.nullable(["type": "number"]),
            "limit": Schema.nullable(Schema.count), "servers": Schema.nullable(Schema.count),
            "cancelled": Schema.count, "until": Schema.nullable(Schema.time),
        ])
    ]
}
