extension QueryPages {
    /// Columns that every table of queries has, and one row's cells in them.
    static let headsTemplate = """
        <th scope="col">Calls</th><th scope="col">Mean</th><th scope="col">p95</th><th scope="col">p99</th><th scope="col">Total</th><th scope="col">Rows</th><th scope="col">Errors</th><th scope="col">Writes</th>
        """

    static let cellsTemplate = """
        <td class="num">{{calls}}</td><td class="num">{{mean}}</td><td class="num">{{p95}}</td><td class="num">{{p99}}</td><td class="num">{{total}}</td><td class="num">{{rows}}</td><td>{{#errors}}<span class="why">{{errors}}</span>{{/errors}}{{^errors}}none{{/errors}}</td><td>{{#empty}}{{empty}}{{/empty}}{{^empty}}–{{/empty}}</td>
        """

    static let listTemplate = """
        <header class="head"><h1>Queries</h1><p class="quiet">What the guard counted, the most expensive first. {{#hasGuard}}<a href="/guard">The guard now</a> · {{/hasGuard}}<a href="/guard/rules">Rules by hand</a> · <a href="/api/v1/queries/export">A file for mainstay review</a></p></header>
        <nav class="chips" aria-label="Time">{{#windows}}<a href="{{href}}"{{#isCurrent}} aria-current="true"{{/isCurrent}}>{{label}}</a>{{/windows}}</nav>
        {{#hasDatabases}}<nav class="chips" aria-label="Databases">{{#allDatabases}}<a href="{{href}}"{{#isCurrent}} aria-current="true"{{/isCurrent}}>{{label}}</a>{{/allDatabases}}{{#databases}}<a href="{{href}}"{{#isCurrent}} aria-current="true"{{/isCurrent}}>{{label}}</a>{{/databases}}</nav>{{/hasDatabases}}
        {{#release}}<p>Only of release <strong>{{name}}</strong>. <a href="{{all}}">Show all releases</a></p>{{/release}}
        <section id="queries" data-live aria-label="Queries by time">
        {{#isEmpty}}<p class="empty">No query was counted in this time. A guard counts them: it runs when the configuration has a key <code>guard</code>, and clients connect through it.</p>{{/isEmpty}}
        {{^isEmpty}}<div class="scroll" tabindex="0" role="region" aria-label="Queries"><table class="list"><thead><tr><th scope="col">Query</th><th scope="col">Share of time</th>{{>query-heads}}</tr></thead>
        <tbody>{{#lines}}<tr><th scope="row"><code class="query">{{text}}</code><p class="by">{{database}} · {{rate}}{{#href}} · <a href="{{href}}">over time</a>{{/href}}</p>{{#releases}}<p class="by">{{name}}: {{calls}} calls, {{mean}} each</p>{{/releases}}</th><td>{{share}}</td>{{>query-cells}}</tr>{{/lines}}</tbody></table></div>{{/isEmpty}}
        {{#more}}<p class="quiet">{{more}}</p>{{/more}}
        </section>
        <section id="query-releases" data-live>{{#hasReleases}}<h2>Releases that clients named</h2>
        <div class="scroll" tabindex="0" role="region" aria-label="Releases"><table class="list"><thead><tr><th scope="col">Release</th><th scope="col">Since</th><th scope="col">Calls</th><th scope="col">Look</th></tr></thead>
        <tbody>{{#releases}}<tr><th scope="row">{{name}}</th><td>{{#at}}{{>time}}{{/at}}</td><td class="num">{{calls}}</td><td><a href="{{href}}">What it changed</a> · <a href="{{only}}">Only its queries</a></td></tr>{{/releases}}</tbody></table></div>{{/hasReleases}}</section>
        """

    static let template = """
        <p class="crumbs"><a href="/queries">Queries</a> / {{fingerprint}}</p>
        <header class="head"><h1>Query {{fingerprint}}</h1><p class="quiet">{{#databases}}Database {{databases}}{{/databases}}</p></header>
        <pre><code>{{text}}</code></pre>
        <section id="query-parts" data-live>{{#hasReleases}}<h2>By release, last 7 days</h2>
        <div class="scroll" tabindex="0" role="region" aria-label="By release"><table class="list"><thead><tr><th scope="col">Release</th>{{>query-heads}}</tr></thead>
        <tbody>{{#releases}}<tr><th scope="row">{{#name}}<a href="{{href}}">{{name}}</a>{{/name}}{{^name}}<span class="quiet">not named</span>{{/name}}</th>{{>query-cells}}</tr>{{/releases}}</tbody></table></div>{{/hasReleases}}</section>
        <section id="query-hours" data-live><h2>By hour, last two days</h2>
        {{^hasHours}}<p class="empty">It was not called in this time.</p>{{/hasHours}}
        {{#hasHours}}<div class="scroll" tabindex="0" role="region" aria-label="By hour"><table class="list"><thead><tr><th scope="col">Hour from</th>{{>query-heads}}</tr></thead>
        <tbody>{{#hours}}<tr><th scope="row">{{#at}}{{>time}}{{/at}}</th>{{>query-cells}}</tr>{{/hours}}</tbody></table></div>{{/hasHours}}</section>
        """
}
