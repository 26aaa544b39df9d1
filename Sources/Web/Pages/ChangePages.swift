import Decide
import Explain
import Hummingbird
import Record

/// The change ledger: everything that may have caused trouble.
enum ChangePages {
    static func add(to routes: PageRoutes) {
        routes.get("/changes") { call, notice in try await list(call, notice) }
        routes.get("/changes/{id}") { call, notice in try await show(call, notice) }
    }

    private static func list(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let service = call.query("service")
        let view = try await ChangeLedgerView.load(service: service, before: call.before, call.record)
        let filter = service.map { "service=\(Links.segment($0))&" } ?? ""
        let services: [Fields] = view.services.map {
            ["name": $0, "href": "/changes?service=\(Links.segment($0))", "isCurrent": $0 == service]
        }
        return try await call.respond(
            PageContent(
                "Changes", .changes, "changes",
                [
                    "changes": view.changes.map { Words.change($0) }, "isEmpty": view.changes.isEmpty,
                    "services": services, "isWhole": service == nil, "hasServices": services.count > 1,
                    "older": view.before.map { "/changes?\(filter)before=\(RFC3339.format($0))" },
                ], follows: call.before == nil ? "" : nil, notice: notice))
    }

    private static func show(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let id = try call.parameter("id")
        guard let view = try await ChangeView.load(id, call.record) else { throw Problem.notFound("change '\(id)'") }
        let change = view.change
        return try await call.respond(
            PageContent(
                change.title, .changes, "change",
                [
                    "title": change.title, "id": change.id, "kind": change.kind.rawValue, "service": change.service,
                    "feature": change.feature, "actor": change.actor.name, "at": Words.time(change.at),
                    "reason": change.reason.flatMap { $0.isEmpty ? nil : $0 }, "forced": change.forced,
                    "undone": Words.optionalTime(change.undoneAt), "ended": Words.optionalTime(change.endedAt),
                    "author": change.author, "link": change.link, "version": view.release == nil ? change.release : nil,
                    "release": view.release.map { ["title": $0.title, "href": Links.release($0.id)] as Fields },
                    "flag": change.flagStep.map {
                        [
                            "key": $0.flag, "href": Links.flag(change.service, $0.flag), "old": $0.oldVariant,
                            "new": $0.newVariant,
                        ] as Fields
                    },
                    "queries": "/queries/diff?change=\(Links.segment(change.id))",
                    "lines": view.timeline.map { Words.line($0, since: change.at) },
                ], follows: "", notice: notice))
    }

    static let listTemplate = """
        <h1>Changes</h1>
        {{#hasServices}}<nav class="chips" aria-label="Services"><a href="/changes"{{#isWhole}} aria-current="true"{{/isWhole}}>All services</a>{{#services}}<a href="{{href}}"{{#isCurrent}} aria-current="true"{{/isCurrent}}>{{name}}</a>{{/services}}</nav>{{/hasServices}}
        {{#isEmpty}}<p class="empty">Nothing has been changed yet, or nobody has told Mainstay.</p>{{/isEmpty}}
        <ul class="timeline" id="changes" data-live>{{#changes}}{{>change-row}}{{/changes}}</ul>
        {{#older}}<p class="more"><a href="{{older}}">Older changes {{>icon-next}}</a></p>{{/older}}
        """

    static let template = """
        <p class="crumbs"><a href="/changes">Changes</a> / {{id}}</p>
        <div id="change" data-live>
        <h1>{{title}}</h1>
        <p class="badges">{{#undone}}<span class="badge info">{{>icon-undo}}undone {{>time}}</span>{{/undone}}{{^undone}}<span class="badge calm">{{>icon-ok}}not undone</span>{{/undone}}{{#forced}}<span class="badge warn">{{>icon-shield}}forced past the gate</span>{{/forced}}</p>
        <dl class="plain-facts">
        <div><dt>Made</dt><dd>{{#at}}{{>time}}{{/at}} by {{#author}}{{author}}, told by {{/author}}{{actor}}</dd></div>
        {{#ended}}<div><dt>Ended</dt><dd>{{>time}}</dd></div>{{/ended}}
        <div><dt>Kind</dt><dd>{{kind}}</dd></div>
        <div><dt>Hits</dt><dd>{{service}}{{#feature}}, feature {{feature}}{{/feature}}</dd></div>
        {{#reason}}<div><dt>Reason</dt><dd>{{reason}}</dd></div>{{/reason}}
        {{#flag}}<div><dt>Flag</dt><dd><a href="{{href}}">{{key}}</a>: <code>{{old}}</code> to <code>{{new}}</code></dd></div>{{/flag}}
        {{#version}}<div><dt>Release</dt><dd>{{version}}</dd></div>{{/version}}
        {{#link}}<div><dt>More</dt><dd><a href="{{link}}" rel="noreferrer">{{link}}</a></dd></div>{{/link}}
        {{#release}}<div><dt>Release</dt><dd><a href="{{href}}">{{title}}</a></dd></div>{{/release}}
        <div><dt>Queries</dt><dd><a href="{{queries}}">What it did to the database's queries</a></dd></div>
        </dl>
        <h2>What followed</h2>
        {{>lines}}
        </div>
        """
}
