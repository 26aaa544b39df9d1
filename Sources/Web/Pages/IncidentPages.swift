import Decide
import Explain
import Hummingbird
import Record

/// The list of incidents, and one incident with everything a responder needs.
enum IncidentPages {
    static func add(to routes: PageRoutes) {
        routes.get("/incidents") { call, notice in try await list(call, notice) }
        routes.get("/incidents/{id}") { call, notice in try await show(call, notice) }
        post(routes, "acknowledge", "acknowledged") { _, _ in .acknowledged }
        post(routes, "undo", "undone") { _, form in .undoRequested(change: form.trimmed("change")) }
        post(routes, "resolve", "resolved") { _, form in .resolved(reason: try form.reason("it is over")) }
        post(routes, "review", "reviewed") { _, _ in .reviewed }
        post(routes, "note", "noted") { _, form in .noted(form.trimmed("text")) }
    }

    private static func post(
        _ routes: PageRoutes, _ action: String, _ word: String,
        _ event: @escaping @Sendable (PageCall, FormFields) throws -> IncidentEvent
    ) {
        routes.post("/incidents/{id}/\(action)", on: { call, notice in try await show(call, notice) }) { call in
            let id = try call.parameter("id")
            let event = try event(call, try await call.form())
            try await call.record.apply(Subject(.incident, id), .incident(event), by: call.identity.actor)
            return call.done(Links.incident(id), word)
        }
    }

    // MARK: List

    private static func list(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let view = try await IncidentListView.load(before: call.before, call.record, now: call.now)
        return try await call.respond(
            PageContent(
                "Incidents", .incidents, "incidents",
                [
                    "open": view.open.map { Words.incident($0) }, "isCalm": view.open.isEmpty && call.before == nil,
                    "past": view.past.isEmpty ? nil : ["items": view.past.map { Words.incident($0) }] as Fields,
                    "older": view.before.map { "/incidents?before=\(RFC3339.format($0))" },
                ], follows: "", notice: notice))
    }

    // MARK: One

    private static func show(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let id = try call.parameter("id")
        guard let view = try await IncidentView.load(id, call.record, now: call.now) else {
            throw Problem.notFound("incident '\(id)'")
        }
        return try await call.respond(page(view, csrf: call.csrf, mayAct: call.isResponder, notice: notice))
    }

    static func page(_ view: IncidentView, csrf: String, mayAct: Bool, notice: Notice? = nil) -> PageContent {
        let incident = view.incident
        let head: Fields = [
            "id": incident.id, "title": incident.title, "badge": Words.badge(incident.status),
            "severity": Words.badge(incident.severity), "tone": Words.tone(incident).rawValue,
            "service": incident.service, "feature": incident.feature, "team": incident.team,
            "since": Words.time(incident.troubleSince), "duration": view.line.duration.spoken,
            "ticks": view.line.isOpen ? String(incident.troubleSince.milliseconds) : nil,
            "ended": Words.optionalTime(incident.resolvedAt), "doing": view.line.doing,
            "summary": incident.alerts.min { $0.since < $1.since }?.words,
            "outcome": incident.status.isOpen ? "Being done" : "Outcome",
            "postmortem": Links.postmortem(incident.id), "isOpen": incident.status.isOpen, "csrf": csrf,
            "path": Links.incident(incident.id), "mayAct": mayAct,
        ]
        return PageContent(
            incident.title, .incidents, "incident",
            head.adding(impact(view)).adding(cause(view)).adding(evidence(view)).adding(queries(view))
                .adding(actions(view)).adding(story(view)),
            follows: incident.id, refresh: incident.status.isOpen ? 20 : nil, notice: notice)
    }

    private static func impact(_ view: IncidentView) -> Fields {
        let incident = view.incident
        return [
            "share": incident.exposedShare.map { percent(basisPoints: $0) } ?? "Not known",
            "exposed": incident.isExposureKnown
                ? incident.usersActive > 0
                    ? "\(incident.usersExposed) of \(incident.usersActive) active users met the change"
                    : "\(incident.usersExposed) users met the change" : "The suspect does not tell who met it",
            "reporters": incident.reporters > 0
                ? "\(Words.count(incident.reporters, "customer", "customers")) reported it"
                : "No customer has reported it",
        ]
    }

    private static func cause(_ view: IncidentView) -> Fields {
        let incident = view.incident
        let suspects: [Fields] = incident.suspects.enumerated().map { index, suspect in
            [
                "rank": String(index + 1), "title": suspect.change.title, "href": Links.change(suspect.change.id),
                "actor": suspect.change.actor.name, "at": Words.time(suspect.change.at),
                "verdict": Words.verdict(suspect),
                "reasons": suspect.reasons, "forced": suspect.change.forced,
                "undoneBy": incident.undone[suspect.change.id],
            ]
        }
        return [
            "cause": incident.cause.map {
                [
                    "title": $0.change.title, "href": Links.change($0.change.id), "certainty": Words.certainty($0),
                    "actor": $0.change.actor.name, "at": Words.time($0.change.at), "forced": $0.change.forced,
                ] as Fields
            },
            "hasSuspects": !suspects.isEmpty, "suspects": suspects,
        ]
    }

    // MARK: What was done, and by whom

    private static func story(_ view: IncidentView) -> Fields {
        let incident = view.incident
        let origin = view.times[view.times.origin]
        let moments: [Fields] = view.times.known.map { moment, at in
            let elapsed = view.times.elapsed(moment)
            return [
                "title": moment.title, "at": Words.time(at),
                "elapsed": elapsed.map { ($0 < .zero ? "" : "+") + $0.spoken } ?? "",
                "isOrigin": moment == view.times.origin,
            ]
        }
        let notes = incident.notes.map { ["by": $0.by, "at": Words.time($0.at), "text": $0.text] as Fields }
        return [
            "moments": moments, "origin": view.times.origin.title.lowercased(),
            "done": view.done.isEmpty
                ? nil : ["items": view.done.map { ["at": Words.time($0.at), "text": $0.text] as Fields }] as Fields,
            "pages": view.pages.map(page), "hasPages": !view.pages.isEmpty, "notes": notes, "hasNotes": !notes.isEmpty,
            "reports": view.reports.isEmpty
                ? nil
                : [
                    "count": Words.count(view.reports.count, "report", "reports"),
                    "items": view.reports.prefix(20).map { ["text": $0.text, "at": Words.time($0.at)] as Fields },
                    "more": view.reports.count > 20 ? "\(view.reports.count - 20) more in the timeline." : nil,
                ] as Fields,
            "lines": view.timeline.map { Words.line($0, since: origin) },
        ]
    }

    private static func page(_ page: Page) -> Fields {
        let badge =
            switch page.status {
            case .delivered: Words.badge(.well, "ok", "delivered")
            case .queued: Words.badge(.warn, "wait", page.attempts > 0 ? "trying again" : "on its way")
            case .failed: Words.badge(.ill, "ill", "failed")
            }
        return [
            "to": page.delivery.target.name, "by": page.delivery.target.method.rawValue, "badge": badge,
            "at": Words.time(page.deliveredAt ?? page.requestedAt), "title": page.delivery.message.title,
            "proof": page.status == .delivered ? page.proof : page.lastFailure,
        ]
    }

    private static func actions(_ view: IncidentView) -> Fields {
        var (acknowledge, resolve, review) = (false, false, false)
        var undos: [Fields] = []
        for choice in view.choices {
            switch choice {
            case .acknowledge: acknowledge = true
            case .undo(let change):
                undos.append(["change": change.id, "title": change.title, "isFirst": undos.isEmpty])
            case .resolve: resolve = true
            case .review: review = true
            case .note: break
            }
        }
        return [
            "acknowledge": acknowledge, "undos": undos, "resolve": resolve, "review": review,
            "acknowledgedBy": view.incident.acknowledgedBy,
        ]
    }
}
