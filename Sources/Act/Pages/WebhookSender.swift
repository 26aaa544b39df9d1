import Crypto
import Decide
import Foundation

/// Delivers pages to a receiver of the user's own, signed.
///
/// A `POST` of JSON with these fields: `event` (`incident.opened`, `incident.repaged`, `incident.proven`,
/// `incident.undone`, `incident.resolved`), `page`, `incident`, `service`, `severity`, `title`, `lines`, `resolved`,
/// `at` (RFC 3339, when the page was asked for) and `links` (URLs by `acknowledge`, `undo`, `incident`). Its headers:
///
/// - `Mainstay-Event`: the event.
/// - `Mainstay-Delivery`: the same for every try of one page. A receiver that has seen it has seen the page.
/// - `Mainstay-Timestamp`: seconds since 1970 when this try was made.
/// - `Mainstay-Signature`: `v1=` and the hexadecimal HMAC-SHA256 of `TIMESTAMP.BODY` under the channel's secret.
///
/// To verify: compute the signature over the timestamp's text, a dot and the body's bytes as they came; compare it in
/// constant time; refuse timestamps more than 5 minutes away; ignore a delivery already seen. Any answer from 200 to
/// 299 is the proof of delivery.
package struct WebhookSender: Sendable {
    private let client: PageClient

    package init(client: PageClient) {
        self.client = client
    }

    package func send(_ page: OutgoingPage, to url: String, secret: String, now: Instant) async -> DeliveryOutcome {
        let body = Array(Self.body(page).compactText.utf8)
        let timestamp = now.milliseconds / 1_000
        return await client.post(
            url,
            headers: [
                ("Mainstay-Event", page.event), ("Mainstay-Delivery", Self.delivery(page)),
                ("Mainstay-Timestamp", "\(timestamp)"),
                ("Mainstay-Signature", Self.signature(secret: secret, timestamp: timestamp, body: body)),
            ],
            body: body, hiding: [secret] + SecretURL.parts(url), now: now)
    }

    package static func signature(secret: String, timestamp: Int64, body: [UInt8]) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("\(timestamp).".utf8) + Data(body), using: SymmetricKey(data: Data(secret.utf8)))
        return "v1=\(Hexadecimal.encode(code))"
    }

    /// The page's id may hold what a header may not, and a new record may use it again for another page.
    static func delivery(_ page: OutgoingPage) -> String {
        String(Hexadecimal.encode(SHA256.hash(data: Data("\(page.id)\n\(page.at.milliseconds)".utf8))).prefix(32))
    }

    static func body(_ page: OutgoingPage) -> JSONValue {
        .object([
            "event": .string(page.event), "page": .string(page.id), "incident": .string(page.incident),
            "service": .string(page.service), "severity": .string(page.severity.rawValue),
            "title": .string(page.title), "lines": .array(page.lines.map { .string($0) }),
            "resolved": .bool(page.isResolved), "at": .string(RFC3339.format(page.at)),
            "links": .object(
                Dictionary(page.links.map { ($0.kind.rawValue, .string($0.url)) }, uniquingKeysWith: { $1 })),
        ])
    }
}
