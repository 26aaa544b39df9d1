import Decide
import Explain
import HTTPTypes
import Hummingbird
import Record

/// A page without its frame.
struct PageContent {
    enum Section: String, CaseIterable {
        case dashboard = "Dashboard"
        case incidents = "Incidents"
        case flags = "Flags"
        case releases = "Releases"
        case changes = "Changes"
        case queries = "Queries"
        case timeline = "Timeline"

        var path: String { self == .dashboard ? "/" : "/\(rawValue.lowercased())" }
    }

    var title: String
    var section: Section?
    var html: String
    /// Follow the timeline: of one incident, or with an empty text all of it.
    var follows: String?
    /// The timeline's newest line when the page was made.
    var head: Int64 = 0
    /// Also look again after this many seconds.
    var refresh: Int?
    var notice: Notice?
    var status: HTTPResponse.Status = .ok

    init(
        _ title: String, _ section: Section?, _ template: String, _ fields: Fields, follows: String? = nil,
        refresh: Int? = nil, notice: Notice? = nil
    ) {
        self.title = title
        self.section = section
        html = Templates.shared.render(template, fields)
        self.follows = follows
        self.refresh = refresh
        self.notice = notice
        status = notice?.status ?? .ok
    }
}

/// The frame around every page.
enum Layout {
    /// - Parameter open: number of open incidents, for the mark in the navigation; nil: not shown.
    static func render(
        _ page: PageContent, identity: Identity?, open: Int?, version: String
    ) -> String {
        Templates.shared.render(
            "layout",
            [
                "title": page.title, "style": Assets.style.url, "script": Assets.script.url, "icon": Assets.icon.url,
                "stream": page.follows.map { stream($0, after: page.head) },
                "refresh": page.refresh.map(String.init), "content": page.html,
                "notice": page.notice.map {
                    ["tone": $0.tone.rawValue, "icon": "icon-\($0.icon)", "text": $0.text] as Fields
                },
                "person": identity.map { ["name": $0.account, "csrf": $0.csrf ?? ""] as Fields },
                "nav": PageContent.Section.allCases.map { navigation($0, page, open: open) }, "version": version,
                "inAccount": page.title == AccountPages.title,
            ])
    }

    private static func stream(_ incident: String, after head: Int64) -> String {
        let filter = incident.isEmpty ? "" : "&incident=\(Links.segment(incident))"
        return "/api/v1/timeline/stream?after=\(head)\(filter)"
    }

    private static func navigation(_ section: PageContent.Section, _ page: PageContent, open: Int?) -> Fields {
        let count = section == .incidents ? open.flatMap { $0 > 0 ? $0 : nil } : nil
        return [
            "path": section.path, "label": section.rawValue, "isCurrent": section == page.section,
            "open": count.map(String.init),
        ]
    }

    static let template = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{{title}} · Mainstay</title>
        <link rel="icon" href="{{icon}}" type="image/svg+xml">
        <link rel="stylesheet" href="{{style}}">
        <script src="{{script}}" defer></script>
        </head>
        <body{{#stream}} data-stream="{{stream}}"{{/stream}}{{#refresh}} data-refresh="{{refresh}}"{{/refresh}}>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
        <div class="bar">
        <a class="brand" href="/">{{>icon-brand}}Mainstay</a>
        {{#person}}
        <nav aria-label="Main" id="nav" data-live>{{#nav}}<a href="{{path}}"{{#isCurrent}} aria-current="page"{{/isCurrent}}>{{label}}{{#open}}<span class="count">{{open}}<span class="hidden"> open</span></span>{{/open}}</a>{{/nav}}</nav>
        <div class="who"><span class="live" id="live" hidden></span><a href="/account"{{#inAccount}} aria-current="page"{{/inAccount}}>{{>icon-person}}{{name}}</a>
        <form method="post" action="/sign-out">{{>csrf}}<button class="plain">Sign out</button></form></div>
        {{/person}}
        </div>
        </header>
        <main id="main" tabindex="-1">
        {{#notice}}<p class="notice {{tone}}" role="status">{{>*icon}}<span>{{text}}</span></p>{{/notice}}
        {{{content}}}
        </main>
        <footer class="foot"><p>Mainstay {{version}} · Times are in your zone, with UTC on hover; without script they are UTC.</p></footer>
        </body>
        </html>

        """
}
