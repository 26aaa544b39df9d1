import Decide
import Explain
import Foundation
import HTTPTypes
import Record
import Testing

@testable import Web

@Suite("Pages")
struct PagesTests {
    /// Every page that there is, with the scene's incident resolved.
    static let all = [
        "/", "/incidents", "/incidents/\(Scene.incident)", "/incidents/\(Scene.incident)/postmortem", "/flags",
        "/flags/storefront/favorites", "/changes", Links.change(Rollout.change(Scene.release)), "/releases",
        "/releases/\(Scene.release)", "/checks/storefront/favorites-saved", "/checks/storefront/api", "/timeline",
        "/timeline/3", "/account", "/queries", "/guard/rules", "/guard/rules?query=00ab12cd34ef5678",
    ]

    @Test("every template compiles")
    func templates() {
        #expect(Templates.shared.problems == [])
    }

    @Test("every page is whole in every state of an incident", arguments: [Scene.End.open, .proven, .resolved])
    func whole(end: Scene.End) async throws {
        try await withPages(end, undo: end == .proven ? .ask : .auto) { _, client in
            for path in Self.all {
                for role in Role.allCases {
                    let page = try await client.get(path, as: role)
                    #expect(page.status == 200, "\(path) as \(role)")
                    expectWhole(page, path)
                }
            }
        }
    }

    @Test("every page is whole while nothing has happened yet")
    func calm() async throws {
        try await withPages(.calm) { _, client in
            for path in [
                "/", "/incidents", "/flags", "/changes", "/releases", "/releases/\(Scene.release)", "/timeline",
            ] {
                let page = try await client.get(path, as: .admin)
                #expect(page.status == 200)
                expectWhole(page, path)
            }
            #expect(try await client.get("/").html.contains("Everything works"))
        }
    }

    @Test("pages about what a guard does are whole")
    func guarded() async throws {
        try await withPages(.calm) { house, client in
            let record = house.scene.record
            let decision = Scene.decision(at: record.now())
            try await record.apply(QueryState.subject(of: decision), .query(.decided(decision)), by: .mainstay)
            for pattern in [
                ClientPattern(query: decision.query),
                ClientPattern(user: "<b>", application: Scene.hostile, database: "shop"),
            ] {
                let rule = BudgetRule(.block, pattern, reason: Scene.hostile, lasts: .zero)
                try await record.apply(
                    GuardRules.subject, .guardRules(.added(rule, until: record.now() + .hours(1))), by: .mainstay)
            }
            for path in ["/guard/rules", "/incidents/guard-database-shop-1", "/timeline", "/incidents", "/"] {
                for role in Role.allCases { expectWhole(try await client.get(path, as: role), path) }
            }
        }
    }

    /// Structure, safety and reachability of one page.
    func expectWhole(_ page: PageAnswer, _ path: String) {
        let html = page.html
        #expect(html.hasPrefix("<!doctype html>"), "\(path)")
        #expect(
            !html.contains("⟦"),
            "\(path) uses a name that nobody set: \(html.components(separatedBy: "⟦").last?.prefix(60) ?? "")")
        #expect(!html.contains("<script>") && !html.contains("javascript:alert(1)\""), "\(path)")
        #expect(!html.contains(" style=") && !html.contains(" onclick=") && !html.contains("<style"), "\(path)")
        #expect(page.tags("script").allSatisfy { $0.contains(" src=\"/assets/") }, "\(path)")
        #expect(page.tags("h1").count == 1, "\(path) has one main heading")
        for (one, next) in zip(page.headings, page.headings.dropFirst()) {
            #expect(next <= one + 1, "\(path) skips a level of headings: \(page.headings)")
        }
        for form in page.forms where form.contains("method=\"post\"") {
            #expect(form.contains("name=\"csrf\" value=\"\(PagesHouse.secret)\""), "\(path): \(form.prefix(80))")
        }
        let ids = html.components(separatedBy: " id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
        #expect(
            ids.count == Set(ids).count,
            "\(path) has an id twice: \(Dictionary(grouping: ids, by: { $0 }).filter { $1.count > 1 }.keys)")
        for id in html.components(separatedBy: " aria-labelledby=\"").dropFirst().map({ $0.prefix { $0 != "\"" } }) {
            #expect(ids.contains(id), "\(path) is labelled by \(id), which is not there")
        }
        for name in [
            "div", "section", "ul", "ol", "li", "p", "table", "form", "article", "header", "span", "dl", "details",
        ] {
            let opened = page.tags(name).count
            #expect(opened == html.components(separatedBy: "</\(name)>").count - 1, "\(path) leaves a \(name) open")
        }
        for label in page.tags("label") where label.contains(" for=") {
            let target = label.components(separatedBy: " for=\"")[1].prefix { $0 != "\"" }
            #expect(ids.contains(target), "\(path): a label for \(target), which is not there")
        }
    }

    @Test("shows what customers and services wrote as text")
    func escapes() async throws {
        try await withPages { _, client in
            for path in ["/incidents/\(Scene.incident)", "/incidents/\(Scene.incident)/postmortem", "/timeline"] {
                let html = try await client.get(path).html
                #expect(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"), "\(path)")
                #expect(!html.contains("<script>alert"), "\(path)")
                #expect(!html.contains("<b>fixed</b>"), "\(path)")
            }
        }
    }

    @Test(
        "an unknown thing is a page of its own with status 404",
        arguments: [
            "/incidents/none", "/incidents/none/postmortem", "/flags/storefront/none", "/flags/none/none",
            "/releases/none",
            "/changes/none", "/checks/storefront/none", "/timeline/999999", "/timeline/x", "/nothing", "/incidents/%00",
        ])
    func unknown(path: String) async throws {
        try await withPages(.calm) { _, client in
            let page = try await client.get(path)
            #expect(page.status == 404)
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            #expect(page.tags("h1").count == 1)
        }
    }

    @Test("whoever is not signed in is asked to, and comes back to where they wanted to go")
    func signIn() async throws {
        try await withPages(.calm) { _, client in
            let answer = try await client.get("/incidents", as: nil)
            #expect(answer.status == 303)
            #expect(answer.headers[.location] == "/sign-in?next=%2Fincidents")
            let form = try await client.get("/sign-in?next=%2Fincidents", as: nil)
            #expect(form.html.contains("name=\"next\" value=\"/incidents\""))
            #expect(!form.html.contains("⟦"))
            let wrong = try await client.post(
                "/sign-in", as: nil, ["name": "ada<b>", "password": "wrong", "next": "/flags"], csrf: nil)
            #expect(wrong.status == 401)
            #expect(wrong.html.contains("Name or password is wrong."))
            #expect(wrong.html.contains("value=\"ada&lt;b&gt;\""))
        }
    }

    @Test(
        "sign-in leads to pages of Mainstay's own only",
        arguments: [
            ("/incidents", "/incidents"), ("//evil.test", "/"), ("/\\evil.test", "/"), ("https://evil.test", "/"),
            ("/a\\b", "/"), ("/x\r\nSet-Cookie: a", "/"), ("", "/"), ("/sign-out", "/"), ("/flags?x=1", "/flags?x=1"),
        ])
    func target(next: String, expected: String) {
        #expect(SignInPages.target(next) == expected)
    }

    @Test("the address cannot put words into Mainstay's mouth")
    func notices() async throws {
        try await withPages(.calm) { _, client in
            let known = try await client.get("/?done=acknowledged")
            #expect(known.html.contains("nobody else is called"))
            #expect(try await !client.get("/?done=Your+account+was+stolen").html.contains("stolen"))
        }
    }

    @Test("files that pages load are kept for good under their digest, and asked for again otherwise")
    func assets() async throws {
        try await withPages(.calm) { _, client in
            let page = try await client.get("/", as: nil)
            #expect(page.status == 303)
            for asset in [Assets.style, Assets.script, Assets.icon] {
                let kept = try await client.get(asset.url, as: nil)
                #expect(kept.status == 200)
                #expect(kept.headers[.cacheControl] == "public, max-age=31536000, immutable")
                let plain = try await client.get(asset.path, as: nil)
                #expect(plain.headers[.cacheControl] == "no-cache")
                let again = try await client.get(asset.path, as: nil, headers: [.ifNoneMatch: asset.tag])
                #expect(again.status == 304)
                #expect(again.html.isEmpty)
            }
        }
    }

    @Test("the postmortem can be taken along as Markdown")
    func download() async throws {
        try await withPages { _, client in
            let file = try await client.get("/incidents/\(Scene.incident)/postmortem.md")
            #expect(file.headers[.contentType] == "text/markdown; charset=utf-8")
            #expect(file.headers[.contentDisposition] == "attachment; filename=\"storefront-favorites-1.md\"")
            #expect(file.html.hasPrefix("# Postmortem: favorites does not work\n"))
            #expect(file.html.contains("(http://mainstay.test/timeline/3)"))
        }
    }

    @Test("pages follow the timeline from where they were made")
    func live() async throws {
        try await withPages(.open) { house, client in
            let head = try await house.scene.record.timelineHead()
            let page = try await client.get("/incidents/\(Scene.incident)")
            #expect(
                page.html.contains(
                    "data-stream=\"/api/v1/timeline/stream?after=\(head)&amp;incident=\(Scene.incident)\""))
        }
    }
}
