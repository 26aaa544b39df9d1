/// What the configuration says, as Decide needs it: no addresses, no secrets, no drivers.
package struct Policy: Hashable, Sendable, Codable {
    package var services: [String: ServicePolicy]
    package var teams: [String: TeamPolicy]
    /// By check id, `service/name`.
    package var checks: [String: CheckPolicy]
    /// How far back a change can be suspected.
    package var suspectWindow: Span
    /// An incident nobody acknowledged is paged again after this, at most `repages` times.
    package var repageAfter: Span
    package var repages: Int
    /// Who is told about what a guard decides.
    package var guarded: GuardPolicy

    package init(
        services: [String: ServicePolicy] = [:], teams: [String: TeamPolicy] = [:], checks: [String: CheckPolicy] = [:],
        suspectWindow: Span = .hours(24), repageAfter: Span = .minutes(5), repages: Int = 3,
        guarded: GuardPolicy = GuardPolicy()
    ) {
        self.services = services
        self.teams = teams
        self.checks = checks
        self.suspectWindow = suspectWindow
        self.repageAfter = repageAfter
        self.repages = repages
        self.guarded = guarded
    }

    package func feature(_ service: String, _ feature: String) -> FeaturePolicy? {
        services[service]?.features[feature]
    }

    package func feature(ofFlag flag: String, in service: String) -> FeaturePolicy? {
        services[service]?.features.values.first { $0.flag == flag }
    }
}

package struct ServicePolicy: Hashable, Sendable, Codable {
    package var name: String
    package var team: String
    package var features: [String: FeaturePolicy]

    package init(name: String, team: String, features: [String: FeaturePolicy]) {
        self.name = name
        self.team = team
        self.features = features
    }
}

package struct FeaturePolicy: Hashable, Sendable, Codable {
    package enum Undo: String, Hashable, Sendable, Codable, CaseIterable {
        /// Undo by itself once the experiment proves the change guilty.
        case auto
        /// Page with an undo link and wait for a person.
        case ask
        /// Only say so.
        case never
    }

    package var name: String
    package var team: String
    /// Key of the flag it stands behind.
    package var flag: String?
    /// Ids of the journeys that prove it.
    package var proof: [String]
    package var undo: Undo
    package var severity: Severity
    package var gate: GatePolicy
    package var rollout: RolloutPolicy
    package var reports: ReportsPolicy
    /// Test cases count as this feature's when their suite, class or name contains this (case-insensitive).
    package var tests: String

    package init(
        name: String, team: String, flag: String? = nil, proof: [String] = [], undo: Undo = .ask,
        severity: Severity = .high, gate: GatePolicy = GatePolicy(), rollout: RolloutPolicy = RolloutPolicy(),
        reports: ReportsPolicy = ReportsPolicy(), tests: String? = nil
    ) {
        self.name = name
        self.team = team
        self.flag = flag
        self.proof = proof
        self.undo = undo
        self.severity = severity
        self.gate = gate
        self.rollout = rollout
        self.reports = reports
        self.tests = tests ?? name
    }
}

package enum Severity: String, Hashable, Sendable, Codable, CaseIterable {
    case critical, high, low
}

package struct TeamPolicy: Hashable, Sendable, Codable {
    package var name: String
    /// Who is paged, in order.
    package var targets: [PageTarget]

    package init(name: String, targets: [PageTarget]) {
        self.name = name
        self.targets = targets
    }
}

/// One address of one person or one team channel. The address itself (mail address, webhook URL) stays in the
/// configuration: Act looks it up by name, so that secrets never enter the record.
package struct PageTarget: Hashable, Sendable, Codable {
    package enum Method: String, Hashable, Sendable, Codable, CaseIterable {
        case email, slack, webhook
    }

    /// Person's or channel's name.
    package var name: String
    package var method: Method

    package init(name: String, method: Method) {
        self.name = name
        self.method = method
    }
}

package struct GatePolicy: Hashable, Sendable, Codable {
    package var testsRequired: Bool
    package var approvals: Int

    package init(testsRequired: Bool = true, approvals: Int = 1) {
        self.testsRequired = testsRequired
        self.approvals = approvals
    }
}

package struct RolloutPolicy: Hashable, Sendable, Codable {
    package struct Stage: Hashable, Sendable, Codable {
        /// Basis points of users: 500 is 5 %.
        package var share: Int
        /// How long to watch before the next stage.
        package var hold: Span

        package init(share: Int, hold: Span) {
            self.share = share
            self.hold = hold
        }
    }

    package var name: String
    package var stages: [Stage]

    package init(
        name: String = "careful",
        stages: [Stage] = [
            Stage(share: 500, hold: .minutes(1)), Stage(share: 2_500, hold: .minutes(5)),
            Stage(share: 10_000, hold: .zero),
        ]
    ) {
        self.name = name
        self.stages = stages
    }
}

package struct ReportsPolicy: Hashable, Sendable, Codable {
    /// This many distinct reporters…
    package var users: Int
    /// …within this time raise an alert.
    package var within: Span
    /// The alert ends when nobody reported for this long.
    package var quiet: Span

    package init(users: Int = 3, within: Span = .minutes(5), quiet: Span = .minutes(10)) {
        self.users = users
        self.within = within
        self.quiet = quiet
    }
}

package struct CheckPolicy: Hashable, Sendable, Codable {
    package var id: String
    package var service: String
    package var feature: String?
    package var component: String?
    package var team: String
    package var severity: Severity
    package var isJourney: Bool
    package var every: Span
    /// Failing runs in a row that raise an alert.
    package var failures: Int
    /// Passing runs in a row that end it.
    package var passes: Int
    /// Heartbeats: silence longer than `every + grace` is a failure. Nil for checks that are run.
    package var heartbeatGrace: Span?

    package init(
        id: String, service: String, feature: String?, component: String? = nil, team: String,
        severity: Severity = .high, isJourney: Bool, every: Span, failures: Int = 1, passes: Int = 2,
        heartbeatGrace: Span? = nil
    ) {
        self.id = id
        self.service = service
        self.feature = feature
        self.component = component
        self.team = team
        self.severity = severity
        self.isJourney = isJourney
        self.every = every
        self.failures = failures
        self.passes = passes
        self.heartbeatGrace = heartbeatGrace
    }

    /// Which desk its alerts go to: the feature's, else the component's, else the service's.
    package var desk: String { "\(service)/\(feature ?? component ?? "service")" }
}
