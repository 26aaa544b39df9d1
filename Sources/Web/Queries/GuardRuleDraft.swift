import Decide

/// A rule as someone writes it, in JSON or in a form; what is wrong with it is told by field.
struct GuardRuleDraft {
    enum Action: String, CaseIterable {
        case limit, block, allow
    }

    var action: Action?
    var limit: Int64?
    var query: String?
    var user: String?
    var application: String?
    var database: String?
    var reason: String
    var until: Instant?

    /// - Parameter fail: takes each field with what is wrong with it.
    /// - Returns: nil when something is.
    func rule(_ fail: (String, String) -> Void) -> BudgetRule? {
        var isSound = true
        func fault(_ name: String, _ message: String) {
            fail(name, message)
            isSound = false
        }
        let action = self.action(fault)
        let key = query.flatMap(QueryKey.init(hex:))
        if query != nil, key == nil {
            fault("query", "must be a fingerprint of 16 hexadecimal digits, as the guard shows it")
        }
        let pattern = ClientPattern(query: key, user: user, application: application, database: database)
        if pattern == ClientPattern(), isSound {
            fault("query", "is missing: name at least one of query, user, application and database")
        }
        guard isSound, let action else { return nil }
        return BudgetRule(action, pattern, reason: reason, lasts: .zero)
    }

    private func action(_ fault: (String, String) -> Void) -> BudgetRule.Action? {
        switch action {
        case nil:
            fault("action", "is missing: one of limit, block and allow")
            return nil
        case .limit:
            guard let limit, GuardRules.slots.contains(Int(limit)) else {
                fault("limit", "must be 1 to 10,000: how many run at a time")
                return nil
            }
            return .limit(Int(limit))
        case .block, .allow:
            if limit != nil { fault("limit", "belongs to the action limit only") }
            return action == .block ? .block : .allow
        }
    }
}
