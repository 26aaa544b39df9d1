import Decide
import Explain
import Hummingbird
import Record

/// The timeline, and one line of it: what postmortems link to.
enum TimelinePages {
    static func add(to routes: PageRoutes) {
        routes.get("/timeline") { call, notice in try await list(call, notice) }
        routes.get("/timeline/{id}") { call, notice in try await show(call, notice) }
    }

    private static func list(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let before = call.query("before").flatMap { Int64($0) }
        let view = try await TimelineView.load(before: before, call.record)
        return try await call.respond(
            PageContent(
                "Timeline", .timeline, "timeline",
                [
                    "lines": view.entries.map { Words.line($0) }, "isEmpty": view.entries.isEmpty,
                    "older": view.before.map { "/timeline?before=\($0)" },
                ], follows: before == nil ? "" : nil, notice: notice))
    }

    private static func show(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        guard let id = Int64(try call.parameter("id")), let line = try await TimelineView.entry(id, call.record) else {
            throw Problem.notFound("line of this number in the timeline")
        }
        let entry = line.entry
        let data = entry.data.sorted { $0.key < $1.key }.map { key, value in
            ["name": key, "value": value.string ?? value.compactText] as Fields
        }
        return try await call.respond(
            PageContent(
                "Event \(line.id)", .timeline, "entry",
                [
                    "id": String(line.id), "text": entry.text, "kind": entry.kind, "at": Words.time(line.at),
                    "iso": RFC3339.format(line.at), "actor": line.actor.name, "actorKind": line.actor.kind.rawValue,
                    "subject": line.subject.description, "service": entry.service, "feature": entry.feature,
                    "incident": entry.incident.map { ["id": $0, "href": Links.incident($0)] as Fields },
                    "change": entry.change.map { ["id": $0, "href": Links.change($0)] as Fields }, "data": data,
                    "earlier": line.id > 1 ? Links.entry(line.id - 1) : nil, "later": Links.entry(line.id + 1),
                ], notice: notice))
    }

    static let listTemplate = """
        <h1>Timeline</h1>
        <p class="lead">Everything that happened, newest first. Nothing here is ever changed or removed.</p>
        {{#isEmpty}}<p class="empty">Nothing has happened yet.</p>{{/isEmpty}}
        <div id="lines" data-live>{{>lines}}</div>
        {{#older}}<p class="more"><a href="{{older}}">Earlier {{>icon-next}}</a></p>{{/older}}
        """

    static let template = """
        <p class="crumbs"><a href="/timeline">Timeline</a> / #{{id}}</p>
        <h1>Event #{{id}}</h1>
        <p class="lead">{{text}}</p>
        <dl class="plain-facts">
        <div><dt>When</dt><dd>{{#at}}{{>time}}{{/at}} <code>{{iso}}</code></dd></div>
        <div><dt>Kind</dt><dd><code>{{kind}}</code></dd></div>
        <div><dt>Caused by</dt><dd>{{actor}} ({{actorKind}})</dd></div>
        <div><dt>About</dt><dd><code>{{subject}}</code></dd></div>
        {{#service}}<div><dt>Service</dt><dd>{{service}}{{#feature}}, feature {{feature}}{{/feature}}</dd></div>{{/service}}
        {{#incident}}<div><dt>Incident</dt><dd><a href="{{href}}">{{id}}</a></dd></div>{{/incident}}
        {{#change}}<div><dt>Change</dt><dd><a href="{{href}}">{{id}}</a></dd></div>{{/change}}
        {{#data}}<div><dt>{{name}}</dt><dd><code>{{value}}</code></dd></div>{{/data}}
        </dl>
        <p class="more">{{#earlier}}<a href="{{earlier}}">The one before</a> · {{/earlier}}<a href="{{later}}">The one after</a></p>
        """
}
