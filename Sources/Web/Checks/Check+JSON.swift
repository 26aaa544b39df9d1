import Decide
import Record

extension CheckPolicy {
    /// - Parameter state: nil for a check that has not run yet.
    func json(_ state: CheckState?) -> JSONValue {
        [
            "id": .string(id), "service": .string(service), "feature": .text(feature), "component": .text(component),
            "team": .string(team), "severity": .string(severity.rawValue), "isJourney": .bool(isJourney),
            "isHeartbeat": .bool(heartbeatGrace != nil), "everyMs": .integer(every.milliseconds),
            "status": .string((state?.status ?? .unknown).rawValue), "since": .time(state?.since),
            "failuresInARow": .count(state?.failuresInARow ?? 0), "heardAt": .time(state?.heardAt),
            "lastFailure": state?.lastFailure?.json ?? .null,
        ]
    }
}

extension CheckResult {
    var json: JSONValue {
        [
            "check": .string(check), "startedAt": .time(startedAt), "tookMs": .integer(took.milliseconds),
            "passed": .bool(passed), "forced": .map(forced), "steps": .array(steps.map(\.json)),
            "failure": failure.map { failure in
                [
                    "kind": .string(failure.kind.rawValue), "step": .text(failure.step),
                    "message": .string(failure.message),
                ]
            } ?? .null,
        ]
    }

    static let schemas: [String: JSONValue] = [
        "Check": Schema.object([
            "id": Schema.text, "service": Schema.text, "feature": Schema.nullable(Schema.text),
            "component": Schema.nullable(Schema.text), "team": Schema.text, "severity": Schema.word(Severity.self),
            "isJourney": Schema.flag, "isHeartbeat": Schema.flag, "everyMs": Schema.count,
            "status": Schema.word("unknown", "passing", "failing"), "since": Schema.nullable(Schema.time),
            "failuresInARow": Schema.count, "heardAt": Schema.nullable(Schema.time),
            "lastFailure": Schema.nullable(Schema.ref("CheckResult")),
        ]),
        "CheckDetails": Schema.object([
            "check": Schema.ref("Check"), "samples": Schema.list(Schema.ref("CheckSample")),
        ]),
        "CheckSample": Schema.object([
            "at": Schema.time, "runs": Schema.count, "failures": Schema.count, "tookAverageMs": Schema.count,
            "tookMaxMs": Schema.count, "lastFailure": Schema.nullable(Schema.text),
        ]),
        "CheckResult": Schema.object([
            "check": Schema.text, "startedAt": Schema.time, "tookMs": Schema.integer, "passed": Schema.flag,
            "forced": Schema.words, "steps": Schema.list(Schema.ref("StepResult")),
            "failure": Schema.nullable(
                Schema.object([
                    "kind": Schema.word("assertion", "unreachable", "timeout", "definition", "cleanUp", "silence"),
                    "step": Schema.nullable(Schema.text), "message": Schema.text,
                ])),
        ]),
        "StepResult": Schema.object([
            "name": Schema.text, "did": Schema.text, "tookMs": Schema.integer, "attempts": Schema.count,
            "failure": Schema.nullable(Schema.text),
        ]),
    ]
}

extension StepResult {
    var json: JSONValue {
        [
            "name": .string(name), "did": .string(did), "tookMs": .integer(took.milliseconds),
            "attempts": .count(attempts), "failure": .text(failure),
        ]
    }
}

extension CheckSample {
    var json: JSONValue {
        [
            "at": .time(at), "runs": .count(runs), "failures": .count(failures),
            "tookAverageMs": .integer(tookAverage.milliseconds), "tookMaxMs": .integer(tookMax.milliseconds),
            "lastFailure": .text(lastFailure),
        ]
    }
}
