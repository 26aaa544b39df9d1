import Decide
import Explain
import Hummingbird
import Record

/// The guard of this process: its pools, what it limits and why, and holding it for a moment.
enum GuardPages {
    static func add(to routes: PageRoutes) {
        routes.get("/guard") { call, notice in try await show(call, notice) }
        routes.post("/guard/pause", on: { call, notice in try await show(call, notice) }) { call in
            try await GuardAct.pause(try await database(call), call.services, by: call.identity.actor)
            return call.done("/guard", "paused")
        }
        routes.get("/guard/connections") { call, notice in
            let connections = try await GuardAct.connections(call.services)
            return try await call.respond(GuardConnectionPages.page(connections, notice: notice))
        }
        routes.post("/guard/reload", .admin, on: { call, notice in try await show(call, notice) }) { call in
            try await GuardAct.reload(call.services, by: call.identity.actor)
            return call.done("/guard", "reloaded")
        }
        routes.post("/guard/resume", on: { call, notice in try await show(call, notice) }) { call in
            try await GuardAct.resume(try await database(call), call.services, by: call.identity.actor)
            return call.done("/guard", "resumed")
        }
    }

    /// Nil: all of them.
    private static func database(_ call: PageCall) async throws -> String? {
        let name = try await call.form().trimmed("database")
        return name.isEmpty ? nil : name
    }

    private static func show(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let overview = try await GuardAct.overview(call.services)
        return try await call.respond(
            page(
                overview, csrf: call.csrf, mayAct: call.isResponder, mayReload: call.identity.may(.admin),
                notice: notice))
    }

    static func page(
        _ guardNow: GuardOverview, csrf: String, mayAct: Bool, mayReload: Bool = false, notice: Notice? = nil
    ) -> PageContent {
        let paused = Set(guardNow.pools.filter(\.isPaused).map(\.database)).sorted()
        let running = Set(guardNow.pools.filter { !$0.isPaused }.map(\.database)).sorted()
        return PageContent(
            "Guard", .queries, "guard",
            [
                "badge": badge(guardNow, paused), "mode": mode(guardNow.mode), "since": Words.time(guardNow.startedAt),
                "clients": String(guardNow.clients), "queries": Figures.count(Double(guardNow.queries)),
                "transactions": Figures.count(Double(guardNow.transactions)),
                "refused": Figures.count(Double(guardNow.refusedQueries)),
                "waiting": String(guardNow.pools.reduce(0) { $0 + $1.clientsWaiting }),
                "busy": String(guardNow.pools.reduce(0) { $0 + $1.serversBusy }),
                "size": String(guardNow.pools.reduce(0) { $0 + $1.size }),
                "violations": guardNow.violations == 0
                    ? nil : Words.count(Int(guardNow.violations), "server connection", "server connections"),
                "pools": guardNow.pools.map(pool), "hasPools": !guardNow.pools.isEmpty,
                "limited": guardNow.limited.map(limited), "hasLimited": !guardNow.limited.isEmpty, "csrf": csrf,
                "mayAct": mayAct, "mayReload": mayReload, "canPause": !running.isEmpty, "canResume": !paused.isEmpty,
                "running": running.map { ["name": $0] as Fields }, "paused": paused.map { ["name": $0] as Fields },
                "deadline": GuardAct.standard.spoken, "figures": GuardFigure.allCases.map { figure($0, guardNow) },
            ], refresh: 5, notice: notice)
    }

    private static func figure(_ figure: GuardFigure, _ guardNow: GuardOverview) -> Fields {
        let value = guardNow.figures[figure] ?? 0
        return [
            "title": figure.title,
            "value": figure.isTime ? Span.milliseconds(value).spoken : Figures.count(Double(value)),
        ]
    }

    private static func badge(_ guardNow: GuardOverview, _ paused: [String]) -> Fields {
        if !paused.isEmpty { return Words.badge(.warn, "wait", "Paused: \(paused.joined(separator: ", "))") }
        let held = guardNow.limited.count { !$0.isObserved }
        return held > 0
            ? Words.badge(.warn, "shield", "\(Words.count(held, "query", "queries")) limited")
            : Words.badge(.well, "ok", "Nothing is limited")
    }

    private static func mode(_ mode: BudgetSettings.Mode) -> String {
        switch mode {
        case .off: "Budgets are off: queries are counted only."
        case .observe: "Budgets observe: what they would do is told, and nothing is done but what rules by hand say."
        case .enforce: "Budgets are enforced."
        }
    }

    private static func pool(_ pool: GuardOverview.Pool) -> Fields {
        [
            "database": pool.database, "user": pool.user, "target": pool.target,
            "active": String(pool.clientsActive), "waiting": String(pool.clientsWaiting),
            "pinned": String(pool.clientsPinned), "busy": String(pool.serversBusy), "idle": String(pool.serversIdle),
            "size": String(pool.size),
            "wait": pool.clientsWaiting > 0
                ? "the longest for \(Span.milliseconds(Int64(pool.waitMilliseconds)).spoken)" : nil,
            "state": pool.isPaused ? Words.badge(.warn, "wait", "paused") : Words.badge(.well, "ok", "open"),
        ]
    }

    private static func limited(_ limited: GuardOverview.Limited) -> Fields {
        [
            "badge": limited.isObserved
                ? Words.badge(.calm, "unknown", "observed only")
                : limited.isCrowd
                    ? Words.badge(.calm, "wait", "a crowd waits")
                    : Words.badge(.warn, "shield", limited.limit == nil ? "turned away" : "limited"),
            "text": QueryPages.words(limited.query, limited.text), "href": QueryPages.href(limited.query),
            "sentence": limited.sentence, "database": limited.database, "user": limited.user,
            "release": limited.release, "until": Words.optionalTime(limited.until),
        ]
    }

    static let template = """
        <p class="crumbs"><a href="/queries">Queries</a> / Guard</p>
        <header class="head" id="guard-head" data-live><h1>Guard</h1>{{#badge}}{{>badge}}{{/badge}}<p class="quiet">{{mode}} Running since {{#since}}{{>time}}{{/since}}. <a href="/guard/connections">Clients and servers</a> · <a href="/guard/rules">Rules by hand</a></p></header>
        <section id="guard-trouble" data-live>{{#violations}}<p class="notice warn" role="status">{{>icon-ill}}<span>{{violations}} had to be closed because an answer did not fit what was asked. Nobody was given another's rows; please report it.</span></p>{{/violations}}</section>
        <dl class="key calm" id="guard-figures" data-live>
        <div><dt>Clients</dt><dd><strong>{{clients}}</strong><span>{{waiting}} wait for a server</span></dd></div>
        <div><dt>Servers busy</dt><dd><strong>{{busy}}</strong><span>of {{size}}</span></dd></div>
        <div><dt>Queries</dt><dd><strong>{{queries}}</strong><span>in {{transactions}} transactions since the start</span></dd></div>
        <div><dt>Turned away</dt><dd><strong>{{refused}}</strong><span>since the start</span></dd></div>
        </dl>
        {{#mayAct}}<section class="actions" id="guard-actions" data-live aria-label="What you can do">
        {{#canPause}}<details id="pause"><summary class="button">{{>icon-wait}}Pause</summary><form method="post" action="/guard/pause">{{>csrf}}<p>No new transaction begins, and clients wait. If the running ones do not end within {{deadline}}, nothing is changed.</p><label for="pause-database">Database</label><select id="pause-database" name="database"><option value="">all databases</option>{{#running}}<option>{{name}}</option>{{/running}}</select><button class="danger">Pause now</button></form></details>{{/canPause}}
        {{#canResume}}<details id="resume"><summary class="button">{{>icon-play}}Resume</summary><form method="post" action="/guard/resume">{{>csrf}}<p>Clients that wait go on at once.</p><label for="resume-database">Database</label><select id="resume-database" name="database"><option value="">all databases</option>{{#paused}}<option>{{name}}</option>{{/paused}}</select><button class="primary">Resume now</button></form></details>{{/canResume}}
        {{#mayReload}}<details id="reload"><summary class="button">Reload</summary><form method="post" action="/guard/reload">{{>csrf}}<p>Reads the configuration again. No client is dropped; a wrong file changes nothing, and what is wrong in it is told.</p><button class="primary">Reload now</button></form></details>{{/mayReload}}
        </section>{{/mayAct}}
        <section id="guard-limited" data-live><h2>Limited queries</h2>
        {{^hasLimited}}<p class="empty">No query is held to less than it asks for.</p>{{/hasLimited}}
        {{#limited}}<article class="card"><header><p class="badges">{{#badge}}{{>badge}}{{/badge}}</p><h3>{{sentence}}</h3></header><pre><code>{{text}}</code></pre><p class="by">Database {{database}}, user {{user}}{{#release}}, release {{release}}{{/release}}{{#until}} · at least until {{>time}}{{/until}} · <a href="{{href}}">This query over time</a></p></article>{{/limited}}</section>
        <section id="guard-pools" data-live><h2>Pools</h2>
        {{^hasPools}}<p class="empty">No client has connected yet.</p>{{/hasPools}}
        {{#hasPools}}<div class="scroll" tabindex="0" role="region" aria-label="Pools"><table class="list"><thead><tr><th scope="col">Database and user</th><th scope="col">State</th><th scope="col">Clients with a server</th><th scope="col">Waiting</th><th scope="col">Servers busy</th><th scope="col">Idle</th><th scope="col">Server</th></tr></thead>
        <tbody>{{#pools}}<tr><th scope="row">{{database}} <span class="quiet">{{user}}</span></th><td>{{#state}}{{>badge}}{{/state}}</td><td>{{active}}<p class="by">{{pinned}} keep theirs</p></td><td>{{waiting}}{{#wait}}<p class="by">{{wait}}</p>{{/wait}}</td><td>{{busy}} of {{size}}</td><td>{{idle}}</td><td>{{target}}</td></tr>{{/pools}}</tbody></table></div>{{/hasPools}}</section>
        <section id="guard-counts" data-live><h2>Since its start</h2>
        <div class="scroll" tabindex="0" role="region" aria-label="Since its start"><table class="list"><thead><tr><th scope="col">What</th><th scope="col">How much</th></tr></thead>
        <tbody>{{#figures}}<tr><th scope="row">{{title}}</th><td>{{value}}</td></tr>{{/figures}}</tbody></table></div></section>
        """
}
