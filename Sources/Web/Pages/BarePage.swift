import Explain

/// A page with one message, for people who may not be signed in: an error, or what a link from a page leads to.
enum BarePage {
    /// What its one button does.
    struct Button {
        var label: String
        /// It takes something back; else it says yes to something.
        var isUndo: Bool
    }

    /// - Parameters:
    ///   - lines: plain text, escaped here.
    ///   - button: posts to the page's own address.
    ///   - more: a link below.
    static func render(
        _ title: String, tone: Tone, icon: String, lines: [String], button: Button? = nil,
        more: (label: String, path: String)? = nil, small: String? = nil
    ) -> String {
        Templates.shared.render(
            "bare",
            [
                "title": title, "tone": tone.rawValue, "icon": "icon-\(icon)", "lines": lines,
                "style": Assets.style.url, "script": Assets.script.url, "iconURL": Assets.icon.url,
                "button": button.map {
                    [
                        "label": $0.label, "class": $0.isUndo ? "strong" : "primary",
                        "mark": $0.isUndo ? "icon-undo" : "icon-ok",
                    ]
                        as Fields
                },
                "more": more.map { ["label": $0.label, "path": $0.path] as Fields }, "small": small,
            ])
    }

    static let template = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="robots" content="noindex">
        <title>{{title}} · Mainstay</title>
        <link rel="icon" href="{{iconURL}}" type="image/svg+xml">
        <link rel="stylesheet" href="{{style}}">
        <script src="{{script}}" defer></script>
        </head>
        <body class="bare">
        <header class="top"><div class="bar"><a class="brand" href="/">{{>icon-brand}}Mainstay</a></div></header>
        <main id="main">
        <section class="card bare-card {{tone}}">
        <h1><span class="sign">{{>*icon}}</span>{{title}}</h1>
        {{#lines}}<p>{{.}}</p>{{/lines}}
        {{#button}}<form method="post"><button class="{{class}} wide">{{>*mark}}{{label}}</button></form>{{/button}}
        {{#more}}<p class="more"><a href="{{path}}">{{label}}</a></p>{{/more}}
        {{#small}}<p class="quiet">{{small}}</p>{{/small}}
        </section>
        </main>
        </body>
        </html>

        """
}
