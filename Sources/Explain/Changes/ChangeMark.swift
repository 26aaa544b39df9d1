import Decide

/// A change, or the undoing of one, at its place on a time axis.
package struct ChangeMark: Hashable, Sendable {
    package static let limit = 40

    package var change: Change
    package var at: Instant
    /// The mark is where the change was taken back, not where it was made.
    package var isUndo: Bool
    /// 0 at the axis's start, 1 at its end.
    package var position: Double

    /// Oldest first; of more than `limit` marks, the newest.
    package static func marks(_ changes: [Change], on axis: TimeAxis) -> [ChangeMark] {
        var marks: [ChangeMark] = []
        for change in changes {
            if let position = axis.position(change.at) {
                marks.append(ChangeMark(change: change, at: change.at, isUndo: false, position: position))
            }
            if let undoneAt = change.undoneAt, let position = axis.position(undoneAt) {
                marks.append(ChangeMark(change: change, at: undoneAt, isUndo: true, position: position))
            }
        }
        return marks.sorted { ($0.at, $0.change.id) < ($1.at, $1.change.id) }.suffix(limit).map { $0 }
    }
}
