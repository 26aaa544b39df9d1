import Decide
import Mustache

/// All templates, compiled once. A template that does not compile, or that is missing, is a mistake in the program:
/// tests render each, and the page says so instead of the process dying.
struct Templates: Sendable {
    static let shared = Templates(
        Templates.parts.merging(Icons.templates) { $1 }.merging(Templates.pages) { $1 })

    private static let pages: [String: String] = [
        "layout": Layout.template,
        "sign-in": SignInPages.template,
        "dashboard": DashboardPages.template,
        "incidents": IncidentPages.listTemplate,
        "incident": IncidentPages.template,
        "incident-actions": IncidentPages.actionsTemplate,
        "incident-evidence": IncidentPages.evidenceTemplate,
        "incident-queries": IncidentPages.queriesTemplate,
        "postmortem": PostmortemPages.template,
        "flags": FlagPages.listTemplate,
        "flag": FlagPages.template,
        "changes": ChangePages.listTemplate,
        "change": ChangePages.template,
        "releases": ReleasePages.listTemplate,
        "release": ReleasePages.template,
        "check": CheckPages.template,
        "queries": QueryPages.listTemplate,
        "query": QueryPages.template,
        "query-diff": QueryPages.diffTemplate,
        "query-heads": QueryPages.headsTemplate,
        "query-cells": QueryPages.cellsTemplate,
        "guard": GuardPages.template,
        "guard-connections": GuardConnectionPages.template,
        "timeline": TimelinePages.listTemplate,
        "entry": TimelinePages.template,
        "guard-rules": GuardRulePages.template,
        "account": AccountPages.template,
        "bare": BarePage.template,
    ]

    private var library = MustacheLibrary()
    private(set) var problems: [String] = []

    init(_ sources: [String: String]) {
        for (name, source) in sources.sorted(by: { $0.key < $1.key }) {
            do {
                try library.register(source, named: name)
            } catch {
                problems.append("template \(name): \(error)")
            }
        }
    }

    func render(_ name: String, _ fields: Fields) -> String {
        library.render(fields.root, withTemplate: name) ?? "This page has no template named \(name)."
    }
}

extension Templates {
    /// Pieces that pages share.
    static let parts: [String: String] = [
        "time": """
        <time datetime="{{iso}}" title="{{utc}}" data-form="{{form}}">{{text}}</time>
        """,
        "badge": """
        <span class="badge {{tone}}">{{>*icon}}{{word}}</span>
        """,
        "csrf": """
        <input type="hidden" name="csrf" value="{{csrf}}">
        """,
        "lines": """
        <ol class="timeline">
        {{#lines}}<li id="e{{id}}" class="{{tone}}"><span class="knot">{{>*icon}}</span>
        <div><p>{{text}}</p><p class="by">{{#at}}{{>time}}{{/at}}{{#elapsed}} <span class="elapsed">{{elapsed}}</span>{{/elapsed}} · {{actor}} · <a href="{{href}}">#{{id}}</a></p></div></li>
        {{/lines}}</ol>
        """,
        "incident-card": """
        <article class="card incident {{tone}}">
        <header>{{#badge}}{{>badge}}{{/badge}}<h2><a href="{{href}}">{{title}}</a></h2></header>
        <dl class="facts">
        <div><dt>Since</dt><dd>{{#since}}{{>time}}{{/since}} <span class="quiet">(<span{{#ticks}} data-since="{{ticks}}"{{/ticks}}>{{duration}}</span>)</span></dd></div>
        <div><dt>Hits</dt><dd>{{hits}}</dd></div>
        <div><dt>Changed</dt><dd>{{changed}}</dd></div>
        <div><dt>Being done</dt><dd>{{doing}}</dd></div>
        </dl>
        <p class="more"><a class="button{{#primary}} primary{{/primary}}" href="{{href}}">Open the incident {{>icon-next}}</a></p>
        </article>
        """,
        "change-row": """
        <li id="{{anchor}}"><span class="knot">{{>*icon}}</span>
        <div><p><a href="{{href}}">{{title}}</a>{{#forced}} <span class="badge warn">{{>icon-shield}}forced past the gate</span>{{/forced}}{{#undone}} <span class="badge info">{{>icon-undo}}undone {{#undoneAt}}{{>time}}{{/undoneAt}}</span>{{/undone}}</p>
        <p class="by">{{#at}}{{>time}}{{/at}} · {{actor}} · {{service}}{{#reason}} · “{{reason}}”{{/reason}}</p></div></li>
        """,
        "steps": """
        <ol class="stages">{{#stages}}<li class="{{tone}}"{{#isPresent}} aria-current="step"{{/isPresent}}><strong>{{share}}</strong><span>{{hold}}</span>
        <span class="verdict">{{#verdict}}{{>*icon}}{{verdict}}{{/verdict}}{{^verdict}}{{state}}{{/verdict}}</span></li>{{/stages}}</ol>
        """,
    ]
}
