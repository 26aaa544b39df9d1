import Decide
import Record

/// What happened in one incident, written from the record: every figure is computed, what is missing is said to be
/// unknown, and each line of the timeline links to its event.
package enum Postmortem {
    /// - Parameter base: what stands before links: `https://mainstay.example`; empty for links within one's own pages.
    /// - Throws: `Refusal` with `.notFound` when there is no such incident.
    package static func markdown(
        for incidentID: String, _ record: Record, now: Instant, base: String = ""
    ) async throws -> String {
        try await document(for: incidentID, record, now: now).markdown(base: base)
    }

    package static func document(
        for incidentID: String, _ record: Record, now: Instant
    ) async throws -> PostmortemDocument {
        guard let view = try await IncidentView.load(incidentID, record, now: now) else {
            throw Refusal(.notFound, "There is no incident \(incidentID).")
        }
        return PostmortemWriter(view: view, policy: record.policy, now: now).document
    }
}
