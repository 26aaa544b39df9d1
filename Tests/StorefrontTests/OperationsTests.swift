import Foundation
import HTTPTypes
import HummingbirdTesting
import SQL
import TestSupport
import Testing

@testable import Storefront

@Suite("Operations")
struct OperationsTests {
    @Test("health follows the database")
    func health() async throws {
        try await TestShop.run { shop async throws in
            #expect(try await shop.send(.get, "/healthz").status == 200)
            await shop.shop.store.database.close()
            let down = try await shop.send(.get, "/healthz")
            #expect(down.status == 503)
            #expect(down.headers[.contentType] == "application/problem+json")
            let metrics = try await shop.send(.get, "/metrics")
            #expect(metrics.status == 200)
            #expect(metrics.text.contains("storefront_database_up 0\n"))
            #expect(try await shop.api(.get, "/api/products").status == 503)
        }
    }

    @Test("metrics count requests by route and status, and people")
    func metrics() async throws {
        try await TestShop.run { shop async throws in
            let token = try await shop.signIn()
            _ = try await shop.api(.put, "/api/favorites/7", token: token)
            _ = try await shop.api(.put, "/api/favorites/999", token: token)
            _ = try await shop.send(.get, "/no/such/\(UUID().uuidString)")
            let answer = try await shop.send(.get, "/metrics")
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            let requests = "storefront_http_requests_total"
            let lines = answer.text.split(separator: "\n")
            for line in [
                #"\#(requests){route="/api/favorites/{product}",method="PUT",status="201",synthetic="false"} 1"#,
                #"\#(requests){route="/api/favorites/{product}",method="PUT",status="404",synthetic="false"} 1"#,
                #"\#(requests){route="none",method="GET",status="404",synthetic="false"} 1"#,
                #"storefront_http_request_duration_seconds_bucket{route="/api/favorites/{product}",le="+Inf"} 2"#,
                #"storefront_http_request_duration_seconds_count{route="/api/favorites/{product}"} 2"#,
                "storefront_users_active 1", "storefront_favorites_stored 1", "storefront_users 3",
                "storefront_posts_stored 12", "storefront_database_up 1",
            ] {
                #expect(lines.contains { $0 == line }, "\(line)")
            }
            shop.clock.advance(by: ActiveUsers.windowMilliseconds + 1)
            #expect(try await shop.send(.get, "/metrics").text.contains("storefront_users_active 0\n"))
        }
    }

    @Test(
        "an unknown method is refused with the ones there are",
        arguments: [
            (HTTPRequest.Method.patch, "/api/products", "GET, HEAD, OPTIONS"),
            (.delete, "/api/users", "OPTIONS, POST"),
            (.post, "/api/favorites/7", "DELETE, OPTIONS, PUT"),
            (.trace, "/healthz", "GET, HEAD, OPTIONS"),
            (HTTPRequest.Method("BREW")!, "/posts/3", "GET, HEAD, OPTIONS"),
        ])
    func methods(method: HTTPRequest.Method, path: String, allowed: String) async throws {
        try await TestShop.run { shop async throws in
            let answer = try await shop.send(method, path)
            #expect(answer.status == 405)
            #expect(answer.headers[.allow] == allowed)
            #expect(answer.headers[.contentType] == "application/problem+json")
            let options = try await shop.send(.options, path)
            #expect(options.status == 204)
            #expect(options.headers[.allow] == allowed)
        }
    }

    @Test("HEAD answers like GET, without the body", arguments: ["/", "/api/products", "/healthz", "/nowhere"])
    func head(path: String) async throws {
        try await TestShop.run(setup: .live) { shop async throws in
            let get = try await shop.send(.get, path)
            let head = try await shop.send(.head, path)
            #expect(head.status == get.status)
            #expect(head.text.isEmpty)
            #expect(head.headers[.contentType] == get.headers[.contentType])
        }
    }

    @Test(
        "every answer tells browsers to be careful",
        arguments: ["/", "/api/products", "/nowhere", "/static/app.js", "/metrics"])
    func securityHeaders(path: String) async throws {
        try await TestShop.run { shop async throws in
            let answer = try await shop.send(.get, path)
            let policy = try #require(answer.headers[.contentSecurityPolicy])
            #expect(policy.contains("script-src 'self'") && !policy.contains("unsafe"))
            #expect(answer.headers[.xContentTypeOptions] == "nosniff")
        }
    }

    @Test("style, script and icon are served as what they are")
    func assets() async throws {
        try await TestShop.run { shop async throws in
            for (path, type) in [
                (Assets.stylePath, "text/css; charset=utf-8"), (Assets.scriptPath, "text/javascript; charset=utf-8"),
                ("/static/favicon.svg", "image/svg+xml"),
            ] {
                let answer = try await shop.send(.get, path)
                #expect(answer.status == 200)
                #expect(answer.headers[.contentType] == type)
                #expect(!answer.text.isEmpty)
            }
        }
    }

    @Test("a body that is too large is refused on a live connection")
    func largeBody() async throws {
        try await TestShop.run(setup: .live) { shop async throws in
            let token = try await shop.signIn()
            let body = #"{"title":"a","body":"\#(String(repeating: "x", count: 200_000))"}"#
            #expect(try await shop.api(.post, "/api/posts", token: token, json: body).status == 413)
        }
    }
}

@Suite("The OpenAPI document")
struct OpenAPITests {
    @Test("names every route for programs, and no other")
    func coversRoutes() async throws {
        try await TestShop.run { shop async throws in
            let pages = ["/static/", "/sign-", "/posts", "/favorites", "/products/", "/report"]
            let routes = shop.shop.routes.filter { route in
                route.path != "/" && !pages.contains { route.path.hasPrefix($0) }
            }
            let documented = OpenAPI.operations.map { "\($0.method) \($0.path)" }
            #expect(Set(documented) == Set(routes.map { "\($0.method.rawValue) \($0.path)" }))
            #expect(Set(documented).count == documented.count)
        }
    }

    @Test("is OpenAPI 3.1 whose references all lead somewhere")
    func references() async throws {
        try await TestShop.run { shop async throws in
            let answer = try await shop.send(.get, "/openapi.json")
            #expect(answer.headers[.contentType] == "application/json")
            let document = try answer.json
            #expect(document["openapi"] as? String == "3.1.0")
            let components = try #require(document["components"] as? [String: [String: Any]])
            let parts = answer.text.components(separatedBy: "\"#/components/").dropFirst()
            #expect(parts.count > 40)
            for part in parts {
                let path = part.prefix { $0 != "\"" }.split(separator: "/").map(String.init)
                #expect(components[path[0]]?[path[1]] != nil, "\(path)")
            }
        }
    }
}

@Suite("Demo data")
struct DemoDataTests {
    @Test("is the same every time")
    func deterministic() {
        #expect(DemoData.product(42) == DemoData.product(42))
        #expect(DemoData.email(user: 1) == "user0001@storefront.test")
        #expect(DemoData.email(user: 12_345) == "user12345@storefront.test")
        var generator = SeededGenerator(seed: 1, stream: 1)
        #expect(generator.next() == 2_208_346_188_470_886_325)
    }

    @Test("gives ten thousand products as many names, and believable prices")
    func products() throws {
        let names = Set((1...DemoData.demo.products).map { DemoData.productName($0).name })
        #expect(names.count == DemoData.demo.products)
        for id in stride(from: 1, through: 10_000, by: 37) {
            let cents = DemoData.product(id)[4]
            #expect((500...90_000).contains { cents == .integer(Int64($0)) })
        }
    }

    @Test("fills a whole shop, and search finds its way in it")
    func demo() async throws {
        try await withDatabase { database, _ in
            try await Server.prepare(database, seed: .demo)
            let store = Store(database: database)
            #expect(try await store.figures() == Figures(users: 5_000, products: 10_000, favorites: 0, posts: 50_000))
            let found = try await store.products(ProductSearch(text: "brass lamp", paging: Paging(size: 100)))
            #expect(found.total > 20)
            #expect(found.items.allSatisfy { $0.name.contains("Brass") && $0.name.contains("Lamp") })
            try await Server.prepare(database, seed: .small)
            #expect(try await store.figures().products == 10_000)
        }
    }
}
