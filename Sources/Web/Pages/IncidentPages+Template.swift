extension IncidentPages {
    static let listTemplate = """
        <h1>Incidents</h1>
        <section id="open" data-live>
        {{#isCalm}}<div class="hero well"><span class="sign">{{>icon-ok}}</span><div><h2>No incident is open</h2><p>Past ones are below, with what they taught.</p></div></div>{{/isCalm}}
        {{#open}}{{>incident-card}}{{/open}}
        </section>
        {{#past}}<h2>Past incidents</h2>
        <div class="scroll" tabindex="0" role="region" aria-label="Past incidents"><table class="list"><thead><tr><th scope="col">Incident</th><th scope="col">Began</th><th scope="col">Lasted</th><th scope="col">Hit</th><th scope="col">Changed</th><th scope="col">State</th></tr></thead>
        <tbody>{{#items}}<tr><th scope="row"><a href="{{href}}">{{title}}</a><span class="quiet"> {{service}}</span></th><td>{{#since}}{{>time}}{{/since}}</td><td>{{duration}}</td><td>{{hits}}</td><td>{{changed}}</td><td>{{#badge}}{{>badge}}{{/badge}}</td></tr>{{/items}}</tbody></table></div>
        {{/past}}
        {{#older}}<p class="more"><a href="{{older}}">Older incidents {{>icon-next}}</a></p>{{/older}}
        """

    static let template = """
        <div class="incident-page">
        <header class="incident-head" id="head" data-live>
        <p class="crumbs"><a href="/incidents">Incidents</a> / {{id}}</p>
        <p class="badges">{{#badge}}{{>badge}}{{/badge}}{{#severity}}{{>badge}}{{/severity}}</p>
        <h1>{{title}}</h1>
        {{#summary}}<p class="lead">{{summary}}</p>{{/summary}}
        <dl class="key {{tone}}">
        <div><dt>{{#isOpen}}Since{{/isOpen}}{{^isOpen}}Lasted{{/isOpen}}</dt><dd><strong{{#ticks}} data-since="{{ticks}}"{{/ticks}}>{{duration}}</strong><span>{{#since}}{{>time}}{{/since}}{{#ended}} until {{>time}}{{/ended}}</span></dd></div>
        <div><dt>Hits</dt><dd><strong>{{share}}</strong><span>{{exposed}}. {{reporters}}.</span></dd></div>
        <div><dt>Changed</dt><dd>{{#cause}}<strong><a href="{{href}}">{{title}}</a></strong><span>{{#certainty}}{{>badge}}{{/certainty}} by {{actor}}, {{#at}}{{>time}}{{/at}}{{#forced}}; forced past the gate{{/forced}}</span>{{/cause}}{{^cause}}<strong>Nothing known</strong><span>No change before it is suspected.</span>{{/cause}}</dd></div>
        <div><dt>{{outcome}}</dt><dd><strong class="words">{{doing}}</strong><span>Team {{team}}</span></dd></div>
        </dl>
        </header>
        {{>incident-actions}}
        <div class="columns">
        <div class="story">
        <div id="evidence" data-live>{{>incident-evidence}}{{>incident-queries}}</div>
        <section id="suspects" data-live aria-labelledby="suspects-title"><h2 id="suspects-title">Suspects</h2>
        {{^hasSuspects}}<p class="empty">No change before trouble began is on the ledger.</p>{{/hasSuspects}}
        <ol class="suspects">{{#suspects}}<li><span class="rank">{{rank}}</span><div><p><a href="{{href}}">{{title}}</a> {{#verdict}}{{>badge}}{{/verdict}}{{#undoneBy}} <span class="badge info">{{>icon-undo}}undone by {{undoneBy}}</span>{{/undoneBy}}</p>
        <ul>{{#reasons}}<li>{{.}}</li>{{/reasons}}</ul><p class="by">{{actor}} · {{#at}}{{>time}}{{/at}}</p></div></li>{{/suspects}}</ol></section>
        <section id="reports" data-live>{{#reports}}<h2>{{count}} by customers</h2>
        <ul class="quotes">{{#items}}<li><blockquote>{{text}}</blockquote><p class="by">{{#at}}{{>time}}{{/at}}</p></li>{{/items}}</ul>{{#more}}<p class="quiet">{{more}}</p>{{/more}}{{/reports}}</section>
        <section id="lines" data-live aria-labelledby="timeline-title"><h2 id="timeline-title">Timeline</h2>{{>lines}}</section>
        </div>
        <aside class="side">
        <section id="times" data-live class="card"><h2>Key times</h2><ol class="moments">{{#moments}}<li{{#isOrigin}} class="origin"{{/isOrigin}}><span>{{title}}</span><span class="elapsed">{{#isOrigin}}0{{/isOrigin}}{{^isOrigin}}{{elapsed}}{{/isOrigin}}</span>{{#at}}{{>time}}{{/at}}</li>{{/moments}}</ol><p class="quiet">Counted from: {{origin}}.</p></section>
        <section id="done" data-live class="card"><h2>What was done</h2>{{#done}}<ol class="plain">{{#items}}<li>{{text}}<p class="by">{{#at}}{{>time}}{{/at}}</p></li>{{/items}}</ol>{{/done}}{{^done}}<p class="quiet">Nothing yet.</p>{{/done}}</section>
        <section id="pages" data-live class="card"><h2>Pages</h2>{{^hasPages}}<p class="quiet">Nobody was paged.</p>{{/hasPages}}<ul class="plain">{{#pages}}<li><strong>{{to}}</strong> by {{by}} {{#badge}}{{>badge}}{{/badge}}<p class="by">{{#at}}{{>time}}{{/at}} · {{title}}</p>{{#proof}}<p class="proof"><code>{{proof}}</code></p>{{/proof}}</li>{{/pages}}</ul></section>
        <section id="notes" data-live class="card"><h2>Notes</h2>{{^hasNotes}}<p class="quiet">None yet.</p>{{/hasNotes}}<ul class="plain">{{#notes}}<li><p class="said">{{text}}</p><p class="by">{{by}} · {{#at}}{{>time}}{{/at}}</p></li>{{/notes}}</ul></section>
        </aside>
        </div>
        </div>
        """

    static let actionsTemplate = """
        <section class="actions" id="actions" data-live aria-labelledby="actions-title"><h2 id="actions-title" class="hidden">What you can do</h2>
        {{#mayAct}}
        {{#acknowledge}}<form method="post" action="{{path}}/acknowledge">{{>csrf}}<button class="primary">{{>icon-person}}Acknowledge</button></form>{{/acknowledge}}
        {{#undos}}<form method="post" action="{{path}}/undo">{{>csrf}}<input type="hidden" name="change" value="{{change}}"><button{{#isFirst}} class="strong"{{/isFirst}}>{{>icon-undo}}Undo {{title}}</button></form>{{/undos}}
        {{#resolve}}<details id="resolve"><summary class="button">{{>icon-ok}}Resolve</summary><form method="post" action="{{path}}/resolve">{{>csrf}}<label for="reason">Why is it over?</label><input id="reason" name="reason" required maxlength="1000" autocomplete="off"><button class="primary">Resolve</button></form></details>{{/resolve}}
        {{#review}}<form method="post" action="{{path}}/review">{{>csrf}}<button class="primary">{{>icon-document}}Mark as reviewed</button></form>{{/review}}
        <details id="note"><summary class="button">{{>icon-note}}Add a note</summary><form method="post" action="{{path}}/note">{{>csrf}}<label for="text">Note</label><textarea id="text" name="text" rows="3" required maxlength="8000"></textarea><button class="primary">Add</button></form></details>
        {{/mayAct}}
        <a class="button" href="{{postmortem}}">{{>icon-document}}Postmortem</a>
        {{^mayAct}}<p class="quiet">You can look, not act: that needs the role responder.</p>{{/mayAct}}
        </section>
        """
}
