import Testing

@testable import Decide

/// Budgets of ten slots, driven by hand: each call is one event.
struct BudgetHouse {
    var budgets: QueryBudgets
    var now: Int64 = 0
    var client: ClientClass
    private(set) var decisions: [BudgetDecision] = []
    private var nextWaiter = 0
    var lastWaiter: Int { nextWaiter }

    static let good: UInt64 = 1
    static let bad: UInt64 = 2

    init(mode: BudgetSettings.Mode = .enforce, slots: Int = 10, _ change: (inout BudgetSettings) -> Void = { _ in }) {
        var settings = BudgetSettings(slots: slots, mode: mode)
        change(&settings)
        budgets = QueryBudgets(settings, now: 0)
        client = budgets.classify(ClientIdentity(user: "shop", application: "web", database: "shop", release: "v1"))
    }

    mutating func admit(
        _ query: UInt64, _ kind: StatementKind = .select, as other: ClientClass? = nil
    ) -> Admission {
        nextWaiter += 1
        let request = SlotRequest(QueryKey(fingerprint: query), kind, other ?? client)
        return budgets.admit(request, waiter: nextWaiter, now: now)
    }

    /// Admits and expects a slot.
    mutating func run(_ query: UInt64, _ kind: StatementKind = .select, as other: ClientClass? = nil) -> SlotToken {
        guard case .run(let token) = admit(query, kind, as: other) else { return SlotToken(index: -1, generation: 0) }
        return token
    }

    /// A transaction that wants to begin.
    mutating func wantsToBegin(expecting expected: UInt64? = nil) -> Admission {
        nextWaiter += 1
        let request = SlotRequest(.transactionControl, .transactionControl, client)
        return budgets.admit(
            request, expected: expected.map(QueryKey.init(fingerprint:)), waiter: nextWaiter, now: now)
    }

    /// A transaction that wants to begin; returns whether it could at once.
    mutating func beginAtOnce() -> Bool { wantsToBegin().runs }

    mutating func begin() -> SlotToken {
        nextWaiter += 1
        let request = SlotRequest(.transactionControl, .transactionControl, client)
        guard case .run(let token) = budgets.admit(request, waiter: nextWaiter, now: now) else {
            return SlotToken(index: -1, generation: 0)
        }
        budgets.statementEnded(token, .succeeded, now: now)
        return token
    }

    mutating func statement(_ token: SlotToken, _ query: UInt64, _ kind: StatementKind = .select) -> StatementVerdict {
        budgets.statementStarted(token, SlotRequest(QueryKey(fingerprint: query), kind, client), now: now)
    }

    mutating func finish(_ token: SlotToken, _ outcome: StatementOutcome = .succeeded) {
        budgets.finished(token, StatementResult(outcome), now: now)
    }

    mutating func tick() -> TickReport {
        let report = budgets.tick(now: now)
        decisions += report.decisions
        return report
    }

    /// Lets time pass, with a tick every 100 ms.
    @discardableResult
    mutating func wait(_ span: Span) -> [TickReport] {
        let end = now + span.milliseconds * ms
        var reports: [TickReport] = []
        while now < end {
            now = min(end, now + 100 * ms)
            reports.append(tick())
        }
        return reports
    }

    /// Every slot held by the bad query, ten more of it waiting, and the good one waiting 10 ms or more each time.
    ///
    /// - Returns: what the first tick reports that decides something.
    mutating func overload(_ kind: StatementKind = .select) -> TickReport? {
        for _ in 0..<budgets.settings.slots { _ = run(Self.bad, kind) }
        for _ in 0..<10 { _ = admit(Self.bad, kind) }
        for _ in 0..<50 {
            _ = admit(Self.good)
            now += 100 * ms
            let report = tick()
            if !report.decisions.isEmpty { return report }
        }
        return nil
    }

    mutating func overloaded(_ kind: StatementKind = .select) throws -> TickReport {
        let report = overload(kind)
        return try #require(report)
    }

    /// Whoever is next.
    mutating func turn() throws -> Turn {
        let turn = budgets.next(now: now)
        return try #require(turn)
    }

    /// A good query that ran ten times a second, 10 ms each.
    mutating func learn(_ query: UInt64 = BudgetHouse.good, seconds: Int = 120) {
        for _ in 0..<seconds {
            for _ in 0..<10 {
                let token = run(query)
                now += 10 * ms
                finish(token)
            }
            now += 900 * ms
            _ = tick()
        }
    }

    func status(_ query: UInt64) -> QueryStatus? { budgets.status(of: QueryKey(fingerprint: query)) }

    func count(_ name: String) -> Int { decisions.count { $0.name == name } }
}

extension BudgetDecision {
    var trip: TripReport? { if case .tripped(let report) = what { report } else { nil } }
}

extension Admission {
    var rejection: Rejection? { if case .reject(let rejection) = self { rejection } else { nil } }
    var handle: WaiterHandle? { if case .queue(let handle) = self { handle } else { nil } }
    var token: SlotToken? { if case .run(let token) = self { token } else { nil } }
    var runs: Bool { token != nil }
    var queues: Bool { handle != nil }
}
