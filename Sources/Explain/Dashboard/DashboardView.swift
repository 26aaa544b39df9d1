import Decide
import Record

/// Everything at a glance, from state and rolled-up samples only.
package struct DashboardView: Sendable {
    package struct Service: Sendable {
        package var name: String
        package var team: String
        package var health: Health
        package var features: [FeatureLine]
        /// Checks that belong to a component or to the service as a whole.
        package var checks: [CheckLine]
        /// Changes of this service within the axis.
        package var marks: [ChangeMark]
        package var activeUsers: Int
    }

    package struct RolloutLine: Sendable {
        package var rollout: Rollout
        /// When the present stage may end at the earliest.
        package var holdEnds: Instant
    }

    package static let recentChanges = 10

    package var at: Instant
    package var axis: TimeAxis
    package var services: [Service]
    /// Open ones, gravest first.
    package var incidents: [IncidentLine]
    package var rollouts: [RolloutLine]
    /// Newest first.
    package var changes: [Change]
    /// Newest first; what ended in the last day.
    package var ended: [IncidentLine]

    package var health: Health {
        if !incidents.isEmpty { return .ill }
        return services.isEmpty ? .unknown : Health.whole(services.map(\.health))
    }

    package static func load(_ record: Record, now: Instant) async throws -> DashboardView {
        let policy = record.policy
        let axis = TimeAxis.hour(endingAt: now)
        let flags = try await record.things(.flag, limit: 2_000).compactMap(\.thing.flag)
        let underWay = [Rollout.Status.running.rawValue, Rollout.Status.suspended.rawValue]
        let rollouts = try await record.things(.rollout, statuses: underWay).compactMap(\.thing.rollout)
        let incidents = try await IncidentListView.open(record, now: now)
        let changes = try await record.changes(limit: 200)
        let ended = try await record.things(
            .incident, statuses: Incident.Status.allCases.filter { !$0.isOpen }.map(\.rawValue), limit: 5)
        let checks = try await DashboardChecks.load(record, policy, axis, now: now)
        var services: [Service] = []
        for service in policy.services.values.sorted(by: { $0.name < $1.name }) {
            services.append(
                Self.service(
                    service, checks, flags.filter { $0.service == service.name }, incidents, changes,
                    activeUsers: try await record.activeUsers(service: service.name)))
        }
        return DashboardView(
            at: now, axis: axis, services: services, incidents: incidents,
            rollouts: rollouts.map { RolloutLine($0) }, changes: Array(changes.prefix(recentChanges)),
            ended: ended.compactMap(\.thing.incident).filter { ($0.resolvedAt ?? .epoch) > now - .days(1) }
                .map { IncidentLine($0, now: now) })
    }

    private static func service(
        _ policy: ServicePolicy, _ checks: DashboardChecks, _ flags: [Flag], _ incidents: [IncidentLine],
        _ changes: [Change], activeUsers: Int
    ) -> Service {
        let features = policy.features.values.sorted { $0.name < $1.name }.map { feature in
            FeatureLine(
                feature, checks: checks.lines { $0.service == policy.name && $0.feature == feature.name },
                flag: flags.first { $0.key == feature.flag },
                incident: incidents.first { $0.incident.desk == "\(policy.name)/\(feature.name)" })
        }
        let others = checks.lines {
            $0.service == policy.name && $0.feature.map { policy.features[$0] == nil } ?? true
        }
        let isHit = incidents.contains { $0.incident.service == policy.name }
        return Service(
            name: policy.name, team: policy.team,
            health: isHit ? .ill : Health.whole(features.map(\.health) + others.map(\.health)), features: features,
            checks: others, marks: ChangeMark.marks(changes.filter { $0.service == policy.name }, on: checks.axis),
            activeUsers: activeUsers)
    }
}

extension DashboardView.RolloutLine {
    init(_ rollout: Rollout) {
        self.rollout = rollout
        let hold = rollout.plan.stages.indices.contains(rollout.stage) ? rollout.plan.stages[rollout.stage].hold : .zero
        holdEnds = rollout.stageStartedAt + hold
    }
}

/// One feature as a line of the dashboard.
package struct FeatureLine: Sendable {
    package var name: String
    package var health: Health
    /// Since when it has been ill, or well; nil when it is not known.
    package var since: Instant?
    package var checks: [CheckLine]
    package var flag: Flag?
    package var incident: IncidentLine?
    /// No journey proves it, so that nobody can say that it works.
    package var isUnproven: Bool

    init(_ policy: FeaturePolicy, checks: [CheckLine], flag: Flag?, incident: IncidentLine?) {
        name = policy.name
        self.checks = checks
        self.flag = flag
        self.incident = incident
        isUnproven = !checks.contains(where: \.isJourney)
        let found = Health.whole(checks.map(\.health) + (isUnproven ? [.unknown] : []))
        health = incident != nil ? .ill : found
        switch health {
        case .ill:
            since = incident?.incident.troubleSince ?? checks.filter { $0.health == .ill }.compactMap(\.since).min()
        case .well: since = checks.compactMap(\.since).max()
        case .unknown: since = nil
        }
    }
}
