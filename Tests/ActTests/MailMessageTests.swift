import Decide
import Testing

@testable import Act

@Suite("Mail messages")
struct MailMessageTests {
    private func mail(_ page: OutgoingPage) throws -> (text: String, read: ReceivedMail) {
        let message = try MailMessage(page, from: "mainstay@example.test", to: "ada@example.test")
        let text = String(decoding: message.bytes, as: UTF8.self)
        return (text, ReceivedMail(text))
    }

    @Test(
        "a subject reads as it was written, whatever is in it",
        arguments: [
            "plain", "Straße „Merkliste“ — 商店 🛒", String(repeating: "ä", count: 200),
            String(repeating: "x", count: 200),
            "=?UTF-8?B?SGk=?=", "trailing space ", "",
        ])
    func subjects(title: String) throws {
        let (text, read) = try mail(.fixture(title: title))
        #expect(read.subject == title.trimmingCharacters(" "))
        #expect(text.utf8.allSatisfy { $0 < 0x80 })
    }

    @Test(
        "a title cannot add a header field",
        arguments: [
            "Hi\r\nBcc: eve@example.test", "Hi\nBcc: eve@example.test", "Hi\u{0}\u{85}\u{2028}Bcc: x", "a\r\n\r\nbody",
        ])
    func injection(title: String) throws {
        let read = try mail(.fixture(title: title)).read
        #expect(read.count("Bcc") == 0)
        #expect(
            read.fields.map(\.name) == [
                "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
                "MIME-Version",
                "Content-Type",
            ])
    }

    @Test("lines are short, end in CRLF, and their text survives")
    func lines() throws {
        let long = String(repeating: "wörd = ", count: 140)
        let dots = "..\n.\n"
        let (text, read) = try mail(.fixture(lines: [long, dots, "ends in a blank ", "--=_mainstay"]))
        #expect(!text.replacing("\r\n", with: "").contains { $0 == "\r" || $0 == "\n" || $0 == "\r\n" })
        #expect(text.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 78 })
        #expect(read.plain.contains(long))
        #expect(read.plain.contains("ends in a blank \n"))
    }

    @Test("HTML shows text as text")
    func escapes() throws {
        let html = try mail(.fixture(title: "<script>alert('x')</script>", lines: ["a & \"b\" <img src=x>"])).read.html
        #expect(!html.contains("<script"))
        #expect(!html.contains("<img"))
        #expect(html.contains("a &amp; &quot;b&quot; &lt;img src=x&gt;"))
    }

    @Test("every try of a page is the same mail, and another page another one in the same thread")
    func identifiers() throws {
        let (text, first) = try mail(.fixture())
        #expect(try mail(.fixture()).text == text)
        let second = try mail(.fixture(id: "shop-favorites-1/ada/email/resolved")).read
        let other = try mail(.fixture(id: "shop-favorites-2/ada/email/opened")).read
        #expect(first["Message-ID"] != second["Message-ID"])
        #expect(first["Message-ID"].hasSuffix("@example.test>"))
        #expect(first["References"] == second["References"])
        #expect(first["In-Reply-To"] == first["References"])
        #expect(first["References"] != other["References"])
        #expect(first["Date"] == "Sun, 22 Nov 2026 04:51:49 +0000")
    }

    @Test(
        "an address that could carry a command is refused",
        arguments: [
            ("ada@example.test", true), ("a.b+c@mail.example", true), ("ada", false), ("@example.test", false),
            ("ada@", false), ("ada@a@b", false), ("ada @example.test", false),
            ("ada@example.test\r\nRCPT TO:<eve@x>", false),
            ("<ada@example.test>", false), ("\"a b\"@example.test", false), ("a,b@example.test", false),
            ("ädä@example.test", false), ("", false), (String(repeating: "a", count: 65) + "@example.test", false),
        ])
    func addresses(text: String, isFit: Bool) {
        #expect(MailMessage.isAddress(text) == isFit)
        do {
            _ = try MailMessage(.fixture(), from: "mainstay@example.test", to: text)
            #expect(isFit)
        } catch {
            #expect(!isFit)
        }
    }

    @Test("what the server said last about the text is kept, and no farewell")
    func transcript() {
        var transcript = SMTPTranscript()
        transcript.received(Array("220-hello\r\n220 post\r\n".utf8))
        #expect(transcript.lastReply == "220 post")
        #expect(!transcript.reachedMessage)
        transcript.sent(Array("MAIL FROM:<a@b>\r\n".utf8))
        #expect(transcript.reachedMessage)
        #expect(transcript.code == nil)
        transcript.received(Array("35".utf8))
        transcript.received(Array("4 go\r\n".utf8))
        #expect(transcript.code == 354)
        transcript.sentText()
        #expect(transcript.code == nil)
        transcript.received(Array("250 queued\r\n".utf8))
        transcript.sent(Array("QUIT\r\n".utf8))
        transcript.received(Array("221 bye\r\n".utf8))
        #expect(transcript.lastReply == "250 queued")
    }
}

extension String {
    /// Header values lose blanks at their ends only where they are written plainly.
    fileprivate func trimmingCharacters(_ blank: Character) -> String {
        var text = Substring(self)
        while text.last == blank { text = text.dropLast() }
        return String(text)
    }
}
