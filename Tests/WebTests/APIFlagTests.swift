import Decide
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Record
import Testing

@testable import Web

@Suite("API: flags")
struct APIFlagTests {
    private static let favorites = "/api/v1/flags/storefront/favorites"

    private static func definition(_ standard: String) -> JSONValue {
        ["state": "ENABLED", "variants": ["v1": "v1", "v2": "v2"], "defaultVariant": .string(standard)]
    }

    @Test("a flag is made, shown, changed and taken back")
    func lifecycle() async throws {
        try await withAPI { house, client async throws in
            let made = try await client.send(
                .put, Self.favorites, as: .responder, ["definition": Self.definition("v1"), "reason": "new"])
            #expect(made.status == 201)
            #expect(made["version"] == 1)
            let line = try await client.get("/api/v1/timeline").items.first { $0["kind"] == "flag.declared" }
            #expect(line?["text"] == "Flag favorites of storefront declared by responder: new")
            #expect(line?["actor"]?["name"] == "responder")
            let same = try await client.send(
                .put, Self.favorites, as: .responder, ["definition": Self.definition("v1"), "reason": "again"])
            #expect(same.status == 200)
            #expect(same["version"] == 1)
            let changed = try await client.post("\(Self.favorites)/default", ["variant": "v2", "reason": "try it"])
            #expect(changed["version"] == 2)
            #expect(changed["served"]["defaultVariant"] == "v2")
            let change = try await client.get("/api/v1/changes").items.first
            #expect(change?["reason"] == "try it")
            #expect(change?["actor"]?["name"] == "responder")
            let undone = try await client.post(
                "\(Self.favorites)/undo", ["change": change?["id"] ?? .null, "reason": "worse"])
            #expect(undone["served"]["defaultVariant"] == "v1")
            #expect(undone["version"] == 3)
        }
    }

    @Test(
        "definitions that cannot be served are refused, with the field",
        arguments: [
            ["state": "ENABLED", "variants": ["v1": "v1"], "defaultVariant": "v9"],
            ["state": "on", "variants": ["v1": "v1"]], ["state": "ENABLED"], ["state": "ENABLED", "variants": [:]],
            ["state": "ENABLED", "variants": ["v1": 1], "targeting": ["no_such_operator": [1]]],
        ] as [JSONValue])
    func invalid(_ definition: JSONValue) async throws {
        try await withAPI { _, client async throws in
            let answer = try await client.send(
                .put, Self.favorites, as: .responder, ["definition": definition, "reason": "x"])
            #expect(answer.status == 422)
            #expect(answer.detail.contains("favorites") || answer.fields == ["definition"])
        }
    }

    @Test("a flag of a service that is not configured is not found")
    func unknownService() async throws {
        try await withAPI { _, client async throws in
            let body: JSONValue = ["definition": Self.definition("v1"), "reason": "x"]
            #expect(try await client.send(.put, "/api/v1/flags/none/favorites", as: .responder, body).status == 404)
            #expect(try await client.get("/api/v1/flags/stream?service=none", as: .service).status == 404)
        }
    }

    @Test("keys are unescaped from the address, and lists are paged without gaps or repetitions")
    func paging() async throws {
        try await withAPI { _, client async throws in
            let names = ["a b", "a%2Fb", "ä", "d", "e"]
            for name in names {
                let escaped = name == "a%2Fb" ? name : PercentCoding.encode(name)
                let body: JSONValue = ["definition": Self.definition("v1"), "reason": "x"]
                let made = try await client.send(.put, "/api/v1/flags/storefront/\(escaped)", as: .responder, body)
                #expect(made.status == 201)
            }
            var (keys, next): ([String], String?) = ([], nil)
            repeat {
                let page = try await client.get(
                    "/api/v1/flags?service=storefront&limit=2"
                        + (next.map { "&before=\(PercentCoding.encode($0))" } ?? ""))
                keys += page.items.compactMap { $0["key"]?.string }
                next = page["next"].string
            } while next != nil
            #expect(keys.sorted() == ["a b", "a/b", "d", "e", "ä"].sorted())
        }
    }

    @Test("OFREP evaluates for a user, and answers 304 to one who has it")
    func ofrep() async throws {
        try await withAPI { house, client async throws in
            try await house.declareFavorites()
            let context: JSONValue = ["context": ["targetingKey": "u1"]]
            let path = "/ofrep/v1/evaluate/flags"
            let single = try await client.post("\(path)/favorites?service=storefront", as: .service, context)
            #expect(single["value"] == "v1")
            #expect(single["reason"] == "STATIC")
            let missing = try await client.post("\(path)/none?service=storefront", as: .service, context)
            #expect(missing.status == 404)
            #expect(missing["errorCode"] == "FLAG_NOT_FOUND")
            // There is one service only: no need to name it.
            let bulk = try await client.post(path, as: .service, context)
            #expect(bulk["flags"].array?.count == 1)
            var headers = APIHouse.Who.service.headers
            headers[.ifNoneMatch] = bulk.headers[.eTag]
            let again = try await client.send(.post, path, context, headers: headers)
            #expect(again.status == 304)
            #expect(again.text.isEmpty)
            let bad = try await client.send(.post, path, as: .service, text: "{")
            #expect(bad["errorCode"] == "INVALID_CONTEXT")
            let nobody = try await client.send(.post, path, context)
            #expect(nobody.status == 401)
            #expect(nobody.text.isEmpty)
        }
    }

    @Test("exposures are counted once however often a batch is sent, and garbage is refused")
    func exposures() async throws {
        try await withAPI { house, client async throws in
            let users: JSONValue = [.string(UserHash(key: "a").hex), .string(UserHash(key: "b").hex)]
            let now = JSONValue.integer(house.clock.now.milliseconds)
            let batch: JSONValue = [
                "service": "storefront", "batch": "b1", "from": now, "to": now, "active": users, "more": "later",
                "exposures": [
                    [
                        "flag": "favorites", "variant": "v2", "version": 2, "first": now, "last": now, "count": 7,
                        "users": users,
                    ]
                ],
            ]
            for _ in 1...2 { #expect(try await client.post("/api/v1/exposures", as: .service, batch).status == 202) }
            let counted = try await house.record.exposures(since: .epoch)
            #expect(counted.map(\.users) == [2])
            #expect(try await house.record.activeUsers(service: "storefront") == 2)
            var members = try #require(batch.object)
            members["active"] = ["xyz"]
            let answer = try await client.post("/api/v1/exposures", as: .service, .object(members))
            #expect(answer.status == 422)
            #expect(answer.fields == ["active"])
        }
    }
}
