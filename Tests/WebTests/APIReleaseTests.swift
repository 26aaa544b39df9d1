import Decide
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Record
import Testing

@testable import Web

@Suite("API: releases and rollouts")
struct APIReleaseTests {
    private static let new: JSONValue = [
        "service": "storefront", "feature": "favorites", "commit": "abc1234", "author": "lin", "variant": "v2",
    ]
    private static let path = "/api/v1/releases/storefront-favorites-v2-abc1234"
    private static let passing = """
        <testsuite name="shop"><testcase classname="FavoritesTests" name="saves"/><testcase classname="Other" name="x"/>\
        </testsuite>
        """
    private static let failing = """
        <testsuite name="shop"><testcase classname="FavoritesTests" name="saves"><failure message="no row"/></testcase>\
        </testsuite>
        """

    private func attach(_ xml: String, _ client: APIClient, query: String = "") async throws -> APIClient.Answer {
        var headers = APIHouse.Who.releases.headers
        headers[.contentType] = "application/xml"
        return try await client.send(.post, "\(Self.path)/evidence\(query)", headers: headers, text: xml)
    }

    @Test("a release is created once, and says why the gate blocks it")
    func create() async throws {
        try await withAPI { house, client async throws in
            let first = try await client.post("/api/v1/releases", as: .releases, Self.new)
            #expect(first.status == 201)
            #expect(first["gate"]["allowed"] == false)
            #expect(first["gate"]["reasons"].array?.count == 2)
            #expect(try await client.post("/api/v1/releases", as: .releases, Self.new).status == 200)
            #expect(try await client.get("/api/v1/releases?service=storefront&status=waiting").items.count == 1)
            let blocked = try await client.post("\(Self.path)/start", [:])
            #expect(blocked.status == 409)
            #expect(blocked["reasons"].array?.compactMap { $0["rule"]?.string } == ["tests", "approvals"])
        }
    }

    @Test("passing tests and someone else's approval open the gate")
    func allowed() async throws {
        try await withAPI { house, client async throws in
            try await house.declareFavorites()
            _ = try await client.post("/api/v1/releases", as: .releases, Self.new)
            let evidence = try await attach(Self.passing, client, query: "?source=shop.xml")
            #expect(evidence["evidence"].array?.first?["source"] == "shop.xml")
            #expect(evidence["evidence"].array?.first?["featureCases"] == 1)
            let approved = try await client.post("\(Self.path)/approve", ["commit": "ABC1234"])
            #expect(approved["gate"]["allowed"] == true)
            let started = try await client.post("\(Self.path)/start", [:])
            #expect(started["status"] == "rollingOut")
            let rollout = "/api/v1/rollouts/storefront-favorites-v2-abc1234"
            #expect(try await client.get(rollout)["share"] == 500)
            #expect(try await client.get("/api/v1/flags/storefront/favorites")["rolling"]["variant"] == "v2")
            let undone = try await client.post("\(rollout)/undo", ["reason": "looks odd"])
            #expect(undone["status"] == "undone")
            #expect(try await client.post("\(rollout)/undo", ["reason": "again"]).status == 409)
            #expect(try await client.get(Self.path)["status"] == "undone")
        }
    }

    @Test("failing tests and evidence of another commit keep it shut")
    func evidence() async throws {
        try await withAPI { house, client async throws in
            _ = try await client.post("/api/v1/releases", as: .releases, Self.new)
            let other = try await attach(Self.passing, client, query: "?commit=fff0000")
            #expect(other["gate"]["reasons"].array?.first?["holds"] == false)
            let failed = try await attach(Self.failing, client)
            #expect(failed["evidence"].array?.last?["failing"] == ["FavoritesTests.saves"])
            #expect(failed["gate"]["allowed"] == false)
            let broken = try await attach("<testsuite><testcase", client)
            #expect(broken.status == 422)
            let json = try await client.post("\(Self.path)/evidence", as: .releases, [:])
            #expect(json.status == 415)
        }
    }

    @Test("reports over their limit are refused with 413")
    func largeEvidence() async throws {
        try await withAPI(adjust: { $0.services.settings.maxEvidence = 1_000 }) { _, client async throws in
            _ = try await client.post("/api/v1/releases", as: .releases, Self.new)
            let answer = try await attach(Self.passing + String(repeating: " ", count: 1_000), client)
            #expect(answer.status == 413)
        }
    }

    @Test("the author cannot approve, nor can a tool; forcing needs a reason and is kept")
    func people() async throws {
        try await withAPI { house, client async throws in
            try await house.declareFavorites()
            _ = try await client.post(
                "/api/v1/releases",
                ["service": "storefront", "feature": "favorites", "commit": "abc1234", "variant": "v2"])
            let own = try await client.post("\(Self.path)/approve", ["commit": "abc1234"])
            #expect(own.status == 403)
            #expect(try await client.post("\(Self.path)/approve", as: .releases, ["commit": "abc1234"]).status == 403)
            let wrong = try await client.post("\(Self.path)/approve", as: .admin, ["commit": "fff0000"])
            #expect(wrong.status == 409)
            let silent = try await client.post("\(Self.path)/start", ["force": true])
            #expect(silent.status == 422)
            #expect(silent.fields == ["reason"])
            let forced = try await client.post("\(Self.path)/start", ["force": true, "reason": "drill"])
            #expect(forced["forced"]["reason"] == "drill")
            #expect(forced["forced"]["objections"].array?.count == 2)
            #expect(try await client.post("\(Self.path)/start", [:]).status == 409)
        }
    }

    @Test("a feature that is not configured, or stands behind no flag, has no releases")
    func unknown() async throws {
        try await withAPI { _, client async throws in
            func create(_ feature: String) async throws -> Int {
                var members = try #require(Self.new.object)
                members["feature"] = .string(feature)
                return try await client.post("/api/v1/releases", .object(members)).status
            }
            #expect(try await create("none") == 404)
            #expect(try await create("posts") == 422)
        }
    }
}
