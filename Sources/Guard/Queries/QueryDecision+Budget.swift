import Decide

extension QueryDecision {
    /// In the house's words. The budgets know a monotonic time only: `now` and `instant` are the same moment.
    init(_ decision: BudgetDecision, in group: PoolGroup, text: String, now: Int64, instant: Instant) {
        func wall(_ time: Int64) -> Instant { instant + Span(milliseconds: (time - now) / 1_000_000) }
        self.init(
            kind: Kind(decision.what), at: wall(decision.at), database: group.database, user: group.user,
            query: decision.query, text: text, release: decision.release, isObserved: decision.isObserved,
            explanation: decision.explanation)
        switch decision.what {
        case .tripped(let report):
            (share, budget, limit, slots) = (report.shareOfSlots, report.baseline, report.limit, report.slots)
            isCrowd = report.isCrowd
            cancelled = report.cancelled.count
            until = wall(report.until)
        case .cancelled(let tokens, let limit):
            (cancelled, self.limit) = (tokens.count, limit)
        case .limitRaised(_, let limit), .limitHalved(_, let limit):
            self.limit = limit
        case .breakerOpened(_, _, let until):
            (limit, self.until) = (0, wall(until))
        case .statementCapped: cancelled = 1
        default: break
        }
    }
}

extension QueryDecision.Kind {
    init(_ what: BudgetDecision.What) {
        self =
            switch what {
            case .tripped: .tripped
            case .cancelled: .cancelled
            case .limitRaised: .limitRaised
            case .limitHalved: .limitHalved
            case .released: .released
            case .breakerOpened: .breakerOpened
            case .breakerHalfOpen: .breakerHalfOpen
            case .breakerClosed: .breakerClosed
            case .statementCapped: .statementCapped
            case .idleCapped: .idleCapped
            case .largeResult: .largeResult
            case .ruleExpired: .ruleExpired
            }
    }
}
