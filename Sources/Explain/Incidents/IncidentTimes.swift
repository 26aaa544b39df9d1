import Decide
import Record

/// When each thing that matters in an incident happened. Nil: it did not happen, or the record does not say.
package struct IncidentTimes: Hashable, Sendable {
    package enum Moment: String, Hashable, Sendable, CaseIterable {
        case changed, firstServed, troubleBegan, detected, paged, acknowledged, undone, verified, resolved
    }

    /// The change was made.
    package var changed: Instant?
    /// The first real user met what the change brought.
    package var firstServed: Instant?
    /// Start of the first failing run, or the first report.
    package var troubleBegan: Instant?
    /// The incident was opened.
    package var detected: Instant?
    /// The first page was delivered, with the receiving side's proof.
    package var paged: Instant?
    package var acknowledged: Instant?
    package var undone: Instant?
    /// The first pass of a failing journey that began after the undo.
    package var verified: Instant?
    package var resolved: Instant?

    /// - Parameters:
    ///   - exposures: those of the incident's service around its time; others are ignored.
    ///   - pages: those of the incident.
    package init(_ incident: Incident, exposures: [Exposure], pages: [Page]) {
        changed = incident.cause?.change.at
        firstServed = Self.firstServed(incident, exposures)
        troubleBegan = incident.troubleSince
        detected = incident.openedAt
        paged = pages.compactMap(\.deliveredAt).min()
        acknowledged = incident.acknowledgedAt
        undone = incident.undoneAt
        verified = incident.verifiedAt
        resolved = incident.resolvedAt
    }

    package static func load(_ incident: Incident, _ record: Record) async throws -> IncidentTimes {
        let pages = try await record.pages(ofIncident: incident.id)
        guard let cause = incident.cause else { return IncidentTimes(incident, exposures: [], pages: pages) }
        // A service's clock may be a little behind Mainstay's.
        let exposures = try await record.exposures(since: cause.change.at - .minutes(5))
        return IncidentTimes(incident, exposures: exposures, pages: pages)
    }

    /// The first exposure to the suspect change's variant, from the version on with which the change served it.
    ///
    /// Exposures that began after the change was undone belong to a later change that serves the same variant.
    private static func firstServed(_ incident: Incident, _ exposures: [Exposure]) -> Instant? {
        guard let change = incident.cause?.change, let step = change.flagStep else { return nil }
        let end = change.undoneAt ?? incident.undoneAt ?? incident.resolvedAt
        return exposures.filter {
            $0.service == change.service && $0.flag == step.flag && $0.variant == step.newVariant
                && $0.version >= step.version && $0.users > 0
        }
        .map(\.firstAt).filter { first in end.map { first <= $0 } ?? true }.min()
    }

    package subscript(moment: Moment) -> Instant? {
        switch moment {
        case .changed: changed
        case .firstServed: firstServed
        case .troubleBegan: troubleBegan
        case .detected: detected
        case .paged: paged
        case .acknowledged: acknowledged
        case .undone: undone
        case .verified: verified
        case .resolved: resolved
        }
    }

    /// Every moment that is known, earliest first; moments at one time keep the order of their kind.
    package var known: [(moment: Moment, at: Instant)] {
        let known = Moment.allCases.enumerated().compactMap { index, moment in self[moment].map { (index, moment, $0) }
        }
        return known.sorted { ($0.2, $0.0) < ($1.2, $1.0) }.map { ($0.1, $0.2) }
    }

    /// What "after" is counted from: the first serving, else the change, else the first sign of trouble.
    package var origin: Moment {
        firstServed != nil ? .firstServed : changed != nil ? .changed : .troubleBegan
    }

    /// Time from the origin to a moment; nil when the moment is not known.
    package func elapsed(_ moment: Moment) -> Span? {
        guard let at = self[moment], let start = self[origin] else { return nil }
        return at - start
    }
}

extension IncidentTimes.Moment {
    package var title: String {
        switch self {
        case .changed: "Change made"
        case .firstServed: "First served to a user"
        case .troubleBegan: "Trouble began"
        case .detected: "Detected"
        case .paged: "Page delivered"
        case .acknowledged: "Acknowledged"
        case .undone: "Undone"
        case .verified: "Verified"
        case .resolved: "Resolved"
        }
    }
}
