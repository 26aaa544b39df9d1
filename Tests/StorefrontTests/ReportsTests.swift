import HTTPTypes
import HummingbirdTesting
import MainstayKit
import SQL
import Testing

@testable import Storefront

@Suite("Report a problem")
struct ReportsTests {
    @Test("reaches Mainstay with feature, text, user and page")
    func form() async throws {
        try await TestShop.run { shop async throws in
            let cookies = try await PagesTests.signIn(shop, user: 2)
            let page = try await shop.page("/products/7", cookies: cookies)
            let answer = try await shop.form(
                "/report",
                ["csrf": try page.csrf, "feature": "favorites", "text": "It does nothing.", "page": "/products/7"],
                cookies: cookies)
            #expect(answer.location == "/report?notice=reported")
            #expect(try await shop.page("/report?notice=reported").text.contains("Your report has arrived"))
            let report = try #require(shop.mainstay.reports.first)
            #expect(report.feature == "favorites")
            #expect(report.text == "It does nothing.")
            #expect(report.user == "2")
            #expect(report.page == "/products/7")
        }
    }

    @Test("says so when it could not be delivered, and keeps the text")
    func undelivered() async throws {
        try await TestShop.run { shop async throws in
            shop.mainstay.setReachable(false)
            let page = try await shop.page("/")
            let cookies = [CookieJar.form: try #require(page.cookie(CookieJar.form))]
            let answer = try await shop.form(
                "/report", ["csrf": try page.csrf, "feature": "posts", "text": "Broken", "page": "/"],
                cookies: cookies)
            #expect(answer.status == 503)
            #expect(answer.text.contains("could not be delivered"))
            #expect(answer.text.contains(">Broken</textarea>"))
        }
    }

    @Test("works as JSON, signed out too")
    func json() async throws {
        try await TestShop.run { shop async throws in
            let good = try await shop.api(
                .post, "/api/reports", json: #"{"feature":"other","text":"Hm.\nYes.","page":null}"#)
            #expect(good.status == 202)
            #expect(shop.mainstay.reports.first?.feature == nil)
            #expect(shop.mainstay.reports.first?.user == nil)
            for json in [
                #"{"feature":"nothing","text":"x"}"#, #"{"feature":"posts","text":" "}"#, #"{"feature":"posts"}"#,
                #"{"feature":"posts","text":"\#(String(repeating: "x", count: 2_001))"}"#,
            ] {
                #expect(try await shop.api(.post, "/api/reports", json: json).status == 422)
            }
        }
    }

    @Test("is limited for each user, and not across users")
    func limit() async throws {
        try await TestShop.run { shop async throws in
            let json = #"{"feature":"favorites","text":"again"}"#
            let (first, second) = (try await shop.signIn(user: 1), try await shop.signIn(user: 2))
            for _ in 1...10 {
                #expect(try await shop.api(.post, "/api/reports", token: first, json: json).status == 202)
            }
            let refused = try await shop.api(.post, "/api/reports", token: first, json: json)
            #expect(refused.status == 429)
            #expect(refused.headers[.retryAfter] == "60")
            #expect(try await shop.api(.post, "/api/reports", token: second, json: json).status == 202)
        }
    }

    @Test("still works while the database is away, from a page that was open before")
    func databaseAway() async throws {
        try await TestShop.run { shop async throws in
            let cookies = try await PagesTests.signIn(shop)
            let page = try await shop.page("/", cookies: cookies)
            shop.clock.advance(by: Sessions.memoryMilliseconds)
            await shop.shop.store.database.close()
            let down = try await shop.page("/", cookies: cookies)
            #expect(down.status == 503)
            #expect(down.text.contains("<summary>Report a problem</summary>"))
            let answer = try await shop.form(
                "/report", ["csrf": try page.csrf, "feature": "products", "text": "All gone", "page": "/"],
                cookies: cookies)
            #expect(answer.location == "/report?notice=reported")
            #expect(shop.mainstay.reports.map(\.text) == ["All gone"])
        }
    }
}
