/// Limits that hold for every query, pressure or not: point 8.
enum HardCaps {
    enum Action: Hashable, Sendable {
        /// A statement has run too long.
        case cancelStatement(age: Int64)
        /// A transaction has been idle too long: its client is told 25P03 and disconnected, its server rolled back.
        case endIdleTransaction(age: Int64)
    }

    /// COPY only on opt-in, maintenance never.
    static func judge(_ entry: InFlight, now: Int64, settings: BudgetSettings) -> Action? {
        guard !entry.isExempt, !entry.isEnding else { return nil }
        if entry.isIdle {
            guard let cap = settings.idleCap, now - entry.statementAt >= cap.nanoseconds else { return nil }
            return .endIdleTransaction(age: now - entry.statementAt)
        }
        guard let cap = settings.statementCap, now - entry.statementAt >= cap.nanoseconds else { return nil }
        switch entry.kind {
        case .select, .write: return .cancelStatement(age: now - entry.statementAt)
        case .copy: return settings.cancelsCopies ? .cancelStatement(age: now - entry.statementAt) : nil
        case .transactionControl, .maintenance: return nil
        }
    }

    static func isLarge(_ result: StatementResult, settings: BudgetSettings) -> Bool {
        if let cap = settings.rowsCap, result.rows > cap { return true }
        if let cap = settings.bytesCap, result.bytes > cap { return true }
        return false
    }
}
