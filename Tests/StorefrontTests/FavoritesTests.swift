import AsyncHTTPClient
import Foundation
import HTTPTypes
import HummingbirdTesting
import MainstayKit
import SQL
import TestSupport
import Testing

@testable import Storefront

@Suite("Add to Favorites")
struct FavoritesTests {
    @Test("stores, is idempotent, lists and removes", arguments: ["v1", "v1b", "v9-unknown"])
    func wholeLife(variant: String) async throws {
        try await TestShop.run(variants: ["favorites": variant]) { shop async throws in
            let token = try await shop.signIn()
            let before = try await shop.api(.get, "/api/favorites", token: token)
            #expect(try before.items.isEmpty)
            #expect(try await shop.api(.put, "/api/favorites/7", token: token).status == 201)
            #expect(try await shop.api(.put, "/api/favorites/7", token: token).status == 200)
            let list = try await shop.api(.get, "/api/favorites", token: token)
            let item = try #require(try list.items.first)
            #expect(item["product"] as? String == "7")
            #expect(item["added_at"] as? String == "2025-10-09T08:53:20.000Z")
            #expect(try list.json["total"] as? Int == 1)
            #expect(try await shop.api(.delete, "/api/favorites/7", token: token).status == 204)
            #expect(try await shop.api(.delete, "/api/favorites/7", token: token).status == 204)
            #expect(try await shop.api(.get, "/api/favorites", token: token).items.isEmpty)
        }
    }

    @Test("with the outage's fault answers 201 and the list stays empty")
    func fault() async throws {
        try await TestShop.run(variants: ["favorites": "v2"]) { shop async throws in
            let token = try await shop.signIn()
            #expect(try await shop.api(.put, "/api/favorites/7", token: token).status == 201)
            #expect(try await shop.api(.put, "/api/favorites/7", token: token).status == 201)
            #expect(try await shop.api(.get, "/api/favorites", token: token).items.isEmpty)
            let rows = try await shop.shop.store.database.read { try $0.query("SELECT user_id FROM favorites") }
            #expect(rows.isEmpty)
        }
    }

    @Test("undone, stores again at the next press")
    func undone() async throws {
        try await TestShop.run(variants: ["favorites": "v2"]) { shop async throws in
            let token = try await shop.signIn()
            _ = try await shop.api(.put, "/api/favorites/7", token: token)
            shop.mainstay.set("favorites", "v1")
            #expect(try await shop.api(.put, "/api/favorites/7", token: token).status == 201)
            #expect(try await shop.api(.get, "/api/favorites", token: token).items.count == 1)
        }
    }

    @Test("is each user's own")
    func own() async throws {
        try await TestShop.run { shop async throws in
            let (first, second) = (try await shop.signIn(user: 1), try await shop.signIn(user: 2))
            _ = try await shop.api(.put, "/api/favorites/7", token: first)
            #expect(try await shop.api(.get, "/api/favorites", token: second).items.isEmpty)
        }
    }

    @Test("records who saw which variant, by the user's id")
    func exposure() async throws {
        try await TestShop.run(variants: ["favorites": "v1b"]) { shop async throws in
            let token = try await shop.signIn(user: 3)
            _ = try await shop.api(.get, "/api/favorites", token: token)
            #expect(shop.mainstay.exposures.isEmpty)
            _ = try await shop.api(.put, "/api/favorites/7", token: token)
            #expect(shop.mainstay.exposures.map(\.flag) == ["favorites"])
            #expect(shop.mainstay.exposures.map(\.variant) == ["v1b"])
            #expect(shop.mainstay.exposures.map(\.key) == ["3"])
            #expect(shop.mainstay.active.allSatisfy { $0.key == "3" })
            #expect(shop.mainstay.active.count == 2)
        }
    }

    @Test("needs someone signed in", arguments: [HTTPRequest.Method.put, .delete])
    func signedOut(method: HTTPRequest.Method) async throws {
        try await TestShop.run { shop async throws in
            for token in [nil, "nonsense", Token.random()] {
                let answer = try await shop.api(method, "/api/favorites/7", token: token)
                #expect(answer.status == 401)
                #expect(answer.headers[.contentType] == "application/problem+json")
                #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
            }
            #expect(try await shop.api(.get, "/api/favorites").status == 401)
        }
    }

    @Test(
        "answers 404 for an id that is none",
        arguments: ["0", "007", "-1", "x", "31", "99999999999999999999", "%00", "1.5"])
    func noProduct(id: String) async throws {
        try await TestShop.run { shop async throws in
            let token = try await shop.signIn()
            #expect(try await shop.api(.put, "/api/favorites/\(id)", token: token).status == 404)
        }
    }

    @Test("serves the default with Mainstay dead and no cache")
    func mainstayDead() async throws {
        let mainstay = Self.mainstay(cache: nil)
        try await TestShop.run(guardian: .live(mainstay)) { shop async throws in
            let token = try await shop.signIn()
            #expect(try await shop.api(.put, "/api/favorites/7", token: token).status == 201)
            #expect(try await shop.api(.get, "/api/favorites", token: token).items.count == 1)
        }
    }

    @Test("serves the last known flags with Mainstay dead")
    func mainstayDeadWithCache() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory + "/flags.json"
            let flags = """
                {"flags":{"favorites":{"state":"ENABLED","variants":{"v1":"v1","v2":"v2"},"defaultVariant":"v2"}}}
                """
            try flags.write(toFile: file, atomically: true, encoding: .utf8)
            let mainstay = Self.mainstay(cache: file)
            try await TestShop.run(guardian: .live(mainstay)) { shop async throws in
                let token = try await shop.signIn()
                #expect(try await shop.api(.put, "/api/favorites/7", token: token).status == 201)
                #expect(try await shop.api(.get, "/api/favorites", token: token).items.isEmpty)
            }
        }
    }

    /// Port 9 of this machine: nobody listens there.
    private static func mainstay(cache: String?) -> Mainstay {
        Mainstay(
            configuration: MainstayConfiguration(
                url: "http://127.0.0.1:9", service: "storefront", token: "t", cacheFile: cache),
            httpClient: .shared, logger: quiet)
    }
}
