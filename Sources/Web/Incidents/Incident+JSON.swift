import Decide

extension Incident {
    var json: JSONValue {
        [
            "id": .string(id), "service": .string(service), "feature": .string(feature), "team": .string(team),
            "severity": .string(severity.rawValue), "status": .string(status.rawValue), "title": .string(title),
            "openedAt": .time(openedAt), "troubleSince": .time(troubleSince), "alerts": .array(alerts.map(\.json)),
            "suspects": .array(suspects.map(\.json)), "experiments": .array(experiments.map(\.json)),
            "usersExposed": .count(usersExposed), "usersActive": .count(usersActive),
            "reporters": .count(reporters), "reports": .count(reports), "acknowledgedAt": .time(acknowledgedAt),
            "acknowledgedBy": .text(acknowledgedBy), "undone": .map(undone), "undoneAt": .time(undoneAt),
            "verifiedAt": .time(verifiedAt), "resolvedAt": .time(resolvedAt), "resolvedBy": .text(resolvedBy),
            "reviewedBy": .text(reviewedBy), "pagedAt": .time(pagedAt),
            "notes": .array(
                notes.map { ["at": .time($0.at), "by": .string($0.by), "text": .string($0.text)] }),
        ]
    }

    static let schemas: [String: JSONValue] = [
        "Incident": Schema.object([
            "id": Schema.text, "service": Schema.text, "feature": Schema.text, "team": Schema.text,
            "severity": Schema.word(Severity.self), "status": Schema.word(Incident.Status.self), "title": Schema.text,
            "openedAt": Schema.time, "troubleSince": Schema.time, "alerts": Schema.list(Schema.ref("Alert")),
            "suspects": Schema.list(Schema.ref("Suspect")), "experiments": Schema.list(Schema.ref("Experiment")),
            "usersExposed": Schema.count, "usersActive": Schema.count, "reporters": Schema.count,
            "reports": Schema.count, "acknowledgedAt": Schema.nullable(Schema.time),
            "acknowledgedBy": Schema.nullable(Schema.text), "undone": Schema.words,
            "undoneAt": Schema.nullable(Schema.time), "verifiedAt": Schema.nullable(Schema.time),
            "resolvedAt": Schema.nullable(Schema.time), "resolvedBy": Schema.nullable(Schema.text),
            "reviewedBy": Schema.nullable(Schema.text), "pagedAt": Schema.nullable(Schema.time),
            "notes": Schema.list(Schema.object(["at": Schema.time, "by": Schema.text, "text": Schema.text])),
        ]),
        "Alert": Schema.object([
            "id": Schema.text, "kind": Schema.word("journey", "check", "reports", "query"),
            "severity": Schema.word(Severity.self), "since": Schema.time, "summary": Schema.text,
            "forced": Schema.words, "isDefinitionFault": Schema.flag, "steps": Schema.list(Schema.ref("StepResult")),
            "resolvedAt": Schema.nullable(Schema.time), "query": Schema.nullable(Schema.ref("QueryDecision")),
        ]),
        "Suspect": Schema.object([
            "change": Schema.ref("Change"), "score": ["type": "number"], "reasons": Schema.list(Schema.text),
            "verdict": Schema.nullable(Schema.word("proven", "cleared", "noDifference")),
            "exposedUsers": Schema.nullable(Schema.count),
        ]),
        "Experiment": Schema.object([
            "change": Schema.text, "check": Schema.text, "oldVariant": Schema.text, "newVariant": Schema.text,
            "old": Schema.nullable(Schema.ref("CheckResult")), "new": Schema.nullable(Schema.ref("CheckResult")),
            "verdict": Schema.nullable(Schema.word("proven", "cleared", "noDifference")),
            "endedAt": Schema.nullable(Schema.time), "failure": Schema.nullable(Schema.text),
        ]),
        "Page": Schema.object([
            "id": Schema.text, "incident": Schema.text, "to": Schema.text,
            "method": Schema.word(PageTarget.Method.self), "title": Schema.text,
            "status": Schema.word("queued", "delivered", "failed"), "requestedAt": Schema.time,
            "deliveredAt": Schema.nullable(Schema.time), "proof": Schema.nullable(Schema.text),
            "attempts": Schema.count, "lastFailure": Schema.nullable(Schema.text),
            "usedLinks": Schema.list(Schema.text),
        ]),
    ]
}

extension Alert {
    var json: JSONValue {
        [
            "id": .string(id), "kind": .string(kind.rawValue), "severity": .string(severity.rawValue),
            "since": .time(since), "summary": .string(summary), "forced": .map(forced),
            "isDefinitionFault": .bool(isDefinitionFault), "steps": .array(steps.map(\.json)),
            "resolvedAt": .time(resolvedAt), "query": query?.json ?? .null,
        ]
    }
}

extension Suspect {
    var json: JSONValue {
        [
            "change": change.json, "score": .double(score), "reasons": .array(reasons.map(JSONValue.string)),
            "verdict": .text(verdict?.rawValue), "exposedUsers": exposedUsers.map(JSONValue.count) ?? .null,
        ]
    }
}

extension Incident.Experiment {
    var json: JSONValue {
        [
            "change": .string(change), "check": .string(check), "oldVariant": .string(oldVariant),
            "newVariant": .string(newVariant), "old": old?.json ?? .null, "new": new?.json ?? .null,
            "verdict": .text(verdict?.rawValue), "endedAt": .time(endedAt), "failure": .text(failure),
        ]
    }
}

extension Page {
    /// Without its message's links, which are made only when it is sent.
    var json: JSONValue {
        [
            "id": .string(id), "incident": .string(delivery.incident), "to": .string(delivery.target.name),
            "method": .string(delivery.target.method.rawValue), "title": .string(delivery.message.title),
            "status": .string(status.rawValue), "requestedAt": .time(requestedAt), "deliveredAt": .time(deliveredAt),
            "proof": .text(proof), "attempts": .count(attempts), "lastFailure": .text(lastFailure),
            "usedLinks": .array(usedLinks.map(JSONValue.string)),
        ]
    }
}
