import Decide
import Explain
import Hummingbird
import Record

/// Everything at a glance.
enum DashboardPages {
    static func add(to routes: PageRoutes) {
        routes.get("/") { call, notice in try await show(call, notice) }
    }

    static func show(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let view = try await DashboardView.load(call.record, now: call.now)
        return try await call.respond(page(view, notice: notice))
    }

    static func page(_ view: DashboardView, notice: Notice? = nil) -> PageContent {
        PageContent(
            view.incidents.count == 1 ? view.incidents[0].incident.title : headline(view), .dashboard, "dashboard",
            [
                "headline": headline(view), "tone": tone(view.health).rawValue, "icon": "icon-\(icon(view.health))",
                "isIll": view.health == .ill,
                "sentence": sentence(view), "incidents": view.incidents.map { Words.incident($0) },
                "rollouts": some(view.rollouts.map(rollout)), "services": view.services.map { service($0, view) },
                "changes": some(view.changes.map { Words.change($0) }), "ended": some(view.ended.map(ended)),
                "isEmpty": view.services.isEmpty,
            ], follows: "", refresh: 15, notice: notice)
    }

    /// Nil instead of an empty list, so that its heading stays away too.
    private static func some(_ items: [Fields]) -> Fields? { items.isEmpty ? nil : ["items": items] }

    private static func tone(_ health: Health) -> Tone {
        switch health {
        case .well: .well
        case .ill: .ill
        case .unknown: .calm
        }
    }

    private static func icon(_ health: Health) -> String {
        switch health {
        case .well: "ok"
        case .ill: "ill"
        case .unknown: "unknown"
        }
    }

    static func headline(_ view: DashboardView) -> String {
        switch view.health {
        case .well: return "Everything works"
        case .unknown: return view.services.isEmpty ? "Nothing is watched yet" : "Not everything is known"
        case .ill:
            if !view.incidents.isEmpty {
                return "\(Words.count(view.incidents.count, "incident is", "incidents are")) open"
            }
            let failing = view.services.flatMap { $0.features.filter { $0.health == .ill } }.count
            return failing == 1 ? "A feature does not work" : "Something does not work"
        }
    }

    private static func sentence(_ view: DashboardView) -> String {
        let features = view.services.flatMap(\.features)
        let checks = view.services.flatMap { $0.checks + $0.features.flatMap(\.checks) }
        let passing = checks.filter { $0.health == .well }.count
        let figures =
            "\(passing) of \(Words.count(checks.count, "check passes", "checks pass")), "
            + "\(features.filter { $0.health == .well }.count) of \(Words.count(features.count, "feature is", "features are")) proven to work."
        let blind = features.filter { $0.isUnproven && $0.incident == nil }.map(\.name)
        switch view.health {
        case .unknown where !blind.isEmpty: return "No journey proves \(blind.joined(separator: ", ")). \(figures)"
        default: return figures
        }
    }

    // MARK: Services

    private static func service(_ service: DashboardView.Service, _ view: DashboardView) -> Fields {
        let features = service.features.map { feature($0, service.marks) }
        let checks = service.checks.map { check($0, service.marks) }
        return [
            "name": service.name, "anchor": "service-\(Links.segment(service.name))", "team": service.team,
            "badge": Words.badge(ofService: service.health),
            "users": service.activeUsers > 0 ? Words.count(service.activeUsers, "active user", "active users") : nil,
            "axis": BarChart.axis(service.marks), "start": Words.clock(view.axis.start),
            "features": features, "hasMarks": !service.marks.isEmpty,
            "hasUndone": service.marks.contains(where: \.isUndo),
            "checks": checks.isEmpty ? nil : ["items": checks] as Fields,
        ]
    }

    private static func feature(_ line: FeatureLine, _ marks: [ChangeMark]) -> Fields {
        [
            "name": line.name, "badge": Words.badge(line.health), "since": Words.optionalTime(line.since),
            "flag": line.flag.map(flag),
            "incident": line.incident.map { ["href": Links.incident($0.incident.id)] as Fields },
            "isUnproven": line.isUnproven,
            "checks": line.checks.map { check($0, marks) },
        ]
    }

    static func flag(_ flag: Flag) -> Fields {
        var words = "\(flag.definition.defaultVariant ?? "the code’s default") for everyone"
        if flag.definition.state == .disabled { words = "disabled" }
        if let rolling = flag.rolling { words = "\(rolling.variant) to \(percent(basisPoints: rolling.share))" }
        return [
            "href": Links.flag(flag.service, flag.key), "words": words, "key": flag.key,
            "isRolling": flag.rolling != nil,
        ]
    }

    private static func check(_ line: CheckLine, _ marks: [ChangeMark]) -> Fields {
        let took = line.bars.last { $0.runs > 0 }?.tookAverage
        return [
            "name": line.name, "href": Links.check(line.id), "kind": line.isJourney ? "journey" : "check",
            "badge": Words.badge(line), "bars": BarChart(line.name, line.bars, marks).svg,
            "figure": line.failures > 0 ? "\(line.failures) failed" : took.map { $0.spoken } ?? "–",
            "isIll": line.health == .ill, "failure": line.failure?.words,
        ]
    }

    // MARK: Rollouts and what ended

    private static func rollout(_ line: DashboardView.RolloutLine) -> Fields {
        let rollout = line.rollout
        let isStopped = rollout.status == .suspended
        return [
            "title": "\(rollout.plan.feature) \(rollout.plan.variant)", "href": Links.release(rollout.plan.release),
            "badge": Words.badge(
                isStopped ? .ill : .info, isStopped ? "ill" : "rollout", isStopped ? "Stopped" : "Running"),
            "service": rollout.service, "stages": Words.stages(ReleaseView.Stage.all(rollout), isStopped: isStopped),
            "holdEnds": Words.time(line.holdEnds),
            "isStopped": isStopped,
        ]
    }

    private static func ended(_ line: IncidentLine) -> Fields {
        [
            "href": Links.incident(line.incident.id), "title": line.incident.title,
            "badge": Words.badge(line.incident.status),
            "at": Words.optionalTime(line.incident.resolvedAt), "duration": line.duration.spoken,
            "hits": Words.hits(line.incident),
        ]
    }

    static let template = """
        <section id="now" data-live aria-labelledby="headline">
        <div class="hero {{tone}}"><span class="sign">{{>*icon}}</span>
        <div><h1 id="headline">{{headline}}</h1><p>{{sentence}}</p></div></div>
        {{#incidents}}{{>incident-card}}{{/incidents}}
        </section>
        {{#isEmpty}}<p class="empty">The configuration names no service yet. Describe one in <code>mainstay.yaml</code>.</p>{{/isEmpty}}
        <section id="rollouts" data-live>
        {{#rollouts}}<h2>Rolling out</h2>
        {{#items}}<article class="card"><header>{{#badge}}{{>badge}}{{/badge}}<h3><a href="{{href}}">{{title}}</a></h3><p class="quiet">{{service}}{{^isStopped}} · this stage may end {{#holdEnds}}{{>time}}{{/holdEnds}}{{/isStopped}}{{#isStopped}} · a journey fails; the share stays{{/isStopped}}</p></header>{{>steps}}</article>
        {{/items}}{{/rollouts}}
        </section>
        {{#services}}
        <section class="service" id="{{anchor}}" data-live>
        <header class="head"><h2>{{name}}</h2>{{#badge}}{{>badge}}{{/badge}}<p class="quiet">team {{team}}{{#users}} · {{users}}{{/users}}</p></header>
        <div class="panel">
        <div class="row scale"><span class="quiet">Last hour</span>{{{axis}}}<span></span></div>
        {{#features}}
        <section class="feature"><header><h3>{{name}}</h3>{{#badge}}{{>badge}}{{/badge}}
        <p class="quiet">{{#since}}since {{>time}}{{/since}}{{#flag}} <a class="chip{{#isRolling}} rolling{{/isRolling}}" href="{{href}}">{{>icon-flag}}{{words}}</a>{{/flag}}{{#incident}} <a href="{{href}}">See the incident</a>{{/incident}}</p></header>
        {{#isUnproven}}<p class="quiet gap">{{>icon-unknown}} No journey proves this feature, so nobody can say that it works.</p>{{/isUnproven}}
        {{#checks}}<div class="row"><span class="name"><a href="{{href}}">{{name}}</a>{{#badge}}{{>badge}}{{/badge}}</span>{{{bars}}}<span class="figure{{#isIll}} ill{{/isIll}}">{{figure}}</span></div>
        {{#failure}}<p class="why">{{failure}}</p>{{/failure}}{{/checks}}
        </section>
        {{/features}}
        {{#checks}}<section class="feature"><header><h3>Components</h3></header>
        {{#items}}<div class="row"><span class="name"><a href="{{href}}">{{name}}</a>{{#badge}}{{>badge}}{{/badge}}</span>{{{bars}}}<span class="figure{{#isIll}} ill{{/isIll}}">{{figure}}</span></div>
        {{#failure}}<p class="why">{{failure}}</p>{{/failure}}{{/items}}</section>
        {{/checks}}
        </div>
        <p class="legend quiet"><span><svg width="10" height="12" aria-hidden="true"><rect class="passed" y="4" width="6" height="8" rx="1.5"/></svg>passed</span>
        <span><svg width="10" height="12" aria-hidden="true"><rect class="failed" width="6" height="12" rx="1.5"/></svg>failed</span>
        <span><svg width="10" height="12" aria-hidden="true"><rect class="silent" y="10" width="6" height="2"/></svg>no run</span>
        {{#hasMarks}}<span><svg width="14" height="12" aria-hidden="true"><path class="diamond" d="M6 1 11 6 6 11 1 6z"/></svg>change</span>{{/hasMarks}}
        {{#hasUndone}}<span><svg width="14" height="12" aria-hidden="true"><path class="diamond undo" d="M6 1 11 6 6 11 1 6z"/></svg>undone</span>{{/hasUndone}}</p>
        </section>
        {{/services}}
        <div class="pair">
        <section id="changes" data-live>
        {{#changes}}<h2>Recent changes</h2>
        <ul class="timeline">{{#items}}{{>change-row}}{{/items}}</ul>
        <p class="more"><a href="/changes">All changes {{>icon-next}}</a></p>{{/changes}}
        </section>
        <section id="ended" data-live>
        {{#ended}}<h2>Ended in the last day</h2>
        <ul class="plain">{{#items}}<li>{{#badge}}{{>badge}}{{/badge}} <a href="{{href}}">{{title}}</a><p class="by">{{#at}}{{>time}}{{/at}} after {{duration}} · {{hits}}</p></li>{{/items}}</ul>{{/ended}}
        </section>
        </div>
        """
}
