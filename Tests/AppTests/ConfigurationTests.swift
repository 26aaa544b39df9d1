import Act
import Decide
import Foundation
import Testing

@testable import App

/// A good file, value by value.
struct ConfigurationTests {
    private static let environment = [
        "STOREFRONT_TOKEN": "0123456789abcdef0123456789abcdef", "MAINSTAY_SYNTHETIC_SECRET": "secret-of-both",
        "STOREFRONT_SYNTHETIC_PASSWORD": "correct horse", "STOREFRONT_DATABASE": "/var/lib/storefront.sqlite",
    ]

    private static func storefront() throws -> Configuration {
        let path = ConfigurationFixture.root.appendingPathComponent("examples/storefront.yaml").path
        return try ConfigurationLoader.load(path: path, environment: environment)
    }

    @Test("reads the server's settings, and paths relative to the file")
    func server() throws {
        let configuration = try Self.storefront()
        let folder = ConfigurationFixture.root.appendingPathComponent("examples").path
        #expect(configuration.server.host == "127.0.0.1")
        #expect(configuration.server.port == 8600)
        #expect(configuration.server.publicURL == "http://127.0.0.1:8600")
        #expect(configuration.server.dataDirectory == "\(folder)/data")
        #expect(configuration.server.database == "\(folder)/data/mainstay.sqlite")
        #expect(configuration.files == ["\(folder)/storefront.yaml"])
        let other = try ConfigurationFixture.load(
            ConfigurationFixture.people + ConfigurationFixture.service + """
                server: { listen: "[::1]:0", url: "https://mainstay.example.test/", database: "postgres://db/m", data: /srv/m, trust-forwarded: true }
                """)
        #expect(other.server.host == "::1")
        #expect(other.server.port == 0)
        #expect(other.server.publicURL == "https://mainstay.example.test")
        #expect(other.server.database == "postgres://db/m")
        #expect(other.server.dataDirectory == "/srv/m")
        #expect(!configuration.server.trustsForwardedFor && other.server.trustsForwardedFor)
    }

    @Test("reads people, channels and teams")
    func people() throws {
        let configuration = try ConfigurationFixture.load(
            """
            people: { ada: ada@example.test, lin: { email: lin@example.test } }
            teams:
              shop: [ ada, chat, ada ]
              data: { people: lin, channels: [ bot ] }
            channels:
              email: { smtp: "smtps://mail.example.test", from: m@example.test, user: m, password: "${PW}", timeout: 20s }
              chat: { slack: "https://chat.example.test/hook?x=1" }
              bot: { webhook: "https://bot.example.test/", secret: sign-with-this }
            services: { shop: { team: shop } }
            """, environment: ["PW": "hunter2"])
        let book = configuration.addressBook
        #expect(book.people == ["ada": "ada@example.test", "lin": "lin@example.test"])
        #expect(
            configuration.policy.teams["shop"]?.targets
                == [PageTarget(name: "ada", method: .email), PageTarget(name: "chat", method: .slack)])
        #expect(
            configuration.policy.teams["data"]?.targets
                == [PageTarget(name: "lin", method: .email), PageTarget(name: "bot", method: .webhook)])
        let mail = try #require(book.mail)
        #expect(mail.url == "smtps://mail.example.test")
        #expect(mail.password == "hunter2")
        #expect(mail.requireTLS)
        #expect(mail.timeout == .seconds(20))
        guard case .slack(let hook) = book.channels["chat"], case .webhook(let url, let secret) = book.channels["bot"]
        else {
            Issue.record("the channels are of other kinds")
            return
        }
        #expect(hook == "https://chat.example.test/hook?x=1")
        #expect([url, secret] == ["https://bot.example.test", "sign-with-this"])
    }

    @Test("reads features with their defaults")
    func features() throws {
        let policy = try Self.storefront().policy
        let favorites = try #require(policy.feature("storefront", "favorites"))
        let stages = [(500, Span.seconds(10)), (2_500, .seconds(20)), (10_000, .zero)]
        #expect(
            favorites
                == FeaturePolicy(
                    name: "favorites", team: "shop", flag: "favorites", proof: ["storefront/favorites-saved"],
                    undo: .auto,
                    rollout: RolloutPolicy(
                        name: "quick", stages: stages.map { RolloutPolicy.Stage(share: $0.0, hold: $0.1) })))
        let posts = try #require(policy.feature("storefront", "posts"))
        #expect(posts.proof == ["storefront/posts-read", "storefront/posts-written"])
        #expect(posts.undo == .ask)
        #expect(posts.rollout == RolloutPolicy())
        #expect(posts.tests == "posts")
        #expect(posts.reports == ReportsPolicy())
    }

    @Test("reads features that say everything")
    func fullFeature() throws {
        let configuration = try ConfigurationFixture.load(
            """
            people: { ada: a@example.test }
            teams: { shop: ada, data: ada }
            channels: { email: { smtp: "smtp://127.0.0.1", from: m@example.test } }
            incidents: { suspects-within: 2d, page-again-after: 3m, page-again-at-most: 1 }
            gates: { default: { approvals: 2 }, trivial: { tests: none, approvals: 0 } }
            rollouts: { default: [ { share: 12.5%, hold: 0s }, { share: 100% } ] }
            services:
              shop:
                team: shop
                features:
                  search: {}
                  cart:
                    team: data
                    severity: critical
                    gate: trivial
                    rollout: [ { share: 0.05%, hold: 1h }, { share: 100%, hold: 5m } ]
                    tests: CartTests
                    reports: { users: 5, within: 2m, quiet: 1m }
            """)
        let policy = configuration.policy
        #expect(policy.suspectWindow == .days(2))
        #expect(policy.repageAfter == .minutes(3))
        #expect(policy.repages == 1)
        let search = try #require(policy.feature("shop", "search"))
        #expect(search.gate == GatePolicy(testsRequired: true, approvals: 2))
        #expect(search.rollout.stages.map(\.share) == [1_250, 10_000])
        #expect(search.undo == .never)
        let cart = try #require(policy.feature("shop", "cart"))
        #expect(cart.team == "data")
        #expect(cart.severity == .critical)
        #expect(cart.gate == GatePolicy(testsRequired: false, approvals: 0))
        #expect(cart.rollout.name == "cart")
        #expect(cart.rollout.stages == [.init(share: 5, hold: .hours(1)), .init(share: 10_000, hold: .minutes(5))])
        #expect(cart.tests == "CartTests")
        #expect(cart.reports == ReportsPolicy(users: 5, within: .minutes(2), quiet: .minutes(1)))
    }

    @Test("reads declared flags, in short and in flagd's form")
    func flags() throws {
        let configuration = try ConfigurationFixture.load(
            ConfigurationFixture.people + ConfigurationFixture.service + """
                    flags:
                      favorites: { variants: [ v1, v2 ], default: v1 }
                      limit:
                        variants: { low: 10, high: 100 }
                        default: low
                        targeting: { if: [ { "==": [ { var: plan }, pro ] }, high, null ] }
                """)
        #expect(
            configuration.flags == [
                DeclaredFlag(
                    service: "shop", key: "favorites",
                    definition: FlagDefinition(variants: ["v1": "v1", "v2": "v2"], defaultVariant: "v1")),
                DeclaredFlag(
                    service: "shop", key: "limit",
                    definition: FlagDefinition(
                        variants: ["low": 10, "high": 100], defaultVariant: "low",
                        targeting: ["if": [["==": [["var": "plan"], "pro"]], "high", nil]])),
            ])
    }

    @Test("reads the favorites journey")
    func journey() throws {
        let configuration = try Self.storefront()
        let check = try #require(configuration.checks.first { $0.id == "storefront/favorites-saved" })
        #expect(check.every == .seconds(5))
        #expect(check.timeout == .seconds(5))
        #expect(check.feature == "favorites")
        guard case .journey(let journey) = check.kind else {
            Issue.record("it is no journey")
            return
        }
        #expect(journey.baseURL == "http://127.0.0.1:8090")
        #expect(journey.databases == ["main": "/var/lib/storefront.sqlite"])
        #expect(journey.account == JourneyAccount(email: "synthetic@storefront.test", password: "correct horse"))
        #expect(journey.variables == ["product": .randomInteger(1, 200)])
        #expect(journey.secrets == ["token"])
        #expect(journey.problems() == [])
        let authorization = [HTTPAction.Header("Authorization", try Template(parsing: "Bearer {{token}}"))]
        #expect(
            journey.steps[2]
                == JourneyStep(
                    "the list shows it",
                    .http(HTTPAction(.get, try Template(parsing: "/api/favorites"), headers: authorization)),
                    eventually: .seconds(2),
                    expect: [
                        Assertion(.status, .equals(200)),
                        Assertion(.json(try JSONPath(parsing: "$.items[*].product")), .contains("{{listed}}")),
                    ]))
        #expect(
            journey.steps[0].action
                == .http(
                    HTTPAction(
                        .post, try Template(parsing: "/api/session"),
                        body: .json(["email": "{{account.email}}", "password": "{{account.password}}"]))))
        #expect(journey.always.map(\.name) == ["take it back", "sign out"])
        #expect(
            configuration.policy.checks["storefront/favorites-saved"]
                == CheckPolicy(
                    id: "storefront/favorites-saved", service: "storefront", feature: "favorites", team: "shop",
                    isJourney: true, every: .seconds(5)))
    }

    @Test("reads every kind of check")
    func checks() throws {
        let configuration = try ConfigurationFixture.load(
            ConfigurationFixture.people + ConfigurationFixture.service + """
                    databases: { main: "postgres://u:p@db/shop", files: "sqlite:files.sqlite" }
                    components:
                      api: { check: { http: "/healthz?deep=1", failures: 3, passes: 4, every: 30s }, depends: database }
                      database: { check: { database: main } }
                    features: { cart: { severity: low } }
                checks:
                  disk: { database: files, timeout: 1s }
                  mail: { tcp: "mail.example.test:25", severity: low }
                  nightly: { heartbeat: 1d, grace: 30m, feature: cart }
                  home:
                    http: https://shop.example.test/
                    method: HEAD
                    headers: { Accept: text/html }
                    redirects: 2
                    expect: { status: "2xx", took: { lessThan: 500ms }, header: { content-type: { matches: "text/*" } } }
                """)
        let kinds = Dictionary(uniqueKeysWithValues: configuration.checks.map { ($0.name, $0.kind) })
        #expect(kinds["api"] == .http(HTTPCheck(url: "http://127.0.0.1:8090/healthz?deep=1")))
        #expect(kinds["database"] == .postgres(location: "postgres://u:p@db/shop"))
        #expect(kinds["disk"] == .sqlite(location: "/etc/mainstay/files.sqlite"))
        #expect(kinds["mail"] == .tcp(TCPCheck(host: "mail.example.test", port: 25)))
        #expect(kinds["nightly"] == .heartbeat(grace: .minutes(30)))
        #expect(
            kinds["home"]
                == .http(
                    HTTPCheck(
                        url: "https://shop.example.test", method: .head,
                        headers: [HTTPAction.Header("Accept", try Template(parsing: "text/html"))], redirects: 2,
                        expect: [
                            Assertion(.status, .between(200, 299)), Assertion(.took, .lessThan(500)),
                            Assertion(.header("content-type"), .matches("text/*")),
                        ])))
        let policies = configuration.policy.checks
        #expect(policies["shop/nightly"]?.heartbeatGrace == .minutes(30))
        #expect(policies["shop/nightly"]?.severity == .low)
        #expect(policies["shop/api"]?.component == "api")
        #expect(policies["shop/api"]?.failures == 3)
        #expect(policies["shop/api"]?.passes == 4)
        #expect(
            configuration.components == [
                ComponentSettings(service: "shop", name: "api", team: "shop", depends: ["database"], check: "shop/api"),
                ComponentSettings(service: "shop", name: "database", team: "shop", depends: [], check: "shop/database"),
            ])
    }

    @Test("reads secrets from files beside the configuration, and a folder of files")
    func files() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mainstay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        }
        try write("a.yaml", ConfigurationFixture.people)
        try write("b.yml", "services: { shop: { team: shop, token-file: token.key, synthetic-secret-file: none.key } }")
        try write("token.key", "0123456789abcdef0123456789abcdef\n")
        try write("notes.txt", "not: [ yaml")
        let path = folder.path
        #expect(throws: ConfigurationErrors.self) { try ConfigurationLoader.load(path: path, environment: [:]) }
        try write("none.key", "x")
        let configuration = try ConfigurationLoader.load(path: path, environment: [:])
        #expect(configuration.services["shop"]?.token == "0123456789abcdef0123456789abcdef")
        #expect(
            configuration.files.map { String($0.dropFirst(path.count + 1)) } == [
                "a.yaml", "b.yml", "token.key", "none.key",
            ])
        let missing = #expect(throws: ConfigurationErrors.self) {
            try ConfigurationLoader.load(path: path + "/c.yaml", environment: [:])
        }
        #expect(missing?.description == "\(path)/c.yaml:1:1: there is no such file")
    }

    @Test("keeps secrets out of descriptions")
    func descriptions() throws {
        let configuration = try Self.storefront()
        var dumped = ""
        dump(configuration, to: &dumped)
        dump(configuration.services, to: &dumped)
        let texts = ["\(configuration)", "\(configuration.services)", String(reflecting: configuration.server), dumped]
        for text in texts {
            #expect(!text.contains("secret-of-both") && !text.contains("0123456789abcdef0123456789abcdef"), "\(text)")
        }
    }
}
