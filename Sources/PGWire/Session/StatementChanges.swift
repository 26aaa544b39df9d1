import DequeModule
import NIOCore

/// A client's named statements, as they will be when everything that it sent has succeeded.
///
/// Invariants:
/// 1. Each change is remembered with what was there before until the server's answer comes, in the order of answers.
/// 2. An answer settles the oldest change; an error takes back all changes of its batch.
package final class StatementChanges {
    private struct Change {
        var name: String
        var before: PreparedStatement?
        var after: PreparedStatement?
        var batch: UInt64
    }

    private var current: [String: PreparedStatement] = [:]
    /// Of their texts, each counted as often as it has names.
    private(set) var bytes = 0
    private var pending = Deque<Change>()
    /// What a statement was called last, for errors that come after its end.
    private var names: [UInt32: String] = [:]
    /// The server refused the Parse of the unnamed statement of this serial number: there is none now.
    var lostUnnamed: UInt64 = 0
    /// What the client left in its server's session. It is here because answers take from it.
    var taint: SessionTaint = []
    /// What statements that were made with PREPARE may leave whenever they are executed.
    var preparedTaints: SessionTaint = []
    /// What it set there that other servers can be told. Here for the same reason.
    var carried = CarriedChanges()

    package init() {}

    package var count: Int { current.count }
    /// There is no name, and none that an error could bring back.
    var isEmpty: Bool { current.isEmpty && pending.isEmpty }

    subscript(name: String) -> PreparedStatement? { current[name] }

    func set(_ name: String, to statement: PreparedStatement?, batch: UInt64) {
        pending.append(Change(name: name, before: current[name], after: statement, batch: batch))
        assign(name, statement)
        if let statement { remember(statement, as: name) }
    }

    private func assign(_ name: String, _ statement: PreparedStatement?) {
        let before = current.removeValue(forKey: name)
        bytes += (statement?.body.readableBytes ?? 0) - (before?.body.readableBytes ?? 0)
        if let statement { current[name] = statement }
    }

    func remember(_ statement: PreparedStatement, as name: String) {
        if names.count >= 1_000 { names.removeAll() }
        names[statement.id] = name
    }

    /// A change that nothing can undo.
    func remove(_ name: String) {
        assign(name, nil)
        for index in pending.indices where pending[index].name == name { pending[index].before = nil }
    }

    /// The server forgot them all. What is pending was sent later, and stands.
    func removeAll() {
        current.removeAll()
        bytes = 0
        for index in pending.indices {
            pending[index].before = current[pending[index].name]
            assign(pending[index].name, pending[index].after)
        }
    }

    /// The server did what a query says, outside of a transaction and with nothing sent after it. (Of several
    /// statements, those count that neither begin nor end a transaction, nor leave anything themselves: drivers' pools
    /// take everything back with one text.)
    func cleared(by query: QueryInfo?) {
        guard let query, query.statementCount == 1 || (query.isWhole && query.taints.isEmpty) else { return }
        // Whatever was prepared may have been executed since, and may be again.
        let isAll = query.clears == .discardable
        let kept = isAll ? query.taints : query.taints.union(preparedTaints.subtracting(.prepare))
        taint.subtract(query.clears.subtracting(kept))
        if query.clears.contains(.prepare) { preparedTaints = [] }
        if query.clears.contains(.settings), !query.taints.contains(.settings) { carried.clear() }
    }

    /// ReadyForQuery: what was pending is certain now, or never will be.
    func batchEnded(_ status: TransactionStatus, isLast: Bool) {
        if !carried.batchEnded(status, isLast: isLast) { taint.insert(.settings) }
    }

    /// Whether an earlier batch, whose end is not known, changes the name.
    func isUncertain(_ name: String, batch: UInt64) -> Bool {
        pending.contains { $0.name == name && $0.batch < batch }
    }

    func settleOldest() {
        pending.popFirst()?.after?.isProven = true
    }

    func undoOldest(_ count: Int) {
        guard count > 0 else { return }
        let undone = Array(pending.prefix(count))
        pending.removeFirst(min(count, pending.count))
        for change in undone.reversed() {
            if let later = pending.firstIndex(where: { $0.name == change.name }) {
                pending[later].before = change.before
            } else {
                assign(change.name, change.before)
            }
        }
    }

    /// Everything pending is lost with its server.
    package func undoAll() {
        undoOldest(pending.count)
    }

    /// An ErrorResponse in which our names of statements are the client's again, as a whole frame; nil when none is in
    /// it.
    ///
    /// - Parameter isOfOldest: it answers the oldest change, whose name it means then, whatever else is called alike.
    func renamed(_ payload: ByteBuffer, isOfOldest: Bool) -> ByteBuffer? {
        guard payload.contains(PreparedStatement.prefix) else { return nil }
        var fields: ErrorFields
        do {
            fields = try ErrorFields(parsing: payload)
        } catch {
            // What cannot be read is passed on as it is.
            return nil
        }
        if isOfOldest, let change = pending.first, let statement = change.after {
            fields.message = fields.message.replacing("\"\(statement.name)\"", with: "\"\(change.name)\"")
        }
        for (id, name) in names {
            fields.message = fields.message.replacing("\"\(PreparedStatement.prefix)\(id)\"", with: "\"\(name)\"")
        }
        var frame = ByteBuffer()
        frame.writePGErrorResponse(fields)
        return frame
    }
}
