import Decide

/// What the budgets decided, with the words that only the guard has.
package struct GuardDecision: Sendable {
    /// `database/user`.
    package var pool: String
    /// Without constants; empty when it is about no single query.
    package var queryText: String
    package var decision: BudgetDecision
}
