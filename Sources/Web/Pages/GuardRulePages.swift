import Decide
import Explain
import Hummingbird
import Record

/// The rules by hand: those in force with the time they have left, a form for another, and taking one back.
enum GuardRulePages {
    static let path = "/guard/rules"

    /// How long a rule can be chosen to last.
    private static let lengths: [(word: String, span: Span)] = [
        ("15 minutes", .minutes(15)), ("1 hour", .hours(1)), ("4 hours", .hours(4)), ("1 day", .days(1)),
        ("7 days", .days(7)), ("30 days", GuardRules.longest),
    ]

    static func add(to routes: PageRoutes) {
        let page: PageRoutes.Show = { call, notice in try await show(call, notice) }
        routes.get("/guard/rules", .viewer, page)
        routes.post("/guard/rules", on: page) { call in try await make(call) }
        routes.post("/guard/rules/remove", on: page) { call in
            let id = try await call.form().trimmed("id")
            try await call.record.apply(GuardRules.subject, .guardRules(.removed(id: id)), by: call.identity.actor)
            return call.done(path, "rule-removed")
        }
    }

    // MARK: Acts

    private static func make(_ call: PageCall) async throws -> Response {
        let form = try await call.form()
        func given(_ name: String) -> String? { form.trimmed(name).isEmpty ? nil : form.trimmed(name) }
        let limit = given("limit")
        var faults: [Problem.Field] = []
        if let limit, Int64(limit) == nil { faults.append(Problem.Field("limit", "must be a whole number")) }
        guard let length = lengths.first(where: { $0.word == form.trimmed("lasts") }) else {
            throw Problem.invalid("lasts", "is missing: every rule ends")
        }
        let action = GuardRuleDraft.Action(rawValue: form.trimmed("action"))
        let draft = GuardRuleDraft(
            // The form has the number's field whatever is chosen.
            action: action, limit: action == .limit ? limit.flatMap { Int64($0) } : nil, query: given("query"),
            user: given("user"), application: given("application"), database: given("database"),
            reason: try form.reason("there is a rule"))
        let rule = draft.rule { faults.append(Problem.Field($0, $1)) }
        guard let rule, faults.isEmpty else { throw Problem.invalid(Array(faults.prefix(10))) }
        _ = try await call.record.addRule(rule, until: call.now + length.span, by: call.identity.actor)
        return call.done(path, "rule-made")
    }

    // MARK: Page

    private static func show(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let now = call.now
        let rules = try await call.record.rulesInForce()
        return try await call.respond(
            PageContent(
                "Rules by hand", nil, "guard-rules",
                [
                    "csrf": call.csrf, "mayAct": call.isResponder, "hasRules": !rules.isEmpty,
                    "rules": rules.sorted { $0.until < $1.until }.map { line($0, now) },
                    "form": try await form(call),
                ], follows: "", notice: notice))
    }

    private static func line(_ rule: GuardRule, _ now: Instant) -> Fields {
        let pattern = rule.rule.pattern
        let badge =
            switch rule.rule.action {
            case .allow: Words.badge(.well, "ok", rule.rule.action.words)
            case .limit: Words.badge(.warn, "wait", rule.rule.action.words)
            case .block: Words.badge(.ill, "shield", rule.rule.action.words)
            }
        return [
            "id": rule.id, "badge": badge, "query": pattern.query?.hex, "user": pattern.user,
            "application": pattern.application, "database": pattern.database, "reason": rule.rule.reason,
            "by": rule.createdBy, "at": Words.time(rule.createdAt), "until": Words.time(rule.until),
            "left": (rule.until - now).spoken,
        ]
    }

    /// What was sent and refused stands in the form again; other pages fill it in by the address.
    private static func form(_ call: PageCall) async throws -> Fields {
        let sent = call.request.method == .post ? try await call.form() : nil
        func value(_ name: String) -> String { sent?.trimmed(name) ?? call.query(name) ?? "" }
        let (action, lasts) = (value("action"), value("lasts"))
        return [
            "limit": value("limit").isEmpty ? "1" : value("limit"), "query": value("query"), "user": value("user"),
            "application": value("application"), "database": value("database"), "reason": value("reason"),
            "actions": [
                ("limit", "Limit: so many at a time"), ("block", "Block: turn away"),
                ("allow", "Allow: never hold back"),
            ].map { ["value": $0, "word": $1, "isChosen": $0 == action] as Fields },
            "lengths": lengths.map {
                ["word": $0.word, "isChosen": $0.word == (lasts.isEmpty ? "1 hour" : lasts)] as Fields
            },
            "isOpen": sent != nil || !value("query").isEmpty,
        ]
    }

    static let template = """
        <h1>Rules by hand</h1>
        <p class="lead">What the guard of a database does with some queries because a person says so, also where it only observes. Every rule ends by itself.</p>
        <section id="rules" data-live aria-labelledby="rules-title"><h2 id="rules-title">In force</h2>
        {{^hasRules}}<p class="empty">There is none.</p>{{/hasRules}}
        {{#hasRules}}<div class="scroll" tabindex="0" role="region" aria-label="Rules in force"><table class="list"><thead><tr><th scope="col">Rule</th><th scope="col">Does</th><th scope="col">With</th><th scope="col">Why</th><th scope="col">Ends</th>{{#mayAct}}<th scope="col"><span class="hidden">Act</span></th>{{/mayAct}}</tr></thead>
        <tbody>{{#rules}}<tr><th scope="row">{{id}}</th><td>{{#badge}}{{>badge}}{{/badge}}</td><td>{{#query}}query <code>{{query}}</code> {{/query}}{{^query}}every query {{/query}}{{#user}}of user <code>{{user}}</code> {{/user}}{{#application}}from <code>{{application}}</code> {{/application}}{{#database}}in <code>{{database}}</code>{{/database}}</td><td>{{reason}}<span class="by"> {{by}}, {{#at}}{{>time}}{{/at}}</span></td><td>in {{left}}<span class="by"> {{#until}}{{>time}}{{/until}}</span></td>{{#mayAct}}<td><form method="post" action="/guard/rules/remove">{{>csrf}}<input type="hidden" name="id" value="{{id}}"><button class="small">Remove<span class="hidden"> {{id}}</span></button></form></td>{{/mayAct}}</tr>{{/rules}}</tbody></table></div>{{/hasRules}}
        </section>
        {{#mayAct}}{{#form}}<section aria-labelledby="make-title"><h2 id="make-title" class="hidden">Another rule</h2>
        <details id="make"{{#isOpen}} open{{/isOpen}}><summary class="button">{{>icon-shield}}Make a rule</summary><form method="post" action="/guard/rules" class="card stack">{{>csrf}}
        <div><label for="rule-action">What the guard does</label><select id="rule-action" name="action">{{#actions}}<option value="{{value}}"{{#isChosen}} selected{{/isChosen}}>{{word}}</option>{{/actions}}</select></div>
        <div><label for="rule-limit">At a time, for a limit</label><input id="rule-limit" name="limit" type="number" min="1" max="10000" value="{{limit}}"></div>
        <p class="quiet">With which queries: those that fit everything that is filled in. At least one has to be.</p>
        <div><label for="rule-query">Query: its fingerprint</label><input id="rule-query" name="query" maxlength="16" autocomplete="off" spellcheck="false" value="{{query}}" placeholder="16 hexadecimal digits"></div>
        <div><label for="rule-user">Database user</label><input id="rule-user" name="user" maxlength="200" autocomplete="off" value="{{user}}"></div>
        <div><label for="rule-application">Application: its <code>application_name</code></label><input id="rule-application" name="application" maxlength="200" autocomplete="off" value="{{application}}"></div>
        <div><label for="rule-database">Database</label><input id="rule-database" name="database" maxlength="200" autocomplete="off" value="{{database}}"></div>
        <div><label for="rule-lasts">For how long</label><select id="rule-lasts" name="lasts">{{#lengths}}<option{{#isChosen}} selected{{/isChosen}}>{{word}}</option>{{/lengths}}</select></div>
        <div><label for="rule-reason">Why?</label><input id="rule-reason" name="reason" required maxlength="500" autocomplete="off" value="{{reason}}"></div>
        <button class="primary">Make it</button></form></details></section>{{/form}}{{/mayAct}}
        {{^mayAct}}<p class="quiet">You can look, not act: that needs the role responder.</p>{{/mayAct}}
        """
}
