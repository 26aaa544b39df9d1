import Decide
import Explain
import HTTPTypes
import Record
import Testing

@testable import Web

@Suite("Pages: queries and the guard")
struct PagesQueryTests {
    @Test("the list shows what costs most, and leads to what each release changed")
    func list() async throws {
        try await withPages(.calm) { house, client in
            try await Traffic.usual(house.scene, release: "shop@v1")
            try await Traffic.broken(house.scene, release: "shop@v2")
            for path in ["/queries", "/queries?window=day&database=shop&release=shop%40v2", "/queries?window=nonsense"]
            {
                let page = try await client.get(path)
                #expect(page.status == 200)
                PagesTests().expectWhole(page, path)
            }
            let html = try await client.get("/queries").html
            #expect(html.contains("INSERT INTO favorites VALUES ($1, &#39;&lt;b&gt;&amp;&#39;)"))
            #expect(!html.contains("'<b>&"))
            #expect(html.contains("/queries/diff?release=shop%40v2"))
            #expect(html.contains("href=\"/guard/rules\"") && !html.contains("href=\"/guard\""))
        }
    }

    @Test("a diff says its verdict and each kind in words and by a sign, with figures side by side")
    func diff() async throws {
        try await withPages(.calm) { house, client in
            try await Traffic.usual(house.scene, release: "shop@v1")
            try await Traffic.broken(house.scene, release: "shop@v2")
            let path = "/queries/diff?release=shop%40v2"
            let page = try await client.get(path)
            PagesTests().expectWhole(page, path)
            for words in [
                "2 differences", "writes that change nothing", "slower", "None of 20 calls changed a row",
                "20 of 20 changed nothing", "48 of 2,400 changed nothing", ">Before<", ">After<",
            ] { #expect(page.html.contains(words), "\(words)") }
            #expect(try await client.get("/queries/diff?release=none").status == 404)
            #expect(try await client.get("/queries/diff").status == 400)
        }
    }

    @Test("too little to say is not shown as no difference")
    func tooLittle() async throws {
        try await withPages(.calm) { house, client in
            try await Traffic.usual(house.scene)
            _ = try await house.scene.record.note(change: Traffic.change("two", at: house.scene.now))
            let page = try await client.get("/queries/diff?change=two")
            PagesTests().expectWhole(page, "tooLittle")
            #expect(page.html.contains("Too little to say"))
            #expect(page.html.contains("no query was counted since, so nothing can be said"))
            #expect(!page.html.contains("No difference found"))
        }
    }

    @Test("one query over time")
    func query() async throws {
        try await withPages(.calm) { house, client in
            try await Traffic.usual(house.scene)
            let path = QueryPages.href(Traffic.insert)
            let page = try await client.get(path)
            PagesTests().expectWhole(page, path)
            #expect(page.html.contains("not named"))
            #expect(try await client.get("/queries/none").status == 404)
        }
    }

    @Test("without anything counted the pages say how to come by it")
    func empty() async throws {
        try await withPages(.calm) { _, client in
            let page = try await client.get("/queries", as: .viewer)
            PagesTests().expectWhole(page, "/queries")
            #expect(page.html.contains("A guard counts them"))
            #expect(try await client.get("/guard").status == 404)
        }
    }

    @Test("the guard's page tells in words what is limited, to those who may act how to pause")
    func guardPage() async throws {
        let proxy = FakeGuard()
        try await withPages(.calm, adjust: { $0.guardControl = proxy }) { _, client in
            for role in Role.allCases {
                let page = try await client.get("/guard", as: role)
                #expect(page.status == 200)
                PagesTests().expectWhole(page, "/guard as \(role)")
                #expect(page.html.contains("It is held to 2 of 20 servers"))
                #expect(page.html.contains("It is called far more often than usual, and is held to 15 of 20"))
                #expect(page.html.contains("a crowd waits"))
                #expect(page.html.contains("<th scope=\"row\">Log-ins refused</th><td>3</td>"))
                #expect(page.html.contains("Time that clients waited for their turn</th><td>1 min 30 s</td>"))
                #expect(page.html.contains("SELECT &#39;&lt;script&gt;"))
                #expect(page.html.contains("the longest for 1.5 s"))
                #expect(page.html.contains("action=\"/guard/pause\"") == (role != .viewer))
                #expect(!page.html.contains("action=\"/guard/resume\""))
            }
            #expect(try await client.get("/queries").html.contains("href=\"/guard\""))
        }
    }

    @Test("clients and servers are listed, with how many more there are; only an administrator can reload")
    func connections() async throws {
        let proxy = FakeGuard()
        try await withPages(.calm, adjust: { $0.guardControl = proxy }) { _, client in
            let page = try await client.get("/guard/connections", as: .viewer)
            #expect(page.status == 200)
            PagesTests().expectWhole(page, "/guard/connections")
            #expect(page.html.contains("web&lt;i&gt;@r2") && page.html.contains("10.0.0.7:51000"))
            #expect(page.html.contains("keeps its server: listen"))
            #expect(page.html.contains("1 of 900 are listed."))
            #expect(page.html.contains("db.test:5432"))
            for role in Role.allCases {
                let html = try await client.get("/guard", as: role).html
                #expect(html.contains("href=\"/guard/connections\""))
                #expect(html.contains("action=\"/guard/reload\"") == (role == .admin))
            }
            #expect(try await client.post("/guard/reload", as: .responder).status == 403)
            let done = try await client.post("/guard/reload", as: .admin)
            #expect(done.status == 303 && proxy.asked == ["reload"])
            proxy.fail("mainstay.yaml:7:3: guard.pool-size: must be at least 1")
            let refused = try await client.post("/guard/reload", as: .admin)
            #expect(refused.status == 409 && refused.html.contains("mainstay.yaml:7:3"))
        }
    }

    @Test("pausing and resuming by form, and only by one with the session's secret")
    func pause() async throws {
        let proxy = FakeGuard()
        try await withPages(.calm, adjust: { $0.guardControl = proxy }) { _, client in
            #expect(try await client.post("/guard/pause", ["database": "shop"], csrf: nil).status == 403)
            #expect(try await client.post("/guard/pause", as: .viewer, ["database": "shop"]).status == 403)
            #expect(proxy.asked.isEmpty)
            let paused = try await client.post("/guard/pause", ["database": "shop"])
            #expect(paused.status == 303)
            #expect(paused.headers[.location] == "/guard?done=paused")
            let page = try await client.get("/guard?done=paused")
            PagesTests().expectWhole(page, "/guard paused")
            #expect(page.html.contains("Paused: shop"))
            #expect(page.html.contains("no new transaction begins"))
            proxy.fail("a transaction did not end")
            let refused = try await client.post("/guard/pause", ["database": ""])
            #expect(refused.status == 409)
            #expect(refused.html.contains("a transaction did not end"))
            proxy.fail(nil)
            #expect(try await client.post("/guard/resume").status == 303)
            #expect(proxy.asked == ["pause shop 2s", "resume all"])
        }
    }
}
