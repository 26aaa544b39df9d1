/// What a guard has counted since its start; the names are those of the console's `SHOW STATS` and of the API.
package enum GuardFigure: String, Hashable, Sendable, CaseIterable, Codable, CodingKeyRepresentable {
    case logins
    case refusedLogins = "refused_logins"
    case refusedClients = "refused_clients"
    case queries, transactions
    case refusedQueries = "refused_queries"
    case cancels, pins
    case idleTransactions = "idle_transactions"
    case longTransactions = "long_transactions"
    case idleClients = "idle_clients"
    case violations
    case cleanupTimeouts = "cleanup_timeouts"
    case serverMilliseconds = "server_ms"
    case waitMilliseconds = "wait_ms"

    package var title: String {
        switch self {
        case .logins: "Clients let in"
        case .refusedLogins: "Log-ins refused"
        case .refusedClients: "Clients refused because there were too many"
        case .queries: "Statements"
        case .transactions: "Transactions"
        case .refusedQueries: "Batches turned away"
        case .cancels: "Cancel requests sent to servers"
        case .pins: "Clients that began to keep their server"
        case .idleTransactions: "Clients ended in an idle transaction"
        case .longTransactions: "Clients ended in a transaction that took too long"
        case .idleClients: "Clients ended because they did nothing"
        case .violations: "Servers that broke the protocol"
        case .cleanupTimeouts: "Servers that did not come to rest"
        case .serverMilliseconds: "Time that clients had servers"
        case .waitMilliseconds: "Time that clients waited for their turn"
        }
    }

    /// Else a number of times.
    package var isTime: Bool { self == .serverMilliseconds || self == .waitMilliseconds }
}
