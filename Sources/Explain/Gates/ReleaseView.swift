import Decide
import Record

/// One release: the gate's answer with every reason, its evidence, its rollout.
package struct ReleaseView: Sendable {
    package struct Stage: Hashable, Sendable {
        package var share: Int
        package var hold: Span
        package var verdict: Rollout.Verdict?
        package var isPresent: Bool

        /// Of a rollout that has started: what each stage found, and which one it is in.
        package static func all(_ rollout: Rollout) -> [Stage] {
            let isUnderWay = rollout.status == .running || rollout.status == .suspended
            return rollout.plan.stages.enumerated().map { index, stage in
                Stage(
                    share: stage.share, hold: stage.hold,
                    verdict: rollout.verdicts.indices.contains(index) ? rollout.verdicts[index] : nil,
                    isPresent: isUnderWay && rollout.stage == index)
            }
        }

        package static func planned(_ stages: [RolloutPolicy.Stage]) -> [Stage] {
            stages.map { Stage(share: $0.share, hold: $0.hold, verdict: nil, isPresent: false) }
        }
    }

    package var release: Release
    /// Nil when the configuration no longer has the release's feature.
    package var verdict: GateVerdict?
    package var rollout: Rollout?
    package var stages: [Stage]
    package var timeline: [TimelineEntry]
    package var incident: IncidentLine?

    package static func load(_ id: String, _ record: Record, now: Instant) async throws -> ReleaseView? {
        guard let release = try await record.release(id) else { return nil }
        let policy = record.policy.feature(release.service, release.feature)
        let rollout = try await record.rollout(id)
        var incident: Incident?
        if let open = try await record.feature(release.service, release.feature)?.openIncident {
            incident = try await record.incident(open)
        }
        return ReleaseView(
            release: release, verdict: policy.map { Gate.judge(release, $0) }, rollout: rollout,
            stages: rollout.map(Stage.all) ?? Stage.planned(policy?.rollout.stages ?? []),
            timeline: try await record.timeline(after: 0, Timeline.Filter(change: Rollout.change(id))),
            incident: incident.map { IncidentLine($0, now: now) })
    }

    package var isWaiting: Bool { release.status == .waiting }

    /// Whether this person's approval would count.
    package func canApprove(_ person: String) -> Bool {
        isWaiting && person != release.author && !release.approvals.contains { $0.by == person }
    }
}

/// A page of releases, newest first.
package struct ReleaseListView: Sendable {
    package static let pageSize = 50

    package struct Line: Sendable {
        package var release: Release
        package var verdict: GateVerdict?
    }

    package var lines: [Line]
    package var before: Instant?

    package static func load(before: Instant? = nil, _ record: Record) async throws -> ReleaseListView {
        let found = try await record.things(.release, before: before, limit: pageSize + 1)
        let policy = record.policy
        let lines = found.prefix(pageSize).compactMap(\.thing.release).map { release in
            Line(
                release: release,
                verdict: policy.feature(release.service, release.feature).map { Gate.judge(release, $0) })
        }
        return ReleaseListView(
            lines: lines, before: found.count > pageSize ? found[pageSize - 1].createdAt : nil)
    }
}
