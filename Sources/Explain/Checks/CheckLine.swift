import Decide
import Record

/// One check as a line of a list: whether it passes, since when, and its recent past as bars.
package struct CheckLine: Hashable, Sendable {
    /// `service/name`.
    package var id: String
    package var name: String
    package var component: String?
    package var isJourney: Bool
    package var every: Span
    package var health: Health
    /// Since when it has had its present status; nil when it never ran.
    package var since: Instant?
    /// Why it fails now.
    package var failure: CheckFailure?
    /// It passed when it last ran, but that is too long ago to say anything.
    package var isStale: Bool
    package var bars: [CheckBar]

    package var runs: Int { bars.reduce(0) { $0 + $1.runs } }
    package var failures: Int { bars.reduce(0) { $0 + $1.failures } }

    /// - Parameter samples: nil when they were not read, which is not the same as there being none.
    package init(policy: CheckPolicy, state: CheckState?, samples: [CheckSample]?, axis: TimeAxis, now: Instant) {
        id = policy.id
        name = String(policy.id.drop { $0 != "/" }.dropFirst())
        component = policy.component
        isJourney = policy.isJourney
        every = policy.every
        since = state?.status == .unknown ? nil : state?.since
        failure = state?.status == .failing ? state?.lastFailure?.failure : nil
        bars = CheckBar.fold(samples ?? [], axis, bar: axis.bar(forEvery: policy.every))
        isStale = Self.isStale(policy, state, samples, axis, now)
        switch state?.status {
        case .failing: health = .ill
        case .passing: health = isStale ? .unknown : .well
        case .unknown, nil: health = .unknown
        }
    }

    /// Heartbeats notice silence by themselves; checks that are run are stale after three intervals without a run.
    private static func isStale(
        _ policy: CheckPolicy, _ state: CheckState?, _ samples: [CheckSample]?, _ axis: TimeAxis, _ now: Instant
    ) -> Bool {
        let patience = policy.every * 3 + .minutes(1)
        guard policy.heartbeatGrace == nil, let state, let samples, state.status == .passing, patience < axis.length
        else {
            return false
        }
        let last = max(state.since, (samples.last?.at ?? .epoch) + .minutes(1))
        return now - last > patience
    }
}
