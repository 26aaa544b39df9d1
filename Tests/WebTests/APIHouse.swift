import Act
import Decide
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Record
import SQL
import Synchronization
import TestSupport
import Testing

@testable import Web

/// A Mainstay of a test's own: a record over a fresh SQLite file, a clock that stands still, accounts and tokens.
struct APIHouse: Sendable {
    static let password = "correct horse battery"
    /// Hashing takes a while; once is enough for all tests.
    private static let hash = Task { try await Passwords.hash(password) }

    let record: Record
    let clock: APIClock
    var services: WebServices

    /// Who sends a request.
    enum Who: String, CaseIterable, Sendable {
        case nobody
        /// By token with scope `all`.
        case viewer, responder, admin
        /// By token of the responder with one scope.
        case read, service, releases, heartbeats

        static let roles: [Who] = [.viewer, .responder, .admin]

        var token: String { "token-of-\(rawValue)-with-more-than-32-bytes" }
        var account: String { Who.roles.contains(self) ? rawValue : "responder" }

        var headers: HTTPFields {
            self == .nobody ? [:] : [.authorization: "Bearer \(token)"]
        }
    }

    static func make(_ database: any SQLDatabase, policy: Policy = .shop) async throws -> APIHouse {
        let clock = APIClock()
        let record = Record(database: database, policy: policy, now: { clock.now })
        try await record.migrate()
        var settings = WebSettings(publicURL: "http://mainstay.test")
        settings.pollEvery = .milliseconds(50)
        settings.streamKeepAlive = .milliseconds(200)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let services = WebServices(
            record: record, settings: settings,
            linkSigner: LinkSigner(key: [UInt8](repeating: 7, count: 32), base: settings.publicURL), version: "1.2.3",
            logger: logger)
        let house = APIHouse(record: record, clock: clock, services: services)
        try await house.furnish()
        return house
    }

    private func furnish() async throws {
        let hash = try await Self.hash.value
        let now = clock.now.milliseconds
        try await record.database.write { connection in
            for who in Who.roles {
                try connection.execute(
                    "INSERT INTO accounts (name, role, password, created_at) VALUES (?, ?, ?, ?)",
                    [.text(who.rawValue), .text(who.rawValue), .text(hash), .integer(now)])
            }
        }
        for who in Who.allCases where who != .nobody {
            let scope = Who.roles.contains(who) ? Scope.all : Scope(rawValue: who.rawValue) ?? .read
            try await record.adoptToken(who.token, name: who.rawValue, account: who.account, scopes: [scope])
        }
    }

    var application: some ApplicationProtocol { buildApplication(services, host: "127.0.0.1", port: 0) }

    /// A session of the responder: its cookie and the secret for writes.
    func session(of account: String = "responder") async throws -> (cookie: String, csrf: String) {
        let (token, csrf) = (Secrets.random(), Secrets.random())
        let now = clock.now
        try await record.database.write { connection in
            try connection.execute(
                "INSERT INTO sessions (digest, account, csrf, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
                [
                    .text(Secrets.digest(token)), .text(account), .text(csrf), .integer(now.milliseconds),
                    .integer((now + .days(1)).milliseconds),
                ])
        }
        return ("\(SignIn.cookieName)=\(token)", csrf)
    }

    // MARK: Things

    func declareFavorites() async throws {
        let definition = FlagDefinition(variants: ["v1": "v1", "v2": "v2"], defaultVariant: "v1")
        try await record.apply(
            Subject(.flag, "storefront/favorites"),
            .flag(.declared(service: "storefront", key: "favorites", definition)), by: .mainstay)
    }

    /// Opens incident `storefront-favorites-1` by a failing journey.
    func openIncident() async throws {
        let result = CheckResult(
            check: "storefront/favorites-saved", startedAt: clock.now, finishedAt: clock.now,
            failure: CheckFailure(kind: .assertion, step: "the row", message: "n is 0, expected 1"))
        try await record.apply(Subject(.check, result.check), .check(.reported(result)), by: .mainstay)
    }
}

/// A clock that stands still until a test moves it.
final class APIClock: Sendable {
    private let instant = Mutex(Instant(milliseconds: 1_700_000_000_000))

    var now: Instant { instant.withLock { $0 } }
    func advance(_ span: Span) { instant.withLock { $0 = $0 + span } }
}

/// Runs `body` with a house and a client that speaks to its router in memory.
func withAPI(
    policy: Policy = .shop, adjust: @Sendable (inout APIHouse) -> Void = { _ in },
    _ body: @Sendable @escaping (APIHouse, APIClient) async throws -> Void
) async throws {
    try await withDatabase { database, _ in
        var house = try await APIHouse.make(database, policy: policy)
        adjust(&house)
        let ready = house
        try await ready.application.test(.router) { client in
            try await body(ready, APIClient(client: client))
        }
    }
}

/// Sends requests, and holds every answer against the OpenAPI document.
struct APIClient: Sendable {
    let client: any TestClientProtocol

    struct Answer: Sendable {
        var status: Int
        var headers: HTTPFields
        var text: String
        /// `.null` when the body is not JSON.
        var json: JSONValue

        subscript(name: String) -> JSONValue { json[name] ?? .null }
        var detail: String { json["detail"]?.string ?? "" }
        var items: [JSONValue] { json["items"]?.array ?? [] }
        var fields: [String] { json["errors"]?.array?.compactMap { $0["field"]?.string } ?? [] }
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, as who: APIHouse.Who = .nobody, _ body: JSONValue? = nil,
        headers: HTTPFields = [:], text: String? = nil, location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        var fields = who.headers
        if body != nil { fields[.contentType] = "application/json" }
        for field in headers { fields[field.name] = field.value }
        let bytes = (text ?? body?.compactText).map { ByteBuffer(string: $0) }
        return try await client.execute(uri: path, method: method, headers: fields, body: bytes) { response in
            let text = String(buffer: response.body)
            let isJSON = response.headers[.contentType].map(Self.isJSON) ?? false
            let answer = Answer(
                status: response.status.code, headers: response.headers, text: text,
                json: isJSON && !text.isEmpty ? try JSONValue(parsing: text) : .null)
            for fault in Contract.shared.faults(method, path, answer) {
                Issue.record("\(method) \(path) → \(answer.status): \(fault)", sourceLocation: location)
            }
            return answer
        }
    }

    /// `application/x-ndjson` is not: it is one document a line.
    static func isJSON(_ type: String) -> Bool {
        let type = type.prefix { $0 != ";" }
        return type == "application/json" || type.hasSuffix("+json")
    }

    func get(_ path: String, as who: APIHouse.Who = .viewer, location: SourceLocation = #_sourceLocation)
        async throws -> Answer
    {
        try await send(.get, path, as: who, location: location)
    }

    func post(
        _ path: String, as who: APIHouse.Who = .responder, _ body: JSONValue? = nil,
        location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        try await send(.post, path, as: who, body, location: location)
    }
}

extension Policy {
    static let shop = Policy(
        services: [
            "storefront": ServicePolicy(
                name: "storefront", team: "shop",
                features: [
                    "favorites": FeaturePolicy(
                        name: "favorites", team: "shop", flag: "favorites", proof: ["storefront/favorites-saved"],
                        undo: .auto),
                    "posts": FeaturePolicy(name: "posts", team: "shop"),
                ])
        ],
        teams: ["shop": TeamPolicy(name: "shop", targets: [PageTarget(name: "ada", method: .email)])],
        checks: [
            "storefront/favorites-saved": CheckPolicy(
                id: "storefront/favorites-saved", service: "storefront", feature: "favorites", team: "shop",
                isJourney: true, every: .seconds(5)),
            "storefront/nightly": CheckPolicy(
                id: "storefront/nightly", service: "storefront", feature: nil, team: "shop", isJourney: false,
                every: .hours(24), heartbeatGrace: .hours(1)),
        ])
}

/// Answers are read deeply; what is not there is nil all the way down.
extension JSONValue? {
    subscript(name: String) -> JSONValue? { self.flatMap { $0[name] } }
    var array: [JSONValue]? { self.flatMap(\.array) }
}
