import Decide
import Explain
import Hummingbird
import Record

/// Releases: the gate's answer with every reason, and what a person may do about it.
enum ReleasePages {
    static func add(to routes: PageRoutes) {
        routes.get("/releases") { call, notice in try await list(call, notice) }
        routes.get("/releases/{id}") { call, notice in try await show(call, notice) }
        post(routes, "approve", "approved") { .approved(commit: $0.trimmed("commit")) }
        post(routes, "start", "started") { _ in .started }
        post(routes, "force", "forced") { .forced(reason: try $0.reason("the gate is wrong")) }
    }

    private static func post(
        _ routes: PageRoutes, _ action: String, _ word: String,
        _ event: @escaping @Sendable (FormFields) throws -> ReleaseEvent
    ) {
        routes.post("/releases/{id}/\(action)", on: { call, notice in try await show(call, notice) }) { call in
            let id = try call.parameter("id")
            let event = try event(try await call.form())
            try await call.record.apply(Subject(.release, id), .release(event), by: call.identity.actor)
            return call.done(Links.release(id), word)
        }
    }

    private static func list(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let view = try await ReleaseListView.load(before: call.before, call.record)
        let lines: [Fields] = view.lines.map { line in
            let release = line.release
            return [
                "href": Links.release(release.id), "title": "\(release.feature) \(release.variant)",
                "service": release.service, "commit": release.shortCommit, "author": release.author,
                "at": Words.time(release.createdAt),
                "badge": Words.badge(
                    release.status, isForced: release.forced != nil, isAllowed: line.verdict?.allowed),
                "forced": release.forced != nil,
            ]
        }
        return try await call.respond(
            PageContent(
                "Releases", .releases, "releases",
                [
                    "lines": lines, "isEmpty": lines.isEmpty,
                    "older": view.before.map { "/releases?before=\(RFC3339.format($0))" },
                ], follows: call.before == nil ? "" : nil, notice: notice))
    }

    private static func show(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let id = try call.parameter("id")
        guard let view = try await ReleaseView.load(id, call.record, now: call.now) else {
            throw Problem.notFound("release '\(id)'")
        }
        return try await call.respond(page(view, identity: call.identity, notice: notice))
    }

    static func page(_ view: ReleaseView, identity: Identity, notice: Notice? = nil) -> PageContent {
        let release = view.release
        let (allowed, mayAct) = (view.verdict?.allowed, identity.may(.responder) && view.isWaiting)
        let fields: Fields = [
            "title": "\(release.feature) \(release.variant)", "id": release.id, "service": release.service,
            "feature": release.feature, "commit": release.commit, "author": release.author, "variant": release.variant,
            "created": Words.time(release.createdAt), "flag": Links.flag(release.service, release.flag),
            "flagKey": release.flag, "path": Links.release(release.id), "csrf": identity.csrf ?? "",
            "badge": Words.badge(release.status, isForced: release.forced != nil, isAllowed: allowed),
            "incident": view.incident.map { Words.incident($0) },
            "mayAct": mayAct, "canApprove": mayAct && view.canApprove(identity.account),
            "isAuthor": mayAct && identity.account == release.author, "canStart": mayAct && allowed == true,
            "canForce": mayAct && allowed == false, "objections": view.verdict?.objections ?? [],
        ]
        return PageContent(
            "Release \(release.feature) \(release.variant)", .releases, "release",
            fields.adding(gate(view)).adding(proof(view)), follows: "", refresh: 15, notice: notice)
    }

    private static func gate(_ view: ReleaseView) -> Fields {
        let tone: Tone = view.verdict.map { $0.allowed ? .well : .ill } ?? .calm
        return [
            "gateTone": tone.rawValue,
            "gateBadge": view.verdict.map {
                $0.allowed
                    ? Words.badge(.well, "ok", view.isWaiting ? "The gate allows it" : "The gate allowed it")
                    : Words.badge(.ill, "shield", view.isWaiting ? "The gate blocks it" : "The gate blocked it")
            } ?? Words.badge(.calm, "unknown", "The feature is no longer configured"),
            "reasons": (view.verdict?.reasons ?? []).map {
                [
                    "text": $0.text, "tone": $0.holds ? "well" : "ill", "icon": $0.holds ? "icon-ok" : "icon-ill",
                    "word": $0.holds ? "holds" : "does not hold", "rule": $0.rule,
                ] as Fields
            },
            "forced": view.release.forced.map {
                ["by": $0.by, "at": Words.time($0.at), "reason": $0.reason] as Fields
            },
        ]
    }

    private static func proof(_ view: ReleaseView) -> Fields {
        let release = view.release
        return [
            "evidence": release.evidence.map { evidence in
                [
                    "source": evidence.source, "commit": String(evidence.commit.prefix(12)),
                    "isForeign": evidence.commit != release.commit, "cases": String(evidence.cases),
                    "failed": String(evidence.failed), "skipped": String(evidence.skipped),
                    "own": String(evidence.featureCases), "isBad": evidence.failed > 0,
                    "failing": evidence.failing.isEmpty ? nil : evidence.failing.joined(separator: ", "),
                    "digest": String(evidence.digest.prefix(12)),
                ] as Fields
            },
            "hasEvidence": !release.evidence.isEmpty,
            "approvals": release.approvals.map { ["by": $0.by, "at": Words.time($0.at)] as Fields },
            "hasApprovals": !release.approvals.isEmpty,
            "stages": Words.stages(view.stages, isStopped: view.rollout?.status == .suspended),
            "hasStages": !view.stages.isEmpty, "rollout": rollout(view.rollout),
            "lines": view.timeline.map { Words.line($0) }, "hasLines": !view.timeline.isEmpty,
        ]
    }

    private static func rollout(_ rollout: Rollout?) -> Fields? {
        rollout.map {
            switch $0.status {
            case .running: Words.badge(.info, "rollout", "Running")
            case .suspended: Words.badge(.ill, "ill", "Stopped: a journey fails")
            case .completed: Words.badge(.well, "ok", "Completed")
            case .undone: Words.badge(.calm, "undo", "Undone")
            }
        }
    }

    static let listTemplate = """
        <h1>Releases</h1>
        {{#isEmpty}}<p class="empty">No release yet. CI creates one with <code>mainstay release create</code>.</p>{{/isEmpty}}
        {{^isEmpty}}<div class="scroll" id="releases" data-live tabindex="0" role="region" aria-label="Releases"><table class="list"><thead><tr><th scope="col">Release</th><th scope="col">State</th><th scope="col">Commit</th><th scope="col">Author</th><th scope="col">Created</th></tr></thead>
        <tbody>{{#lines}}<tr><th scope="row"><a href="{{href}}">{{title}}</a><span class="quiet"> {{service}}</span></th><td>{{#badge}}{{>badge}}{{/badge}}{{#forced}} <span class="badge warn">{{>icon-shield}}forced</span>{{/forced}}</td><td><code>{{commit}}</code></td><td>{{author}}</td><td>{{#at}}{{>time}}{{/at}}</td></tr>{{/lines}}</tbody></table></div>{{/isEmpty}}
        {{#older}}<p class="more"><a href="{{older}}">Older releases {{>icon-next}}</a></p>{{/older}}
        """

    static let template = """
        <p class="crumbs"><a href="/releases">Releases</a> / {{id}}</p>
        <header class="head" id="release-head" data-live><h1>{{title}}</h1>{{#badge}}{{>badge}}{{/badge}}<p class="quiet">{{service}} · commit <code>{{commit}}</code> · by {{author}}, {{#created}}{{>time}}{{/created}} · flag <a href="{{flag}}">{{flagKey}}</a></p></header>
        <section id="release-incident" data-live>{{#incident}}{{>incident-card}}{{/incident}}</section>
        <section class="card verdict {{gateTone}}" id="gate" data-live aria-labelledby="gate-title"><header>{{#gateBadge}}{{>badge}}{{/gateBadge}}<h2 id="gate-title">The gate</h2></header>
        <ul class="reasons">{{#reasons}}<li class="{{tone}}"><span class="mark">{{>*icon}}</span><p><strong>{{rule}} <span class="hidden">{{word}}</span></strong> {{text}}</p></li>{{/reasons}}</ul>
        {{#forced}}<div class="notice warn">{{>icon-shield}}<div><p>Forced past the gate by {{by}}, {{#at}}{{>time}}{{/at}}: “{{reason}}”</p></div></div>{{/forced}}
        </section>
        {{#mayAct}}<section class="actions" id="acts" data-live aria-label="What you can do">
        {{#canApprove}}<form method="post" action="{{path}}/approve">{{>csrf}}<input type="hidden" name="commit" value="{{commit}}"><button{{^canStart}} class="primary"{{/canStart}}>{{>icon-ok}}Approve this commit</button></form>{{/canApprove}}
        {{#canStart}}<form method="post" action="{{path}}/start">{{>csrf}}<button class="primary">{{>icon-rollout}}Start the rollout</button></form>{{/canStart}}
        {{#canForce}}<details id="force"><summary class="button">{{>icon-shield}}Force past the gate</summary><form method="post" action="{{path}}/force">{{>csrf}}<p>The gate says:</p><ul>{{#objections}}<li>{{.}}</li>{{/objections}}</ul><p>What you write is kept in the timeline, in any incident and in its postmortem.</p><label for="reason">Why is the gate wrong?</label><input id="reason" name="reason" required maxlength="1000" autocomplete="off"><button class="danger">Force it</button></form></details>{{/canForce}}
        {{#isAuthor}}<p class="quiet">You are its author: someone else has to approve it.</p>{{/isAuthor}}
        </section>{{/mayAct}}
        {{#hasStages}}<section id="rollout" data-live aria-labelledby="rollout-title"><header class="head"><h2 id="rollout-title">Rollout</h2>{{#rollout}}{{>badge}}{{/rollout}}</header>{{>steps}}</section>{{/hasStages}}
        <div class="pair">
        <section id="evidence" data-live><h2>Evidence</h2>
        {{^hasEvidence}}<p class="empty">No test report is attached.</p>{{/hasEvidence}}
        <ul class="plain">{{#evidence}}<li><strong>{{source}}</strong> of <code>{{commit}}</code>{{#isForeign}} <span class="badge warn">{{>icon-ill}}another commit</span>{{/isForeign}}<p class="by">{{cases}} cases, {{own}} of {{feature}}, {{failed}} failed, {{skipped}} skipped · <code>{{digest}}</code></p>{{#failing}}<p class="why">{{failing}}</p>{{/failing}}</li>{{/evidence}}</ul>
        </section>
        <section id="approvals" data-live><h2>Approvals</h2>
        {{^hasApprovals}}<p class="empty">Nobody has approved it.</p>{{/hasApprovals}}
        <ul class="plain">{{#approvals}}<li>{{>icon-person}} <strong>{{by}}</strong><p class="by">{{#at}}{{>time}}{{/at}}</p></li>{{/approvals}}</ul>
        </section>
        </div>
        <section id="lines" data-live>{{#hasLines}}<h2>Timeline</h2>{{>lines}}{{/hasLines}}</section>
        """
}
