import Decide
import Record
import Synchronization

/// Which variants running rollouts bring in: journeys of their features meet these, so that each stage is proven with
/// what is new and not with what most users still have.
package final class CandidateVariants: Sendable {
    /// `service/feature` → flag → variant.
    private let byDesk = Mutex<[String: [String: String]]>([:])

    package init() {}

    package func refresh(_ record: Record) async throws {
        let running = try await record.things(
            .rollout, statuses: [Rollout.Status.running.rawValue, Rollout.Status.suspended.rawValue])
        var fresh: [String: [String: String]] = [:]
        for rollout in running.compactMap(\.thing.rollout) {
            fresh["\(rollout.plan.service)/\(rollout.plan.feature)", default: [:]][rollout.plan.flag] =
                rollout.plan.variant
        }
        byDesk.withLock { [fresh] in $0 = fresh }
    }

    package func forced(service: String, feature: String?) -> [String: String] {
        guard let feature else { return [:] }
        return byDesk.withLock { $0["\(service)/\(feature)"] ?? [:] }
    }
}
