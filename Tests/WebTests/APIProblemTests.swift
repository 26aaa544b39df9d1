import Decide
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Record
import SQL
import Testing

@testable import Web

@Suite("API: what is said when something is wrong")
struct APIProblemTests {
    @Test("problems are RFC 9457, with the request's id")
    func shape() async throws {
        try await withAPI { _, client async throws in
            let answer = try await client.get("/api/v1/releases/none")
            #expect(answer.status == 404)
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(answer["status"] == 404)
            #expect(answer["title"] == "Not Found")
            #expect(answer.detail == "There is no release none.")
            #expect(answer["requestId"].string?.isEmpty == false)
        }
    }

    @Test("an address that is not there is told from a method that is not")
    func addresses() async throws {
        try await withAPI { _, client async throws in
            #expect(try await client.get("/api/v1/nothing").status == 404)
            let wrong = try await client.client.execute(uri: "/api/v1/flags/a/b", method: .delete) { $0 }
            #expect(wrong.status == .methodNotAllowed)
            #expect(wrong.headers[.allow] == "GET, HEAD, PUT")
            let trace = try await client.client.execute(uri: "/healthz", method: .trace) { $0 }
            #expect(trace.status == .methodNotAllowed)
        }
    }

    @Test(
        "bodies that cannot be read are refused in words",
        arguments: [
            ("{", "application/json", 400), ("", "application/json", 400), ("[1]", "application/json", 422),
            ("{}", "text/plain", 415), ("{}", nil, 415), ("{\"a\":1}", "application/json", 422),
            (String(repeating: "[", count: 200), "application/json", 400),
            ("{\"service\": \"storefront\", \"title\": \"\u{0}\"}", "application/json", 400),
            ("{\"service\": \"storefront\", \"title\": \"\\u0000\"}", "application/json", 422),
            ("{\"service\": 7, \"title\": \"x\"}", "application/json", 422),
        ] as [(String, String?, Int)])
    func bodies(_ text: String, _ type: String?, _ status: Int) async throws {
        try await withAPI { _, client async throws in
            var headers = APIHouse.Who.responder.headers
            headers[.contentType] = type
            let answer = try await client.send(.post, "/api/v1/changes", headers: headers, text: text)
            #expect(answer.status == status)
            #expect(!answer.detail.isEmpty)
        }
    }

    @Test("everything that is wrong with a body is told at once, unknown members too")
    func fields() async throws {
        try await withAPI { _, client async throws in
            let answer = try await client.post("/api/v1/changes", ["titel": "x", "kind": "magic", "at": "yesterday"])
            #expect(answer.status == 422)
            #expect(Set(answer.fields) == ["service", "kind", "title", "at", "titel"])
        }
    }

    @Test("bodies over the limit are refused with 413, announced or not")
    func tooLarge() async throws {
        try await withAPI(adjust: { $0.services.settings.maxBody = 1_000 }) { _, client async throws in
            let large = "{\"title\": \"\(String(repeating: "x", count: 2_000))\"}"
            var headers = APIHouse.Who.responder.headers
            headers[.contentType] = "application/json"
            let announced = try await client.send(.post, "/api/v1/changes", headers: headers, text: large)
            #expect(announced.status == 413)
            let report = try await client.send(
                .post, "/api/v1/reports", headers: [.contentType: "application/json"],
                text: "{\"text\": \"\(String(repeating: "x", count: 9_000))\"}")
            #expect(report.status == 413)
        }
    }

    @Test(
        "queries that are mistyped are refused, not ignored",
        arguments: [
            "/api/v1/flags?servce=storefront", "/api/v1/flags?limit=0", "/api/v1/flags?limit=201",
            "/api/v1/flags?limit=x", "/api/v1/flags?limit=1&limit=2", "/api/v1/flags?before=never",
            "/api/v1/flags?service=%00", "/api/v1/flags?service=%GG", "/api/v1/incidents?status=sad",
            "/api/v1/timeline?after=-1", "/api/v1/timeline?after=1&before=2", "/api/v1/reports",
            "/api/v1/checks/storefront/favorites-saved?since=yesterday",
            "/api/v1/checks/storefront/favorites-saved?since=", "/api/v1/flags/stream",
        ])
    func queries(_ path: String) async throws {
        try await withAPI { _, client async throws in #expect(try await client.get(path).status == 400) }
    }

    @Test("what the record refuses has the status that fits")
    func refusals() async throws {
        try await withAPI { house, client async throws in
            try await house.declareFavorites()
            try await house.openIncident()
            let undo = "/api/v1/flags/storefront/favorites/undo"
            let none: JSONValue = ["change": "flag:none@1", "reason": "x"]
            #expect(try await client.post(undo, none).status == 409)
            let review = "/api/v1/incidents/storefront-favorites-1/review"
            #expect(try await client.post(review).status == 409)
            #expect(try await client.post("/api/v1/incidents/none-1/acknowledge").status == 404)
            let ping = "/api/v1/heartbeat/storefront/favorites-saved"
            #expect(try await client.post(ping, as: .heartbeats).status == 422)
            #expect(try await client.post("/api/v1/heartbeat/storefront/none", as: .heartbeats).status == 404)
        }
    }

    @Test("a closed database is 503 with Retry-After, and its words stay inside")
    func databaseGone() async throws {
        try await withAPI { house, client async throws in
            await house.record.database.close()
            let answer = try await client.get("/api/v1/flags")
            #expect(answer.status == 503)
            #expect(answer.headers[.retryAfter] != nil)
            let health = try await client.send(.get, "/healthz")
            #expect(health.status == 503)
            #expect(health["reasons"] == ["database: it does not answer"])
        }
    }

    @Test("a fault of Mainstay's own is 500 without details")
    func fault() async throws {
        try await withAPI { house, client async throws in
            try await house.record.database.write { try $0.execute("DROP TABLE changes") }
            let answer = try await client.get("/api/v1/changes")
            #expect(answer.status == 500)
            #expect(!answer.text.contains("changes"))
            #expect(answer.detail.contains(answer["requestId"].string ?? "?"))
        }
    }

    @Test("people get pages, and are sent to sign in; programs get JSON")
    func pages() async throws {
        try await withAPI { _, client async throws in
            let page = try await client.client.execute(
                uri: "/nothing/<here>", method: .get, headers: [.accept: "text/html"]
            ) { $0 }
            #expect(page.status == .notFound)
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            let api = try await client.client.execute(
                uri: "/api/v1/flags", method: .get, headers: [.accept: "text/html"]
            ) { $0 }
            #expect(api.headers[.contentType] == "application/problem+json")
        }
    }

    @Test("every answer tells browsers to take nothing from elsewhere, errors too", arguments: ["/healthz", "/none"])
    func securityHeaders(_ path: String) async throws {
        try await withAPI { _, client async throws in
            let answer = try await client.client.execute(uri: path, method: .get) { $0 }
            let policy = answer.headers[HTTPField.Name("Content-Security-Policy")!] ?? ""
            #expect(policy.contains("default-src 'self'"))
            #expect(policy.contains("frame-ancestors 'none'"))
            #expect(!policy.contains("unsafe"))
            #expect(answer.headers[HTTPField.Name("X-Content-Type-Options")!] == "nosniff")
            #expect(answer.headers[HTTPField.Name("Referrer-Policy")!] == "same-origin")
        }
    }

    @Test("HEAD is answered like GET, without a body", arguments: [("/healthz", 200), ("/api/v1/flags", 401)])
    func head(_ path: String, _ status: Int) async throws {
        try await withAPI { _, client async throws in
            let answer = try await client.client.execute(uri: path, method: .head) { $0 }
            #expect(answer.status.code == status)
            #expect(answer.body.readableBytes == 0)
        }
    }
}

@Suite("Rate limits")
struct RateLimiterTests {
    private let start = Instant(milliseconds: 1_000_000)

    @Test("lets a burst through, then one each refill, and says how long to wait")
    func refills() {
        let limiter = RateLimiter(burst: 2, refill: .seconds(10))
        #expect(limiter.take("a", at: start) == nil)
        #expect(limiter.take("a", at: start) == nil)
        let wait = limiter.take("a", at: start)
        #expect(wait.map { $0 > .seconds(9) && $0 <= .milliseconds(10_001) } == true)
        #expect(limiter.take("b", at: start) == nil)
        #expect(limiter.take("a", at: start + .seconds(10)) == nil)
        #expect(limiter.take("a", at: start + .seconds(10)) != nil)
        #expect(limiter.refused == 2)
    }

    @Test("a clock that goes back gives nothing away")
    func backwards() {
        let limiter = RateLimiter(burst: 1, refill: .seconds(10))
        #expect(limiter.take("a", at: start) == nil)
        #expect(limiter.take("a", at: start - .hours(1)) != nil)
        #expect(limiter.take("a", at: start + .seconds(5)) != nil)
        #expect(limiter.take("a", at: start + .seconds(10)) == nil)
    }

    @Test("memory is bounded, and an empty bucket is kept while others are forgotten")
    func bounded() {
        let limiter = RateLimiter(burst: 5, refill: .hours(1), keys: 100)
        for _ in 1...5 { #expect(limiter.take("guilty", at: start) == nil) }
        for number in 1...1_000 { _ = limiter.take("other-\(number)", at: start) }
        #expect(limiter.count <= 100)
        #expect(limiter.take("guilty", at: start) != nil)
    }
}
