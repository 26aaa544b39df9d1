import Decide
import Foundation
import Synchronization
import Testing

@testable import Act

@Suite("Mail", .timeLimit(.minutes(2)))
struct MailSenderTests {
    @Test("a mail is delivered with the server's own words as proof")
    func delivers() async throws {
        try await SMTPServer.run { server in
            let outcome = await MailSender().send(.fixture(), to: "ada@example.test", via: .at(server))
            #expect(outcome == .delivered(proof: "250 2.0.0 Ok: queued as 4X1"))
            let mail = try #require(server.mails.first)
            #expect(server.mails.count == 1)
            #expect(mail.from == "mainstay@example.test")
            #expect(mail.to == "ada@example.test")
            let read = ReceivedMail(mail.text)
            #expect(read["Subject"] == "[high] favorites does not work (shop)")
            #expect(read.plain.contains("Suspect: favorites v1 → v2, by lin."))
            #expect(read.plain.contains("https://mainstay.example/l/"))
            #expect(read.html.contains("href=\"https://mainstay.example/incidents/shop-favorites-1\""))
        }
    }

    @Test(
        "what a server refuses is final or not by what it refuses",
        arguments: [
            (.refuse(.greeting, "554 5.3.2 not here"), "temporary", "answered 554 5.3.2 not here"),
            (.refuse(.greeting, "421 4.3.2 busy"), "temporary", "answered 421 4.3.2 busy"),
            (.refuse(.mail, "451 4.3.0 later"), "temporary", "answered 451 4.3.0 later"),
            (.refuse(.mail, "550 5.7.1 not from you"), "permanent", "answered 550 5.7.1 not from you"),
            (.refuse(.mail, "530 5.7.0 sign in first"), "temporary", "answered 530 5.7.0 sign in first"),
            (.refuse(.receiver, "450 4.2.0 greylisted"), "temporary", "answered 450 4.2.0 greylisted"),
            (.refuse(.receiver, "550 5.1.1 no such user"), "permanent", "answered 550 5.1.1 no such user"),
            (.refuse(.data, "452 4.3.1 full"), "temporary", "answered 452 4.3.1 full"),
            (.refuse(.text, "451 4.7.1 later"), "temporary", "answered 451 4.7.1 later"),
            (.refuse(.text, "554 5.7.1 spam"), "permanent", "answered 554 5.7.1 spam"),
            (.refuse(.receiver, "550-first\r\n550 last"), "permanent", "answered 550 last"),
            (.drop(.greeting), "temporary", "failed"), (.drop(.receiver), "temporary", "failed"),
            (.drop(.text), "temporary", "failed"),
        ] as [(SMTPServer.Behaviour, String, String)])
    func refuses(behaviour: SMTPServer.Behaviour, kind: String, words: String) async throws {
        try await SMTPServer.run([behaviour]) { server in
            let outcome = await MailSender().send(.fixture(), to: "ada@example.test", via: .at(server))
            #expect(outcome.kind == kind)
            #expect(outcome.words.hasPrefix("mail server 127.0.0.1:\(server.port) \(words)"), "\(outcome.words)")
            #expect(server.mails.isEmpty)
        }
    }

    @Test(
        "a server that hangs is left after the time limit, and the try can be repeated",
        arguments: [.greeting, .hello, .receiver, .data, .text] as [SMTPServer.Stage])
    func hangs(stage: SMTPServer.Stage) async throws {
        try await SMTPServer.run([.hang(stage)]) { server in
            let outcome = await MailSender().send(
                .fixture(), to: "ada@example.test", via: .at(server, timeout: .milliseconds(300)))
            #expect(outcome.kind == "temporary")
            #expect(outcome.words.contains("did not finish within 300 ms"), "\(outcome.words)")
        }
    }

    @Test("a server that takes the mail and hangs afterwards has taken the mail")
    func hangsAtTheEnd() async throws {
        try await SMTPServer.run([.hang(.quit)]) { server in
            let outcome = await MailSender().send(.fixture(), to: "ada@example.test", via: .at(server))
            #expect(outcome == .delivered(proof: "250 2.0.0 Ok: queued as 4X1"))
        }
    }

    @Test("a port where nobody listens is a temporary failure")
    func nobodyListens() async throws {
        var port = 0
        try await SMTPServer.run { port = $0.port }
        let server = MailServer(url: "smtp://127.0.0.1:\(port)", from: "mainstay@example.test")
        let outcome = await MailSender().send(.fixture(), to: "ada@example.test", via: server)
        #expect(outcome == .temporary(reason: "mail server 127.0.0.1:\(port) refused the connection", retryAfter: nil))
    }

    @Test("signs in where a user is configured")
    func signsIn() async throws {
        let right = Data("\u{0}mainstay\u{0}s3cret pass".utf8).base64EncodedString()
        try await SMTPServer.run(password: right) { server in
            var account = MailServer.at(server)
            account.user = "mainstay"
            account.password = "s3cret pass"
            let outcome = await MailSender().send(.fixture(), to: "ada@example.test", via: account)
            #expect(outcome.kind == "delivered")
        }
    }

    @Test("a wrong password is told without the password, even when the server repeats it")
    func wrongPassword() async throws {
        try await SMTPServer.run(password: "other") { server in
            var account = MailServer.at(server)
            account.user = "mainstay"
            account.password = "s3cret pass"
            let outcome = await MailSender().send(.fixture(), to: "ada@example.test", via: account)
            let told = Data("\u{0}mainstay\u{0}s3cret pass".utf8).base64EncodedString()
            #expect(outcome.kind == "temporary")
            #expect(outcome.words.contains("535 5.7.8 Wrong: •••"), "\(outcome.words)")
            #expect(!outcome.words.contains(told))
            #expect(server.mails.isEmpty)
        }
    }

    @Test("nothing is sent without TLS where TLS is required")
    func requiresTLS() async throws {
        try await SMTPServer.run { server in
            var account = MailServer.at(server)
            account.requireTLS = true
            account.user = "mainstay"
            account.password = "s3cret"
            let outcome = await MailSender().send(.fixture(), to: "ada@example.test", via: account)
            #expect(outcome.kind == "temporary")
            #expect(outcome.words.contains("offers no TLS"), "\(outcome.words)")
            #expect(!server.commands.contains { $0.hasPrefix("AUTH") || $0.hasPrefix("MAIL") })
        }
    }

    @Test(
        "only mail goes through it, whatever the URL says", arguments: ["http://127.0.0.1:9", "file:///etc/passwd"])
    func onlyMail(url: String) async {
        let server = MailServer(url: url, from: "mainstay@example.test")
        let outcome = await MailSender().send(.fixture(), to: "ada@example.test", via: server)
        #expect(outcome.kind != "delivered")
    }

    @Test("a cancelled mail ends soon")
    func cancelled() async throws {
        try await SMTPServer.run([.hang(.greeting)]) { server in
            let sending = Task {
                await MailSender().send(.fixture(), to: "ada@example.test", via: .at(server, timeout: .hours(1)))
            }
            try await eventually { server.state.withLock { $0.connections } == 1 }
            sending.cancel()
            #expect(await sending.value.kind == "temporary")
        }
    }

    @Test("more mails than threads are all sent, and a hanging one holds up no other")
    func many() async throws {
        try await SMTPServer.run([.hang(.greeting)]) { silent in
            try await SMTPServer.run { server in
                let sender = MailSender(threads: 2)
                let hanging = Task {
                    await sender.send(.fixture(), to: "ada@example.test", via: .at(silent, timeout: .hours(1)))
                }
                try await eventually { silent.state.withLock { $0.connections } == 1 }
                await withTaskGroup(of: Void.self) { group in
                    for number in 1...8 {
                        group.addTask {
                            let page = OutgoingPage.fixture(id: "shop-favorites-\(number)/ada/email/opened")
                            _ = await sender.send(page, to: "ada@example.test", via: .at(server))
                        }
                    }
                }
                #expect(server.mails.count == 8)
                hanging.cancel()
                #expect(await hanging.value.kind == "temporary")
            }
        }
    }

    @Test("a password goes nowhere without TLS unless that is asked for")
    func safeByDefault() {
        let (url, from) = ("smtp://post.example:587", "m@example.test")
        #expect(MailServer(url: url, from: from, user: "m", password: "p").requireTLS)
        #expect(!MailServer(url: url, from: from, user: "m", password: "p", requireTLS: false).requireTLS)
        #expect(!MailServer(url: url, from: from).requireTLS)
    }

    private static let foreign = ProcessInfo.processInfo.environment["MAINSTAY_TEST_SMTP"]

    @Test("a mail server written by others takes the mail", .enabled(if: Self.foreign != nil))
    func foreignServer() async throws {
        let place = try #require(Self.foreign)
        let server = MailServer(url: "smtp://\(place)", from: "mainstay@example.test", timeout: .seconds(30))
        let title = "[high] „Merkliste“ funktioniert nicht — прод 商店 (shop)"
        let outcome = await MailSender().send(.fixture(title: title), to: "ada@example.test", via: server)
        #expect(outcome.kind == "delivered")
        #expect(outcome.words.hasPrefix("250"), "\(outcome.words)")
    }
}
