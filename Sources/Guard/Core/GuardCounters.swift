import Decide

/// What happened since the start.
package struct GuardCounters: Sendable {
    package var clients: Int64 = 0
    package var logins: Int64 = 0
    package var refusedClients: Int64 = 0
    package var refusedLogins: Int64 = 0
    package var queries: Int64 = 0
    package var transactions: Int64 = 0
    package var refusedQueries: Int64 = 0
    package var cancels: Int64 = 0
    package var strangeCancels: Int64 = 0
    package var violations: Int64 = 0
    package var cleanupTimeouts: Int64 = 0
    package var idleTransactions: Int64 = 0
    package var longTransactions: Int64 = 0
    package var idleClients: Int64 = 0
    /// Clients that began to keep their server,
    package var pins: Int64 = 0
    /// and why, by `SessionTaint.names`.
    package var pinCauses: [String: Int] = [:]
    package var reloads: Int64 = 0
    /// Databases moved to another server by hand.
    package var switches: Int64 = 0
    package var serverNanoseconds: Int64 = 0
    package var waitNanoseconds: Int64 = 0

    /// By `BudgetDecision.name`.
    package var decisions: [String: Int] = [:]

    package init() {}

    package subscript(_ figure: GuardFigure) -> Int64 {
        switch figure {
        case .logins: logins
        case .refusedLogins: refusedLogins
        case .refusedClients: refusedClients
        case .queries: queries
        case .transactions: transactions
        case .refusedQueries: refusedQueries
        case .cancels: cancels
        case .pins: pins
        case .idleTransactions: idleTransactions
        case .longTransactions: longTransactions
        case .idleClients: idleClients
        case .violations: violations
        case .cleanupTimeouts: cleanupTimeouts
        case .serverMilliseconds: serverNanoseconds / 1_000_000
        case .waitMilliseconds: waitNanoseconds / 1_000_000
        }
    }
}
