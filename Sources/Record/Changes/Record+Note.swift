import Decide
import SQL

extension Record {
    /// Writes a change that another system told of: its line in the ledger and in the timeline, in one transaction.
    ///
    /// Told again, a release may have ended or been taken back since: the first time of each is kept. Told by several
    /// at once, it is noted once, and nothing of what they tell is lost.
    /// - Returns: false when the ledger holds a change with this id already.
    package func note(change: Change) async throws -> Bool {
        let now = self.now()
        let desk = Subject(.feature, "\(change.service)/\(change.feature ?? "service")")
        let (isNew, isNews) = try await database.write { connection in
            let known = try ChangeLedger.begin(change, connection)
            guard let (stored, entries) = known.map({ $0.told(again: change) }) ?? change.toldFirst() else {
                return (false, false)
            }
            if known != nil { try ChangeLedger.write(stored, connection) }
            _ = try Timeline.append(entries.map { ($0, change.actor, desk) }, at: now, connection)
            return (known == nil, true)
        }
        if isNews { signals.send(.timeline) }
        return isNew
    }
}

extension Change {
    fileprivate func toldFirst() -> (Change, [Entry])? {
        (self, [entry("change.noted", "\(title), told by \(actor.name).")])
    }

    /// Nil: nothing new.
    fileprivate func told(again: Change) -> (Change, [Entry])? {
        guard kind == .release, again.kind == .release, release == again.release else { return nil }
        var (change, entries) = (self, [Entry]())
        if endedAt == nil, let ended = again.endedAt {
            change.endedAt = max(at, ended)
            entries.append(entry("change.ended", "\(title) has gone out, told by \(again.actor.name)."))
        }
        if undoneAt == nil, let undone = again.undoneAt {
            change.undoneAt = max(at, undone)
            entries.append(entry("change.undone", "\(title) was taken back, told by \(again.actor.name)."))
        }
        return entries.isEmpty ? nil : (change, entries)
    }

    private func entry(_ kind: String, _ text: String) -> Entry {
        Entry(
            kind, text, service: service, feature: feature, change: id, data: ["kind": .string(self.kind.rawValue)])
    }
}
