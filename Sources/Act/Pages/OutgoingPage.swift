import Decide

/// A page ready to be sent: its id, time and links are the same for every try, so that a receiver can tell a repetition
/// from news.
package struct OutgoingPage: Sendable {
    package struct Link: Sendable, Hashable {
        package enum Kind: String, Sendable {
            case acknowledge, undo, incident
        }

        package var kind: Kind
        package var title: String
        package var url: String
    }

    /// Longer texts are cut: a page is read on a phone, and channels refuse more.
    static let titleLimit = 200
    static let lineLimit = 1_000
    static let linesLimit = 30

    package var id: String
    package var service: String
    package var incident: String
    package var target: PageTarget
    package var severity: Severity
    package var isResolved: Bool
    /// `incident.opened`, `incident.repaged`, `incident.proven`, `incident.undone`, `incident.resolved`.
    package var event: String
    package var title: String
    package var lines: [String]
    package var links: [Link]
    /// When it was asked for.
    package var at: Instant

    /// - Parameters:
    ///   - meanwhile: what happened between the request and this try.
    ///   - offersLinks: whether there is still something to acknowledge or undo.
    init(
        _ delivery: Delivery, requestedAt: Instant, meanwhile: [String] = [], offersLinks: Bool = true,
        links: LinkSigner
    ) {
        let message = delivery.message
        id = delivery.page
        service = delivery.service
        incident = delivery.incident
        target = delivery.target
        severity = message.severity
        isResolved = message.isResolved
        event = "incident.\(delivery.isRepage ? "repaged" : delivery.purpose)"
        title = Words.oneLine(message.title, limit: Self.titleLimit)
        lines = (meanwhile + message.lines).prefix(Self.linesLimit).map { Words.oneLine($0, limit: Self.lineLimit) }
        at = requestedAt
        let expires = requestedAt + Page.linkLifetime
        var offered: [Link] = []
        if offersLinks, message.acknowledge {
            offered.append(
                Link(
                    kind: .acknowledge, title: "Acknowledge",
                    url: links.url(page: delivery.page, link: .acknowledge, expires: expires)))
        }
        if offersLinks, message.undo != nil {
            let what = Words.oneLine(message.undoTitle ?? "the suspected change", limit: Self.titleLimit)
            offered.append(
                Link(
                    kind: .undo, title: "Undo \(what)",
                    url: links.url(page: delivery.page, link: .undo, expires: expires)))
        }
        offered.append(Link(kind: .incident, title: "Open the incident", url: links.incident(delivery.incident)))
        self.links = offered
    }
}

/// Texts from outside, made fit for one line.
enum Words {
    /// Control characters, line breaks and direction marks become spaces; what is too long ends in `…`.
    static func oneLine(_ text: String, limit: Int) -> String {
        let opening = Array(text.unicodeScalars.prefix(limit + 1)).map { isPlain($0) ? $0 : " " }
        func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars)
            return String(view)
        }
        return opening.count <= limit ? string(opening) : string(opening.prefix(limit - 1)) + "…"
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: false
        case .format: scalar.value == 0x200D
        default: true
        }
    }

    /// What a receiving side said, for the timeline: one line, short, without the secrets it was told.
    static func reply(_ text: String, hiding secrets: [String]) -> String {
        // Hide first, cut then: a secret across the cut would survive in part.
        let line = oneLine(Redaction(secrets)(text), limit: 300)
        return line.split(separator: " ").joined(separator: " ")
    }
}
