import Decide
import Record

/// All about one incident: its page, its answer in the API, and what its postmortem is written from.
package struct IncidentView: Sendable {
    /// A controlled trial with what it compared, in words.
    package struct Trial: Hashable, Sendable {
        package var experiment: Incident.Experiment
        /// Title of the change that was tried.
        package var change: String
    }

    /// What a responder can do now.
    package enum Choice: Hashable, Sendable {
        case acknowledge
        case undo(Change)
        case resolve
        case review
        case note
    }

    package static let reportLimit = 100

    package var line: IncidentLine
    package var times: IncidentTimes
    /// Oldest first: the incident's own lines, those of the change it is put down to, and those of its feature.
    package var timeline: [TimelineEntry]
    package var pages: [Page]
    /// Newest first, at most `reportLimit`.
    package var reports: [Report]
    /// The release that brought the change.
    package var release: Release?
    package var rollout: Rollout?
    package var policy: FeaturePolicy?

    package var incident: Incident { line.incident }

    /// - Returns: nil when there is no such incident.
    package static func load(_ id: String, _ record: Record, now: Instant) async throws -> IncidentView? {
        guard let incident = try await record.incident(id) else { return nil }
        let cause = incident.cause?.change
        var release: Release?
        var rollout: Rollout?
        if let id = cause?.release {
            release = try await record.release(id)
            rollout = try await record.rollout(id)
        }
        let end = incident.resolvedAt ?? now
        let reports = try await record.reports(
            service: incident.service, feature: incident.feature,
            since: min(incident.troubleSince, cause?.at ?? incident.troubleSince), limit: reportLimit)
        return IncidentView(
            line: IncidentLine(incident, now: now), times: try await IncidentTimes.load(incident, record),
            timeline: try await lines(incident, cause, record), pages: try await record.pages(ofIncident: id),
            reports: reports.filter { $0.at <= end }, release: release, rollout: rollout,
            policy: record.policy.feature(incident.service, incident.feature))
    }

    /// The lines that tell the incident's story, each once, oldest first.
    private static func lines(
        _ incident: Incident, _ cause: Change?, _ record: Record
    ) async throws -> [TimelineEntry] {
        let own = try await record.timeline(after: 0, Timeline.Filter(incident: incident.id))
        var found = Dictionary(own.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        if let cause {
            for line in try await record.timeline(after: 0, Timeline.Filter(change: cause.id)) { found[line.id] = line }
        }
        if let first = found.keys.min(), let last = found.keys.max() {
            let around = try await record.timeline(after: first, Timeline.Filter(service: incident.service))
            for line in around
            where line.id <= last && line.entry.feature == incident.feature && line.entry.incident == nil {
                found[line.id] = line
            }
        }
        return found.values.sorted { $0.id < $1.id }
    }

    package var trials: [Trial] {
        incident.experiments.map { experiment in
            let suspect = incident.suspects.first { $0.change.id == experiment.change }
            return Trial(experiment: experiment, change: suspect?.change.title ?? experiment.change)
        }
    }

    /// Steps of the failing journey that raised the first alert; empty when it was not a journey.
    package var evidence: Alert? {
        incident.alerts.filter { !$0.steps.isEmpty }.min { $0.since < $1.since }
    }

    /// What was done, one sentence each, in order of time.
    package var done: [(at: Instant, text: String)] {
        var done: [(at: Instant, text: String)] = []
        if let at = times.paged, let page = pages.first(where: { $0.deliveredAt == at }) {
            done.append((at, "\(page.delivery.target.name) was paged by \(page.delivery.target.method.rawValue)."))
        }
        for trial in trials {
            guard let at = trial.experiment.endedAt else { continue }
            done.append((at, "\(trial.change) was put to the test: \(trial.experiment.verdictWords)."))
        }
        if let at = incident.acknowledgedAt {
            done.append((at, "\(incident.acknowledgedBy ?? "Someone") acknowledged."))
        }
        if let at = incident.undoneAt {
            for (change, by) in incident.undone.sorted(by: { $0.key < $1.key }) {
                let title = incident.suspects.first { $0.change.id == change }?.change.title ?? change
                done.append((at, "\(title) was undone by \(by)."))
            }
        }
        if let at = incident.verifiedAt { done.append((at, "A journey that failed passed again: the undo helped.")) }
        if let at = incident.resolvedAt { done.append((at, "Resolved by \(incident.resolvedBy ?? "Mainstay").")) }
        return done.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    package var choices: [Choice] {
        guard incident.status.isOpen else { return incident.status == .resolved ? [.review, .note] : [.note] }
        var choices: [Choice] = incident.acknowledgedAt == nil ? [.acknowledge] : []
        for suspect in incident.suspects.prefix(3)
        where suspect.change.flagStep != nil && suspect.change.undoneAt == nil
            && incident.undone[suspect.change.id] == nil
        {
            choices.append(.undo(suspect.change))
        }
        return choices + [.resolve, .note]
    }
}

extension Incident.Experiment {
    /// `proven`, in words for people.
    package var verdictWords: String {
        switch verdict {
        case .proven: "with \(oldVariant) the journey passes, with \(newVariant) it fails. That is proof"
        case .cleared: "the journey passes with \(newVariant) too, so it is not to blame as such"
        case .noDifference: "the journey fails with \(oldVariant) as well, so \(newVariant) makes no difference"
        case nil where endedAt == nil: "it is still running"
        case nil: "it gave no answer (\(failure ?? "one leg could not be run soundly"))"
        }
    }
}
