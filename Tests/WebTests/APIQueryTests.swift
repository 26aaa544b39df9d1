import Decide
import HTTPTypes
import Record
import Testing

@testable import Web

@Suite("API: queries and the guard")
struct APIQueryTests {
    /// Usual traffic of three hours, and then two minutes of a release that stores nothing.
    private func count(_ house: APIHouse) async throws {
        for _ in 0..<18 {
            try await house.record.sample(queries: [
                Traffic.sample(Traffic.select, 500, release: "v1"), Traffic.sample(Traffic.insert, 50, release: "v1"),
            ])
            house.clock.advance(.minutes(10))
        }
        try await house.record.sample(queries: [
            Traffic.sample(Traffic.select, 200, release: "v2"),
            Traffic.sample(Traffic.insert, 20, release: "v2", empty: 20, errors: ["57014": 1]),
        ])
        house.clock.advance(.minutes(1))
    }

    @Test("lists queries by the time they took")
    func list() async throws {
        try await withAPI { house, client async throws in
            #expect(try await client.get("/api/v1/queries").items.isEmpty)
            try await count(house)
            let answer = try await client.get("/api/v1/queries?since=2000-01-01T00:00:00Z&database=shop&limit=1")
            #expect(answer["count"] == 2)
            #expect(answer.items.map { $0["fingerprint"]?.string } == [Traffic.select.hex])
            #expect(answer.items[0]["figures"]?["calls"] == 9_200)
            #expect(answer.items[0]["figures"]?["meanUs"] == 1_000)
            #expect(answer["releases"].array?.compactMap { $0["release"]?.string } == ["v2", "v1"])
            let one = try await client.get("/api/v1/queries?release=v2")
            #expect(one.items.map { $0["figures"]?["calls"] } == [200, 20])
            #expect(try await client.get("/api/v1/queries?limit=0").status == 400)
        }
    }

    @Test("tells what a release did, by its name")
    func diff() async throws {
        try await withAPI { house, client async throws in
            try await count(house)
            let answer = try await client.get("/api/v1/queries/diff?release=v2")
            #expect(answer["verdict"] == "different")
            let findings = answer["findings"].array ?? []
            #expect(findings.map { $0["kind"]?.string } == ["zeroRowWrites"])
            #expect(findings[0]["severity"] == "critical")
            #expect(findings[0]["before"]?["writes"] == 900)
            #expect(findings[0]["after"]?["emptyWrites"] == 20)
            let other = try await client.get("/api/v1/queries/diff?release=v2&database=stock")
            #expect(other.status == 404)
        }
    }

    @Test("tells what a change did, by its time; with too little it says so")
    func change() async throws {
        try await withAPI { house, client async throws in
            try await count(house)
            let change = Traffic.change("now", at: house.clock.now)
            _ = try await house.record.note(change: change)
            let answer = try await client.get("/api/v1/queries/diff?change=now")
            #expect(answer["verdict"] == "tooLittle")
            #expect(answer["gaps"].array?.count == 1)
            #expect(try await client.get("/api/v1/queries/diff?change=none").status == 404)
            #expect(try await client.get("/api/v1/queries/diff?release=none").detail.contains("no client has named it"))
            #expect(try await client.get("/api/v1/queries/diff").status == 400)
            #expect(try await client.get("/api/v1/queries/diff?release=v1&change=now").status == 400)
        }
    }

    @Test("what is exported is what the review reads")
    func export() async throws {
        try await withAPI { house, client async throws in
            #expect(try await client.get("/api/v1/queries/export").text == "")
            try await count(house)
            var several = Traffic.sample(QueryKey(fingerprint: 9), 10)
            several.text = "SELECT 1; SELECT 2"
            try await house.record.sample(queries: [
                several, Traffic.sample(.transactionControl, 10), Traffic.sample(.others, 10),
            ])
            let answer = try await client.get("/api/v1/queries/export")
            #expect(answer.headers[.contentType] == "application/x-ndjson")
            let read = try ExportedQueries.read(SourceText(file: "export", text: answer.text))
            #expect(read.map(\.sql) == [Traffic.texts[Traffic.select], Traffic.texts[Traffic.insert]])
            #expect(read.map(\.id) == [Traffic.select.hex, Traffic.insert.hex])
            #expect(read[0].notes.meanMilliseconds == 1)
            #expect(read[0].notes.rowsPerCall == 1)
            // 9,200 calls in three hours and a bit.
            #expect(read[0].notes.callsPerSecond.map { (0.8...0.9).contains($0) } == true)
        }
    }

    @Test("shows one query over time")
    func history() async throws {
        try await withAPI { house, client async throws in
            try await count(house)
            let answer = try await client.get("/api/v1/queries/\(Traffic.insert.hex)")
            #expect(answer["query"].string == Traffic.texts[Traffic.insert])
            #expect(answer["releases"].array?.count == 2)
            let shouted = try await client.get("/api/v1/queries/\(Traffic.insert.hex.uppercased())")
            #expect(shouted["query"].string == Traffic.texts[Traffic.insert])
            for name in ["00000000000000ff", "none"] {
                #expect(try await client.get("/api/v1/queries/\(name)").status == 404)
            }
        }
    }

    // MARK: The guard

    @Test("without a guard in this process there is none to ask", arguments: ["pause", "resume", "switch"])
    func noGuard(act: String) async throws {
        try await withAPI { _, client async throws in
            #expect(try await client.get("/api/v1/guard").detail.contains("no guard in this process"))
            let body: JSONValue = act == "switch" ? ["database": "shop", "target": "db2.test:5432"] : [:]
            #expect(try await client.post("/api/v1/guard/\(act)", as: .admin, body).status == 404)
        }
    }

    private func withGuard(
        _ body: @Sendable @escaping (APIHouse, APIClient, FakeGuard) async throws -> Void
    ) async throws {
        let proxy = FakeGuard()
        try await withAPI(adjust: { $0.services.guardControl = proxy }) { house, client async throws in
            try await body(house, client, proxy)
        }
    }

    @Test("shows the guard's pools, and in words what it limits")
    func overview() async throws {
        try await withGuard { _, client, _ async throws in
            let answer = try await client.get("/api/v1/guard")
            #expect(answer["mode"] == "enforce")
            #expect(answer["figures"]["pins"] == 1_234 && answer["figures"]["logins"] == 0)
            #expect(answer["pools"].array?.count == 2)
            #expect(
                answer["limited"].array?.first?["sentence"]
                    == "It is held to 2 of 20 servers (its budget is 2, it uses 15); 3 calls wait; 40 calls were turned away."
            )
            #expect(answer["limited"].array?.map { $0["isCrowd"] } == [false, true])
            #expect(
                answer["limited"].array?.last?["sentence"]
                    == "It is called far more often than usual, and is held to 15 of 20 servers (its budget is 2, it uses 15); 3 calls wait."
            )
        }
    }

    @Test("pauses and resumes, and notes who did it")
    func pause() async throws {
        try await withGuard { house, client, proxy async throws in
            let paused = try await client.post("/api/v1/guard/pause", ["database": "shop", "deadlineMs": 500])
            #expect(paused.status == 200)
            #expect(paused["pools"].array?.compactMap { $0["isPaused"]?.bool } == [true, false])
            #expect(try await client.post("/api/v1/guard/resume", [:]).status == 200)
            #expect(proxy.asked == ["pause shop 500ms", "resume all"])
            let changes = try await house.record.changes()
            #expect(Set(changes.map(\.title)) == ["The guard paused database shop", "The guard resumed all databases"])
            #expect(changes.allSatisfy { $0.kind == .infrastructure && $0.actor.name == "responder" })
            #expect(changes.allSatisfy { $0.service == "storefront" })
            #expect(try await client.post("/api/v1/guard/pause", ["database": "none"]).status == 404)
            #expect(try await client.post("/api/v1/guard/pause", ["deadlineMs": 1]).fields == ["deadlineMs"])
        }
    }

    @Test("one database is not resumed while everything is paused, and nothing says that it was")
    func resumeOne() async throws {
        try await withGuard { house, client, proxy async throws in
            #expect(try await client.post("/api/v1/guard/pause", [:]).status == 200)
            let refused = try await client.post("/api/v1/guard/resume", ["database": "shop"])
            #expect(refused.status == 409)
            #expect(refused.detail.contains("everything is paused: resume all databases"))
            #expect(proxy.asked == ["pause all 2s"])
            #expect(try await house.record.changes().map(\.title) == ["The guard paused all databases"])
        }
    }

    @Test("who has paused is told how it ends: by a resume, or by itself")
    func pausedNotice() {
        let text = Notice.done("paused")?.text ?? ""
        #expect(text.contains("by itself after guard.timeouts.pause"))
        #expect(text.contains("longer than guard.timeouts.queue is refused"))
    }

    @Test("lists clients and servers, and reads the configuration again for an administrator")
    func connections() async throws {
        try await withGuard { house, client, proxy async throws in
            let answer = try await client.get("/api/v1/guard/connections")
            #expect(answer["clientCount"] == 900 && answer["clients"].array?.count == 1)
            #expect(answer["clients"].array?.first?["pinnedBy"] == "listen")
            #expect(answer["servers"].array?.first?["processId"] == 4_711)
            #expect(try await client.post("/api/v1/guard/reload").status == 403)
            let reloaded = try await client.post("/api/v1/guard/reload", as: .admin)
            #expect(reloaded.status == 200 && proxy.asked == ["reload"])
            #expect(try await house.record.changes().map(\.title) == ["The guard read its configuration again"])
            proxy.fail("mainstay.yaml:7:3: guard.pool-size: must be at least 1")
            let refused = try await client.post("/api/v1/guard/reload", as: .admin)
            #expect(refused.status == 409 && refused.detail.contains("mainstay.yaml:7:3"))
        }
    }

    @Test("what the guard could not do is told in its words, and not noted")
    func refused() async throws {
        try await withGuard { house, client, proxy async throws in
            proxy.fail("2 transactions did not end within 2 s; it was taken back.")
            let answer = try await client.post("/api/v1/guard/pause", [:])
            #expect(answer.status == 409)
            #expect(answer.detail.contains("2 transactions did not end"))
            #expect(try await house.record.changes().isEmpty)
        }
    }

    @Test("switches to another server by host:port; of a URL that has a password nothing is said again")
    func switchTarget() async throws {
        try await withGuard { house, client, proxy async throws in
            let target: JSONValue = ["database": "shop", "target": "db2.test:5432"]
            #expect(try await client.post("/api/v1/guard/switch", as: .responder, target).status == 403)
            #expect(try await client.post("/api/v1/guard/switch", as: .admin, target).status == 200)
            let url: JSONValue = ["database": "shop", "target": "postgres://app:geheim@db2.test:5432/shop?x=geheim"]
            let refused = try await client.post("/api/v1/guard/switch", as: .admin, url)
            #expect(refused.status == 409 && refused.detail.contains("write host:port"))
            #expect(!refused.detail.contains("geheim"))
            #expect(proxy.asked == ["switch shop to db2.test:5432 2s"])
            let titles = try await house.record.changes().map(\.title)
            #expect(titles == ["The guard switched database shop to db2.test:5432"])
            #expect(try await client.post("/api/v1/guard/switch", as: .admin, [:]).status == 422)
        }
    }

    @Test(
        "what is shown of a target has no secret",
        arguments: [
            ("postgres://u:p@h:5432/d?password=p", "h:5432/d"), ("h:5432", "h:5432"), ("postgres://h/d", "h/d"),
            ("postgres://u:p%40@x@h:1/d", "h:1/d"),
        ])
    func secrets(target: String, shown: String) {
        #expect(GuardAct.withoutSecrets(target) == shown)
    }
}
