import Act
import Decide
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Record
import Testing

@testable import Web

@Suite("API: incidents")
struct APIIncidentTests {
    private static let path = "/api/v1/incidents/storefront-favorites-1"

    @Test("an incident is found, acknowledged, noted, resolved and reviewed")
    func lifecycle() async throws {
        try await withAPI(adjust: { house in
            house.services.postmortem = { id in id == "storefront-favorites-1" ? "# Postmortem of \(id)" : nil }
        }) { house, client async throws in
            try await house.declareFavorites()
            try await house.openIncident()
            #expect(
                try await client.get("/api/v1/incidents?status=open").items.map { $0["id"] } == [
                    "storefront-favorites-1"
                ])
            #expect(try await client.get("/api/v1/services").items.first?["state"] == "ill")
            let acknowledged = try await client.post("\(Self.path)/acknowledge")
            #expect(acknowledged["acknowledgedBy"] == "responder")
            let noted = try await client.post("\(Self.path)/notes", ["text": "looking at <it>"])
            #expect(noted["notes"].array?.last?["text"] == "looking at <it>")
            let resolved = try await client.post("\(Self.path)/resolve", ["reason": "mended"])
            #expect(resolved["status"] == "resolved")
            #expect(try await client.post("\(Self.path)/resolve", ["reason": "again"]).status == 409)
            #expect(try await client.post("\(Self.path)/review")["reviewedBy"] == "responder")
            #expect(try await client.get("/api/v1/incidents?status=open").items.isEmpty)
            let postmortem = try await client.get("\(Self.path)/postmortem")
            #expect(postmortem.text == "# Postmortem of storefront-favorites-1")
            #expect(postmortem.headers[.contentType] == "text/markdown; charset=utf-8")
        }
    }

    @Test("a suspect is undone from the incident, and the pages are listed without links")
    func undo() async throws {
        try await withAPI { house, client async throws in
            try await house.declareFavorites()
            let changed = try await client.post(
                "/api/v1/flags/storefront/favorites/default", ["variant": "v2", "reason": "try"])
            #expect(changed.status == 200)
            house.clock.advance(.seconds(5))
            try await house.openIncident()
            let suspect = try await client.get(Self.path)["suspects"].array?.first?["change"]?["id"]
            let id = try #require(suspect)
            let undone = try await client.post("\(Self.path)/undo", ["change": id])
            #expect(undone["status"] == "mitigated")
            #expect(try await client.get("/api/v1/flags/storefront/favorites")["served"]["defaultVariant"] == "v1")
            #expect(try await client.post("\(Self.path)/undo", ["change": "none"]).status == 404)
            let pages = try await client.get("\(Self.path)/pages")
            #expect(pages.items.count >= 2)
            #expect(pages.items.allSatisfy { $0["to"] == "ada" })
            #expect(!pages.text.contains("/l/"))
        }
    }

    @Test("the timeline is read forwards and backwards, and filtered")
    func timeline() async throws {
        try await withAPI { house, client async throws in
            try await house.declareFavorites()
            try await house.openIncident()
            let all = try await client.get("/api/v1/timeline?limit=200").items
            #expect(all.count > 5)
            #expect(all.compactMap { $0["id"]?.integer } == (1...Int64(all.count)).map { $0 })
            let page = try await client.get("/api/v1/timeline?after=2&limit=2")
            #expect(page.items.compactMap { $0["id"]?.integer } == [3, 4])
            #expect(page["next"] == "4")
            let back = try await client.get("/api/v1/timeline?before=3&limit=2")
            #expect(back.items.compactMap { $0["id"]?.integer } == [2, 1])
            #expect(back["next"] == .null)
            let mine = try await client.get("/api/v1/timeline?incident=storefront-favorites-1").items
            #expect(!mine.isEmpty && mine.allSatisfy { $0["incident"] == "storefront-favorites-1" })
        }
    }

    @Test("a page's link shows what it does, does it once, and never by being opened")
    func links() async throws {
        try await withAPI { house, client async throws in
            try await house.declareFavorites()
            try await house.openIncident()
            let page = try #require(try await house.record.pages(ofIncident: "storefront-favorites-1").first)
            let url = house.services.linkSigner.url(
                page: page.id, link: .acknowledge, expires: house.clock.now + .hours(1))
            let path = String(url.dropFirst("http://mainstay.test".count))
            func open(_ method: HTTPRequest.Method) async throws -> (Int, String) {
                try await client.client.execute(uri: path, method: method, headers: [.accept: "text/html"]) {
                    ($0.status.code, String(buffer: $0.body))
                }
            }
            for _ in 1...2 {
                let (status, text) = try await open(.get)
                #expect(status == 200)
                #expect(text.contains("<form method=\"post\""))
            }
            #expect(try await house.record.incident("storefront-favorites-1")?.acknowledgedBy == nil)
            #expect(try await open(.post).0 == 200)
            #expect(try await house.record.incident("storefront-favorites-1")?.acknowledgedBy == "ada")
            #expect(try await open(.post).0 == 409)
            #expect(try await open(.get).0 == 409)
            house.clock.advance(.hours(2))
            #expect(try await open(.get).0 == 404)
            let forged = try await client.client.execute(uri: path.dropLast(3) + "AAA", method: .post) { $0.status }
            #expect(forged == .notFound)
        }
    }
}

@Suite("API: checks, heartbeats, changes and services")
struct APICheckTests {
    @Test("checks are listed with their state, and shown with their samples")
    func checks() async throws {
        try await withAPI { house, client async throws in
            let before = try await client.get("/api/v1/checks")
            #expect(before.items.map { $0["status"] } == ["unknown", "unknown"])
            let result = CheckResult(
                check: "storefront/favorites-saved", startedAt: house.clock.now,
                finishedAt: house.clock.now + .milliseconds(40), failure: nil)
            try await house.record.apply(Subject(.check, result.check), .check(.reported(result)), by: .mainstay)
            try await house.record.sample([result, result])
            let shown = try await client.get("/api/v1/checks/storefront/favorites-saved")
            #expect(shown["check"]["status"] == "passing")
            #expect(shown["samples"].array?.first?["runs"] == 2)
            #expect(shown["samples"].array?.first?["tookMaxMs"] == 40)
            #expect(try await client.get("/api/v1/checks?limit=1")["next"] == "storefront/favorites-saved")
            #expect(try await client.get("/api/v1/checks/storefront/none").status == 404)
        }
    }

    @Test("a check is run on demand where that is possible")
    func run() async throws {
        try await withAPI(adjust: { house in
            let now = house.clock.now
            house.services.runCheck = { check in
                CheckResult(check: check, startedAt: now, finishedAt: now, failure: nil)
            }
        }) { _, client async throws in
            let result = try await client.post("/api/v1/checks/storefront/favorites-saved/run")
            #expect(result["passed"] == true)
            #expect(try await client.post("/api/v1/checks/storefront/nightly/run").status == 409)
        }
        try await withAPI { _, client async throws in
            #expect(try await client.post("/api/v1/checks/storefront/favorites-saved/run").status == 409)
        }
    }

    @Test(
        "a heartbeat is heard by GET, HEAD and POST, and a failure told with it fires",
        arguments: ["GET", "HEAD", "POST"])
    func heartbeats(_ method: String) async throws {
        try await withAPI { house, client async throws in
            let method = try #require(HTTPRequest.Method(method))
            let path = "/api/v1/heartbeat/storefront/nightly"
            #expect(try await client.send(method, path, as: .heartbeats).status == 204)
            #expect(try await house.record.check("storefront/nightly")?.heardAt == house.clock.now)
            #expect(try await client.send(method, "\(path)?failure=disk+full", as: .heartbeats).status == 204)
            let state = try await client.get("/api/v1/checks/storefront/nightly")
            #expect(state["check"]["status"] == "failing")
            #expect(state["check"]["lastFailure"]["failure"]["message"] == "disk full")
        }
    }

    @Test("another system's change is noted once, stands in ledger and timeline, and cannot lie in the future")
    func changes() async throws {
        try await withAPI { house, client async throws in
            let change: JSONValue = [
                "service": "storefront", "title": "new disk", "id": "disk-7", "kind": "infrastructure",
                "at": "2090-01-01T00:00:00Z",
            ]
            let first = try await client.post("/api/v1/changes", as: .releases, change)
            #expect(first.status == 201)
            #expect(first["at"] == .string(RFC3339.format(house.clock.now)))
            #expect(try await client.post("/api/v1/changes", as: .releases, change).status == 200)
            #expect(try await client.get("/api/v1/changes?service=storefront").items.count == 1)
            let lines = try await client.get("/api/v1/timeline?change=external:storefront/disk-7").items
            #expect(lines.map { $0["kind"] } == ["change.noted"])
            let wrong: JSONValue = ["service": "storefront", "title": "x", "feature": "favorits"]
            let answer = try await client.post("/api/v1/changes", wrong)
            #expect(answer.status == 422)
            #expect(answer.detail.contains("did you mean 'favorites'"))
        }
    }

    @Test("another system's release is announced, ends, and is taken back; each is told once")
    func externalRelease() async throws {
        try await withAPI { house, client async throws in
            let started = house.clock.now
            var told: [String: JSONValue] = [
                "service": "storefront", "title": "2.1.0 to production", "kind": "release", "release": "2.1.0",
                "author": "lin", "link": "https://ci.example.test/runs/7", "id": "run-7",
            ]
            func tell() async throws -> APIClient.Answer {
                try await client.post("/api/v1/changes", as: .releases, .object(told))
            }
            let first = try await tell()
            #expect(first.status == 201)
            #expect(first["release"] == "2.1.0" && first["author"] == "lin" && first["kind"] == "release")
            #expect(first["link"] == "https://ci.example.test/runs/7")
            #expect(first["at"] == .string(RFC3339.format(started)) && first["endedAt"] == .null)
            house.clock.advance(.minutes(3))
            told["endedAt"] = .string(RFC3339.format(house.clock.now))
            let ended = try await tell()
            #expect(ended.status == 200)
            #expect(ended["at"] == .string(RFC3339.format(started)) && ended["endedAt"] == told["endedAt"])
            house.clock.advance(.minutes(1))
            told["endedAt"] = .string(RFC3339.format(house.clock.now))
            #expect(try await tell()["endedAt"] == ended["endedAt"])
            told["undoneAt"] = .string(RFC3339.format(house.clock.now))
            #expect(try await tell()["undoneAt"] == told["undoneAt"])
            let lines = try await client.get("/api/v1/timeline?change=external:storefront/run-7").items
            #expect(Set(lines.map { $0["kind"] }) == ["change.noted", "change.ended", "change.undone"])
            #expect(lines.count == 3)
            told["release"] = "2.2.0"
            let other = try await tell()
            #expect(other.status == 409)
            #expect(other.detail.contains("is of release 2.1.0"))
        }
    }

    @Test(
        "what does not fit a release is told by name",
        arguments: [
            (["kind": "release"], ["release"]),
            (["kind": "release", "release": "shop@2.1.0"], ["release"]),
            (["kind": "release", "release": "2.1.0 "], ["release"]),
            (["release": "2.1.0", "endedAt": "2023-11-01T00:00:00Z"], ["release", "endedAt"]),
            (["kind": "migration", "undoneAt": "2023-11-01T00:00:00Z"], ["undoneAt"]),
            (["kind": "release", "release": "2.1.0", "link": "javascript:alert(1)"], ["link"]),
            (["kind": "release", "release": "2.1.0", "endedAt": "soon"], ["endedAt"]),
            (
                [
                    "kind": "release", "release": "2.1.0", "at": "2023-11-02T00:00:00Z",
                    "endedAt": "2023-11-01T00:00:00Z",
                ], ["endedAt"]
            ),
        ] as [([String: JSONValue], [String])])
    func unfit(members: [String: JSONValue], fields: [String]) async throws {
        try await withAPI { _, client async throws in
            let body = members.merging(["service": "storefront", "title": "x"]) { $1 }
            let answer = try await client.post("/api/v1/changes", .object(body))
            #expect(answer.status == 422)
            #expect(answer.fields == fields)
        }
    }
}
