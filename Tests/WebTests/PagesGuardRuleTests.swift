import Decide
import HTTPTypes
import Record
import Testing

@testable import Web

extension Scene {
    static func decision(at now: Instant) -> QueryDecision {
        QueryDecision(
            kind: .tripped, at: now, database: "shop", user: "app",
            query: QueryKey(fingerprint: 0x00ab_12cd_34ef_5678), text: "SELECT <id> FROM posts", release: "5f2c1e7",
            explanation: "It held 19 of 20 slots.", share: 0.95, budget: 1, limit: 2, slots: 20, cancelled: 3,
            until: now + .minutes(10))
    }
}

@Suite("Pages: rules for guards, and incidents about queries")
struct PagesGuardRuleTests {
    private static let path = "/guard/rules"
    private static let fields = [
        "action": "limit", "limit": "2", "query": "00ab12cd34ef5678", "user": "", "application": "", "database": "shop",
        "lasts": "4 hours", "reason": "the <b>sale</b>",
    ]

    @Test("a rule is made, shown with the time it has left, and removed")
    func life() async throws {
        try await withPages(.calm) { house, client in
            #expect(try await client.get(Self.path).html.contains("There is none."))
            let made = try await client.post(Self.path, Self.fields)
            #expect(made.status == 303 && made.headers[.location] == "\(Self.path)?done=rule-made")
            let rule = try #require(try await house.scene.record.guardRules().rules.first)
            #expect(rule.rule.action == .limit(2) && rule.until == rule.createdAt + .hours(4))
            #expect(rule.rule.pattern.database == "shop" && rule.rule.pattern.user == nil)
            let page = try await client.get(Self.path)
            for words in ["At most 2 at a time", "in 4 h", "the &lt;b&gt;sale&lt;/b&gt;", "00ab12cd34ef5678", "rule-1"]
            {
                #expect(page.html.contains(words), "\(words)")
            }
            #expect(page.forms.allSatisfy { $0.contains("name=\"csrf\"") })
            #expect(!page.html.contains("⟦"))
            let removed = try await client.post("\(Self.path)/remove", ["id": rule.id])
            #expect(removed.headers[.location] == "\(Self.path)?done=rule-removed")
            #expect(try await house.scene.record.guardRules().rules.isEmpty)
        }
    }

    @Test(
        "what is refused is said on the page, and what was written stays in the form",
        arguments: [
            (["reason": " "], "say why"), (["limit": "many"], "whole number"), (["limit": ""], "1 to 10,000"),
            (["query": "SELECT 1"], "16 hexadecimal digits"), (["query": "", "database": ""], "name at least one"),
            (["lasts": "for ever"], "every rule ends"), (["action": "kill"], "one of limit, block and allow"),
        ])
    func refused(change: [String: String], words: String) async throws {
        try await withPages(.calm) { house, client in
            let answer = try await client.post(Self.path, Self.fields.merging(change) { $1 })
            #expect(answer.status == 422)
            #expect(answer.html.contains(words), "\(answer.html)")
            #expect(answer.html.contains("<details id=\"make\" open>"))
            if change["reason"] == nil { #expect(answer.html.contains("value=\"the &lt;b&gt;sale&lt;/b&gt;\"")) }
            #expect(try await house.scene.record.guardRules().rules.isEmpty)
        }
    }

    @Test("a viewer sees no form, and cannot send one; nor can a form without the session's secret")
    func access() async throws {
        try await withPages(.calm) { house, client in
            #expect(try await client.post(Self.path, Self.fields, csrf: "wrong").status == 403)
            #expect(try await client.post(Self.path, as: .viewer, Self.fields).status == 403)
            #expect(try await client.post(Self.path, Self.fields).status == 303)
            let page = try await client.get(Self.path, as: .viewer)
            #expect(page.forms.allSatisfy { $0.contains("/sign-out") })
            #expect(page.html.contains("At most 2 at a time") && page.html.contains("You can look, not act"))
            #expect(try await client.post("\(Self.path)/remove", as: .viewer, ["id": "rule-1"]).status == 403)
            #expect(try await client.post("\(Self.path)/remove", ["id": "rule-9"]).status == 404)
        }
    }

    @Test("an incident about a query shows it, its release and what the guard did, and leads to a rule")
    func incident() async throws {
        try await withPages(.calm) { house, client in
            let record = house.scene.record
            let decision = Scene.decision(at: record.now())
            try await record.apply(QueryState.subject(of: decision), .query(.decided(decision)), by: .mainstay)
            let page = try await client.get("/incidents/guard-database-shop-1")
            for words in [
                "What the guard holds back", "SELECT &lt;id&gt; FROM posts", "5f2c1e7", "95 %", "2 servers at a time",
                "It held 19 of 20 slots.", "held back", "/guard/rules?query=00ab12cd34ef5678&amp;database=shop",
            ] {
                #expect(page.html.contains(words), "\(words)")
            }
            #expect(!page.html.contains("⟦"))
            let form = try await client.get("\(Self.path)?query=00ab12cd34ef5678&database=shop")
            #expect(
                form.html.contains("value=\"00ab12cd34ef5678\"") && form.html.contains("<details id=\"make\" open>"))
            let postmortem = try await client.get("/incidents/guard-database-shop-1/postmortem")
            #expect(postmortem.status == 200 && postmortem.html.contains("the guard of the database saw it"))
        }
    }
}
