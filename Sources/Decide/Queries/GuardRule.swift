/// A rule by hand, with its end.
package struct GuardRule: Hashable, Sendable, Codable {
    package var id: String
    package var rule: BudgetRule
    package var until: Instant
    package var createdBy: String
    package var createdAt: Instant

    package init(id: String, rule: BudgetRule, until: Instant, createdBy: String, createdAt: Instant) {
        self.id = id
        self.rule = rule
        self.until = until
        self.createdBy = createdBy
        self.createdAt = createdAt
    }
}
