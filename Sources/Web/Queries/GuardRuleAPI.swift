import Decide
import Hummingbird
import HummingbirdCore
import Record

/// Rules for guards that people write: limit, block or allow some queries for some time.
enum GuardRuleAPI {
    private static let name = Schema.text(GuardRules.nameLength)

    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/api/v1/guard/rules", "Lists the rules by hand that are in force.", access: .role(.viewer),
            query: Paging.parameters, answers: [.page(of: "GuardRule")], handle: list),
        Endpoint(
            .post, "/api/v1/guard/rules",
            "Makes a rule for the queries that fit all of `query`, `user`, `application` and `database` which are given. It "
                + "ends by itself, at `until` or after `lastsMs`, within 30 days.",
            access: .role(.responder),
            body: .json(
                Schema.object(
                    [
                        "action": Schema.word(GuardRuleDraft.Action.self), "limit": Schema.integer(1...10_000),
                        "query": ["type": "string", "pattern": "^[0-9A-Fa-f]{16}$"], "user": name, "application": name,
                        "database": name,
                        "reason": Schema.text(GuardRules.reasonLength), "until": Schema.time,
                        "lastsMs": Schema.integer(1...GuardRules.longest.milliseconds),
                    ],
                    optional: ["limit", "query", "user", "application", "database", "until", "lastsMs"])),
            answers: [.json("GuardRule", status: 201, "Made.")], problems: [409], handle: add),
        Endpoint(
            .delete, "/api/v1/guard/rules/{id}", "Takes a rule back.", access: .role(.responder),
            answers: [.nothing()], problems: [404], handle: remove),
    ]

    @Sendable private static func list(_ call: Call) async throws -> Response {
        let paging = try Paging(call.query)
        let rules = try await call.services.record.rulesInForce()
        return paging.answer(whole: rules.sorted { $0.id < $1.id }, name: \.id, json: \.json)
    }

    @Sendable private static func add(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let draft = GuardRuleDraft(
            action: fields.word("action", GuardRuleDraft.Action.self),
            limit: fields.optionalInteger("limit", 1...10_000), query: fields.optionalText("query", 1...100),
            user: fields.optionalText("user", GuardRules.nameLength),
            application: fields.optionalText("application", GuardRules.nameLength),
            database: fields.optionalText("database", GuardRules.nameLength),
            reason: fields.text("reason", GuardRules.reasonLength), until: end(&fields, call.services.record.now()))
        let rule = draft.rule { fields.fail($0, $1) }
        try fields.done()
        guard let rule, let until = draft.until else { throw Problem.invalid("until", "is missing") }
        let made = try await call.services.record.addRule(rule, until: until, by: try call.actor())
        return Response(status: .created, json: made.json)
    }

    @Sendable private static func remove(_ call: Call) async throws -> Response {
        try await call.services.record.apply(
            GuardRules.subject, .guardRules(.removed(id: try call.parameter("id"))), by: try call.actor())
        return Response(status: .noContent)
    }

    /// A time, or a length of time; whoever has a clock of their own had better send the latter.
    private static func end(_ fields: inout JSONFields, _ now: Instant) -> Instant? {
        let lasts = fields.optionalInteger("lastsMs", 1...GuardRules.longest.milliseconds)
        guard let text = fields.optionalText("until", 1...40) else {
            if lasts == nil { fields.fail("until", "is missing: every rule ends; give 'until' or 'lastsMs'") }
            return lasts.map { now + .milliseconds($0) }
        }
        if lasts != nil { fields.fail("lastsMs", "says what 'until' says already") }
        guard let until = RFC3339.parse(text) else {
            fields.fail("until", "must be a time like 2026-11-22T04:51:49Z")
            return nil
        }
        if until <= now || until > now + GuardRules.longest {
            fields.fail("until", "must be a time within the next 30 days")
        }
        return until
    }

    static let schemas: [String: JSONValue] = [
        "GuardRule": Schema.object([
            "id": Schema.text, "action": Schema.word(GuardRuleDraft.Action.self),
            "limit": Schema.nullable(Schema.count), "query": Schema.nullable(Schema.text),
            "user": Schema.nullable(Schema.text), "application": Schema.nullable(Schema.text),
            "database": Schema.nullable(Schema.text), "reason": Schema.text, "until": Schema.time,
            "createdBy": Schema.text, "createdAt": Schema.time,
        ])
    ]
}

extension Record {
    /// Those that have not ended, in the order in which they were made.
    func rulesInForce() async throws -> [GuardRule] {
        let now = self.now()
        return try await guardRules().rules.filter { $0.until > now }
    }

    func addRule(_ rule: BudgetRule, until: Instant, by actor: Actor) async throws -> GuardRule {
        let applied = try await apply(GuardRules.subject, .guardRules(.added(rule, until: until)), by: actor)
        guard let made = applied.things[GuardRules.subject]?.guardRules?.rules.last else {
            throw Problem.notFound("rule that was made")
        }
        return made
    }
}

extension GuardRule {
    var json: JSONValue {
        let pattern = rule.pattern
        var (action, limit) = (GuardRuleDraft.Action.block, JSONValue.null)
        switch rule.action {
        case .allow: action = .allow
        case .limit(let count): (action, limit) = (.limit, .count(count))
        case .block: break
        }
        return [
            "id": .string(id), "action": .string(action.rawValue), "limit": limit, "query": .text(pattern.query?.hex),
            "user": .text(pattern.user), "application": .text(pattern.application), "database": .text(pattern.database),
            "reason": .string(rule.reason), "until": .time(until), "createdBy": .string(createdBy),
            "createdAt": .time(createdAt),
        ]
    }
}
