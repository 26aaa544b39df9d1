/// A client's carried settings, and those that were sent and that may come to nothing yet.
///
/// Invariants:
/// 1. `committed` is what the server's session has beyond its defaults while nothing is pending and the client has no
///    taint of settings.
/// 2. What is pending is settled by the ReadyForQuery that ends its transaction, or else by a taint: whenever it is not
///    certain what the server has done. A taint is always safe.
/// 3. Nothing is pending at rest.
///
/// ```
///                  a plain SET                Z in a transaction
///   nothing pending ────────▶ pending ─────────────────────────▶ pending in a transaction
///        ▲  ▲                  │   │                              │    │ COMMIT or ROLLBACK alone
///        │  └─ Z idle: taken,  ┘   │ anything else than           │    ▼
///        │     or dropped after    │ statements that keep    ┌────┘  ending
///        │     an error            ▼ the transaction         ▼         │
///        │                       a taint ◀───────────────────          │
///        └── Z idle: taken when the tag is COMMIT, dropped when it is ROLLBACK
/// ```
struct CarriedChanges {
    private enum End {
        case commit, rollback
    }

    private(set) var committed: CarriedSettings?
    /// Of the texts that are prepared now.
    private(set) var space: UInt32 = 0
    private(set) var isPending = false
    private var proposed: CarriedSettings?
    private var isInTransaction = false
    /// Done at once, whatever happens to its batch (`DISCARD ALL`): nothing may stand beside it.
    private var isImmediate = false
    private var end: End?
    private var hasFailed = false
    private var tag: CommandTag?

    /// Whether the setting would change nothing.
    func has(_ setting: QuerySetting) -> Bool {
        if isPending { return false }
        guard let committed else { return setting.isDefault }
        if setting.isAll { return false }
        return committed.statement(of: setting.name) == (setting.isDefault ? nil : setting.statement)
    }

    // MARK: What was sent

    /// False: it cannot be followed.
    mutating func propose(
        _ settings: [QuerySetting], isInTransaction: Bool, isImmediate: Bool = false, _ table: CarriedSettings.Table
    ) -> Bool {
        guard end == nil, !self.isImmediate, !isImmediate || !isPending else { return false }
        do {
            proposed = try table.settings(isPending ? proposed : committed, after: settings)
        } catch {
            return false
        }
        if !isPending { (hasFailed, tag) = (false, nil) }
        isPending = true
        self.isInTransaction = self.isInTransaction || isInTransaction
        self.isImmediate = isImmediate
        space = proposed?.space ?? 0
        return true
    }

    /// Something else was sent while a change is pending. False: what becomes of the change is not known.
    ///
    /// - Parameter isAlone: in a transaction, and nothing else that was sent is unanswered.
    mutating func met(_ query: QueryInfo, isAlone: Bool) -> Bool {
        guard end == nil, !isImmediate else { return false }
        if query.isWhole { return true }
        guard isAlone, isInTransaction, query.statementCount == 1 else { return false }
        switch query.kind {
        case .commit: end = .commit
        case .rollback: end = .rollback
        // They cannot end a transaction that was begun before them; or they fail in it.
        case .begin, .ddl, .copy, .call: break
        case .utility where query.clears.contains(.settings): break
        default: return false
        }
        return true
    }

    // MARK: What was answered

    /// The server refused something of the client's.
    mutating func failed() {
        if isPending { hasFailed = true }
    }

    mutating func ended(_ tag: CommandTag) {
        if isPending, tag == .commit || tag == .rollback { self.tag = tag }
    }

    /// ReadyForQuery. False: what the server has done is not certain.
    ///
    /// - Parameter isLast: nothing was sent behind it.
    mutating func batchEnded(_ status: TransactionStatus, isLast: Bool) -> Bool {
        guard isPending else { return true }
        defer { (hasFailed, tag) = (false, nil) }
        guard isLast, let verdict = verdict(status) else {
            drop()
            return false
        }
        switch verdict {
        case .wait: (isInTransaction, end) = (true, nil)
        case .take:
            committed = proposed
            drop()
        case .drop: drop()
        }
        return true
    }

    private enum Verdict {
        case wait, take, drop
    }

    /// Nil: none can be given.
    private func verdict(_ status: TransactionStatus) -> Verdict? {
        switch (status, end) {
        case (_, _) where isImmediate: return status == .idle && !hasFailed && tag == nil ? .take : nil
        // A failed transaction can only be rolled back; a part of it would be a savepoint, which is not followed.
        case (.failed, _): return tag == nil ? .wait : nil
        case (.open, nil): return tag == nil && !hasFailed ? .wait : nil
        // COMMIT AND CHAIN.
        case (.open, _): return nil
        case (.idle, nil): return tag == nil && !isInTransaction ? (hasFailed ? .drop : .take) : nil
        case (.idle, .commit?):
            switch tag {
            case .commit?: return hasFailed ? nil : .take
            // The transaction had failed, or its end has.
            case .rollback?: return .drop
            default: return hasFailed ? .drop : nil
            }
        case (.idle, .rollback?): return tag == .rollback && !hasFailed ? .drop : nil
        }
    }

    /// What is pending is not followed any more.
    mutating func drop() {
        (isPending, isInTransaction, isImmediate, end, proposed) = (false, false, false, nil, nil)
        space = committed?.space ?? 0
    }

    /// `RESET ALL` or `DISCARD ALL` has succeeded.
    mutating func clear() {
        committed = nil
        drop()
    }
}
