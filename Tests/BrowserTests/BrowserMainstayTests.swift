import Decide
import EndToEndSupport
import Foundation
import NIOHTTP1
import Testing

extension Browsing {
    /// Mainstay's pages in a real browser.
    @Suite(.serialized, .enabled(if: Browser.isAvailable, "needs MAINSTAY_TEST_CHROMIUM"))
    struct BrowserMainstayTests {
        @Test("a person signs in and changes a flag, which needs a reason")
        func flag() async throws {
            try await Town.run { town in
                try town.configure()
                try await town.startMainstay()
                try await Browser.run(town) { browser in
                    try await signIn(browser, town, next: "/flags/storefront/favorites")
                    try await browser.choose("v1b", in: "#variant")
                    try await browser.click("form[action$='/default'] button")
                    // The browser itself refuses an empty reason: nothing was sent.
                    #expect(try await Flags.version(town.api) == 1)
                    try await browser.type("A nicer button", into: "#change-reason")
                    try await browser.click("form[action$='/default'] button")
                    try await browser.see("A nicer button", in: "#history")
                    let flag = try await town.api.get(Flags.path)
                    #expect(flag["definition"]?["defaultVariant"]?.string == "v1b")
                    let change = try await town.api.all("/api/v1/changes?service=storefront").first
                    #expect(change?["reason"]?.string == "A nicer button")
                    #expect(change?["actor"]?["name"]?.string == "admin")

                    try await browser.type("Not nicer", into: "#undo-reason")
                    try await browser.click("form[action$='/undo'] button")
                    try await browser.see("undone", in: "#history")
                    let undone = try await town.api.get(Flags.path)
                    #expect(undone["definition"]?["defaultVariant"]?.string == "v1")
                    try await browser.expectNoComplaints()
                }
            }
        }

        @Test("an open incident's page follows what happens, and its button acknowledges")
        func incident() async throws {
            try await Town.run { town in
                let incident = try await trouble(in: town)
                try await Browser.run(town) { browser in
                    try await signIn(browser, town, next: "/")
                    try await browser.see("favorites", in: "main")
                    try await browser.open("\(town.api.url)/incidents/\(incident)")
                    try await browser.see("Live", in: "#live")
                    // Somebody else adds a note: it comes by itself, without a new page.
                    _ = try await browser.evaluate("window.sameDocument = true")
                    let note = try await town.api(
                        .POST, "/api/v1/incidents/\(incident)/notes", ["text": "Grace looks at it <script>"])
                    #expect(note.status == 200, "\(note.text)")
                    try await browser.see("Grace looks at it <script>", in: "#notes")
                    #expect(try await browser.evaluate("return window.sameDocument === true").bool == true)

                    try await browser.click("form[action$='/acknowledge'] button")
                    try await eventually("it is acknowledged") {
                        try await town.api.get("/api/v1/incidents/\(incident)")["acknowledgedBy"]?.string == "admin"
                    }
                    try await eventually("the button is gone") {
                        try await !browser.exists("form[action$='/acknowledge']")
                    }
                    try await browser.expectNoComplaints()
                }
            }
        }

        @Test("the mail's undo link asks first, works without signing in, and works once")
        func undoLink() async throws {
            try await Town.run { town in
                let incident = try await trouble(in: town)
                let mail = try await eventually("a mail with an undo link") {
                    town.mail.mails.lazy.compactMap { Self.links(in: $0, base: town.api.url).last }.first
                }
                try await Browser.run(town) { browser in
                    try await browser.open(mail)
                    try await browser.see("Undo", in: "main button")
                    try await browser.expectGoodLooks()
                    #expect(try await variant(town) == "v2", "opening the link changes nothing")
                    try await browser.click("main button")
                    try await browser.see("Undo ordered", in: "main")
                    try await eventually("the flag is back") { try await variant(town) == "v1" }
                    try await browser.open(mail)
                    try await browser.see("used already", in: "main")
                    let undone = try await town.api.get("/api/v1/incidents/\(incident)")["undone"]?.object
                    #expect(undone?.count == 1)
                }
            }
        }

        @Test("every page of Mainstay fits on a phone, has a light and a dark dress, and no errors")
        func appearance() async throws {
            try await Town.run { town in
                let incident = try await trouble(in: town)
                let change = try await town.api.all("/api/v1/changes?service=storefront").first?["id"]?.string ?? ""
                let changeSegment = change.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                try await Browser.run(town) { browser in
                    try await browser.open(town.api.url + "/sign-in")
                    try await browser.expectGoodLooks()
                    try await signIn(browser, town, next: "/")
                    let pages = [
                        "/", "/incidents", "/incidents/\(incident)", "/incidents/\(incident)/postmortem", "/flags",
                        "/flags/storefront/favorites", "/releases", "/changes", "/changes/\(changeSegment)",
                        "/timeline", "/account", "/guard/rules",
                    ]
                    for path in pages {
                        try await browser.open(town.api.url + path)
                        #expect(try await browser.exists("main h1"), "\(path) has no heading")
                        try await browser.expectGoodLooks()
                        try await browser.expectNoComplaints()
                    }
                }
            }
        }

        // MARK: Parts

        private func signIn(_ browser: Browser, _ town: Town, next: String) async throws {
            // Whoever is not signed in is sent to the sign-in page, and from there to where they wanted.
            try await browser.open(town.api.url + next)
            try await browser.type("admin", into: "#name")
            try await browser.type(town.administratorPassword, into: "#password")
            try await browser.click("form[action='/sign-in'] button")
            try await browser.see("admin", in: ".who")
            #expect(try await browser.address == town.api.url + next)
        }

        private func variant(_ town: Town) async throws -> String? {
            try await town.api.get(Flags.path)["definition"]?["defaultVariant"]?.string
        }

        /// Serves the faulty variant to everyone, lets customers complain, and returns the incident's id. Nothing is
        /// undone without a person.
        private func trouble(in town: Town) async throws -> String {
            var plan = TownPlan()
            plan.undo = "ask"
            plan.reporters = 3
            try town.configure(plan)
            try await town.startMainstay()
            try await Flags.serve("v2", town.api, reason: "The campaign starts at one.")
            var door = town.api
            door.token = town.serviceToken
            for user in 1...4 {
                let answer = try await door(
                    .POST, "/api/v1/reports",
                    [
                        "service": "storefront", "feature": "favorites", "text": "My list stays empty.",
                        "user": .string("user \(user)"),
                    ])
                #expect(answer.status == 202, "\(answer.text)")
            }
            return try await eventually("an incident of what customers report") {
                try await town.api.all("/api/v1/incidents").first?["id"]?.string
            }
        }

        /// The links of a mail's plain text: acknowledge, then undo.
        private static func links(in mail: String, base: String) -> [String] {
            guard mail.lowercased().contains("undo") else { return [] }
            let text = mail.replacingOccurrences(of: "=\n", with: "").replacingOccurrences(of: "=3D", with: "=")
            let plain = text.components(separatedBy: "text/html").first ?? text
            return plain.components(separatedBy: base + "/l/").dropFirst().map { rest in
                base + "/l/" + rest.prefix { !$0.isWhitespace && $0 != ">" && $0 != ")" && $0 != "\"" }
            }
        }
    }
}
