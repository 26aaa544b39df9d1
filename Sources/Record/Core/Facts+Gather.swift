import Decide
import SQL

extension Facts {
    static let changeLimit: Int64 = 200

    /// What steps on flags and incidents look at beside their own state; nothing for all others.
    static func gather(
        for subject: Subject, _ thing: Thing?, now: Instant, policy: Policy, _ connection: any SQLConnection
    ) throws -> Facts {
        switch subject.kind {
        case .flag, .incident: break
        default: return Facts()
        }
        let changes = try ChangeLedger.since(now - policy.suspectWindow, limit: changeLimit, connection)
        guard subject.kind == .incident else { return Facts(changes: changes) }
        var active: [String: Int] = [:]
        let services = Set(changes.map(\.service)).union(policy.services.keys)
        for service in services { active[service] = try ExposureStore.activeUsers(service, now: now, connection) }
        return Facts(
            changes: changes, exposures: try ExposureStore.since(now - policy.suspectWindow, connection),
            activeUsers: active)
    }
}
