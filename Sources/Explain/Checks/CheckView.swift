import Decide
import Record

/// All about one check: its page.
package struct CheckView: Sendable {
    package var line: CheckLine
    package var service: String
    package var feature: String?
    package var team: String
    package var severity: Severity
    /// Failing runs in a row that raise an alert.
    package var failuresNeeded: Int
    package var state: CheckState?
    /// The last hour by the minute.
    package var hour: TimeAxis
    /// The last two days by the hour.
    package var days: TimeAxis
    package var dayBars: [CheckBar]
    package var marks: [ChangeMark]
    package var dayMarks: [ChangeMark]
    package var incident: IncidentLine?

    /// - Returns: nil when the configuration has no such check.
    package static func load(_ id: String, _ record: Record, now: Instant) async throws -> CheckView? {
        guard let policy = record.policy.checks[id] else { return nil }
        let state = try await record.check(id)
        let hour = TimeAxis.hour(endingAt: now)
        let days = TimeAxis(endingAt: now, bars: 48, of: .hours(1))
        let minutes = try await record.samples(id, .minute, since: hour.start)
        let hours = try await record.samples(id, .hour, since: days.start)
        let changes = try await record.changes(service: policy.service, limit: 200)
        var incident: Incident?
        if let open = try await record.thing(Subject(.feature, policy.desk))?.feature?.openIncident {
            incident = try await record.incident(open)
        }
        return CheckView(
            line: CheckLine(policy: policy, state: state, samples: minutes, axis: hour, now: now),
            service: policy.service, feature: policy.feature, team: policy.team, severity: policy.severity,
            failuresNeeded: policy.failures, state: state, hour: hour, days: days,
            dayBars: CheckBar.fold(hours, days, bar: days.bar(forEvery: policy.every)),
            marks: ChangeMark.marks(changes, on: hour), dayMarks: ChangeMark.marks(changes, on: days),
            incident: incident.map { IncidentLine($0, now: now) })
    }
}
