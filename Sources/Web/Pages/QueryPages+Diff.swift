import Decide
import Explain
import Hummingbird
import Record

extension QueryPages {
    /// `/queries/diff?release=…` or `?change=…`, and `database=…`.
    static func diff(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let view = try await QueryAPI.diff(
            release: call.query("release"), change: call.query("change"), database: call.query("database"),
            call.record)
        return try await call.respond(diffPage(view, notice: notice))
    }

    static func diffPage(_ view: QueryDiffView, notice: Notice? = nil) -> PageContent {
        let diff = view.diff
        let change: Change? = if case .change(let change) = view.basis { change } else { nil }
        return PageContent(
            "Queries of \(view.title)", .queries, "query-diff",
            [
                "title": view.title, "method": view.method, "database": view.database,
                "change": change.map { ["title": $0.title, "href": Links.change($0.id)] as Fields },
                "verdict": verdict(diff), "gaps": diff.gaps, "hasGaps": !diff.gaps.isEmpty,
                "notes": diff.notes, "hasNotes": !diff.notes.isEmpty,
                "findings": diff.findings.enumerated().map { finding($1, number: $0) },
                "beforeFrom": Words.time(view.before.firstAt ?? view.before.start),
                "beforeTo": Words.time(view.before.end), "beforeCalls": calls(view.before),
                "afterFrom": Words.time(view.afterwards.start), "afterTo": Words.time(view.afterwards.end),
                "afterCalls": calls(view.afterwards), "endedBy": view.endedBy,
            ], refresh: view.endedBy == nil ? 30 : nil, notice: notice)
    }

    private static func calls(_ window: QueryWindow) -> String {
        let count = window.samples.reduce(0) { $0 + $1.figures.calls }
        return "\(Figures.count(Double(count))) \(count == 1 ? "call" : "calls")"
    }

    private static func verdict(_ diff: QueryDiff) -> Fields {
        switch diff.verdict {
        case .different:
            Words.badge(
                diff.findings.contains { $0.severity != .low } ? .ill : .warn, "ill",
                Words.count(diff.findings.count, "difference", "differences"))
        case .noDifference: Words.badge(.well, "ok", "No difference found")
        case .tooLittle: Words.badge(.warn, "unknown", "Too little to say")
        }
    }

    private static func finding(_ finding: QueryFinding, number: Int) -> Fields {
        let (tone, icon, word) = look(finding.kind)
        return [
            "anchor": "finding-\(number)", "badge": Words.badge(tone, icon, word),
            "severity": Words.badge(finding.severity), "text": words(finding.query, finding.text),
            "href": href(finding.query), "database": finding.database, "sentence": finding.sentence,
            "before": finding.before.map(figures), "after": finding.after.map(figures),
        ]
    }

    private static func look(_ kind: QueryFinding.Kind) -> (Tone, String, String) {
        switch kind {
        case .zeroRowWrites: (.ill, "ill", "writes that change nothing")
        case .failing: (.ill, "ill", "fails")
        case .vanished: (.warn, "unknown", "no longer called")
        case .slower: (.warn, "clock", "slower")
        case .new: (.info, "change", "new")
        }
    }

    static let diffTemplate = """
        <p class="crumbs"><a href="/queries">Queries</a> / {{title}}</p>
        <header class="head" id="diff-head" data-live><h1>What {{title}} did to queries</h1>{{#verdict}}{{>badge}}{{/verdict}}<p class="quiet">{{method}}{{#database}} Database {{database}} only.{{/database}}</p></header>
        <section id="diff-gaps" data-live>{{#hasGaps}}<div class="notice warn" role="note">{{>icon-unknown}}<div><p>Not all of it could be looked at:</p><ul>{{#gaps}}<li>{{.}}</li>{{/gaps}}</ul></div></div>{{/hasGaps}}{{#notes}}<p class="quiet">{{.}}</p>{{/notes}}</section>
        <dl class="plain-facts" id="diff-times" data-live>
        <div><dt>Before</dt><dd>{{#beforeFrom}}{{>time}}{{/beforeFrom}} to {{#beforeTo}}{{>time}}{{/beforeTo}}, {{beforeCalls}}</dd></div>
        <div><dt>After</dt><dd>{{#afterFrom}}{{>time}}{{/afterFrom}} to {{#afterTo}}{{>time}}{{/afterTo}}, {{afterCalls}}{{#endedBy}}; then {{endedBy}}{{/endedBy}}</dd></div>
        {{#change}}<div><dt>Change</dt><dd><a href="{{href}}">{{title}}</a></dd></div>{{/change}}
        </dl>
        <section id="findings" data-live aria-label="Differences">
        {{#findings}}<article class="card" id="{{anchor}}"><header><p class="badges">{{#badge}}{{>badge}}{{/badge}}{{#severity}}{{>badge}}{{/severity}}</p><h2>{{sentence}}</h2></header>
        <pre><code>{{text}}</code></pre>
        <div class="scroll" tabindex="0" role="region" aria-label="Before and after"><table><thead><tr><th scope="col"><span class="hidden">Time</span></th>{{>query-heads}}</tr></thead>
        <tbody><tr><th scope="row">Before</th>{{#before}}{{>query-cells}}{{/before}}{{^before}}<td colspan="8" class="quiet">not called</td>{{/before}}</tr><tr><th scope="row">After</th>{{#after}}{{>query-cells}}{{/after}}{{^after}}<td colspan="8" class="quiet">not called</td>{{/after}}</tr></tbody></table></div>
        <p class="by">Database {{database}} · <a href="{{href}}">This query over time</a></p></article>{{/findings}}
        </section>
        """
}
