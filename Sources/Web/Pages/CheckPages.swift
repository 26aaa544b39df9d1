import Decide
import Explain
import Hummingbird
import Record

/// One check: its past as bars, its last failure, and running it now.
enum CheckPages {
    static func add(to routes: PageRoutes) {
        routes.get("/checks/{service}/{name}") { call, notice in try await show(call, notice) }
        routes.post("/checks/{service}/{name}/run", on: { call, notice in try await show(call, notice) }) { call in
            let id = try id(call)
            guard call.record.policy.checks[id] != nil else { throw Problem.notFound("check '\(id)'") }
            guard let result = await call.services.runCheck(id) else {
                throw Problem(
                    .conflict,
                    "\(id) cannot be run from here now: heartbeats are heard, and other checks run where Mainstay observes."
                )
            }
            return call.done(Links.check(id), result.passed ? "passed" : "failed")
        }
    }

    private static func id(_ call: PageCall) throws -> String {
        "\(try call.parameter("service"))/\(try call.parameter("name"))"
    }

    private static func show(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let id = try id(call)
        guard let view = try await CheckView.load(id, call.record, now: call.now) else {
            throw Problem.notFound("check '\(id)'")
        }
        return try await call.respond(page(view, csrf: call.csrf, mayAct: call.isResponder, notice: notice))
    }

    static func page(_ view: CheckView, csrf: String, mayAct: Bool, notice: Notice? = nil) -> PageContent {
        let line = view.line
        let took = line.bars.filter { $0.runs > 0 }
        let average =
            took.isEmpty
            ? nil : Span(milliseconds: took.reduce(0) { $0 + $1.tookAverage.milliseconds } / Int64(took.count))
        return PageContent(
            line.name, .dashboard, "check",
            [
                "id": line.id, "name": line.name, "kind": line.isJourney ? "Journey" : "Check",
                "badge": Words.badge(line),
                "since": Words.optionalTime(line.since), "service": view.service, "feature": view.feature,
                "serviceHref": "/#service-\(Links.segment(view.service))", "team": view.team, "every": "\(line.every)",
                "severity": view.severity.rawValue,
                "alerts": view.failuresNeeded == 1 ? "the first failure" : "\(view.failuresNeeded) failures in a row",
                "failure": line.failure?.words, "incident": view.incident.map { Words.incident($0) },
                "hour": BarChart("Last hour", line.bars, view.marks).svg, "hourStart": Words.clock(view.hour.start),
                "hourAxis": BarChart.axis(view.marks), "daysAxis": BarChart.axis(view.dayMarks),
                "days": BarChart("Last two days", view.dayBars, view.dayMarks).svg,
                "daysStart": Words.minute(view.days.start), "runs": String(line.runs),
                "failures": String(line.failures),
                "average": average?.spoken ?? "–", "slowest": took.map(\.tookMax).max()?.spoken ?? "–",
                "last": view.state?.lastFailure.map(last), "csrf": csrf, "mayAct": mayAct, "path": Links.check(line.id),
            ], follows: "", refresh: 15, notice: notice)
    }

    private static func last(_ result: CheckResult) -> Fields {
        [
            "at": Words.time(result.startedAt), "took": result.took.spoken, "words": result.failure?.words ?? "",
            "forced": result.forced.isEmpty
                ? nil
                : result.forced.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }.joined(separator: ", "),
            "steps": result.steps.map { step in
                [
                    "name": step.name, "did": step.did, "took": step.took.spoken, "failure": step.failure,
                    "tone": step.failure == nil ? "well" : "ill", "icon": step.failure == nil ? "icon-ok" : "icon-ill",
                ] as Fields
            },
        ]
    }

    static let template = """
        <p class="crumbs"><a href="{{serviceHref}}">{{service}}</a> / {{name}}</p>
        <header class="head" id="check-head" data-live><h1>{{name}}</h1>{{#badge}}{{>badge}}{{/badge}}<p class="quiet">{{kind}}{{#feature}} of feature {{feature}}{{/feature}}{{#since}} · since {{>time}}{{/since}}</p></header>
        <section id="check-incident" data-live>{{#failure}}<p class="why lead">{{failure}}</p>{{/failure}}{{#incident}}{{>incident-card}}{{/incident}}</section>
        {{#mayAct}}<section class="actions" aria-label="What you can do"><form method="post" action="{{path}}/run">{{>csrf}}<button>{{>icon-play}}Run it now</button></form></section>{{/mayAct}}
        <section class="panel chart" id="bars" data-live aria-label="The recent past">
        <h2>Last hour</h2>{{{hourAxis}}}{{{hour}}}<p class="ends quiet"><span>{{hourStart}} UTC</span><span>now</span></p>
        <h2>Last two days</h2>{{{daysAxis}}}{{{days}}}<p class="ends quiet"><span>{{daysStart}} UTC</span><span>now</span></p>
        </section>
        <dl class="key calm" id="figures" data-live>
        <div><dt>Runs in the last hour</dt><dd><strong>{{runs}}</strong><span>every {{every}}</span></dd></div>
        <div><dt>Failed</dt><dd><strong>{{failures}}</strong><span>alerts at {{alerts}}</span></dd></div>
        <div><dt>Takes</dt><dd><strong>{{average}}</strong><span>slowest {{slowest}}</span></dd></div>
        <div><dt>Calls</dt><dd><strong class="words">team {{team}}</strong><span>severity {{severity}}</span></dd></div>
        </dl>
        <section id="last" data-live>{{#last}}<h2>Last failure</h2><p>{{#at}}{{>time}}{{/at}}, after {{took}}{{#forced}}, with <code>{{forced}}</code>{{/forced}}</p><p class="why">{{words}}</p>
        <ol class="steps">{{#steps}}<li class="{{tone}}"><span class="mark">{{>*icon}}</span><div><strong>{{name}}</strong> <code>{{did}}</code> <span class="quiet">{{took}}</span>{{#failure}}<p class="why">{{failure}}</p>{{/failure}}</div></li>{{/steps}}</ol>{{/last}}</section>
        """
}
