import Decide
import HTTPTypes
import Record
import Testing

@testable import Web

@Suite("API: rules for guards, and what a guard decided")
struct APIGuardRuleTests {
    private static let path = "/api/v1/guard/rules"
    private static let query = "00ab12cd34ef5678"

    private static func rule(_ members: [String: JSONValue] = [:], without names: [String] = []) -> JSONValue {
        var rule: [String: JSONValue] = [
            "action": "limit", "limit": 2, "query": .string(query), "reason": "the sale", "lastsMs": 3_600_000,
        ]
        rule.merge(members) { $1 }
        for name in names { rule[name] = nil }
        return .object(rule)
    }

    @Test("a rule is made by a responder, listed, and taken back")
    func life() async throws {
        try await withAPI { house, client in
            let made = try await client.post(Self.path, Self.rule())
            #expect(made.status == 201)
            #expect(made["id"] == "rule-1" && made["action"] == "limit" && made["limit"] == 2)
            #expect(made["query"] == .string(Self.query) && made["user"] == .null)
            #expect(made["createdBy"] == "responder")
            #expect(made["until"] == .time(house.clock.now + .hours(1)))
            let until = house.clock.now + .days(30)
            let second = try await client.post(
                Self.path,
                Self.rule(
                    ["action": "block", "user": "reports", "database": "shop", "until": .time(until)],
                    without: ["limit", "query", "lastsMs"]))
            #expect(second["until"] == .time(until) && second["limit"] == .null && second["database"] == "shop")
            #expect(try await client.get(Self.path).items.map { $0["id"] } == ["rule-1", "rule-2"])
            #expect(try await client.get("\(Self.path)?limit=1").items.count == 1)
            #expect(try await client.send(.delete, "\(Self.path)/rule-1", as: .responder).status == 204)
            #expect(try await client.send(.delete, "\(Self.path)/rule-1", as: .responder).status == 404)
            #expect(try await client.get(Self.path).items.map { $0["id"] } == ["rule-2"])
            house.clock.advance(.days(30))
            #expect(try await client.get(Self.path).items.isEmpty)
        }
    }

    @Test(
        "what is wrong with a rule is told by field, and nothing is made",
        arguments: [
            (rule(without: ["lastsMs"]), ["until"]), (rule(["until": "2026-11-22T04:51:49Z"]), ["lastsMs", "until"]),
            (rule(["until": "soon"], without: ["lastsMs"]), ["until"]), (rule(["lastsMs": 0]), ["lastsMs"]),
            (rule(["lastsMs": 2_592_000_001]), ["lastsMs"]), (rule(["limit": 0]), ["limit"]),
            (rule(["limit": "2"]), ["limit"]), (rule(without: ["limit"]), ["limit"]),
            (rule(["action": "block"]), ["limit"]), (rule(without: ["action"]), ["action"]),
            (rule(["action": "kill"]), ["action"]), (rule(["query": "SELECT 1"]), ["query"]),
            (rule(without: ["query"]), ["query"]), (rule(["reason": ""]), ["reason"]),
            (rule(without: ["reason"]), ["reason"]), (rule(["usr": "x"]), ["usr"]),
            (rule(["user": 7]), ["user"]), (rule(["user": "", "database": "shop"]), ["user"]),
        ])
    func faults(rule: JSONValue, fields: [String]) async throws {
        try await withAPI { house, client in
            let answer = try await client.post(Self.path, rule)
            #expect(answer.status == 422, "\(answer.text)")
            #expect(Set(fields).isSubset(of: Set(answer.fields)), "\(answer.text)")
            #expect(try await house.record.guardRules().rules.isEmpty)
        }
    }

    @Test("a rule that stands already is a conflict")
    func twice() async throws {
        try await withAPI { _, client in
            _ = try await client.post(Self.path, Self.rule())
            let again = try await client.post(Self.path, Self.rule(["reason": "again"]))
            #expect(again.status == 409 && again.detail.contains("Rule rule-1 by responder says so already"))
        }
    }

    @Test("viewers look, responders act", arguments: [APIHouse.Who.nobody, .viewer, .read, .service])
    func access(who: APIHouse.Who) async throws {
        try await withAPI { _, client in
            let refusal = who == .nobody ? 401 : 403
            let mayLook = who == .viewer || who == .read
            let made = try await client.post(Self.path, as: who, Self.rule())
            let removed = try await client.send(.delete, "\(Self.path)/rule-1", as: who)
            let listed = try await client.get(Self.path, as: who)
            #expect(made.status == refusal && removed.status == refusal)
            #expect(listed.status == (mayLook ? 200 : refusal))
        }
    }

    @Test("an incident's alert carries what the guard decided")
    func incident() async throws {
        try await withAPI { house, client in
            try await house.record.apply(
                Subject(.query, "shop/\(Self.query)"), .query(.decided(Scene.decision(at: house.clock.now))),
                by: .mainstay)
            let incident = try await client.get("/api/v1/incidents/guard-database-shop-1")
            let decision = incident["alerts"].array?.first?["query"]
            #expect(decision?["query"] == .string(Self.query) && decision?["release"] == "5f2c1e7")
            #expect(decision?["servers"] == 20 && decision?["kind"] == "tripped")
        }
    }
}
