import Decide
import Record

/// The checks of the dashboard with their states and samples.
struct DashboardChecks {
    let policy: Policy
    let axis: TimeAxis
    let now: Instant
    private let states: [String: CheckState]
    /// Only the checks that were asked for; an empty list means that there are none.
    private let samples: [String: [CheckSample]]

    static func load(
        _ record: Record, _ policy: Policy, _ axis: TimeAxis, now: Instant
    ) async throws -> DashboardChecks {
        let states = try await record.things(.check, limit: 2_000).compactMap(\.thing.check)
        let asked = Array(order(policy, states).prefix(Record.sampledChecks))
        let found = try await record.samples(ofChecks: asked, .minute, since: axis.start)
        return DashboardChecks(
            policy: policy, axis: axis, now: now,
            states: Dictionary(states.map { ($0.id, $0) }, uniquingKeysWith: { $1 }),
            samples: Dictionary(asked.map { ($0, found[$0] ?? []) }, uniquingKeysWith: { $1 }))
    }

    /// Failing checks first, so that they keep their bars when there are more checks than one read may ask for.
    private static func order(_ policy: Policy, _ states: [CheckState]) -> [String] {
        let failing = Set(states.filter { $0.status == .failing }.map(\.id))
        return policy.checks.keys.sorted { (failing.contains($0) ? 0 : 1, $0) < (failing.contains($1) ? 0 : 1, $1) }
    }

    /// Journeys first, then by name.
    func lines(where isWanted: (CheckPolicy) -> Bool) -> [CheckLine] {
        policy.checks.values.filter(isWanted)
            .sorted { ($0.isJourney ? 0 : 1, $0.id) < ($1.isJourney ? 0 : 1, $1.id) }
            .map { check in
                CheckLine(policy: check, state: states[check.id], samples: samples[check.id], axis: axis, now: now)
            }
    }
}
