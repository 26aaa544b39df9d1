/// What the budgets of a guard decided about one query, in the words and the time of day of the house.
package struct QueryDecision: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// It is held to `limit` servers from now on.
        case tripped
        /// More of its statements were cancelled, as they grew old enough.
        case cancelled
        case limitRaised, limitHalved
        /// It is no longer limited.
        case released
        /// It is turned away altogether; then tried again with a few calls; then let in.
        case breakerOpened, breakerHalfOpen, breakerClosed
        /// A single statement or an idle transaction was ended because it took longer than any may.
        case statementCapped, idleCapped
        /// Many rows: told only.
        case largeResult
        /// A rule that a person wrote has ended.
        case ruleExpired
    }

    package var kind: Kind
    package var at: Instant
    package var database: String
    package var user: String
    /// Nil when it is about no single query.
    package var query: QueryKey?
    /// Without constants; may be cut.
    package var text: String
    /// Of the query's latest call, when its client named one.
    package var release: String?
    /// Decided, and not done (`observe`).
    package var isObserved: Bool
    /// Sentences for people: which query, which release, its share, what was cancelled, when it is let in again.
    package var explanation: String
    /// Of `tripped`: share of the pool's servers that it held (0…1, or more when more were needed), its budget and
    /// what it is held to, in servers, and how many servers there are.
    package var share: Double?
    package var budget: Double?
    package var limit: Int?
    package var slots: Int?
    /// A good query that is only called more often than usual: it waits, nothing of it is turned away.
    package var isCrowd: Bool
    /// Statements that were cancelled with this decision.
    package var cancelled: Int
    /// The earliest time at which it is let in again.
    package var until: Instant?

    package init(
        kind: Kind, at: Instant, database: String, user: String, query: QueryKey?, text: String = "",
        release: String? = nil, isObserved: Bool = false, explanation: String = "", share: Double? = nil,
        budget: Double? = nil, limit: Int? = nil, slots: Int? = nil, isCrowd: Bool = false, cancelled: Int = 0,
        until: Instant? = nil
    ) {
        self.kind = kind
        self.at = at
        self.database = database
        self.user = user
        self.query = query
        self.text = text
        self.release = release
        self.isObserved = isObserved
        self.explanation = explanation
        self.share = share
        self.budget = budget
        self.limit = limit
        self.slots = slots
        self.isCrowd = isCrowd
        self.cancelled = cancelled
        self.until = until
    }
}
