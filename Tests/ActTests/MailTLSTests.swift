import Decide
import Foundation
import NIOSSL
import TestSupport
import Testing

@testable import Act

/// Against a peer whose TLS is another implementation than libcurl's, and which keeps every byte that reached it.
@Suite("Mail over TLS", .enabled(if: TestAuthority.isPossible, "needs openssl"), .timeLimit(.minutes(2)))
struct MailTLSTests {
    enum Way: String, CaseIterable, Sendable {
        case startTLS, implicit

        func callAsFunction(_ context: NIOSSLContext) -> SMTPServer.Security {
            switch self {
            case .startTLS: .startTLS(context)
            case .implicit: .implicit(context)
            }
        }
    }

    /// A private authority, a server's certificate from it, and another authority that has nothing to do with it.
    private struct World {
        let folder: String
        let authority: TestAuthority
        let stranger: TestAuthority
        let context: NIOSSLContext

        static func run(names: [String] = ["IP:127.0.0.1"], _ body: (World) async throws -> Void) async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "mail-tls-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let authority = try await TestAuthority.make(in: folder)
            let issued = try await authority.issue(for: names)
            let chain = try NIOSSLCertificate.fromPEMFile(issued.certificate)
            let context = try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: chain.map { .certificate($0) },
                    privateKey: .privateKey(NIOSSLPrivateKey(file: issued.key, format: .pem))))
            try await body(
                World(
                    folder: folder, authority: authority,
                    stranger: try await TestAuthority.make("stranger", in: folder),
                    context: context))
        }
    }

    private static let password = "s3cret pass"
    private static let signIn = Data("\u{0}mainstay\u{0}s3cret pass".utf8).base64EncodedString()
    /// None of it may ever be read on the way.
    private static let confidential = [password, signIn, "AUTH", "MAIL FROM", "RCPT", "favorites", "ada@example.test"]

    private static func account(_ server: SMTPServer, trusting caFile: String?) -> MailServer {
        MailServer(
            url: server.url, from: "mainstay@example.test", user: "mainstay", password: password, caFile: caFile,
            timeout: .seconds(30))
    }

    private static func send(_ server: MailServer) async -> DeliveryOutcome {
        await MailSender().send(.fixture(), to: "ada@example.test", via: server)
    }

    private static func expectNothingTold(_ server: SMTPServer) {
        #expect(server.mails.isEmpty)
        for words in confidential { #expect(!server.wire.contains(words), "\(words) was sent") }
        #expect(!server.commands.contains { $0.hasPrefix("AUTH") || $0.hasPrefix("MAIL") })
    }

    @Test("with the private authority's file it signs in and delivers, all of it encrypted", arguments: Way.allCases)
    func delivers(way: Way) async throws {
        try await World.run { world in
            try await SMTPServer.run(password: Self.signIn, security: way(world.context)) { server in
                let outcome = await Self.send(Self.account(server, trusting: world.authority.certificate))
                #expect(outcome == .delivered(proof: "250 2.0.0 Ok: queued as 4X1"))
                let mail = try #require(server.mails.first)
                #expect(mail.isEncrypted)
                #expect(mail.to == "ada@example.test")
                #expect(ReceivedMail(mail.text).plain.contains("Suspect: favorites v1 → v2, by lin."))
                #expect(server.commands.contains { $0.hasPrefix("AUTH PLAIN") })
                #expect(server.wire.isEmpty == false)
                for words in Self.confidential { #expect(!server.wire.contains(words), "\(words) was readable") }
            }
        }
    }

    @Test(
        "a certificate of an authority that is not trusted is refused, and nothing is told to its owner",
        arguments: Way.allCases, [true, false])
    func unknownAuthority(way: Way, namesAnother: Bool) async throws {
        try await World.run { world in
            try await SMTPServer.run(password: Self.signIn, security: way(world.context)) { server in
                let trusted = namesAnother ? world.stranger.certificate : nil
                let outcome = await Self.send(Self.account(server, trusting: trusted))
                #expect(outcome.kind == "temporary")
                #expect(outcome.words.contains("127.0.0.1:\(server.port) is not trusted"), "\(outcome.words)")
                #expect(outcome.words.contains("'ca-file' has to hold the authority"), "\(outcome.words)")
                Self.expectNothingTold(server)
            }
        }
    }

    @Test("a certificate with another name is refused, although its authority is trusted", arguments: Way.allCases)
    func otherName(way: Way) async throws {
        try await World.run(names: ["DNS:post.example", "IP:127.0.0.2"]) { world in
            try await SMTPServer.run(password: Self.signIn, security: way(world.context)) { server in
                let outcome = await Self.send(Self.account(server, trusting: world.authority.certificate))
                #expect(outcome.kind == "temporary")
                #expect(outcome.words.contains("'smtp' the name that is in the certificate"), "\(outcome.words)")
                Self.expectNothingTold(server)
            }
        }
    }

    @Test("where TLS is not required, a bad certificate is still no reason to go on in the clear")
    func whenOffered() async throws {
        try await World.run { world in
            try await SMTPServer.run(security: .startTLS(world.context)) { server in
                let careless = MailServer(url: server.url, from: "mainstay@example.test", timeout: .seconds(30))
                #expect(!careless.requireTLS)
                #expect(await Self.send(careless).kind == "temporary")
                Self.expectNothingTold(server)
                var careful = careless
                careful.caFile = world.authority.certificate
                #expect(await Self.send(careful).kind == "delivered")
                #expect(server.mails.map(\.isEncrypted) == [true], "it is used where it is offered")
            }
        }
    }

    @Test(
        "a server that has no TLS, or that somebody keeps from it, is told nothing where TLS is required",
        arguments: [
            (.accept, false, "offers no TLS, which is required"),
            (.refuse(.tls, "454 4.7.0 not now"), true, "refuses TLS, which is required: it answered 454 4.7.0 not now"),
            (.refuse(.tls, "502 5.5.1 no"), true, "refuses TLS, which is required: it answered 502 5.5.1 no"),
            // Answers put in by somebody between, before the encryption begins.
            (.refuse(.tls, "220 2.0.0 Go ahead\r\n250-post.example\r\n250 AUTH PLAIN"), true, ""),
            (.refuse(.tls, "220 2.0.0 Go ahead"), true, ""), (.drop(.tls), true, ""),
        ] as [(SMTPServer.Behaviour, Bool, String)])
    func noTLS(behaviour: SMTPServer.Behaviour, offersTLS: Bool, words: String) async throws {
        try await World.run { world in
            let security: SMTPServer.Security = offersTLS ? .startTLS(world.context) : .none
            try await SMTPServer.run([behaviour], password: Self.signIn, security: security) { server in
                // A server that waits for a TLS handshake that it does not understand is left at the time limit.
                var account = Self.account(server, trusting: world.authority.certificate)
                account.timeout = .seconds(2)
                let outcome = await Self.send(account)
                #expect(outcome.kind == "temporary")
                #expect(words.isEmpty || outcome.words.contains(words), "\(outcome.words)")
                Self.expectNothingTold(server)
            }
        }
    }

    @Test("smtps:// to a server without TLS sends nothing")
    func plainServer() async throws {
        try await World.run { world in
            try await SMTPServer.run(password: Self.signIn) { server in
                var account = Self.account(server, trusting: world.authority.certificate)
                account.url = "smtps://127.0.0.1:\(server.port)"
                let outcome = await Self.send(account)
                #expect(outcome.kind == "temporary")
                #expect(outcome.words.contains("did not agree on TLS"), "\(outcome.words)")
                Self.expectNothingTold(server)
            }
        }
    }

    @Test("a file of authorities that went away or holds none is named, and the page waits", arguments: [true, false])
    func badFile(isThere: Bool) async throws {
        try await World.run { world in
            try await SMTPServer.run(password: Self.signIn, security: .implicit(world.context)) { server in
                let path = "\(world.folder)/gone.pem"
                if isThere { try "no certificate\n".write(toFile: path, atomically: true, encoding: .utf8) }
                let outcome = await Self.send(Self.account(server, trusting: path))
                #expect(outcome.kind == "temporary")
                #expect(outcome.words.contains("'ca-file' cannot be used"), "\(outcome.words)")
                Self.expectNothingTold(server)
            }
        }
    }

    @Test("a page that an unknown authority holds up says so, waits, and is delivered once the right one is named")
    func pageWaits() async throws {
        try await World.run { world in
            try await SMTPServer.run(password: Self.signIn, security: .startTLS(world.context)) { server in
                func book(_ caFile: String) -> AddressBook {
                    AddressBook(
                        people: ["ada": "ada@example.test"], mail: Self.account(server, trusting: caFile))
                }
                try await Desk.run(book(world.stranger.certificate)) { desk in
                    try await desk.openIncident()
                    let dispatcher = desk.dispatcher()
                    #expect(try await dispatcher.deliverDue() == 1)
                    let page = try await desk.page()
                    #expect(page.status == .queued)
                    #expect(page.lastFailure?.contains("'ca-file' has to hold the authority") == true)
                    Self.expectNothingTold(server)
                    desk.book.current = book(world.authority.certificate)
                    desk.clock.advance(.seconds(2))
                    #expect(try await dispatcher.deliverDue() == 1)
                    #expect(try await desk.page().status == .delivered)
                    #expect(try await desk.news() == ["page.delayed", "page.delivered"])
                    #expect(server.mails.map(\.isEncrypted) == [true])
                }
            }
        }
    }

    @Test("an authority is named where TLS is wanted, so TLS is required there")
    func required() {
        #expect(MailServer(url: "smtp://post.example", from: "m@example.test", caFile: "ca.pem").requireTLS)
    }

    /// host:port, and the path of the authority's certificate.
    private static let foreign = ["STARTTLS", "SMTPS", "CA"].map {
        ProcessInfo.processInfo.environment["MAINSTAY_TEST_SMTP_\($0)"] ?? ""
    }

    @Test(
        "a mail server written by others takes the mail over TLS, and only from who trusts its authority",
        .enabled(if: !Self.foreign.contains(""), "needs MAINSTAY_TEST_SMTP_STARTTLS, _SMTPS and _CA"),
        arguments: Way.allCases)
    func foreignServer(way: Way) async throws {
        let url = way == .startTLS ? "smtp://\(Self.foreign[0])" : "smtps://\(Self.foreign[1])"
        let server = MailServer(
            url: url, from: "mainstay@example.test", caFile: Self.foreign[2], timeout: .seconds(30))
        let outcome = await Self.send(server)
        #expect(outcome.kind == "delivered", "\(outcome.words)")
        #expect(outcome.words.hasPrefix("250"), "\(outcome.words)")
        var distrustful = server
        distrustful.caFile = nil
        distrustful.requireTLS = true
        #expect(await Self.send(distrustful).words.contains("is not trusted"))
    }
}
