import AsyncHTTPClient
import Decide
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOPosix
import Observe
import SQL
import Synchronization
import TestSupport
import Testing

/// What one test has around it: a small shop with a real database, and a runner that looks at it.
struct Bench: Sendable {
    let baseURL: String
    let shop: Shop
    let runner: CheckRunner

    static let secret = "a shared secret"
    static let now = Instant(milliseconds: 1_700_000_000_000)

    static func with(
        options: CheckRunner.Options = CheckRunner.Options(), secret: String? = Bench.secret,
        _ body: @escaping @Sendable (Bench) async throws -> Void
    ) async throws {
        let shop = try await Shop()
        let client = HTTPClient(
            eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: CheckRunner.clientConfiguration())
        let probe = SQLProbe()
        do {
            try await shop.application.test(.live) { server in
                let port = try #require(server.port)
                let runner = CheckRunner(
                    client: client, probe: probe, secret: { _ in secret }, options: options, clock: { Bench.now })
                try await body(Bench(baseURL: "http://127.0.0.1:\(port)", shop: shop, runner: runner))
            }
        } catch {
            await probe.close()
            try await client.shutdown()
            try await shop.close()
            throw error
        }
        await probe.close()
        try await client.shutdown()
        try await shop.close()
    }

    func check(_ kind: CheckKind, timeout: Span = .seconds(10)) -> CheckDefinition {
        CheckDefinition(service: "shop", name: "check", every: .seconds(5), timeout: timeout, kind: kind)
    }

    func http(_ path: String, redirects: Int = 0, expect: [Assertion] = [], timeout: Span = .seconds(10))
        -> CheckDefinition
    {
        check(.http(HTTPCheck(url: baseURL + path, redirects: redirects, expect: expect)), timeout: timeout)
    }

    /// The favorites journey: press the button, see it in the list, count the row, take it back.
    func favorites(
        steps: [JourneyStep] = [], always: [JourneyStep]? = nil, timeout: Span = .seconds(10)
    ) throws -> CheckDefinition {
        check(
            .journey(
                Journey(
                    baseURL: baseURL, variables: ["product": .randomInteger(1, 1_000)],
                    steps: steps.isEmpty ? try Bench.proof() : steps,
                    always: try always ?? [
                        JourneyStep(
                            "take it back", try Bench.request(.delete, "/favorites/{{product}}"),
                            expect: try Bench.expect("status", 204))
                    ],
                    databases: ["database": shop.path],
                    account: JourneyAccount(email: "ada@example.test", password: "correct horse"))),
            timeout: timeout)
    }

    static func proof() throws -> [JourneyStep] {
        [
            JourneyStep(
                "sign in",
                .http(
                    HTTPAction(
                        .post, Template(literal: "/session"),
                        body: .json(["email": "{{account.email}}", "password": "{{account.password}}"]))),
                captures: ["user": try Expression(parsing: "$.user", isSQL: false)]),
            JourneyStep(
                "press the button", try request(.put, "/favorites/{{product}}"), expect: try expect("status", 201)),
            JourneyStep(
                "the list shows it", try request(.get, "/favorites"), eventually: .seconds(5),
                expect: try expect("$.items[*].product", ["contains": "{{product}}"])),
            JourneyStep(
                "the row is in the database",
                .sql(
                    "SELECT count(*) AS n FROM favorites WHERE user_id = :user AND product_id = :product",
                    on: "database"),
                expect: try expect("n", 1, isSQL: true)),
        ]
    }

    static func request(_ method: HTTPAction.Method, _ path: String) throws -> JourneyStep.Action {
        .http(HTTPAction(method, try Template(parsing: path)))
    }

    static func expect(_ key: String, _ value: JSONValue, isSQL: Bool = false) throws -> [Assertion] {
        try Assertion.parse(key, value, isSQL: isSQL)
    }
}

/// A service with a session cookie, favorites in SQLite, and the ways in which services misbehave.
final class Shop: Sendable {
    let path: String
    private let directory: TemporaryDirectory
    private let database: any SQLDatabase
    /// Answers 201 and stores nothing.
    let isFaulty = Mutex(false)
    /// GET /favorites shows nothing this many times.
    let lag = Mutex(0)
    let seen = Mutex<[(path: String, headers: [String: String])]>([])

    init() async throws {
        directory = try TemporaryDirectory("shop")
        path = directory.path + "/shop.sqlite"
        database = try openDatabase(path)
        try await database.write { connection in
            try connection.execute("CREATE TABLE favorites (user_id INTEGER, product_id INTEGER)")
        }
    }

    func close() async throws {
        await database.close()
        try directory.remove()
    }

    func headers(of path: String) -> [[String: String]] {
        seen.withLock { $0.filter { $0.path == path }.map(\.headers) }
    }

    func rows() async throws -> Int64 {
        try await database.read { try $0.query("SELECT count(*) AS n FROM favorites")[0].int("n") }
    }

    private func note(_ request: Request) {
        var headers: [String: String] = [:]
        for field in request.headers { headers[field.name.canonicalName] = field.value }
        let path = request.uri.path
        seen.withLock { [headers] in $0.append((path, headers)) }
    }

    private func signedIn(_ request: Request) -> Bool {
        request.headers[.cookie]?.contains("session=s1") == true
    }

    var application: some ApplicationProtocol {
        let router = Router()
        addFavorites(router)
        addMisbehaviour(router)
        return Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)))
    }

    private func addFavorites(_ router: Router<BasicRequestContext>) {
        router.post("session") { [self] request, _ in
            note(request)
            let body = try await request.body.collect(upTo: 10_000)
            let isRight = String(buffer: body).contains("correct horse")
            guard isRight else { return Response(status: .unauthorized, body: .init(byteBuffer: body)) }
            return Response(
                status: .ok, headers: [.setCookie: "session=s1; Path=/; HttpOnly"],
                body: .init(byteBuffer: ByteBuffer(string: #"{"user":7}"#)))
        }
        router.put("favorites/:product") { [self] request, context in
            note(request)
            guard signedIn(request) else { return Response(status: .unauthorized) }
            let product = try context.parameters.require("product", as: Int.self)
            if !isFaulty.withLock({ $0 }) {
                try await database.write {
                    try $0.execute("INSERT INTO favorites VALUES (7, ?)", [SQLValue(product)])
                }
            }
            return Response(status: .created)
        }
        router.get("favorites") { [self] request, _ in
            note(request)
            guard signedIn(request) else { return Response(status: .unauthorized) }
            let isLate = lag.withLock { lag in
                defer { lag -= 1 }
                return lag > 0
            }
            let rows = try await database.read {
                try $0.query("SELECT product_id AS p FROM favorites").map { try $0.int("p") }
            }
            let items = isLate ? [] : rows.map { #"{"product":\#($0)}"# }
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(string: #"{"items":[\#(items.joined(separator: ","))]}"#)))
        }
        router.delete("favorites/:product") { [self] request, context in
            note(request)
            guard signedIn(request) else { return Response(status: .unauthorized) }
            let product = try context.parameters.require("product", as: Int.self)
            try await database.write {
                try $0.execute("DELETE FROM favorites WHERE product_id = ?", [SQLValue(product)])
            }
            return Response(status: .noContent)
        }
    }

    private func addMisbehaviour(_ router: Router<BasicRequestContext>) {
        router.get("ok") { [self] request, _ in
            note(request)
            return "fine"
        }
        router.get("broken") { _, _ in Response(status: .internalServerError) }
        router.get("large") { _, _ in String(repeating: "x", count: (1 << 20) + 1) }
        router.get("old") { _, _ in
            Response(status: .found, headers: [.location: "/ok?moved=1", .setCookie: "hop=1; Path=/"])
        }
        router.get("loop") { _, _ in Response(status: .found, headers: [.location: "/loop"]) }
    }
}

/// Accepts connections and never says a word.
struct SilentServer {
    let port: Int
    private let channel: any Channel

    init() async throws {
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0).get()
        port = try #require(channel.localAddress?.port)
    }

    func close() async throws { try await channel.close() }
}
