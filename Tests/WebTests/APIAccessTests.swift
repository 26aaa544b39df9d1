import Decide
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Record
import SQL
import Testing

@testable import Web

@Suite("API: who may do what")
struct APIAccessTests {
    typealias Who = APIHouse.Who

    private static let everyone = Set(Who.allCases)
    private static let readers: Set<Who> = [.viewer, .responder, .admin, .read]
    private static let doers: Set<Who> = [.responder, .admin]
    private static let admins: Set<Who> = [.admin]
    private static let knownOnes = everyone.subtracting([.nobody])

    /// Written down once more, apart from the endpoints: a rule that is changed by mistake is found here.
    private static let rules: [String: Set<Who>] = [
        "GET /api/v1/flags": readers, "GET /api/v1/flags/stream": readers.union([.service]),
        "GET /api/v1/flags/{service}/{key}": readers, "PUT /api/v1/flags/{service}/{key}": doers,
        "POST /api/v1/flags/{service}/{key}/default": doers, "POST /api/v1/flags/{service}/{key}/undo": doers,
        "POST /ofrep/v1/evaluate/flags": readers.union([.service]),
        "POST /ofrep/v1/evaluate/flags/{key}": readers.union([.service]),
        "POST /api/v1/exposures": doers.union([.service]),
        "GET /api/v1/releases": readers, "POST /api/v1/releases": doers.union([.releases]),
        "GET /api/v1/releases/{id}": readers, "POST /api/v1/releases/{id}/evidence": doers.union([.releases]),
        "POST /api/v1/releases/{id}/approve": doers, "POST /api/v1/releases/{id}/start": doers,
        "GET /api/v1/rollouts/{id}": readers, "POST /api/v1/rollouts/{id}/undo": doers,
        "GET /api/v1/incidents": readers, "GET /api/v1/incidents/{id}": readers,
        "GET /api/v1/incidents/{id}/pages": readers, "GET /api/v1/incidents/{id}/postmortem": readers,
        "POST /api/v1/incidents/{id}/acknowledge": doers, "POST /api/v1/incidents/{id}/review": doers,
        "POST /api/v1/incidents/{id}/resolve": doers, "POST /api/v1/incidents/{id}/undo": doers,
        "POST /api/v1/incidents/{id}/notes": doers,
        "GET /api/v1/timeline": readers, "GET /api/v1/timeline/stream": readers,
        "GET /api/v1/checks": readers, "GET /api/v1/checks/{service}/{name}": readers,
        "POST /api/v1/checks/{service}/{name}/run": doers,
        "GET /api/v1/heartbeat/{service}/{name}": doers.union([.heartbeats]),
        "HEAD /api/v1/heartbeat/{service}/{name}": doers.union([.heartbeats]),
        "POST /api/v1/heartbeat/{service}/{name}": doers.union([.heartbeats]),
        "GET /api/v1/changes": readers, "POST /api/v1/changes": doers.union([.releases]),
        "GET /api/v1/queries": readers, "GET /api/v1/queries/diff": readers, "GET /api/v1/queries/export": readers,
        "GET /api/v1/queries/{fingerprint}": readers, "GET /api/v1/guard": readers,
        "GET /api/v1/guard/connections": readers, "POST /api/v1/guard/reload": admins,
        "POST /api/v1/guard/pause": doers, "POST /api/v1/guard/resume": doers, "POST /api/v1/guard/switch": admins,
        "GET /api/v1/reports": readers, "POST /api/v1/reports": everyone, "OPTIONS /api/v1/reports": everyone,
        "GET /api/v1/services": readers,
        "GET /api/v1/session": knownOnes, "POST /api/v1/session": everyone, "DELETE /api/v1/session": everyone,
        "GET /api/v1/accounts": admins, "POST /api/v1/accounts": admins,
        "POST /api/v1/accounts/{name}/disable": admins, "POST /api/v1/accounts/{name}/enable": admins,
        "POST /api/v1/accounts/{name}/password": admins,
        "GET /api/v1/tokens": admins, "POST /api/v1/tokens": admins, "DELETE /api/v1/tokens/{digest}": admins,
        "GET /api/v1/guard/rules": readers, "POST /api/v1/guard/rules": doers,
        "DELETE /api/v1/guard/rules/{id}": doers,
        "GET /healthz": everyone, "GET /metrics": everyone, "GET /openapi.json": everyone,
    ]

    @Test("every endpoint is for those the table names, and for nobody else")
    func matrix() async throws {
        let named = Set(API.endpoints.map { "\($0.method.rawValue) \($0.path)" })
        #expect(named == Set(Self.rules.keys))
        try await withAPI { _, client async throws in
            for endpoint in API.endpoints {
                let path = endpoint.path.split(separator: "/").map { $0.hasPrefix("{") ? "none" : $0 }
                    .joined(separator: "/")
                for who in Who.allCases {
                    // An unknown parameter: whoever is let in gets 400, nothing is changed, and no stream opens.
                    let answer = try await client.send(endpoint.method, "/\(path)?nonsense=1", as: who)
                    let isAllowed = Self.rules["\(endpoint.method.rawValue) \(endpoint.path)"]?.contains(who) ?? false
                    let expected = isAllowed ? 400 : who == .nobody ? 401 : 403
                    #expect(answer.status == expected, "\(endpoint.method) \(endpoint.path) as \(who)")
                }
            }
        }
    }

    @Test("a token that is unknown, revoked or of a disabled account is refused everywhere, and says how to come back")
    func badTokens() async throws {
        try await withAPI { house, client async throws in
            let unknown = try await client.send(
                .get, "/api/v1/flags", headers: [.authorization: "Bearer nobody-knows-this-token"])
            #expect(unknown.status == 401)
            #expect(unknown.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
            #expect(unknown.headers[.contentType] == "application/problem+json")
            try await house.record.revokeToken(Secrets.digest(Who.read.token), by: .mainstay)
            #expect(try await client.get("/api/v1/flags", as: .read).status == 401)
            try await house.record.setDisabled("viewer", true, by: .mainstay)
            #expect(try await client.get("/api/v1/flags", as: .viewer).status == 401)
        }
    }

    @Test("a scoped token acts under its own name, a token with scope all as its person")
    func actors() async throws {
        try await withAPI { house, client async throws in
            let change: JSONValue = ["service": "storefront", "title": "new load balancer"]
            #expect(try await client.post("/api/v1/changes", as: .releases, change)["actor"]["name"] == "releases")
            let other: JSONValue = ["service": "storefront", "title": "new disk"]
            #expect(try await client.post("/api/v1/changes", as: .admin, other)["actor"]["kind"] == "person")
            let lines = try await house.record.timeline(after: 0)
            #expect(lines.map(\.actor).contains(Actor(.service, "releases")))
        }
    }
}

@Suite("API: forged writes")
struct APIForgeryTests {
    private static let reason: JSONValue = ["text": "seen"]

    @Test(
        "a write by cookie needs the session's secret and Mainstay's own pages",
        arguments: [
            (nil, nil, nil, 403), ("wrong", nil, nil, 403), ("right", nil, nil, 201),
            ("right", "https://evil.test", nil, 403), ("right", "http://mainstay.test", nil, 201),
            ("right", "http://localhost", nil, 201), ("right", nil, "cross-site", 403),
            ("right", nil, "same-site", 403), ("right", nil, "same-origin", 201), ("right", nil, "none", 201),
            ("right", "null", nil, 403),
        ] as [(String?, String?, String?, Int)])
    func secret(_ secret: String?, _ origin: String?, _ site: String?, _ status: Int) async throws {
        try await withAPI { house, client async throws in
            let (cookie, csrf) = try await house.session()
            var headers: HTTPFields = [.cookie: "theme=dark; \(cookie)"]
            headers[Authenticate.csrfHeader] = secret.map { $0 == "right" ? csrf : "x" }
            headers[.origin] = origin
            headers[HTTPField.Name("Sec-Fetch-Site")!] = site
            let answer = try await client.send(
                .post, "/api/v1/changes", ["service": "storefront", "title": "a disk"], headers: headers)
            #expect(answer.status == status)
        }
    }

    @Test("reads by cookie need no secret, GET that changes something takes no cookie at all")
    func reads() async throws {
        try await withAPI { house, client async throws in
            let (cookie, csrf) = try await house.session()
            #expect(try await client.send(.get, "/api/v1/flags", headers: [.cookie: cookie]).status == 200)
            let ping = "/api/v1/heartbeat/storefront/nightly"
            #expect(try await client.send(.get, ping, headers: [.cookie: cookie]).status == 403)
            var headers: HTTPFields = [.cookie: cookie]
            headers[Authenticate.csrfHeader] = csrf
            #expect(try await client.send(.post, ping, headers: headers).status == 204)
        }
    }

    @Test("an unknown or expired cookie is nobody")
    func oldCookie() async throws {
        try await withAPI { house, client async throws in
            let (cookie, _) = try await house.session()
            house.clock.advance(.days(2))
            #expect(try await client.send(.get, "/api/v1/session", headers: [.cookie: cookie]).status == 401)
            #expect(try await client.send(.get, "/healthz", headers: [.cookie: "mainstay_session=x"]).status == 200)
        }
    }

    @Test("a form may carry the secret in its field csrf, and is still readable afterwards")
    func form() async throws {
        try await withAPI { house, client async throws in
            let (cookie, csrf) = try await house.session()
            let type = "application/x-www-form-urlencoded"
            let form = "csrf=\(csrf)&text=a+b%21"
            // The API takes no forms: that it says so proves that the secret was accepted.
            let answer = try await client.send(
                .post, "/api/v1/changes", headers: [.cookie: cookie, .contentType: type], text: form)
            #expect(answer.status == 415)
            let forged = try await client.send(
                .post, "/api/v1/changes", headers: [.cookie: cookie, .contentType: type], text: "csrf=x&text=a")
            #expect(forged.status == 403)
        }
    }
}

@Suite("API: signing in")
struct APISignInTests {
    private static let right: JSONValue = ["name": "responder", "password": .string(APIHouse.password)]

    @Test("signing in gives a cookie that works, and signing out ends it")
    func roundTrip() async throws {
        try await withAPI { _, client async throws in
            let answer = try await client.send(.post, "/api/v1/session", Self.right)
            #expect(answer.status == 201)
            let cookie = try #require(answer.headers[.setCookie])
            #expect(cookie.hasPrefix("mainstay_session="))
            for part in ["HttpOnly", "SameSite=Lax", "Path=/"] { #expect(cookie.contains(part)) }
            #expect(!cookie.contains("Secure"))
            let pair = String(cookie.prefix { $0 != ";" })
            let session = try await client.send(.get, "/api/v1/session", headers: [.cookie: pair])
            #expect(session["account"] == "responder")
            #expect(session["csrf"] == answer["csrf"])
            var headers: HTTPFields = [.cookie: pair]
            headers[Authenticate.csrfHeader] = answer["csrf"].string
            let out = try await client.send(.delete, "/api/v1/session", headers: headers)
            #expect(out.status == 204)
            #expect(out.headers[.setCookie]?.contains("Max-Age=0") == true)
            #expect(try await client.send(.get, "/api/v1/session", headers: [.cookie: pair]).status == 401)
        }
    }

    @Test("under https the cookie is sent over TLS only, and browsers are told to stay there")
    func secure() async throws {
        try await withAPI(adjust: { house in
            house.services.settings.publicURL = "https://mainstay.test"
        }) { _, client async throws in
            let answer = try await client.send(.post, "/api/v1/session", Self.right)
            #expect(answer.headers[.setCookie]?.hasSuffix("; Secure") == true)
            #expect(answer.headers[.strictTransportSecurity] != nil)
        }
    }

    @Test("wrong passwords are refused alike, and after some tries with 429 and Retry-After")
    func limited() async throws {
        try await withAPI(adjust: { house in
            house.services.limits.signInByAccount = RateLimiter(burst: 2, refill: .seconds(10))
        }) { house, client async throws in
            let wrong: JSONValue = ["name": "responder", "password": "wrong"]
            for _ in 1...2 { #expect(try await client.send(.post, "/api/v1/session", wrong).status == 401) }
            let limited = try await client.send(.post, "/api/v1/session", Self.right)
            #expect(limited.status == 429)
            #expect(limited.headers[.retryAfter].flatMap { Int($0) }.map { (1...11).contains($0) } == true)
            house.clock.advance(.seconds(11))
            #expect(try await client.send(.post, "/api/v1/session", Self.right).status == 201)
        }
    }

    @Test("one address is limited whatever names it tries")
    func limitedByAddress() async throws {
        try await withAPI(adjust: { house in
            house.services.limits.signInByAddress = RateLimiter(burst: 3, refill: .seconds(10))
        }) { _, client async throws in
            var statuses: [Int] = []
            for number in 1...4 {
                let body: JSONValue = ["name": .string("someone-\(number)"), "password": "x"]
                statuses.append(try await client.send(.post, "/api/v1/session", body).status)
            }
            #expect(statuses == [401, 401, 401, 429])
        }
    }

    @Test("another site cannot sign a browser in")
    func crossSite() async throws {
        try await withAPI { _, client async throws in
            let answer = try await client.send(
                .post, "/api/v1/session", Self.right, headers: [.origin: "https://evil.test"])
            #expect(answer.status == 403)
        }
    }
}
