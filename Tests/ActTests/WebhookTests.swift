import Crypto
import Decide
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Synchronization
import Testing

@testable import Act

/// A receiver of webhooks: answers as told, keeps what came.
private final class Receiver: Sendable {
    struct Answer: Sendable {
        var status: HTTPResponse.Status = .ok
        var headers: HTTPFields = [:]
        var body = "ok"
    }

    struct Got: Sendable {
        var path: String
        var headers: HTTPFields
        var body: [UInt8]

        subscript(_ name: String) -> String {
            HTTPField.Name(name).flatMap { headers[$0] } ?? ""
        }
    }

    private let answer: Answer
    private let received = Mutex<[Got]>([])

    init(_ answer: Answer) { self.answer = answer }

    var got: [Got] { received.withLock { $0 } }

    static func run(_ answer: Answer = Answer(), _ body: @Sendable (Receiver, String) async throws -> Void) async throws
    {
        let receiver = Receiver(answer)
        let router = Router()
        router.post("**") { request, _ in
            let buffer = try await request.body.collect(upTo: 1_000_000)
            receiver.received.withLock {
                $0.append(
                    Got(path: request.uri.path, headers: request.headers, body: Array(buffer.readableBytesView)))
            }
            return Response(
                status: answer.status, headers: answer.headers,
                body: ResponseBody(byteBuffer: ByteBuffer(string: answer.body)))
        }
        try await Application(router: router, logger: .silent).test(.live) { client in
            try await body(receiver, "http://localhost:\(try #require(client.port))/services/T0/hidden-token")
        }
    }
}

@Suite("Webhooks", .timeLimit(.minutes(2)))
struct WebhookTests {
    private let now = Instant(milliseconds: 1_795_323_200_999)

    private func withClient(
        timeout: Span = .seconds(30), _ body: (PageClient) async throws -> Void
    ) async throws {
        let client = PageClient(timeout: timeout)
        do {
            try await body(client)
        } catch {
            try? await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    @Test("a chat gets text and blocks, with nothing in them that is not meant as markup")
    func slack() async throws {
        try await Receiver.run { receiver, url in
            try await withClient { client in
                let page = OutgoingPage.fixture(
                    title: "<!channel> a & b", lines: ["one", "<https://evil.example|two>"])
                let outcome = await SlackSender(client: client).send(page, to: url, now: now)
                #expect(outcome == .delivered(proof: "HTTP 200 ok"))
            }
            let got = try #require(receiver.got.first)
            #expect(got["content-type"].hasPrefix("application/json"))
            let body = try JSONValue(parsing: got.body)
            let text = try #require(body["text"]?.string)
            #expect(text.contains("*&lt;!channel&gt; a &amp; b*"))
            #expect(text.contains("&lt;https://evil.example|two&gt;"))
            #expect(text.contains("|Acknowledge>"))
            let blocks = try #require(body["blocks"]?.array)
            #expect(blocks.compactMap { $0["type"]?.string } == ["section", "section", "actions"])
            #expect(blocks[1]["text"]?["text"]?.string == "one\n&lt;https://evil.example|two&gt;")
            let buttons = try #require(blocks[2]["elements"]?.array)
            #expect(
                buttons.compactMap { $0["text"]?["text"]?.string } == [
                    "Acknowledge", "Undo favorites v1 → v2", "Open the incident",
                ])
            #expect(buttons.allSatisfy { $0["url"]?.string?.hasPrefix("https://mainstay.example/") == true })
        }
    }

    @Test("a long page fits into what a chat takes")
    func longPage() throws {
        let lines = (0..<100).map { "\($0) " + String(repeating: "<", count: 2_000) }
        let body = SlackSender.body(.fixture(title: String(repeating: "t", count: 400), lines: lines))
        #expect(try #require(body["text"]?.string).count <= 2_000)
        let blocks = try #require(body["blocks"]?.array)
        for block in blocks {
            #expect((block["text"]?["text"]?.string ?? "").count <= 3_000)
        }
        #expect(try #require(SlackSender.body(.fixture(lines: []))["blocks"]?.array).count == 2)
    }

    @Test(
        "an answer is read for what it says about another try",
        arguments: [
            (.ok, nil, "ok", "delivered", "HTTP 200 ok"), (.noContent, nil, "", "delivered", "HTTP 204"),
            (.notFound, nil, "channel_not_found", "permanent", "HTTP 404 channel_not_found"),
            (.gone, nil, "channel_is_archived", "permanent", "HTTP 410 channel_is_archived"),
            (.internalServerError, nil, "rollup_error", "temporary", "HTTP 500 rollup_error"),
            (.tooManyRequests, "30", "", "temporary", "HTTP 429"), (.found, nil, "", "permanent", "HTTP 302"),
            (.badRequest, nil, "no hook hidden-token\r\nhere", "permanent", "HTTP 400 no hook ••• here"),
        ] as [(HTTPResponse.Status, String?, String, String, String)])
    func answers(
        status: HTTPResponse.Status, retryAfter: String?, body: String, kind: String, words: String
    ) async throws {
        var answer = Receiver.Answer(status: status, body: body)
        answer.headers[.retryAfter] = retryAfter
        if status == .found { answer.headers[.location] = "/elsewhere" }
        try await Receiver.run(answer) { receiver, url in
            try await withClient { client in
                let outcome = await SlackSender(client: client).send(.fixture(), to: url, now: now)
                #expect(outcome.kind == kind)
                #expect(outcome.words == words)
                if retryAfter != nil { #expect(outcome == .temporary(reason: words, retryAfter: .seconds(30))) }
                #expect(receiver.got.count == 1)
            }
        }
    }

    @Test("an endless answer is not read to its end")
    func endless() async throws {
        let answer = Receiver.Answer(body: String(repeating: "x", count: 5_000_000))
        try await Receiver.run(answer) { _, url in
            try await withClient { client in
                let outcome = await SlackSender(client: client).send(.fixture(), to: url, now: now)
                #expect(outcome.kind == "delivered")
                #expect(outcome.words.count <= 300)
            }
        }
    }

    @Test("a receiver that hangs is left after the time limit")
    func hangs() async throws {
        try await SMTPServer.run([.hang(.greeting)]) { silent in
            try await withClient(timeout: .milliseconds(300)) { client in
                let outcome = await SlackSender(client: client)
                    .send(.fixture(), to: "http://127.0.0.1:\(silent.port)/hidden-token", now: now)
                #expect(outcome == .temporary(reason: "no answer within 300 ms", retryAfter: nil))
            }
        }
    }

    @Test("an answer that breaks off after its head is an answer")
    func breaksOff() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"
        try await SMTPServer.run([.recite(head)]) { silent in
            try await withClient(timeout: .seconds(1)) { client in
                let outcome = await SlackSender(client: client)
                    .send(.fixture(), to: "http://127.0.0.1:\(silent.port)/hidden-token", now: now)
                #expect(outcome == .delivered(proof: "HTTP 200 ok"))
            }
        }
    }

    @Test("a receiver that is not there is tried again")
    func nobodyListens() async throws {
        var port = 0
        try await SMTPServer.run { port = $0.port }
        let url = "http://127.0.0.1:\(port)/hidden-token"
        try await withClient { client in
            let outcome = await SlackSender(client: client).send(.fixture(), to: url, now: now)
            #expect(outcome == .temporary(reason: "no answer: the connection was refused", retryAfter: nil))
        }
    }

    @Test(
        "a URL that is none is told as such, without being shown",
        arguments: ["", "hidden", "ftp://h.example/hidden"])
    func badURL(url: String) async throws {
        try await withClient { client in
            let outcome = await SlackSender(client: client).send(.fixture(), to: url, now: now)
            #expect(outcome == .permanent(reason: "the configured URL cannot be used"))
        }
    }

    @Test("a webhook's receiver can verify who sent it and when")
    func signature() async throws {
        try await Receiver.run { receiver, url in
            try await withClient { client in
                let page = OutgoingPage.fixture(method: .webhook)
                for _ in 1...2 {
                    let outcome = await WebhookSender(client: client).send(page, to: url, secret: "s3cret", now: now)
                    #expect(outcome.kind == "delivered")
                }
            }
            let got = try #require(receiver.got.first)
            #expect(got.path == "/services/T0/hidden-token")
            #expect(got["Mainstay-Timestamp"] == "1795323200")
            #expect(got["Mainstay-Event"] == "incident.opened")
            let signed = Data("1795323200.".utf8) + Data(got.body)
            let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: Data("s3cret".utf8)))
            #expect(got["Mainstay-Signature"] == "v1=" + code.map { String(format: "%02x", $0) }.joined())
            #expect(got["Mainstay-Delivery"].count == 32)
            #expect(Set(receiver.got.map { $0["Mainstay-Delivery"] }).count == 1)
            let body = try JSONValue(parsing: got.body)
            #expect(body["page"] == "shop-favorites-1/ada/email/opened")
            #expect(body["incident"] == "shop-favorites-1")
            #expect(body["severity"] == "high")
            #expect(body["at"] == "2026-11-22T04:51:49.000Z")
            #expect(body["links"]?["undo"]?.string?.hasPrefix("https://mainstay.example/l/") == true)
        }
    }

    @Test("the signature is the one that other programs compute")
    func knownSignature() {
        let body = Array("{\"a\":1}".utf8)
        let signature = WebhookSender.signature(secret: "s3cret", timestamp: 1_700_000_000, body: body)
        #expect(signature == "v1=1698a50bc74d1ff1db85c4e0a5297c2ad9fdba245d5737cdb789e4cc6e098940")
    }
}
