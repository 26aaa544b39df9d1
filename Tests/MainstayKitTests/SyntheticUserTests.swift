import AsyncHTTPClient
import Crypto
import Decide
import Foundation
import HTTPTypes
import MainstayKit
import Synchronization
import Testing

@Suite("Synthetic users", .timeLimit(.minutes(2)))
struct SyntheticUserTests {
    private static let now = Instant(milliseconds: 1_700_000_000_000)

    private func header(
        secret: String = "secret-1", expires: Instant = now + .seconds(30),
        forced: [String: String] = ["favorites": "v2"]
    ) -> String {
        let header = SyntheticHeader(user: "journey/favorites", expires: expires, forced: forced)
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(header.payload.utf8), using: SymmetricKey(data: Data(secret.utf8)))
        return header.value(signature: code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }

    private func withKit(
        secret: String? = "secret-1", _ body: @escaping @Sendable (Mainstay, ManualClock) throws -> Void
    ) async throws {
        let clock = ManualClock()
        var configuration = Kit.configuration(port: nil)
        configuration.syntheticSecret = secret
        try await Kit.run(configuration, clock: clock.kitClock) { mainstay in try body(mainstay, clock) }
    }

    @Test("are known by a signed header, which forces variants")
    func valid() async throws {
        let header = header()
        try await withKit { mainstay, _ in
            let user = mainstay.userContext(key: "account-7", syntheticHeader: header)
            #expect(user.isSynthetic)
            #expect(user.key == "account-7")
            #expect(user.forced == ["favorites": "v2"])
            #expect(mainstay.variant("favorites", default: "v1", for: user) == "v2")
            #expect(mainstay.evaluate("favorites", for: user).reason == .forced)
            #expect(mainstay.variant("posts", default: "v1", for: user) == "v1")
            #expect(mainstay.userContext(key: nil, syntheticHeader: header).key == "journey/favorites")
        }
    }

    @Test("a header that is expired, altered, signed with another secret or nonsense is ignored")
    func invalid() async throws {
        let valid = header()
        let headers = [
            header(secret: "another"), header(expires: Self.now), header(expires: Self.now - .seconds(1)),
            valid.replacing("v2", with: "v3"), valid.replacing("exp=1", with: "exp=2"), String(valid.dropLast()),
            valid + "0", "", "v1;user=a", String(repeating: "x", count: 100_000),
        ]
        try await withKit { mainstay, _ in
            for header in headers {
                let user = mainstay.userContext(key: "u1", syntheticHeader: header)
                #expect(user == UserContext(key: "u1"))
                #expect(mainstay.variant("favorites", default: "v1", for: user) == "v1")
            }
            #expect(mainstay.userContext(key: "u1", syntheticHeader: nil) == UserContext(key: "u1"))
        }
    }

    @Test("expire")
    func expire() async throws {
        let header = header()
        try await withKit { mainstay, clock in
            #expect(mainstay.userContext(key: "u1", syntheticHeader: header).isSynthetic)
            clock.advance(by: .seconds(30))
            #expect(!mainstay.userContext(key: "u1", syntheticHeader: header).isSynthetic)
        }
    }

    @Test("without a secret no header is believed")
    func noSecret() async throws {
        let headers = [header(), header(secret: "")]
        try await withKit(secret: nil) { mainstay, _ in
            for header in headers {
                #expect(!mainstay.userContext(key: "u1", syntheticHeader: header).isSynthetic)
            }
        }
    }

    @Test("cannot be forced onto a variant that the flag does not have")
    func unknownVariant() async throws {
        let server = FakeMainstay()
        server.prepare(Kit.set(1, favorites: "v1"))
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { mainstay in
                try await eventually("connected") { mainstay.status.connected }
                let missing = UserContext(key: "u", forced: ["favorites": "v9"], isSynthetic: true)
                #expect(mainstay.variant("favorites", default: "code", for: missing) == "v1")
                let known = UserContext(key: "u", forced: ["favorites": "v2"], isSynthetic: true)
                #expect(mainstay.variant("favorites", default: "code", for: known) == "v2")
                #expect(mainstay.evaluate("favorites", for: known).version == 1)
            }
        }
    }
}

@Suite("Problem reports", .timeLimit(.minutes(2)))
struct ProblemReportTests {
    private let report = ProblemReport(feature: "favorites", text: "It does nothing.", user: "u1", page: "/products/3")

    @Test("reach Mainstay without the user's key")
    func accepted() async throws {
        let server = FakeMainstay()
        let report = report
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { try await $0.report(report) }
        }
        #expect(
            server.state.withLock { $0.reports } == [
                [
                    "service": "shop & co", "feature": "favorites", "text": "It does nothing.", "page": "/products/3",
                    "user": .string(UserHash(key: "u1").hex),
                ]
            ])
    }

    @Test("that Mainstay does not accept throw, with its reason")
    func refused() async throws {
        let server = FakeMainstay()
        server.state.withLock { $0.reportStatus = .tooManyRequests }
        let report = report
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { mainstay in
                let error = await #expect(throws: MainstayError.self) { try await mainstay.report(report) }
                #expect(error?.code == .refused)
                #expect(error?.status == 429)
                #expect(error?.detail == "Too many.")
            }
        }
    }

    @Test(
        "throw when nobody is there",
        arguments: [(nil, .notConfigured), (1, .unavailable)] as [(Int?, MainstayError.Code)])
    func unavailable(_ port: Int?, _ code: MainstayError.Code) async throws {
        let report = report
        try await Kit.run(Kit.configuration(port: port)) { mainstay in
            let error = await #expect(throws: MainstayError.self) { try await mainstay.report(report) }
            #expect(error?.code == code)
            #expect(error?.description.contains("token-1") == false)
        }
    }
}

@Suite("Values of flags", .timeLimit(.minutes(2)))
struct FlagValueTests {
    @Test("are read as the type asked for, and not converted")
    func types() async throws {
        let server = FakeMainstay()
        func flag(_ value: JSONValue) -> FlagDefinition {
            FlagDefinition(variants: ["on": value], defaultVariant: "on")
        }
        server.prepare(
            FlagSet(
                version: 1,
                flags: [
                    "bool": flag(true), "int": flag(3), "double": flag(1.5), "text": flag("x"), "list": flag([1, "a"]),
                ]))
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { mainstay in
                try await eventually("connected") { mainstay.status.connected }
                let user = UserContext(key: "u")
                #expect(mainstay.value("bool", default: false, for: user))
                #expect(mainstay.value("int", default: 0, for: user) == 3)
                #expect(mainstay.value("int", default: 0.5, for: user) == 3)
                #expect(mainstay.value("double", default: 0.5, for: user) == 1.5)
                #expect(mainstay.value("double", default: 7, for: user) == 7)
                #expect(mainstay.value("text", default: "code", for: user) == "x")
                #expect(mainstay.value("text", default: 7, for: user) == 7)
                #expect(mainstay.value("list", default: FlagValue.null, for: user) == [1, "a"])
            }
        }
    }

    @Test("attributes are what rules read")
    func attributes() async throws {
        let server = FakeMainstay()
        server.prepare(Kit.set(1, favorites: "v1", targeting: ["if": [["==": [["var": "plan.name"], "pro"]], "v2"]]))
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { mainstay in
                try await eventually("connected") { mainstay.status.connected }
                var user = UserContext(key: "u", attributes: ["plan": ["name": "pro"]])
                #expect(mainstay.evaluate("favorites", for: user).variant == "v2")
                #expect(mainstay.evaluate("favorites", for: user).reason == .targetingMatch)
                user.attributes["plan"] = "free"
                #expect(mainstay.evaluate("favorites", for: user).variant == "v1")
                #expect(mainstay.evaluate("favorites", for: user).reason == .default)
                #expect(user.attributes == ["plan": "free"])
            }
        }
    }
}
