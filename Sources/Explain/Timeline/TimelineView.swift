import Decide
import Record

/// A page of the whole timeline, newest first.
package struct TimelineView: Sendable {
    package static let pageSize = 100

    package var entries: [TimelineEntry]
    /// The next, older page begins before this id; nil when this is the last.
    package var before: Int64?

    package static func load(before id: Int64? = nil, _ record: Record) async throws -> TimelineView {
        let found = try await record.timeline(before: id ?? .max, limit: pageSize + 1)
        let page = Array(found.prefix(pageSize))
        return TimelineView(entries: page, before: found.count > pageSize ? page.last?.id : nil)
    }

    /// One line, by its id.
    package static func entry(_ id: Int64, _ record: Record) async throws -> TimelineEntry? {
        guard id > 0 else { return nil }
        return try await record.timeline(after: id - 1, limit: 1).first { $0.id == id }
    }
}
