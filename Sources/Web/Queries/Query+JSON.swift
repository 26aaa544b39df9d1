import Decide
import Explain
import Record

extension QueryFigures {
    /// Queries take less than a millisecond: lengths of time are whole microseconds, in members that end in `Us`.
    var json: JSONValue {
        func percentile(_ share: Double) -> JSONValue { latency.percentile(share).map(JSONValue.integer) ?? .null }
        return [
            "calls": .count(calls), "totalUs": .integer(nanoseconds / 1_000),
            "meanUs": calls > 0 ? .integer(nanoseconds / 1_000 / Int64(calls)) : .null, "p50Us": percentile(0.5),
            "p95Us": percentile(0.95), "p99Us": percentile(0.99), "rows": .count(rows), "writes": .count(writes),
            "emptyWrites": .count(emptyWrites), "errors": .object(errors.mapValues(JSONValue.count)),
        ]
    }
}

extension QueryTrafficView.Part {
    var json: JSONValue { ["release": .text(release.isEmpty ? nil : release), "figures": figures.json] }
}

extension QueryTrafficView.Line {
    var json: JSONValue {
        [
            "database": .string(database), "fingerprint": .string(query.hex), "query": .string(text),
            "figures": figures.json, "share": .integer(Int64((share * 10_000).rounded())),
            "releases": .array(releases.map(\.json)),
        ]
    }
}

extension QueryTrafficView {
    var json: JSONValue {
        [
            "from": .time(start), "to": .time(end), "count": .count(count), "items": .array(lines.map(\.json)),
            "databases": .array(databases.map(JSONValue.string)),
            "releases": .array(
                releases.map {
                    [
                        "release": .string($0.name), "calls": .count($0.calls), "firstAt": .time($0.firstAt),
                        "lastAt": .time($0.lastAt),
                    ]
                }),
        ]
    }
}

extension QueryHistoryView {
    var json: JSONValue {
        [
            "fingerprint": .string(query.hex), "query": .string(text),
            "databases": .array(databases.map(JSONValue.string)),
            "hours": .array(hours.map { ["at": .time($0.at), "figures": $0.figures.json] }),
            "releases": .array(releases.map(\.json)),
        ]
    }
}

extension QueryFinding {
    var json: JSONValue {
        [
            "kind": .string(kind.rawValue), "severity": .string(severity.rawValue), "database": .string(database),
            "fingerprint": .string(query.hex), "query": .string(text), "sentence": .string(sentence),
            "before": before?.json ?? .null, "after": after?.json ?? .null,
        ]
    }
}

extension QueryDiffView {
    var json: JSONValue {
        func words(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }
        return [
            "title": .string(title), "method": .string(method), "database": .text(database),
            "verdict": .string(diff.verdict.rawValue), "findings": .array(diff.findings.map(\.json)),
            "gaps": words(diff.gaps), "notes": words(diff.notes), "endedBy": .text(endedBy),
            "before": [
                "from": .time(before.firstAt ?? before.start), "to": .time(before.end),
                "calls": .count(before.samples.reduce(0) { $0 + $1.figures.calls }),
            ],
            "after": [
                "from": .time(afterwards.start), "to": .time(afterwards.end),
                "calls": .count(afterwards.samples.reduce(0) { $0 + $1.figures.calls }),
            ],
        ]
    }
}

enum QuerySchemas {
    private static let part = Schema.object([
        "release": Schema.nullable(Schema.text), "figures": Schema.ref("QueryFigures"),
    ])
    private static let side = Schema.object(["from": Schema.time, "to": Schema.time, "calls": Schema.count])

    static let all: [String: JSONValue] = [
        "QueryFigures": Schema.object([
            "calls": Schema.count, "totalUs": Schema.count, "meanUs": Schema.nullable(Schema.count),
            "p50Us": Schema.nullable(Schema.count), "p95Us": Schema.nullable(Schema.count),
            "p99Us": Schema.nullable(Schema.count), "rows": Schema.count, "writes": Schema.count,
            "emptyWrites": Schema.count, "errors": ["type": "object", "additionalProperties": Schema.count],
        ]),
        "QueryTraffic": Schema.object([
            "from": Schema.time, "to": Schema.time, "count": Schema.count, "databases": Schema.list(Schema.text),
            "releases": Schema.list(
                Schema.object([
                    "release": Schema.text, "calls": Schema.count, "firstAt": Schema.time, "lastAt": Schema.time,
                ])),
            "items": Schema.list(
                Schema.object([
                    "database": Schema.text, "fingerprint": Schema.text, "query": Schema.text,
                    "figures": Schema.ref("QueryFigures"), "share": Schema.integer(0...10_000),
                    "releases": Schema.list(part),
                ])),
        ]),
        "QueryHistory": Schema.object([
            "fingerprint": Schema.text, "query": Schema.text, "databases": Schema.list(Schema.text),
            "hours": Schema.list(Schema.object(["at": Schema.time, "figures": Schema.ref("QueryFigures")])),
            "releases": Schema.list(part),
        ]),
        "QueryDiff": Schema.object([
            "title": Schema.text, "method": Schema.text, "database": Schema.nullable(Schema.text),
            "verdict": Schema.word(QueryDiff.Verdict.self), "gaps": Schema.list(Schema.text),
            "notes": Schema.list(Schema.text), "endedBy": Schema.nullable(Schema.text), "before": side, "after": side,
            "findings": Schema.list(
                Schema.object([
                    "kind": Schema.word(QueryFinding.Kind.self), "severity": Schema.word(Severity.self),
                    "database": Schema.text, "fingerprint": Schema.text, "query": Schema.text, "sentence": Schema.text,
                    "before": Schema.nullable(Schema.ref("QueryFigures")),
                    "after": Schema.nullable(Schema.ref("QueryFigures")),
                ])),
        ]),
    ]
}
