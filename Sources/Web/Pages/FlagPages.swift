import Decide
import Explain
import Hummingbird
import Record

/// Flags: what is served to whom, changing it with a reason, and taking a change back.
enum FlagPages {
    static func add(to routes: PageRoutes) {
        routes.get("/flags") { call, notice in try await list(call, notice) }
        routes.get("/flags/{service}/{key}") { call, notice in try await show(call, notice) }
        routes.post("/flags/{service}/{key}/default", on: { call, notice in try await show(call, notice) }) { call in
            try await change(call)
        }
        routes.post("/flags/{service}/{key}/undo", on: { call, notice in try await show(call, notice) }) { call in
            try await undo(call)
        }
    }

    // MARK: Acts

    private static func change(_ call: PageCall) async throws -> Response {
        let flag = try await flag(call)
        let form = try await call.form()
        var definition = flag.definition
        definition.defaultVariant = form.trimmed("variant")
        let reason = try form.reason("the default changes")
        guard definition != flag.definition else {
            throw Problem(.conflict, "\(form.trimmed("variant")) is the default already.")
        }
        try await call.record.apply(
            Subject(.flag, Flag.id(flag.service, flag.key)), .flag(.changed(definition, reason: reason)),
            by: call.identity.actor)
        return call.done(Links.flag(flag.service, flag.key), "changed")
    }

    private static func undo(_ call: PageCall) async throws -> Response {
        let flag = try await flag(call)
        let form = try await call.form()
        let applied = try await call.record.apply(
            Subject(.flag, Flag.id(flag.service, flag.key)),
            .flag(.undone(change: form.trimmed("change"), reason: try form.reason("it is undone"), incident: nil)),
            by: call.identity.actor)
        guard !applied.entries.isEmpty else {
            throw Problem(.conflict, "This change is no longer in force: there is nothing to take back.")
        }
        return call.done(Links.flag(flag.service, flag.key), "undone")
    }

    private static func flag(_ call: PageCall) async throws -> Flag {
        let (service, key) = (try call.parameter("service"), try call.parameter("key"))
        guard let flag = try await call.record.flag(service: service, key: key) else {
            throw Problem.notFound("flag '\(key)' of service '\(service)'")
        }
        return flag
    }

    // MARK: Pages

    private static func list(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let view = try await FlagListView.load(call.record)
        let services: [Fields] = view.services.map { service in
            ["name": service.name, "flags": service.flags.map(line)]
        }
        return try await call.respond(
            PageContent(
                "Flags", .flags, "flags", ["services": services, "isEmpty": services.isEmpty], follows: "",
                notice: notice))
    }

    private static func line(_ line: FlagListView.Line) -> Fields {
        [
            "key": line.flag.key, "href": Links.flag(line.flag.service, line.flag.key), "feature": line.feature ?? "–",
            "state": state(line.flag), "served": DashboardPages.flag(line.flag),
            "change": line.lastChange.map {
                [
                    "title": $0.undoneAt == nil ? $0.title : "\($0.title) (undone)", "actor": $0.actor.name,
                    "at": Words.time($0.at),
                ] as Fields
            },
        ]
    }

    private static func state(_ flag: Flag) -> Fields {
        if flag.definition.state == .disabled { return Words.badge(.calm, "wait", "disabled") }
        return flag.rolling == nil ? Words.badge(.well, "ok", "steady") : Words.badge(.info, "rollout", "rolling out")
    }

    private static func show(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let flag = try await flag(call)
        guard let view = try await FlagView.load(service: flag.service, key: flag.key, call.record, now: call.now)
        else {
            throw Problem.notFound("flag '\(flag.key)'")
        }
        return try await call.respond(page(view, csrf: call.csrf, mayAct: call.isResponder, notice: notice))
    }

    static func page(_ view: FlagView, csrf: String, mayAct: Bool, notice: Notice? = nil) -> PageContent {
        let flag = view.flag
        return PageContent(
            flag.key, .flags, "flag",
            [
                "key": flag.key, "service": flag.service, "feature": view.feature, "badge": state(flag),
                "version": String(flag.version), "path": Links.flag(flag.service, flag.key), "csrf": csrf,
                "mayAct": mayAct, "incident": view.incident.map { Words.incident($0) },
                "served": DashboardPages.flag(flag), "variants": view.variants.map { variant($0, flag) },
                "canChange": mayAct && flag.rolling == nil && view.variants.count > 1,
                "others": view.variants.filter { !$0.isDefault }.map { ["name": $0.name] as Fields },
                "rolling": flag.rolling.map {
                    ["variant": $0.variant, "share": percent(basisPoints: $0.share), "href": Links.release($0.rollout)]
                        as Fields
                },
                "undo": mayAct ? view.undoable.map { ["change": $0.id, "title": $0.title] as Fields } : nil,
                "targeting": flag.definition.targeting.flatMap { $0 == .object([:]) ? nil : $0.compactText },
                "history": view.history.map { Words.change($0) }, "hasHistory": !view.history.isEmpty,
            ], follows: "", notice: notice)
    }

    private static func variant(_ variant: FlagView.Variant, _ flag: Flag) -> Fields {
        let users: String =
            if let share = variant.rolledOut {
                percent(basisPoints: share) + " by rollout"
            } else if variant.isDefault {
                flag.rolling.map { percent(basisPoints: FlagRules.everyone - $0.share) + ", the default" }
                    ?? "everyone, the default"
            } else {
                "nobody by default"
            }
        return [
            "name": variant.name, "value": variant.value.compactText, "isDefault": variant.isDefault, "served": users,
            "users": variant.users.map(String.init) ?? "–",
        ]
    }

    static let listTemplate = """
        <h1>Flags</h1>
        {{#isEmpty}}<p class="empty">No flag has been declared yet: services and the configuration declare them.</p>{{/isEmpty}}
        <div id="flags" data-live>
        {{#services}}<h2>{{name}}</h2>
        <div class="scroll" tabindex="0" role="region" aria-label="Flags of {{name}}"><table class="list"><thead><tr><th scope="col">Flag</th><th scope="col">Feature</th><th scope="col">State</th><th scope="col">Served</th><th scope="col">Last change</th></tr></thead>
        <tbody>{{#flags}}<tr><th scope="row"><a href="{{href}}">{{key}}</a></th><td>{{feature}}</td><td>{{#state}}{{>badge}}{{/state}}</td><td>{{#served}}{{words}}{{/served}}</td><td>{{#change}}{{title}}<span class="by"> {{actor}}, {{#at}}{{>time}}{{/at}}</span>{{/change}}{{^change}}<span class="quiet">none</span>{{/change}}</td></tr>{{/flags}}</tbody></table></div>
        {{/services}}
        </div>
        """

    static let template = """
        <p class="crumbs"><a href="/flags">Flags</a> / {{service}} / {{key}}</p>
        <header class="head" id="flag-head" data-live><h1>{{key}}</h1>{{#badge}}{{>badge}}{{/badge}}<p class="quiet">{{service}}{{#feature}} · feature {{feature}}{{/feature}} · version {{version}}</p></header>
        <section id="flag-incident" data-live>{{#incident}}{{>incident-card}}{{/incident}}</section>
        <section id="served" data-live aria-labelledby="served-title"><h2 id="served-title">Who gets what</h2>
        {{#rolling}}<p>A rollout gives <code>{{variant}}</code> to {{share}} of users. <a href="{{href}}">See the release</a></p>{{/rolling}}
        <div class="scroll" tabindex="0" role="region" aria-label="Variants"><table class="list"><thead><tr><th scope="col">Variant</th><th scope="col">Value</th><th scope="col">Served to</th><th scope="col">Users met it in this version</th></tr></thead>
        <tbody>{{#variants}}<tr{{#isDefault}} class="is-default"{{/isDefault}}><th scope="row"><code>{{name}}</code></th><td><code>{{value}}</code></td><td>{{served}}</td><td>{{users}}</td></tr>{{/variants}}</tbody></table></div>
        {{#targeting}}<details id="targeting"><summary>Targeting rule</summary><pre>{{targeting}}</pre></details>{{/targeting}}
        </section>
        {{#mayAct}}<section class="forms" id="acts" data-live aria-label="What you can do">
        {{#undo}}<form method="post" action="{{path}}/undo" class="card stack">{{>csrf}}<input type="hidden" name="change" value="{{change}}"><h2>Take back the last change</h2><p>{{title}}</p><div><label for="undo-reason">Why?</label><input id="undo-reason" name="reason" required maxlength="1000" autocomplete="off"></div><button class="strong">{{>icon-undo}}Undo</button></form>{{/undo}}
        {{#canChange}}<form method="post" action="{{path}}/default" class="card stack">{{>csrf}}<h2>Serve another variant to everyone</h2><div><label for="variant">Variant</label><select id="variant" name="variant">{{#others}}<option>{{name}}</option>{{/others}}</select></div><div><label for="change-reason">Why?</label><input id="change-reason" name="reason" required maxlength="1000" autocomplete="off"></div><p class="quiet">This reaches everyone at once, past the gate and without stages. A release goes step by step.</p><button>{{>icon-flag}}Change the default</button></form>{{/canChange}}
        </section>{{/mayAct}}
        <section id="history" data-live><h2>History</h2>
        {{^hasHistory}}<p class="empty">It has not been changed since it was declared.</p>{{/hasHistory}}
        <ul class="timeline">{{#history}}{{>change-row}}{{/history}}</ul></section>
        """
}
