import Decide
import Testing

@testable import Act

@Suite("Links and addresses")
struct LinkSignerTests {
    private let signer = LinkSigner.test
    private let end = Instant(milliseconds: 1_795_400_000_000)
    private var before: Instant { end - .milliseconds(1) }

    private func token(_ link: PageLink = .acknowledge, page: String = "shop-1/ada/email/opened") -> String {
        String(signer.url(page: page, link: link, expires: end).dropFirst("https://mainstay.example/l/".count))
    }

    @Test("a link says which page it belongs to and what it does", arguments: PageLink.allCases)
    func reads(link: PageLink) throws {
        let url = signer.url(page: "shop-1/ada/email/opened", link: link, expires: end)
        #expect(url.hasPrefix("https://mainstay.example/l/"))
        let found = try #require(signer.verify(token(link), now: before))
        #expect(found.page == "shop-1/ada/email/opened")
        #expect(found.link == link)
        #expect(
            token(link).utf8.allSatisfy {
                $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "=")
            })
    }

    @Test("a page's id may hold anything")
    func anyPage() throws {
        let page = "shöp-1/ada\nlin/e.mail/opened"
        #expect(try #require(signer.verify(token(page: page), now: before)).page == page)
    }

    @Test("a link ends at its time")
    func expires() {
        #expect(signer.verify(token(), now: before) != nil)
        #expect(signer.verify(token(), now: end) == nil)
    }

    @Test("a link with any character changed is refused")
    func tampered() {
        let token = Array(token().utf8)
        for index in token.indices {
            for replacement in [UInt8(ascii: "A"), UInt8(ascii: "B"), UInt8(ascii: "."), UInt8(ascii: "=")] {
                var other = token
                guard other[index] != replacement else { continue }
                other[index] = replacement
                #expect(signer.verify(String(decoding: other, as: UTF8.self), now: before) == nil, "at \(index)")
            }
        }
    }

    @Test(
        "what is no link of ours is refused",
        arguments: ["", ".", "a.b", "a.b.c", "link1", "é.é", "=.=", String(repeating: "a", count: 100_000)])
    func garbage(text: String) {
        #expect(signer.verify(text, now: before) == nil)
    }

    @Test("a link of another key is refused")
    func otherKey() {
        let other = LinkSigner(key: Array(repeating: 8, count: 32), base: "https://mainstay.example")
        #expect(other.verify(token(), now: before) == nil)
    }

    @Test("an incident's link is safe in a URL")
    func incidentLink() {
        #expect(signer.incident("shop-1") == "https://mainstay.example/incidents/shop-1")
        #expect(signer.incident("a/b?c") == "https://mainstay.example/incidents/a%2Fb%3Fc")
    }

    @Test("secrets are not printed with what holds them")
    func prints() {
        let server = MailServer(
            url: "smtp://u:hidden-1@post.example:25/x", from: "m@example.test", user: "m", password: "hidden-2")
        let book = AddressBook(
            people: ["ada": "ada@example.test"],
            channels: [
                "chat": .slack(url: "https://chat.example/hidden-3"),
                "hook": .webhook(url: "https://hook.example/hidden-4", secret: "hidden-5"),
            ], mail: server)
        var dumped = ""
        dump(book, to: &dumped)
        dump(server, to: &dumped)
        dump(Array(book.channels.values), to: &dumped)
        let texts = [
            "\(book)", String(reflecting: book), dumped, "\(book.channels)", "\(server)", "\([server])", "\(signer)",
        ]
        for text in texts { #expect(!text.contains("hidden"), "\(text)") }
        #expect("\(server)" == "MailServer(post.example:25)")
    }

    @Test("a page offers only what it can keep")
    func offers() {
        #expect(OutgoingPage.fixture().links.map(\.kind) == [.acknowledge, .undo, .incident])
        #expect(OutgoingPage.fixture(undo: nil).links.map(\.kind) == [.acknowledge, .incident])
        #expect(OutgoingPage.fixture().links[1].title == "Undo favorites v1 → v2")
        #expect(OutgoingPage.fixture().event == "incident.opened")
        #expect(OutgoingPage.fixture(id: "shop-1/ada/email/again-2").event == "incident.repaged")
    }

    @Test("what comes from outside is one short line")
    func words() {
        #expect(Words.oneLine("a\r\nb\u{202E}c", limit: 20) == "a  b c")
        #expect(Words.oneLine("abcdef", limit: 4) == "abc…")
        #expect(Words.reply("no  such\nhook /T1/abcdefgh", hiding: ["abcdefgh"]) == "no such hook /T1/•••")
        #expect(
            SecretURL.parts("https://h.example/services/T1/abcdefgh").contains("abcdefgh"))
    }
}
