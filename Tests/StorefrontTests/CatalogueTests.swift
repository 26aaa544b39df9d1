import Foundation
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Storefront

@Suite("Products for programs")
struct CatalogueTests {
    @Test("are listed, searched and read")
    func products() async throws {
        try await TestShop.run { shop async throws in
            let list = try await shop.api(.get, "/api/products?page_size=4&page=2")
            #expect(try list.items.compactMap { $0["id"] as? String } == ["5", "6", "7", "8"])
            #expect(try list.json["total"] as? Int == 30)
            let one = try await shop.api(.get, "/api/products/5")
            let name = try #require(try one.json["name"] as? String)
            let found = try await shop.api(.get, "/api/products?q=\(FormFields.encode(name.lowercased()))")
            #expect(try found.items.contains { $0["id"] as? String == "5" })
            #expect(try await shop.api(.get, "/api/products/31").status == 404)
        }
    }

    @Test(
        "refuse a question that makes no sense",
        arguments: [
            ("page=0", 422), ("page=x", 422), ("page=", 422), ("page=%2B1", 422), ("page=100001", 422),
            ("page_size=101", 422), ("page_size=0", 422), ("category=cars", 422), ("q=%00", 422),
            ("page=1&page=2", 422), ("q=\(String(repeating: "x", count: 101))", 422), ("q=%ff", 400), ("q=%zz", 400),
            ("q=\(String(repeating: "x", count: 4_097))", 400), ("q=&category=&unknown=1", 200), ("q=a+b%20c", 200),
        ])
    func invalid(query: String, status: Int) async throws {
        try await TestShop.run { shop async throws in
            #expect(try await shop.api(.get, "/api/products?\(query)").status == status)
        }
    }
}

@Suite("Posts for programs")
struct PostsTests {
    @Test("are written, read and deleted by their author", arguments: ["v1", "v2"])
    func wholeLife(variant: String) async throws {
        try await TestShop.run(variants: ["posts": variant]) { shop async throws in
            let (author, other) = (try await shop.signIn(user: 1), try await shop.signIn(user: 2))
            let made = try await shop.api(
                .post, "/api/posts", token: author, json: #"{"title":"Hello","body":"One\nTwo"}"#)
            #expect(made.status == 201)
            #expect(made.location == "/api/posts/13")
            let list = try await shop.api(.get, "/api/posts?page_size=3")
            #expect(try list.items.compactMap { $0["id"] as? String } == ["13", "12", "11"])
            #expect(try list.json["next"] as? String == "11")
            #expect(try await shop.api(.get, "/api/posts/13").json["body"] as? String == "One\nTwo")
            #expect(try await shop.api(.delete, "/api/posts/13").status == 401)
            #expect(try await shop.api(.delete, "/api/posts/13", token: other).status == 403)
            #expect(try await shop.api(.delete, "/api/posts/13", token: author).status == 204)
            #expect(try await shop.api(.delete, "/api/posts/13", token: author).status == 404)
            #expect(shop.mainstay.exposures.map(\.variant) == [variant])
        }
    }

    @Test("end without a next page")
    func end() async throws {
        try await TestShop.run { shop async throws in
            let list = try await shop.api(.get, "/api/posts?before=3&page_size=5")
            #expect(try list.items.count == 2)
            #expect(try list.json["next"] == nil)
            #expect(try await shop.api(.get, "/api/posts?before=x").status == 422)
        }
    }

    @Test(
        "are refused when they say nothing or too much",
        arguments: [
            (#"{"title":"","body":"x"}"#, 422), (#"{"title":"a\nb","body":"x"}"#, 422),
            (#"{"title":"a","body":"\u00a0 \n"}"#, 422), (#"{"title":"a","body":"\u0000x"}"#, 422),
            (#"{"title":"\#(String(repeating: "ü", count: 121))","body":"x"}"#, 422),
            (#"{"title":"\#(String(repeating: "ü", count: 120))","body":"x"}"#, 201),
            (#"{"title":"a","body":"\#(String(repeating: "🌻", count: 10_000))"}"#, 201),
            (#"{"title":"a","body":"\#(String(repeating: "🌻", count: 10_001))"}"#, 422),
            (#"{"title":null,"body":"x"}"#, 422), (#"{"title":"a","body":"x""#, 400),
        ])
    func limits(json: String, status: Int) async throws {
        try await TestShop.run { shop async throws in
            let token = try await shop.signIn()
            #expect(try await shop.api(.post, "/api/posts", token: token, json: json).status == status)
            #expect(try await shop.api(.post, "/api/posts", json: json).status == 401)
        }
    }
}
