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
        let links = page.links.map { "<\(escape($0.url))|\(escape(label($0)).replacing("|", with: "¦"))>" }
        let text = ["*\(title)*", cut(page.lines, limit: textLimit), links.joined(separator: " · ")]
            .filter { !$0.isEmpty }.joined(separator: "\n")
        return .object([
            "text": .string(text),
            "blocks": .array(
                [
                    .object(["type": "section", "text": markdown("*\(title)*")]),
                    .object(["type": "section", "text": markdown(cut(page.lines, limit: sectionLimit))]),
                    .object(["type": "actions", "elements": .array(page.links.map(button))]),
                ].filter { $0 != emptySection }),
        ])
    }

    private static let emptySection = JSONValue.object(["type": "section", "text": markdown("")])
    /// What Slack takes in one section, less some room.
    private static let sectionLimit = 2_900
    /// Discord refuses more than 2,000 characters in all, links included.
    private static let textLimit = 800

    private static func cut(_ lines: [String], limit: Int) -> String {
        var text = ""
        for line in lines.map(escape) {
            guard text.count + line.count < limit else { return text + "\n…" }
            text += text.isEmpty ? line : "\n\(line)"
        }
        return text
    }

    private static func markdown(_ text: String) -> JSONValue { .object(["type": "mrkdwn", "text": .string(text)]) }

    private static func button(_ link: OutgoingPage.Link) -> JSONValue {
        var button: [String: JSONValue] = [
            "type": "button", "url": .string(link.url), "action_id": .string(link.kind.rawValue),
            "text": .object(["type": "plain_text", "text": .string(label(link))]),
        ]
        if link.kind == .undo { button["style"] = "danger" }
        return .object(button)
    }

    /// Slack takes 75 characters on a button.
    private static func label(_ link: OutgoingPage.Link) -> String { Words.oneLine(link.title, limit: 70) }

    /// Slack's three: with them escaped, no text can become a link, a mention or a call to everyone.
    static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
