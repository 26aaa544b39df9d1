import Decide
import Interop

extension Flag {
    var json: JSONValue {
        [
            "service": .string(service), "key": .string(key), "version": .integer(version),
            "definition": FlagdCodec.encode(definition), "served": FlagdCodec.encode(served),
            "rolling": rolling.map { rolling in
                [
                    "rollout": .string(rolling.rollout), "change": .string(rolling.change),
                    "variant": .string(rolling.variant), "share": .count(rolling.share),
                ]
            } ?? .null,
            "past": .array(
                past.map { ["change": .string($0.change), "before": FlagdCodec.encode($0.before)] }),
        ]
    }

    static let schemas: [String: JSONValue] = [
        "Flag": Schema.object([
            "service": Schema.text, "key": Schema.text, "version": Schema.integer,
            "definition": Schema.ref("FlagDefinition"), "served": Schema.ref("FlagDefinition"),
            "rolling": Schema.nullable(
                Schema.object([
                    "rollout": Schema.text, "change": Schema.text, "variant": Schema.text,
                    "share": Schema.integer(0...10_000),
                ])),
            "past": Schema.list(
                Schema.object(["change": Schema.text, "before": Schema.ref("FlagDefinition")])),
        ]),
        "FlagDefinition": [
            "type": "object", "description": "A flag as flagd writes it.", "required": ["state", "variants"],
            "properties": [
                "state": Schema.word("ENABLED", "DISABLED"),
                "variants": ["type": "object", "minProperties": 1],
                "defaultVariant": ["type": ["string", "null"]],
                "targeting": ["type": ["object", "null"]], "metadata": ["type": ["object", "null"]],
            ],
        ],
    ]
}
