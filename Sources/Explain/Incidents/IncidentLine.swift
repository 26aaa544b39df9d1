import Decide
import Record

/// One incident as a line of a list: what is wrong, since when, whom it hits, what is being done.
package struct IncidentLine: Hashable, Sendable {
    package var incident: Incident
    /// From the first sign of trouble to the end, or to now.
    package var duration: Span
    /// One sentence on what is being done.
    package var doing: String

    package init(_ incident: Incident, now: Instant) {
        self.incident = incident
        duration = (incident.resolvedAt ?? now) - incident.troubleSince
        doing = Self.doing(incident)
    }

    package var isOpen: Bool { incident.status.isOpen }

    private static func doing(_ incident: Incident) -> String {
        let undoneBy = Set(incident.undone.values).sorted().joined(separator: ", ")
        switch incident.status {
        case .triggered where incident.awaitsUndo:
            return "The cause is proven. Undoing it waits for a person; nobody has acknowledged yet."
        case .triggered:
            if incident.experiments.contains(where: { $0.endedAt == nil }) {
                return "An experiment is testing the suspect. Nobody has acknowledged yet."
            }
            return "Nobody has acknowledged yet."
        case .acknowledged where incident.awaitsUndo:
            return
                "\(incident.acknowledgedBy ?? "Someone") is working on it. The cause is proven and waits to be undone."
        case .acknowledged:
            return "\(incident.acknowledgedBy ?? "Someone") is working on it."
        case .mitigated where incident.verifiedAt != nil:
            return "Undone by \(undoneBy) and verified; waiting for everything to pass."
        case .mitigated:
            return "Undone by \(undoneBy); waiting for the journeys to pass."
        case .resolved:
            return "Resolved by \(incident.resolvedBy ?? "Mainstay"); waiting for its review."
        case .reviewed:
            return "Reviewed by \(incident.reviewedBy ?? "someone")."
        }
    }
}

extension Incident {
    /// An experiment has proven a change guilty, and nobody has undone it.
    fileprivate var awaitsUndo: Bool { suspects.contains { $0.isProven && undone[$0.change.id] == nil } }
}

/// A page of incidents, newest first; open ones are also listed on their own.
package struct IncidentListView: Sendable {
    package static let pageSize = 50

    package var open: [IncidentLine]
    package var past: [IncidentLine]
    /// Start of the next, older page; nil when this is the last.
    package var before: Instant?

    package static func load(
        before: Instant? = nil, _ record: Record, now: Instant
    ) async throws -> IncidentListView {
        let closed = Incident.Status.allCases.filter { !$0.isOpen }.map(\.rawValue)
        let found = try await record.things(.incident, statuses: closed, before: before, limit: pageSize + 1)
        let page = found.prefix(pageSize)
        return IncidentListView(
            open: before == nil ? try await open(record, now: now) : [],
            past: page.compactMap(\.thing.incident).map { IncidentLine($0, now: now) },
            before: found.count > pageSize ? page.last?.createdAt : nil)
    }

    /// Open incidents, gravest first.
    package static func open(_ record: Record, now: Instant) async throws -> [IncidentLine] {
        let open = Incident.Status.allCases.filter(\.isOpen).map(\.rawValue)
        return try await record.things(.incident, statuses: open).compactMap(\.thing.incident)
            .sorted { ($0.severity.weight, $0.troubleSince) < ($1.severity.weight, $1.troubleSince) }
            .map { IncidentLine($0, now: now) }
    }
}

extension Severity {
    /// 0 is the gravest.
    package var weight: Int {
        switch self {
        case .critical: 0
        case .high: 1
        case .low: 2
        }
    }
}
