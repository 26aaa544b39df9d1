import Decide
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Record
import Testing

@testable import Web

@Suite("API: customer reports")
struct APIReportTests {
    private static let path = "/api/v1/reports"

    private static func report(_ members: [String: JSONValue] = [:]) -> JSONValue {
        .object(["service": "storefront", "feature": "favorites", "text": "It does nothing."].merging(members) { $1 })
    }

    @Test("anyone may report, and it is kept")
    func anyone() async throws {
        try await withAPI { house, client async throws in
            let answer = try await client.send(.post, Self.path, Self.report(["page": "/products/7"]))
            #expect(answer.status == 202)
            let kept = try await client.get("\(Self.path)?service=storefront&feature=favorites").items
            #expect(kept.map { $0["id"] } == [answer["id"]])
            #expect(kept.first?["page"] == "/products/7")
        }
    }

    @Test("distinct users passed on by a service raise an alert; one address stays one person whatever it claims")
    func reporters() async throws {
        try await withAPI { house, client async throws in
            for name in ["a", "b", "c"] {
                #expect(try await client.send(.post, Self.path, Self.report(["user": .string(name)])).status == 202)
            }
            #expect(try await client.get("/api/v1/incidents").items.isEmpty)
            for name in ["a", UserHash(key: "b").hex, "b"] {
                _ = try await client.post(Self.path, as: .service, Self.report(["user": .string(name)]))
            }
            // Two users and one address: three people. The user's key and its hash are the same person.
            #expect(try await client.get("/api/v1/incidents").items.count == 1)
            #expect(
                Set(try await house.record.reports(service: "storefront", feature: "favorites").map(\.reporter)).count
                    == 3)
        }
    }

    @Test("an unknown service is not found, an unknown feature is told the nearest name")
    func unknown() async throws {
        try await withAPI { _, client async throws in
            #expect(try await client.send(.post, Self.path, Self.report(["service": "none"])).status == 404)
            let answer = try await client.send(.post, Self.path, Self.report(["feature": "favourites"]))
            #expect(answer.status == 422)
            #expect(answer.fields == ["feature"])
            #expect(answer.detail.contains("did you mean 'favorites'?"))
        }
    }

    @Test("a report that names no feature goes to the service's own desk")
    func general() async throws {
        try await withAPI { _, client async throws in
            let body: JSONValue = ["service": "storefront", "text": "Nothing works.", "feature": nil]
            #expect(try await client.send(.post, Self.path, body).status == 202)
            #expect(try await client.get("\(Self.path)?service=storefront&feature=service").items.count == 1)
        }
    }

    @Test("one address, and one person, can only report so often")
    func limited() async throws {
        try await withAPI(adjust: { house in
            house.services.limits.reportsByAddress = RateLimiter(burst: 2, refill: .seconds(60))
            house.services.limits.reportsByReporter = RateLimiter(burst: 3, refill: .seconds(60))
        }) { house, client async throws in
            var statuses: [Int] = []
            for _ in 1...3 { statuses.append(try await client.send(.post, Self.path, Self.report()).status) }
            #expect(statuses == [202, 202, 429])
            statuses = []
            for _ in 1...4 {
                let body = Self.report(["user": "eve"])
                statuses.append(try await client.post(Self.path, as: .service, body).status)
            }
            #expect(statuses == [202, 202, 202, 429])
            #expect(try await client.post(Self.path, as: .service, Self.report(["user": "bob"])).status == 202)
            #expect(try await house.record.reportCount() == 6)
        }
    }

    @Test("only the pages of configured services may send reports from a browser")
    func origins() async throws {
        try await withAPI(adjust: { house in
            house.services.reportOrigins = { ["https://shop.test"] }
        }) { _, client async throws in
            let allowed = try await client.send(.options, Self.path, headers: [.origin: "https://shop.test"])
            #expect(allowed.status == 204)
            #expect(allowed.headers[.accessControlAllowOrigin] == "https://shop.test")
            #expect(allowed.headers[.accessControlAllowHeaders] == "Content-Type")
            let sent = try await client.send(
                .post, Self.path, Self.report(), headers: [.origin: "https://shop.test"])
            #expect(sent.headers[.accessControlAllowOrigin] == "https://shop.test")
            let other = try await client.send(.options, Self.path, headers: [.origin: "https://evil.test"])
            #expect(other.headers[.accessControlAllowOrigin] == nil)
        }
    }

    @Test("behind a trusted proxy people are told apart by the address it adds, elsewhere the header is ignored")
    func forwarded() async throws {
        func reporters(_ isTrusted: Bool) async throws -> Int {
            let found = Box()
            try await withAPI(adjust: { $0.services.settings.trustsForwardedFor = isTrusted }) {
                house, client async throws in
                for address in ["203.0.113.1", "6.6.6.6, 203.0.113.2", "203.0.113.2", "2001:db8::1", "2001:db8::2"] {
                    _ = try await client.send(
                        .post, Self.path, Self.report(), headers: [.xForwardedFor: address])
                }
                let kept = try await house.record.reports(service: "storefront", feature: "favorites")
                await found.set(Set(kept.map(\.reporter)).count)
            }
            return await found.value
        }
        #expect(try await reporters(false) == 1)
        #expect(try await reporters(true) == 3)
    }

    private actor Box {
        var value = 0
        func set(_ new: Int) { value = new }
    }
}
