import Decide
import Explain
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// The three pages behind a page's links: what is about to be done, that it was done, and that it cannot be.
enum LinkPage {
    static func ask(_ link: PageLink, _ page: Page) -> Response {
        let message = page.delivery.message
        let button =
            switch link {
            case .acknowledge: BarePage.Button(label: "Acknowledge", isUndo: false)
            case .undo: BarePage.Button(label: "Undo \(message.undoTitle ?? "the change")", isUndo: true)
            }
        return Response(
            html: BarePage.render(
                message.title, tone: message.severity == .low ? .warn : .ill, icon: "ill", lines: message.lines,
                button: button, more: more(page.delivery.incident),
                small: "As \(page.delivery.target.name). This link works once."))
    }

    static func done(_ link: PageLink, _ page: Page) -> Response {
        let what =
            switch link {
            case .acknowledge: "Acknowledged: nobody else is paged for this incident."
            case .undo: "Undo ordered: the change is taken back for everyone, and the journeys run again."
            }
        return Response(
            html: BarePage.render("Done", tone: .well, icon: "ok", lines: [what], more: more(page.delivery.incident)))
    }

    static func refused(_ message: String, incident: String) -> Response {
        Response(
            html: BarePage.render("Not possible", tone: .warn, icon: "ill", lines: [message], more: more(incident)),
            status: .conflict)
    }

    private static func more(_ incident: String) -> (label: String, path: String) {
        ("To incident \(incident) (needs a sign-in)", Links.incident(incident))
    }
}
