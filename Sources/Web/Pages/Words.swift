import Decide
import Explain
import Record

/// How serious something looks. Each has its colour and its icon; the word beside them says it too.
enum Tone: String {
    case well, ill, warn, info, calm
}

/// Values of the record in the words and marks that pages show.
enum Words {
    static func badge(_ tone: Tone, _ icon: String, _ word: String) -> Fields {
        ["tone": tone.rawValue, "icon": "icon-\(icon)", "word": word]
    }

    static func badge(_ health: Health) -> Fields {
        switch health {
        case .well: badge(.well, "ok", "Works")
        case .ill: badge(.ill, "ill", "Does not work")
        case .unknown: badge(.calm, "unknown", "Not known")
        }
    }

    /// A service is many things; one of them being ill does not make it useless.
    static func badge(ofService health: Health) -> Fields {
        switch health {
        case .well: badge(.well, "ok", "All works")
        case .ill: badge(.ill, "ill", "In trouble")
        case .unknown: badge(.calm, "unknown", "Not all known")
        }
    }

    static func badge(_ status: Incident.Status) -> Fields {
        switch status {
        case .triggered: badge(.ill, "ill", "Triggered")
        case .acknowledged: badge(.warn, "person", "Acknowledged")
        case .mitigated: badge(.info, "undo", "Mitigated")
        case .resolved: badge(.well, "ok", "Resolved")
        case .reviewed: badge(.calm, "document", "Reviewed")
        }
    }

    static func badge(_ status: Release.Status, isForced: Bool, isAllowed: Bool?) -> Fields {
        switch status {
        case .waiting where isAllowed == true: badge(.well, "ok", "Allowed, not started")
        case .waiting: badge(.warn, "shield", "Blocked by the gate")
        case .rollingOut: badge(isForced ? .warn : .info, "rollout", isForced ? "Rolling out, forced" : "Rolling out")
        case .live: badge(.well, "ok", "Live")
        case .undone: badge(.calm, "undo", "Undone")
        }
    }

    static func badge(_ line: CheckLine) -> Fields {
        switch line.health {
        case .well: badge(.well, "ok", "passing")
        case .ill: badge(.ill, "ill", "failing")
        case .unknown: badge(.calm, "unknown", line.isStale ? "no recent result" : "no result yet")
        }
    }

    static func badge(_ severity: Severity) -> Fields {
        switch severity {
        case .critical: badge(.ill, "ill", "critical")
        case .high: badge(.warn, "ill", "high")
        case .low: badge(.calm, "ill", "low")
        }
    }

    static func certainty(_ cause: IncidentCause) -> Fields {
        switch cause.certainty {
        case .proven: badge(.ill, "flask", "proven by experiment")
        case .undone: badge(.info, "undo", "undone, not proven")
        case .suspected: badge(.warn, "unknown", "suspected")
        }
    }

    static func verdict(_ suspect: Suspect) -> Fields? {
        switch suspect.verdict {
        case .proven: badge(.ill, "flask", "proven by experiment")
        case .cleared: badge(.well, "flask", "cleared by experiment")
        case .noDifference: badge(.calm, "flask", "no difference in the experiment")
        case nil: nil
        }
    }

    // MARK: Timeline

    static func line(_ line: TimelineEntry, since origin: Instant? = nil) -> Fields {
        let (tone, icon) = look(line.entry.kind)
        return [
            "id": String(line.id), "href": Links.entry(line.id), "tone": tone.rawValue, "icon": "icon-\(icon)",
            "text": line.entry.text, "at": time(line.at), "actor": line.actor.name,
            "elapsed": origin.map { (line.at < $0 ? "" : "+") + (line.at - $0).spoken },
        ]
    }

    /// By kind: `incident.opened`.
    private static func look(_ kind: String) -> (Tone, String) {
        switch kind {
        case "incident.opened", "check.failed", "reports.fired", "incident.alert_added", "query.tripped",
            "query.refused":
            (.ill, "ill")
        case "incident.resolved", "incident.verified", "check.recovered", "rollout.completed", "gate.allowed",
            "query.released", "query.let_in", "query.calm":
            (.well, "ok")
        case "release.forced", "rollout.held", "rollout.suspended", "undo.withheld", "undo.asked", "query.observed",
            "query.capped", "query.large", "query.lost":
            (.warn, "shield")
        case "page.failed", "page.impossible", "page.delayed": (.warn, "bell")
        case "flag.undone", "incident.mitigated", "rollout.undone", "release.undone": (.info, "undo")
        case "incident.suspect_named": (.warn, "change")
        case "incident.acknowledged": (.info, "person")
        case "incident.noted", "incident.reviewed", "incident.repaged": (.calm, "note")
        default: (.calm, family(String(kind.prefix { $0 != "." })))
        }
    }

    private static func family(_ capability: String) -> String {
        switch capability {
        case "flag": "flag"
        case "rollout", "release": "rollout"
        case "gate", "query", "rule": "shield"
        case "experiment": "flask"
        case "page": "bell"
        case "report", "reports": "report"
        case "check": "pulse"
        case "account", "session", "token": "key"
        default: "change"
        }
    }

    // MARK: Changes and incidents

    static func change(_ change: Change) -> Fields {
        [
            "anchor": "c-\(Links.segment(change.id))", "href": Links.change(change.id), "title": change.title,
            "icon": change.kind == .release ? "icon-rollout" : change.kind == .flag ? "icon-flag" : "icon-change",
            "forced": change.forced, "undone": change.undoneAt != nil, "undoneAt": change.undoneAt.map { time($0) },
            "at": time(change.at), "actor": change.actor.name, "service": change.service,
            "reason": change.reason.flatMap { $0.isEmpty ? nil : $0 },
        ]
    }

    static func incident(_ line: IncidentLine) -> Fields {
        let incident = line.incident
        return [
            "href": Links.incident(incident.id), "id": incident.id, "title": incident.title,
            "service": incident.service, "badge": badge(incident.status), "tone": tone(incident).rawValue,
            "severity": badge(incident.severity), "since": time(incident.troubleSince),
            "ticks": line.isOpen ? String(incident.troubleSince.milliseconds) : nil,
            "duration": line.duration.spoken, "hits": hits(incident), "changed": changed(incident),
            "doing": line.doing, "primary": incident.status == .triggered,
        ]
    }

    static func tone(_ incident: Incident) -> Tone {
        switch incident.status {
        case .triggered: .ill
        case .acknowledged: .warn
        case .mitigated: .info
        case .resolved: .well
        case .reviewed: .calm
        }
    }

    static func hits(_ incident: Incident) -> String {
        let exposed =
            incident.isExposureKnown ? incident.exposureWords : "How many users is not known"
        return incident.reporters > 0
            ? "\(exposed); \(count(incident.reporters, "customer", "customers")) reported it" : exposed
    }

    static func changed(_ incident: Incident) -> String {
        guard let cause = incident.cause else { return "No change is suspected" }
        switch cause.certainty {
        case .proven: return "\(cause.change.title) (proven)"
        case .undone: return "\(cause.change.title) (undone)"
        case .suspected: return "\(cause.change.title) (suspected)"
        }
    }

    static func count(_ number: Int, _ one: String, _ many: String) -> String {
        "\(number) \(number == 1 ? one : many)"
    }

    static func stages(_ stages: [ReleaseView.Stage], isStopped: Bool = false) -> [Fields] {
        stages.map { stage in
            [
                "share": percent(basisPoints: stage.share),
                "hold": stage.hold == .zero ? "no hold" : "hold \(stage.hold)",
                "isPresent": stage.isPresent, "verdict": stage.verdict?.rawValue,
                "state": stage.isPresent ? isStopped ? "stopped here" : "now" : "to come",
                "tone": (stage.verdict.map(tone) ?? (stage.isPresent ? isStopped ? .ill : .info : .calm)).rawValue,
                "icon": stage.verdict.map { "icon-\($0 == .proven ? "ok" : $0 == .worse ? "ill" : "unknown")" },
            ]
        }
    }

    private static func tone(_ verdict: Rollout.Verdict) -> Tone {
        switch verdict {
        case .proven: .well
        case .worse: .ill
        case .unproven: .warn
        }
    }
}
