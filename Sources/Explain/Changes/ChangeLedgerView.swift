import Decide
import Record

/// A page of the change ledger, newest first.
package struct ChangeLedgerView: Sendable {
    package static let pageSize = 50

    package var service: String?
    package var changes: [Change]
    /// Start of the next, older page; nil when this is the last.
    package var before: Instant?
    package var services: [String]

    package static func load(
        service: String? = nil, before: Instant? = nil, _ record: Record
    ) async throws -> ChangeLedgerView {
        let found = try await record.changes(service: service, before: before, limit: pageSize + 1)
        let page = Array(found.prefix(pageSize))
        return ChangeLedgerView(
            service: service, changes: page, before: found.count > pageSize ? page.last?.at : nil,
            services: record.policy.services.keys.sorted())
    }
}

/// One change and everything the timeline says of it.
package struct ChangeView: Sendable {
    package var change: Change
    package var timeline: [TimelineEntry]
    package var release: Release?

    package static func load(_ id: String, _ record: Record) async throws -> ChangeView? {
        guard let change = try await record.change(id) else { return nil }
        var release: Release?
        if let id = change.release { release = try await record.release(id) }
        return ChangeView(
            change: change, timeline: try await record.timeline(after: 0, Timeline.Filter(change: id)), release: release
        )
    }
}
