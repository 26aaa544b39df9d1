import Decide
import SQL

extension Record {
    /// Writes a change that another system told of: its line in the ledger and in the timeline, in one transaction.
    /// - Returns: false when the ledger holds a change with this id already; then nothing is written.
    package func note(change: Change) async throws -> Bool {
        let now = self.now()
        let entry = Entry(
            "change.noted", "\(change.title), told by \(change.actor.name).", service: change.service,
            feature: change.feature, change: change.id, data: ["kind": .string(change.kind.rawValue)])
        let desk = Subject(.feature, "\(change.service)/\(change.feature ?? "service")")
        let isNew = try await database.write { connection in
            guard try connection.query("SELECT id FROM changes WHERE id = ?", [.text(change.id)]).isEmpty else {
                return false
            }
            try ChangeLedger.write(change, connection)
            _ = try Timeline.append([(entry, change.actor, desk)], at: now, connection)
            return true
        }
        if isNew { signals.send(.timeline) }
        return isNew
    }
}
