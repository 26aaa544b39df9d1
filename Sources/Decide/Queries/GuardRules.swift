/// The rules that people wrote for guards: limit, block or allow some queries for some time.
///
/// Invariants:
/// 1. At most `limit` rules, which is how many a guard can hold.
/// 2. Each ends by itself, at most `longest` after it was made; nothing that was done in a hurry stays for ever.
/// 3. Each says whom it is for, why, and who made it; no two say the same.
/// 4. `version` grows with every change, so that a guard sees with one number whether it has them all.
package struct GuardRules: Hashable, Sendable, Codable {
    package static let limit = BudgetRules.most
    package static let longest: Span = .days(30)
    package static let reasonLength = 1...500
    package static let nameLength = 1...200
    package static let slots = 1...10_000
    package static let subject = Subject(.guardRules, "all")

    /// In the order in which they were made.
    package var rules: [GuardRule]
    package var made: Int
    package var version: Int64

    package init() {
        (rules, made, version) = ([], 0, 0)
    }
}

package enum GuardRulesEvent: Hashable, Sendable, Codable {
    /// Its id, maker and beginning come from the step.
    case added(BudgetRule, until: Instant)
    case removed(id: String)
}

extension GuardRules {
    static func step(_ rules: GuardRules?, _ event: Event, _ input: StepInput) throws(Refusal) -> Step<GuardRules> {
        let rules = rules ?? GuardRules()
        switch event {
        case .guardRules(.added(let rule, let until)): return try rules.add(rule, until, input)
        case .guardRules(.removed(let id)): return try rules.remove(id, input)
        case .deadlineReached: return rules.expire(input)
        default: throw Machine.misfit(event, input.subject)
        }
    }

    private func add(_ rule: BudgetRule, _ until: Instant, _ input: StepInput) throws(Refusal) -> Step<GuardRules> {
        try Self.check(rule, until, input)
        // What has ended, and was not woken for yet, is in nobody's way.
        let present = rules.filter { $0.until > input.now }
        if let same = present.first(where: { $0.rule.pattern == rule.pattern && $0.rule.action == rule.action }) {
            throw Refusal(
                .conflict,
                "Rule \(same.id) by \(same.createdBy) says so already, until \(RFC3339.format(same.until)); "
                    + "remove it to make another.")
        }
        guard present.count < Self.limit else {
            throw Refusal(.conflict, "There are \(Self.limit) rules already, and no guard holds more; remove one.")
        }
        var expired = expire(input)
        var state = expired.state ?? self
        var rule = rule
        rule.lasts = until - input.now
        state.made += 1
        state.version += 1
        let made = GuardRule(
            id: "rule-\(state.made)", rule: rule, until: until, createdBy: input.actor.name, createdAt: input.now)
        state.rules.append(made)
        expired.state = state
        expired.entries.append(
            made.entry(
                "rule.added", "\(made.words), until \(RFC3339.format(until)) (\(made.id)). Reason: \(rule.reason)"))
        expired.due = state.due
        return expired
    }

    private static func check(_ rule: BudgetRule, _ until: Instant, _ input: StepInput) throws(Refusal) {
        let pattern = rule.pattern
        let names = [pattern.user, pattern.application, pattern.database].compactMap(\.self)
        guard pattern.query != nil || !names.isEmpty else {
            throw Refusal(
                .invalid, "A rule names whom it is for: a query, a user, an application or a database.")
        }
        guard names.allSatisfy({ nameLength.contains($0.utf8.count) }) else {
            throw Refusal(.invalid, "The name of a user, an application or a database has 1 to 200 bytes.")
        }
        guard pattern.query != .transactionControl else {
            throw Refusal(.invalid, "BEGIN, COMMIT and their kin cannot be held back: every transaction has them.")
        }
        guard reasonLength.contains(rule.reason.utf8.count) else {
            throw Refusal(.invalid, "A rule needs a reason of 1 to 500 bytes.")
        }
        if case .limit(let limit) = rule.action, !slots.contains(limit) {
            throw Refusal(.invalid, "A limit is 1 to 10,000 at a time; to let nothing through, block.")
        }
        guard until > input.now else { throw Refusal(.invalid, "A rule ends in the future.") }
        guard until <= input.now + longest else {
            throw Refusal(.invalid, "A rule ends within 30 days; make it anew if it is still needed then.")
        }
    }

    private func remove(_ id: String, _ input: StepInput) throws(Refusal) -> Step<GuardRules> {
        guard let rule = rules.first(where: { $0.id == id && $0.until > input.now }) else {
            throw Refusal(.notFound, "There is no rule \(id); it may have ended.")
        }
        var step = expire(input)
        var state = step.state ?? self
        state.rules.removeAll { $0.id == id }
        state.version += 1
        step.state = state
        step.entries.append(
            rule.entry("rule.removed", "Removed (\(id)): \(rule.words). It was made by \(rule.createdBy)."))
        step.due = state.due
        return step
    }

    private func expire(_ input: StepInput) -> Step<GuardRules> {
        var state = self
        state.rules.removeAll { $0.until <= input.now }
        let ended = rules.filter { $0.until <= input.now }
        if !ended.isEmpty { state.version += 1 }
        var step = Step(state)
        step.entries = ended.map {
            $0.entry(
                "rule.ended",
                "Ended after \(($0.until - $0.createdAt).spoken) (\($0.id)): \($0.words). "
                    + "It was made by \($0.createdBy): \($0.rule.reason)")
        }
        step.due = state.due
        return step
    }

    private var due: Instant? { rules.map(\.until).min() }
}

extension GuardRule {
    /// `At most 2 at a time: query 00ab…, of user shop, in database shop`
    package var words: String {
        let pattern = rule.pattern
        var whom: [String] = []
        if let query = pattern.query { whom.append("query \(query.hex)") }
        if let user = pattern.user { whom.append("of user \(user)") }
        if let application = pattern.application { whom.append("from application \(application)") }
        if let database = pattern.database { whom.append("in database \(database)") }
        if pattern.query == nil { whom[0] = "every query " + whom[0] }
        return "\(rule.action.words): \(whom.joined(separator: ", "))"
    }

    func entry(_ kind: String, _ text: String) -> Entry {
        var data: [String: JSONValue] = ["rule": .string(id), "reason": .string(rule.reason)]
        data["query"] = rule.pattern.query.map { .string($0.hex) }
        data["database"] = rule.pattern.database.map(JSONValue.string)
        return Entry(kind, text, service: GuardPolicy.ownService, data: data)
    }
}

extension BudgetRule.Action {
    package var words: String {
        switch self {
        case .allow: "Never held back"
        case .limit(let limit): "At most \(limit) at a time"
        case .block: "Turned away"
        }
    }
}
