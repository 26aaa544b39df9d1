import Decide

/// Delivers pages to a Slack-compatible incoming webhook: Slack, Mattermost, Discord's `/slack`.
///
/// Slack shows the blocks; the others show the text, which says the same.
package struct SlackSender: Sendable {
    private let client: PageClient

    package init(client: PageClient) {
        self.client = client
    }

    package func send(_ page: OutgoingPage, to url: String, now: Instant) async -> DeliveryOutcome {
        await client.post(
            url, body: Array(Self.body(page).compactText.utf8), hiding: SecretURL.parts(url), now: now)
    }

    static func body(_ page: OutgoingPage) -> JSONValue {
        let title = escape(page.title)
        let links = page.links.map { "<\(escape($0.url))|\(escape($0.title).replacing("|", with: "¦"))>" }
        let text = (["*\(title)*"] + page.lines.map(escape) + [links.joined(separator: " · ")]).joined(separator: "\n")
        return .object([
            "text": .string(text),
            "blocks": .array([
                .object(["type": "section", "text": markdown("*\(title)*")]),
                .object(["type": "section", "text": markdown(cut(page.lines))]),
                .object(["type": "actions", "elements": .array(page.links.map(button))]),
            ].filter { $0 != emptySection }),
        ])
    }

    private static let emptySection = JSONValue.object(["type": "section", "text": markdown("")])
    /// What Slack takes in one section, less some room.
    private static let sectionLimit = 2_900

    private static func cut(_ lines: [String]) -> String {
        var text = ""
        for line in lines.map(escape) {
            guard text.count + line.count < sectionLimit else { return text + "\n…" }
            text += text.isEmpty ? line : "\n\(line)"
        }
        return text
    }

    private static func markdown(_ text: String) -> JSONValue { .object(["type": "mrkdwn", "text": .string(text)]) }

    private static func button(_ link: OutgoingPage.Link) -> JSONValue {
        var button: [String: JSONValue] = [
            "type": "button", "url": .string(link.url), "action_id": .string(link.kind.rawValue),
            "text": .object([
                "type": "plain_text", "text": .string(Words.oneLine(link.title, limit: 70)),
            ]),
        ]
        if link.kind == .undo { button["style"] = "danger" }
        return .object(button)
    }

    /// Slack's three: with them escaped, no text can become a link, a mention or a call to everyone.
    static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
