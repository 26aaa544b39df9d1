import Decide

extension Release {
    /// - Parameter policy: for the gate's verdict, as it stands now.
    func json(_ policy: Policy) -> JSONValue {
        [
            "id": .string(id), "service": .string(service), "feature": .string(feature), "commit": .string(commit),
            "author": .string(author), "flag": .string(flag), "variant": .string(variant),
            "createdAt": .time(createdAt), "status": .string(status.rawValue),
            "evidence": .array(evidence.map(\.json)),
            "approvals": .array(approvals.map { ["by": .string($0.by), "at": .time($0.at)] }),
            "forced": forced.map { forced in
                [
                    "by": .string(forced.by), "reason": .string(forced.reason), "at": .time(forced.at),
                    "objections": .array(forced.objections.map(JSONValue.string)),
                ]
            } ?? .null,
            "endedAt": .time(endedAt),
            "gate": policy.feature(service, feature).map { Gate.judge(self, $0).json } ?? .null,
        ]
    }

    static let schemas: [String: JSONValue] = [
        "Release": Schema.object([
            "id": Schema.text, "service": Schema.text, "feature": Schema.text, "commit": Schema.text,
            "author": Schema.text, "flag": Schema.text, "variant": Schema.text, "createdAt": Schema.time,
            "status": Schema.word("waiting", "rollingOut", "live", "undone"),
            "evidence": Schema.list(Schema.ref("TestEvidence")),
            "approvals": Schema.list(Schema.object(["by": Schema.text, "at": Schema.time])),
            "forced": Schema.nullable(
                Schema.object([
                    "by": Schema.text, "reason": Schema.text, "at": Schema.time,
                    "objections": Schema.list(Schema.text),
                ])),
            "endedAt": Schema.nullable(Schema.time), "gate": Schema.nullable(Schema.ref("GateVerdict")),
        ]),
        "TestEvidence": Schema.object([
            "commit": Schema.text, "source": Schema.text, "digest": Schema.text, "cases": Schema.count,
            "skipped": Schema.count, "failed": Schema.count, "failing": Schema.list(Schema.text),
            "featureCases": Schema.count, "featureFailed": Schema.count,
        ]),
        "GateVerdict": Schema.object([
            "allowed": Schema.flag,
            "reasons": Schema.list(
                Schema.object(["rule": Schema.text, "holds": Schema.flag, "text": Schema.text])),
        ]),
    ]
}

extension GateVerdict {
    var json: JSONValue { ["allowed": .bool(allowed), "reasons": .array(reasons.map(\.json))] }
}

extension GateVerdict.Reason {
    var json: JSONValue { ["rule": .string(rule), "holds": .bool(holds), "text": .string(text)] }
}

extension TestEvidence {
    var json: JSONValue {
        [
            "commit": .string(commit), "source": .string(source), "digest": .string(digest), "cases": .count(cases),
            "skipped": .count(skipped), "failed": .count(failed), "failing": .array(failing.map(JSONValue.string)),
            "featureCases": .count(featureCases), "featureFailed": .count(featureFailed),
        ]
    }
}
