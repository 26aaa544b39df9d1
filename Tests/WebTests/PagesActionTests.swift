import Decide
import Explain
import HTTPTypes
import Record
import Testing

@testable import Web

@Suite("Forms on pages")
struct PagesActionTests {
    private static let incident = "/incidents/\(Scene.incident)"

    @Test("an incident is acknowledged, noted, resolved and reviewed by people")
    func incident() async throws {
        try await withPages(.open) { house, client in
            func incident() async throws -> Incident? { try await house.scene.record.incident(Scene.incident) }
            let acknowledged = try await client.post("\(Self.incident)/acknowledge")
            #expect(acknowledged.status == 303)
            #expect(acknowledged.headers[.location] == "\(Self.incident)?done=acknowledged")
            #expect(try await incident()?.acknowledgedBy == "responder")
            #expect(try await client.post("\(Self.incident)/note", ["text": "  looking  "]).status == 303)
            #expect(try await incident()?.notes.last?.text == "looking")
            #expect(try await client.post("\(Self.incident)/resolve", ["reason": "false alarm"]).status == 303)
            #expect(try await incident()?.status == .resolved)
            #expect(try await client.post("\(Self.incident)/review").status == 303)
            #expect(try await incident()?.reviewedBy == "responder")
        }
    }

    @Test("the suspect change is undone by a person, once")
    func undo() async throws {
        try await withPages(.proven, undo: .ask) { house, client in
            let page = try await client.get(Self.incident)
            #expect(page.html.contains("Undo favorites v2 to 5 % of users"))
            let change = Rollout.change(Scene.release)
            #expect(try await client.post("\(Self.incident)/undo", ["change": change]).status == 303)
            #expect(try await house.scene.record.flag(service: "storefront", key: "favorites")?.rolling == nil)
            let again = try await client.post("\(Self.incident)/undo", ["change": change])
            #expect(again.status == 409)
            #expect(again.html.contains("responder has undone this change already."))
            #expect(try await !client.get(Self.incident).html.contains("Undo favorites v2 to 5 % of users"))
        }
    }

    @Test("what is refused is said on the page that the form stands on, and nothing changes")
    func refusals() async throws {
        try await withPages(.open) { house, client in
            let empty = try await client.post("\(Self.incident)/resolve", ["reason": "  "])
            #expect(empty.status == 422)
            #expect(empty.html.contains("is missing: say why it is over"))
            #expect(empty.html.contains("Key times"))
            let unknown = try await client.post("/incidents/none/acknowledge")
            #expect(unknown.status == 404)
            #expect(try await house.scene.record.incident(Scene.incident)?.status == .triggered)
        }
    }

    @Test("a form without the session's secret changes nothing", arguments: [nil, "", "wrong"])
    func forgery(secret: String?) async throws {
        try await withPages(.open) { house, client in
            let answer = try await client.post("\(Self.incident)/acknowledge", csrf: secret)
            #expect(answer.status == 403)
            #expect(try await house.scene.record.incident(Scene.incident)?.acknowledgedAt == nil)
        }
    }

    @Test("a viewer may look but not act")
    func viewer() async throws {
        try await withPages(.open) { house, client in
            let page = try await client.get(Self.incident, as: .viewer)
            #expect(page.forms.allSatisfy { $0.contains("/sign-out") })
            #expect(page.html.contains("You can look, not act"))
            #expect(try await client.post("\(Self.incident)/acknowledge", as: .viewer).status == 403)
            #expect(try await house.scene.record.incident(Scene.incident)?.acknowledgedAt == nil)
            #expect(
                try await client.post("/account/tokens", as: .responder, ["name": "x", "scope": "all"]).status == 403)
        }
    }

    @Test("a flag's default is changed with a reason, and taken back")
    func flag() async throws {
        try await withPages(.calm) { house, client in
            let path = "/flags/storefront/favorites"
            func flag() async throws -> Flag? {
                try await house.scene.record.flag(service: "storefront", key: "favorites")
            }
            #expect(try await client.post("\(path)/default", ["variant": "v2"]).status == 422)
            #expect(try await client.post("\(path)/default", ["variant": "none", "reason": "x"]).status == 422)
            #expect(try await client.post("\(path)/default", ["variant": "v1", "reason": "x"]).status == 409)
            #expect(try await flag()?.definition.defaultVariant == "v1")
            #expect(try await client.post("\(path)/default", ["variant": "v2", "reason": "a trial"]).status == 303)
            #expect(try await flag()?.definition.defaultVariant == "v2")
            let page = try await client.get(path)
            #expect(page.html.contains("Take back the last change"))
            #expect(page.html.contains("a trial"))
            let change = try #require(try await flag()?.past.last?.change)
            #expect(try await client.post("\(path)/undo", ["change": change, "reason": "it broke"]).status == 303)
            #expect(try await flag()?.definition.defaultVariant == "v1")
            #expect(try await client.post("\(path)/undo", ["change": change, "reason": "again"]).status == 409)
        }
    }

    @Test("the gate's reasons are all on the page; only forcing with a reason goes past it")
    func release() async throws {
        try await withPages(.calm) { house, client in
            let path = "/releases/\(Scene.release)"
            let page = try await client.get(path)
            #expect(page.html.contains("No test evidence for favorites"))
            #expect(page.html.contains("0 of 1 approvals"))
            #expect(page.html.contains("Force past the gate"))
            #expect(!page.html.contains("Start the rollout"))
            #expect(try await client.post("\(path)/start").status == 409)
            #expect(try await client.post("\(path)/approve", ["commit": "4f2a9c1e77b0aa31"]).status == 303)
            #expect(try await client.get(path).html.contains("Approved by responder."))
            #expect(try await client.post("\(path)/force", ["reason": ""]).status == 422)
            #expect(try await house.scene.record.release(Scene.release)?.status == .waiting)
            #expect(try await client.post("\(path)/force", ["reason": "The <b>launch</b>"]).status == 303)
            let after = try await client.get(path)
            #expect(after.html.contains("Forced past the gate by responder"))
            #expect(after.html.contains("The &lt;b&gt;launch&lt;/b&gt;"))
            #expect(!after.html.contains("Approve this commit"))
        }
    }

    @Test("a check is run at once, and the page says how it went")
    func check() async throws {
        let path = "/checks/storefront/favorites-saved"
        try await withPages(.calm) { _, client in
            let refused = try await client.post("\(path)/run")
            #expect(refused.status == 409)
            #expect(refused.html.contains("cannot be run from here"))
        }
        try await withPages(.calm) { services in
            services.runCheck = {
                CheckResult(check: $0, startedAt: Scene.start, finishedAt: Scene.start, failure: nil)
            }
        } _: { _, client in
            let answer = try await client.post("\(path)/run")
            #expect(answer.headers[.location] == "\(path)?done=passed")
        }
    }

    @Test("an administrator makes a token, which is shown once, and revokes it")
    func tokens() async throws {
        try await withPages(.calm) { house, client in
            let made = try await client.post("/account/tokens", as: .admin, ["name": "ci <x>", "scope": "releases"])
            #expect(made.status == 200)
            #expect(made.html.contains("<pre>mst_"))
            #expect(made.html.contains("ci &lt;x&gt;"))
            #expect(try await !client.get("/account", as: .admin).html.contains("mst_"))
            let token = try #require(try await house.scene.record.tokens().first { $0.name == "ci <x>" })
            #expect(try await client.post("/account/tokens/revoke", as: .admin, ["digest": token.digest]).status == 303)
            #expect(try await client.post("/account/tokens", as: .admin, ["name": "none"]).status == 422)
        }
    }

    @Test("nobody disables their own account")
    func accounts() async throws {
        try await withPages(.calm) { house, client in
            let own = try await client.post(
                "/account/accounts/state", as: .admin, ["name": "admin", "disabled": "yes"])
            #expect(own.status == 409)
            let other = try await client.post(
                "/account/accounts/state", as: .admin, ["name": "viewer", "disabled": "yes"])
            #expect(other.status == 303)
            #expect(try await house.scene.record.accounts().first { $0.name == "viewer" }?.isDisabled == true)
        }
    }

    @Test("a password is changed only by whoever knows the present one")
    func password() async throws {
        try await withPages(.calm) { _, client in
            let fields = ["present": "wrong", "password": "a new long password", "again": "a new long password"]
            let wrong = try await client.post("/account/password", fields)
            #expect(wrong.status == 401)
            let differs = fields.merging(["again": "another"]) { $1 }
            #expect(try await client.post("/account/password", differs).status == 422)
        }
    }
}
