/// What the client's texts do to its session.
extension ClientConversation {
    /// A taint counts as soon as it is sent. What a text clears may fail or be rolled back: it counts at its end.
    ///
    /// - Parameter isKnown: this text is certainly the one that runs now, and not another portal's.
    func note(_ query: QueryInfo, _ server: ServerConversation, isKnown: Bool) {
        if query.notes.contains(.changesSchema) {
            // For what the client prepares behind it; for others it counts when it is committed.
            registry.schema.change()
            server.changesSchema = true
        }
        // What is reported of it comes with the end of the batch only.
        // A transaction's end takes back what was set in it.
        switch query.kind {
        case .set, .commit, .rollback: literalsChange = true
        default:
            if !query.taints.union(query.clears).isDisjoint(with: .settings) { literalsChange = true }
        }
        guard !query.taints.isEmpty || !query.clears.isEmpty || changes.carried.isPending else { return }
        if query.taints.contains(.prepare) { changes.preparedTaints.formUnion(query.taints) }
        if query.clears.contains(.prepare) { awaitsDeallocation = sharesStatements }
        guard sharesStatements else {
            if query.taints == .settings, let setting = query.setting, server.reports(setting.name) { return }
            return taint.formUnion(query.taints)
        }
        // Tainted settings are unknown until they are all taken back.
        if taint.contains(.settings) { return taint.formUnion(query.taints) }
        if follows(query, server, isKnown) { return taint.formUnion(query.taints.subtracting(.settings)) }
        taint.formUnion(query.taints)
        loseSettings()
    }

    /// What was sent makes uncertain which settings the session will have.
    func loseSettings() {
        changes.carried.drop()
        taint.insert(.settings)
    }

    /// A portal was bound. One with a name may be executed at any later time, and which text it has is not kept.
    func bound(_ facts: TextFacts?, _ isUnnamed: Bool, _ server: ServerConversation) {
        if let facts { newest = facts.query }
        guard !isUnnamed else { return boundQuery = facts }
        namedPortalQuery = facts
        if let query = facts?.query, !query.taints.isEmpty || !query.clears.isEmpty {
            note(query, server, isKnown: false)
        }
    }

    /// Whether it is known what the client's settings will be when this is done and committed.
    private func follows(_ query: QueryInfo, _ server: ServerConversation, _ isKnown: Bool) -> Bool {
        if !query.settings.isEmpty, query.taints.isSubset(of: .settings) {
            return followsSettings(query, server, isKnown)
        }
        if query.taints.contains(.settings) { return false }
        if query.clears.contains(.settings), !changes.carried.has(.all) {
            // DISCARD ALL, or RESET ALL among what is not followed.
            guard query.statementCount == 1, isKnown, !server.owesEndOfBatch else { return false }
            // It is refused inside of a transaction.
            if server.status != .idle { return !server.hasOpenBatch && keepsPending(query, server, isKnown) }
            return changes.carried.propose([.all], isInTransaction: false, isImmediate: true, catalog.carried)
        }
        return keepsPending(query, server, isKnown)
    }

    private func followsSettings(_ query: QueryInfo, _ server: ServerConversation, _ isKnown: Bool) -> Bool {
        // What the server reports is known from its reports. (Newer ones report a search path, too.)
        let settings = query.settings.filter { $0.name == Self.searchPath || !server.reports($0.name) }
        if settings.isEmpty { return keepsPending(query, server, isKnown) }
        if settings.allSatisfy(changes.carried.has) { return true }
        // What one role may set, another may not.
        guard taint.isDisjoint(with: [.role, .authorization]) else { return false }
        guard isKnown, settings.allSatisfy(\.canBeCarried), !server.owesEndOfBatch else { return false }
        return changes.carried.propose(settings, isInTransaction: server.status != .idle, catalog.carried)
    }

    private static let searchPath = "search_path"

    private func keepsPending(_ query: QueryInfo, _ server: ServerConversation, _ isKnown: Bool) -> Bool {
        guard changes.carried.isPending else { return true }
        return isKnown && changes.carried.met(query, isAlone: server.status != .idle && !server.owesEndOfBatch)
    }

    /// Should the session not be ready for the client, its transaction has failed: nothing of the client's may be done
    /// in it. What could end the failed transaction has to wait until the session is known to be ready.
    func mustWait(for server: ServerConversation, _ query: QueryInfo) -> Bool {
        guard server.isSettingUp, !query.isWhole else { return false }
        switch query.kind {
        case .begin, .set, .ddl, .copy, .call: return false
        default: return true
        }
    }
}
