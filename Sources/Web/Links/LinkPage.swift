import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// The three pages behind a page's links: what is about to be done, that it was done, and that it cannot be.
enum LinkPage {
    static func ask(_ link: PageLink, _ page: Page) -> Response {
        let message = page.delivery.message
        let lines = message.lines.map { "<p>\(HTMLText.escape($0))</p>" }.joined(separator: "\n")
        return frame(
            HTMLText.escape(message.title),
            """
            \(lines)
            <form method="post"><button type="submit">\(HTMLText.escape(button(link, message)))</button></form>
            <p>As \(HTMLText.escape(page.delivery.target.name)). This link works once.</p>
            """, incident: page.delivery.incident)
    }

    static func done(_ link: PageLink, _ page: Page) -> Response {
        let what =
            switch link {
            case .acknowledge: "Acknowledged: nobody else is paged for this incident."
            case .undo: "Undo ordered: the change is taken back for everyone, and the journeys run again."
            }
        return frame("Done", "<p>\(HTMLText.escape(what))</p>", incident: page.delivery.incident)
    }

    static func refused(_ message: String, incident: String) -> Response {
        frame(
            "Not possible", "<p>\(HTMLText.escape(message))</p>", incident: incident,
            status: .conflict)
    }

    private static func button(_ link: PageLink, _ message: PageMessage) -> String {
        switch link {
        case .acknowledge: "Acknowledge"
        case .undo: "Undo \(message.undoTitle ?? "the change")"
        }
    }

    /// - Parameters:
    ///   - title: escaped.
    ///   - body: escaped.
    private static func frame(
        _ title: String, _ body: String, incident: String, status: HTTPResponse.Status = .ok
    ) -> Response {
        let address = HTMLText.escape("/incidents/\(PercentCoding.encode(incident))")
        return Response(
            html: """
                <!doctype html>
                <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
                <meta name="robots" content="noindex"><title>\(title) · Mainstay</title>
                <link rel="stylesheet" href="/assets/style.css"></head>
                <body><main><h1>\(title)</h1>
                \(body)
                <p><a href="\(address)">To incident \(HTMLText.escape(incident))</a> (needs a sign-in)</p></main></body></html>
                """, status: status)
    }
}
