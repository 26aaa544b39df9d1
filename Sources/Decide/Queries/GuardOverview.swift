/// What a guard does at this moment, for people.
package struct GuardOverview: Hashable, Sendable, Codable {
    /// The clients of one user of one database, and the servers that they share.
    package struct Pool: Hashable, Sendable, Codable {
        package var database = ""
        package var user = ""
        package var clientsActive = 0
        package var clientsWaiting = 0
        /// Clients that keep their server because their session would show.
        package var clientsPinned = 0
        package var serversBusy = 0
        package var serversIdle = 0
        package var serversStarting = 0
        package var size = 0
        package var isPaused = false
        /// Servers that only read.
        package var isReplica = false
        /// The longest wait of those who wait now.
        package var waitMilliseconds = 0
        /// Where new servers are opened; without secrets.
        package var target = ""

        package init() {}
    }

    /// A query that is held to less than it asks for, or would be (`observe`).
    package struct Limited: Hashable, Sendable, Codable {
        package var database = ""
        package var user = ""
        package var query = QueryKey(fingerprint: 0)
        package var release: String?
        package var text = ""
        /// Servers that it may hold at a time; nil: it is turned away altogether for now.
        package var limit: Int?
        package var size = 0
        /// In slots: what it holds now, and its budget.
        package var usage = 0.0
        package var budget = 0.0
        package var waiting = 0
        package var turnedAway = 0
        package var isObserved = false
        /// A good query that is called more often than usual: it waits, and nothing of it is turned away.
        package var isCrowd = false
        /// The earliest time at which the limit may end.
        package var until: Instant?

        package init() {}
    }

    package var clients = 0
    package var mode = BudgetSettings.Mode.observe
    /// The databases that it is set up for; `*` stands for any other.
    package var databases: [String] = []
    package var pools: [Pool] = []
    package var limited: [Limited] = []
    /// Since the start.
    package var queries: Int64 = 0
    package var transactions: Int64 = 0
    package var refusedQueries: Int64 = 0
    package var violations: Int64 = 0
    /// All that is counted, those above included.
    package var figures: [GuardFigure: Int64] = [:]
    package var startedAt = Instant(milliseconds: 0)

    package init() {}
}
