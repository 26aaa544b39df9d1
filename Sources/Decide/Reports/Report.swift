/// What a customer says is wrong.
package struct Report: Hashable, Sendable, Codable {
    package static let textLimit = 4_000

    package var id: String
    package var service: String
    package var feature: String
    package var text: String
    /// Hash of who reports: a user's key, or the address of someone not signed in. Hexadecimal.
    package var reporter: String
    /// Path of the page it was sent from.
    package var page: String?
    package var at: Instant

    package init(
        id: String, service: String, feature: String, text: String, reporter: String, page: String?, at: Instant
    ) {
        self.id = id
        self.service = service
        self.feature = feature
        self.text = text
        self.reporter = reporter
        self.page = page
        self.at = at
    }
}

/// Customer reports of one feature: several distinct people in a short time are an alert.
///
/// Invariants: 1. One person counts once, however often they report. 2. The alert fires and resolves once each.
package struct ReportsState: Hashable, Sendable, Codable {
    package struct Recent: Hashable, Sendable, Codable {
        package var reporter: String
        package var at: Instant
    }

    package static let recentLimit = 500

    package var service: String
    package var feature: String
    package var recent: [Recent]
    /// Reports since the alert fired, or ever since the last quiet time.
    package var total: Int
    package var isFiring: Bool
    package var firstAt: Instant
}

package enum ReportsEvent: Hashable, Sendable, Codable {
    case received(Report)
}

extension ReportsState {
    static func step(_ state: ReportsState?, _ event: Event, _ input: StepInput) throws(Refusal) -> Step<ReportsState> {
        switch event {
        case .reports(.received(let report)):
            let fresh = ReportsState(
                service: report.service, feature: report.feature, recent: [], total: 0, isFiring: false,
                firstAt: report.at)
            return (state ?? fresh).take(report, input)
        case .deadlineReached:
            guard let state else { return Step(nil) }
            return state.calmDown(input)
        default:
            throw Machine.misfit(event, input.subject)
        }
    }

    private func rules(_ input: StepInput) -> ReportsPolicy {
        input.policy.feature(service, feature)?.reports ?? ReportsPolicy()
    }

    private func take(_ report: Report, _ input: StepInput) -> Step<ReportsState> {
        let rules = rules(input)
        var state = self
        state.recent.removeAll { $0.at < input.now - rules.within }
        if state.recent.isEmpty, !isFiring {
            state.firstAt = report.at
            state.total = 0
        }
        state.recent.append(Recent(reporter: report.reporter, at: report.at))
        if state.recent.count > ReportsState.recentLimit { state.recent.removeFirst() }
        state.total += 1
        let reporters = Set(state.recent.map(\.reporter)).count
        let fires = !isFiring && reporters >= rules.users
        if fires { state.isFiring = true }
        var step = Step(state)
        step.reports = [report]
        step.entries = [
            Entry(
                "report.received", "A customer reports about \(feature): “\(ReportsState.excerpt(report.text))”",
                service: service, feature: feature, data: ["report": .string(report.id)])
        ]
        if fires {
            step.entries.append(
                Entry(
                    "reports.fired", "\(reporters) customers reported \(feature) within \(rules.within).",
                    service: service, feature: feature))
            let alert = Alert(
                id: "reports:\(service)/\(feature)", kind: .reports, severity: .high, since: state.firstAt,
                summary:
                    "\(reporters) customers report that \(feature) does not work: “\(ReportsState.excerpt(report.text))”"
            )
            step.forward(.feature, "\(service)/\(feature)", .feature(.alertFired(alert)))
        }
        step.forward(
            .feature, "\(service)/\(feature)", .feature(.reportsCounted(reporters: reporters, total: state.total)))
        step.due = state.isFiring ? input.now + rules.quiet : nil
        return step
    }

    private func calmDown(_ input: StepInput) -> Step<ReportsState> {
        guard isFiring, let last = recent.last?.at else { return Step(self) }
        let quietAt = last + rules(input).quiet
        guard input.now >= quietAt else {
            var step = Step(self)
            step.due = quietAt
            return step
        }
        var state = self
        state.isFiring = false
        state.recent = []
        var step = Step(state)
        step.entries = [
            Entry(
                "reports.ended", "No customer reported \(feature) for \(rules(input).quiet).", service: service,
                feature: feature)
        ]
        step.forward(
            .feature, "\(service)/\(feature)", .feature(.alertResolved(id: "reports:\(service)/\(feature)")))
        return step
    }

    static func excerpt(_ text: String) -> String {
        let line = String(text.prefix(120).map { $0.isNewline ? " " : $0 })
        return text.count > 120 ? line + "…" : line
    }
}
