import Decide
import EndToEndSupport
import Foundation
import NIOHTTP1
import Testing

extension Browsing {
    /// The shop in a real browser.
    @Suite(.serialized, .enabled(if: Browser.isAvailable, "needs MAINSTAY_TEST_CHROMIUM"))
    struct BrowserStorefrontTests {
        @Test("a customer signs up, searches, adds to favorites, posts and reports", arguments: [true, false])
        func shopping(script: Bool) async throws {
            try await Town.run { town in
                try town.configure()
                try await town.startMainstay()
                try await town.startStorefront()
                try await Browser.run(town, script: script) { browser in
                    try await signUp(browser, town)
                    let product = try await favorite(browser, town, script: script)
                    try await post(browser, town)
                    try await report(browser, town, script: script)
                    try await signOutAndIn(browser, town)
                    try await browser.open(town.shop.url + "/favorites")
                    try await browser.see(product, in: "main")
                    if script { try await browser.expectNoComplaints() }
                }
            }
        }

        private func signUp(_ browser: Browser, _ town: Town) async throws {
            try await browser.open(town.shop.url + "/sign-up")
            try await browser.type("Grace", into: "#name")
            try await browser.type("grace@example.test", into: "#email")
            try await browser.type("correct horse", into: "#password")
            try await browser.click("main button.big")
            try await browser.see("Grace", in: ".account")
        }

        private func signOutAndIn(_ browser: Browser, _ town: Town) async throws {
            try await browser.click(".account button")
            try await browser.see("Sign in", in: ".account")
            try await browser.open(town.shop.url + "/sign-in")
            try await browser.type("grace@example.test", into: "#email")
            try await browser.type("wrong horse", into: "#password")
            try await browser.click("main button.big")
            try await eventually("a wrong password is refused") { try await browser.exists("[role=alert]") }
            // The refusal's 4xx is Chromium's own line in the console, not a fault of the page.
            _ = try await browser.complaints()
            try await browser.type("correct horse", into: "#password")
            try await browser.click("main button.big")
            try await browser.see("Grace", in: ".account")
        }

        /// Returns the product's name.
        private func favorite(_ browser: Browser, _ town: Town, script: Bool) async throws -> String {
            try await browser.open(town.shop.url + "/products/7")
            let wanted = try await browser.text("main h1")
            try await browser.open(town.shop.url + "/")
            try await browser.type(wanted, into: "#q")
            try await browser.click("form.search button")
            try await browser.see(wanted, in: "ul.grid")
            try await browser.click("ul.grid a.card")
            try await browser.see("Add to Favorites", in: "form.favorite button")
            let product = try await browser.text("main h1")
            let page = try await browser.address
            try await browser.click("form.favorite button")
            try await browser.see("Remove from Favorites", in: "form.favorite button")
            try await browser.see("Added to your favorites", in: "[data-notice]")
            // In place with script; by way of an answer with a notice without.
            #expect(try await (browser.address == page) == script)
            try await browser.open(town.shop.url + "/favorites")
            try await browser.see(product, in: "main ul.rows")
            return product
        }

        private func post(_ browser: Browser, _ town: Town) async throws {
            try await browser.open(town.shop.url + "/posts/new")
            try await browser.type("On lamps <b>& linen", into: "#title")
            try await browser.type("They go well together.", into: "#body")
            try await browser.click("main button.big")
            try await browser.see("On lamps <b>& linen", in: "article h1")
            try await browser.open(town.shop.url + "/posts")
            try await browser.see("On lamps <b>& linen", in: "main ul.posts")
        }

        private func report(_ browser: Browser, _ town: Town, script: Bool) async throws {
            try await browser.open(town.shop.url + "/products/9")
            try await browser.click("details.report summary")
            try await browser.type("The button does nothing.", into: "#foot-text")
            try await browser.click("details.report button")
            try await browser.see("Your report has arrived", in: script ? "[data-answer]" : "[data-notice]")
            let reports = try await town.api.all("/api/v1/reports?service=storefront&feature=favorites")
            #expect(reports.compactMap { $0["text"]?.string } == ["The button does nothing."])
            #expect(reports.first?["page"]?.string == "/products/9")
        }

        @Test("every page of the shop fits on a phone and has a light and a dark dress")
        func appearance() async throws {
            try await Town.run { town in
                try await town.startStorefront()
                try await Browser.run(town) { browser in
                    try await signUp(browser, town)
                    for path in ["/", "/products/3", "/favorites", "/posts", "/posts/1", "/posts/new", "/report"] {
                        try await browser.open(town.shop.url + path)
                        try await browser.expectGoodLooks()
                        try await browser.expectNoComplaints()
                    }
                    try await browser.click(".account button")
                    for path in ["/sign-in", "/sign-up"] {
                        try await browser.open(town.shop.url + path)
                        try await browser.expectGoodLooks()
                    }
                }
            }
        }
    }
}
