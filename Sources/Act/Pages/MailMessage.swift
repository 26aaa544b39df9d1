import Crypto
import Decide

/// One mail as it goes over the wire: RFC 5322 header, plain text and HTML of the same content.
///
/// Every try of one page gives the same `Message-ID`, by which mail servers and readers fold repetitions; all mails of
/// one incident refer to one identifier, by which readers thread them.
package struct MailMessage: Sendable {
    package struct Unfit: Error, CustomStringConvertible {
        package var description: String
    }

    package let from: String
    package let to: String
    package let messageID: String
    package let bytes: [UInt8]

    /// - Throws: `Unfit` when an address could not stand in a header or an SMTP command.
    package init(_ page: OutgoingPage, from: String, to: String) throws(Unfit) {
        for (name, address) in [("sender", from), ("receiver", to)] where !Self.isAddress(address) {
            throw Unfit(description: "the \(name)'s mail address is not valid")
        }
        self.from = from
        self.to = to
        let domain = String(from.split(separator: "@").last ?? "mainstay.invalid")
        messageID = "<page.\(Self.digest("\(page.id)\n\(page.at.milliseconds)"))@\(domain)>"
        let thread = "<incident.\(Self.digest("\(page.service)\n\(page.incident)"))@\(domain)>"
        // `=_` cannot occur in quoted-printable text, so this line occurs in no part.
        let boundary = "=_mainstay_\(Self.digest(page.id).prefix(24))"
        let head = [
            "From: Mainstay <\(from)>", "To: <\(to)>", MailText.header("Subject", page.title),
            "Date: \(HTTPDate.format(page.at, zone: "+0000"))", "Message-ID: \(messageID)", "In-Reply-To: \(thread)",
            "References: \(thread)", "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
            "Content-Type: multipart/alternative;\r\n boundary=\"\(boundary)\"",
        ]
        let parts = [("plain", MailBody.plain(page)), ("html", MailBody.html(page))].flatMap { kind, text in
            [
                "--\(boundary)", "Content-Type: text/\(kind); charset=utf-8",
                "Content-Transfer-Encoding: quoted-printable", "", MailText.quotedPrintable(text),
            ]
        }
        bytes = Array((head + [""] + parts + ["--\(boundary)--", ""]).joined(separator: "\r\n").utf8)
    }

    /// A plain `name@host` in ASCII. Quoted names are refused: nobody has one, and they can carry commands.
    static func isAddress(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, text.utf8.count <= 254, (1...64).contains(parts[0].count), !parts[1].isEmpty else {
            return false
        }
        let forbidden = Set("()<>[]:;,\\\"".utf8)
        return text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !forbidden.contains($0) }
    }

    private static func digest(_ text: String) -> String {
        String(Hexadecimal.encode(SHA256.hash(data: Array(text.utf8))).prefix(32))
    }
}

/// What a mail says, twice.
enum MailBody {
    static func plain(_ page: OutgoingPage) -> String {
        var lines = [page.title, ""] + page.lines + [""]
        for link in page.links { lines += ["\(link.title):", link.url, ""] }
        return (lines + [footer(page), ""]).joined(separator: "\n")
    }

    /// No images, scripts or remote parts: it must read the same everywhere, and tell nobody that it was read.
    static func html(_ page: OutgoingPage) -> String {
        let paragraphs = page.lines.map { "<p style=\"margin:0 0 10px\">\(escape($0))</p>" }
        let buttons = page.links.map { link in
            "<p style=\"margin:14px 0\"><a href=\"\(escape(link.url))\" style=\"\(buttonStyle(link.kind))\">"
                + "\(escape(link.title))</a></p>"
        }
        return
            (["<!DOCTYPE html>", "<html lang=\"en\"><head><meta charset=\"utf-8\">"]
            + ["<title>\(escape(page.title))</title></head>"]
            + ["<body style=\"margin:0;padding:20px;font:16px/1.45 sans-serif;color:#1c1c1c;background:#fff\">"]
            + ["<h1 style=\"font-size:19px;margin:0 0 14px\">\(escape(page.title))</h1>"] + paragraphs + buttons
            + ["<p style=\"color:#666;font-size:13px\">\(escape(footer(page)))</p></body></html>", ""])
            .joined(separator: "\n")
    }

    private static func footer(_ page: OutgoingPage) -> String {
        "Mainstay, incident \(page.incident) of \(page.service), \(RFC3339.format(page.at)). "
            + "Links work once, for \(Page.linkLifetime.spoken)."
    }

    private static func buttonStyle(_ kind: OutgoingPage.Link.Kind) -> String {
        switch kind {
        case .acknowledge, .undo:
            "display:inline-block;padding:10px 16px;border-radius:6px;"
                + "background:#1d4f91;color:#fff;text-decoration:none"
        case .incident: "color:#1d4f91"
        }
    }

    static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }
}
