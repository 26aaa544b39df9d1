import Decide
import Explain

extension IncidentPages {
    /// The queries that a guard holds back, or held, as it told of them; the latest first.
    static func queries(_ view: IncidentView) -> Fields {
        let found = view.incident.alerts.filter { $0.query != nil }.sorted { $0.seenAt > $1.seenAt }
        return ["hasQueries": !found.isEmpty, "queries": found.compactMap(query)]
    }

    private static func query(_ alert: Alert) -> Fields? {
        guard let decision = alert.query else { return nil }
        let isOver = alert.resolvedAt != nil
        return [
            "badge": isOver
                ? Words.badge(.well, "ok", "let in again")
                : decision.isObserved
                    ? Words.badge(.warn, "shield", "observed only") : Words.badge(.ill, "shield", "held back"),
            "hex": decision.query?.hex, "text": decision.text.isEmpty ? nil : decision.text,
            "database": decision.database, "user": decision.user, "release": decision.release,
            "share": decision.share.map { "\(Int(($0 * 100).rounded())) %" },
            "servers": decision.slots.map { Words.count($0, "server", "servers") },
            "limit": decision.kind == .breakerOpened
                ? "turned away" : decision.limit.map { Words.count($0, "server", "servers") + " at a time" },
            "explanation": decision.explanation.isEmpty ? nil : decision.explanation,
            "at": Words.time(alert.seenAt), "until": isOver ? nil : Words.optionalTime(decision.until),
            "ended": Words.optionalTime(alert.resolvedAt), "rule": isOver ? nil : rule(decision),
        ]
    }

    /// The form for a rule by hand about it, filled in.
    private static func rule(_ decision: QueryDecision) -> String? {
        decision.query.map {
            "\(GuardRulePages.path)?query=\($0.hex)&database=\(Links.segment(decision.database))"
        }
    }

    static let queriesTemplate = """
        {{#hasQueries}}<section aria-labelledby="queries"><h2 id="queries">What the guard holds back</h2>
        {{#queries}}<article class="card"><header>{{#badge}}{{>badge}}{{/badge}}<h3>Query <code>{{hex}}</code></h3></header>
        {{#text}}<pre>{{text}}</pre>{{/text}}
        <dl class="facts">
        <div><dt>Release</dt><dd>{{#release}}<code>{{release}}</code>{{/release}}{{^release}}its client names none{{/release}}</dd></div>
        <div><dt>Database</dt><dd>{{database}}, user {{user}}</dd></div>
        {{#share}}<div><dt>Share of the time</dt><dd>{{share}}{{#servers}} of {{servers}}{{/servers}}</dd></div>{{/share}}
        {{#limit}}<div><dt>Held to</dt><dd>{{limit}}</dd></div>{{/limit}}
        <div><dt>Since</dt><dd>{{#at}}{{>time}}{{/at}}{{#ended}} until {{>time}}{{/ended}}</dd></div>
        {{#until}}<div><dt>Let in again</dt><dd>{{>time}} at the earliest</dd></div>{{/until}}
        </dl>
        {{#explanation}}<p>{{explanation}}</p>{{/explanation}}
        {{#rule}}<p class="more"><a href="{{rule}}">Rules by hand for it {{>icon-next}}</a></p>{{/rule}}</article>{{/queries}}
        </section>{{/hasQueries}}
        """
}
