/// The budgets of one pool of server slots: what the data plane asks before it gives a client a server, and tells when
/// the server comes back.
///
/// How to drive it, on one event loop:
/// 1. A client wants a server for a new transaction: `admit`. `.run` has taken the slot; `.queue` keeps the waiter;
///    `.reject` is sent to the client as an ErrorResponse.
/// 2. `started` when the server was not ready at once, so that connecting does not count as the query's time.
/// 3. In a transaction of several statements: `statementEnded`, `statementStarted`, … A statement inside a
///    transaction is never queued, and turned away only when it is the first one after BEGIN.
/// 4. `finished` when the server is free again; then `next` until it returns nil.
/// 5. `removeWaiter` when a waiting client goes away.
/// 6. `tick` every 100 ms (its work grows with the tracked queries, not with traffic); carry out what it reports, then
///    `next` until nil.
///
/// All times are nanoseconds of one monotonic time and never fall. Slot time runs from the admission to `finished`:
/// while a statement runs it is that statement's usage, while the transaction is idle it is its first statement's.
///
/// Admission without pressure is one look-up of the fingerprint and a few additions, and allocates nothing for a query
/// that is known.
package struct QueryBudgets: Sendable {
    /// The caller's number of a client that waits: the data plane has its clients in an array anyway, and a generic
    /// type would be looked up at run time on every call from another module (measured: three times the cost).
    package typealias Waiter = Int

    /// A waiter with what is needed once it gets its slot.
    struct Pending: Sendable {
        var waiter: Waiter
        var request: SlotRequest
        var isProbe: Bool
    }

    package internal(set) var settings: BudgetSettings
    var accounting: QueryAccounting
    var rules = BudgetRules()
    var queue: FairQueue<Pending>
    var inFlight: InFlightTable
    var gate = PressureGate()
    var tripped: [Int32] = []
    var breakers: [Int32] = []
    /// Waits that began before count for nothing: they are the last culprit's.
    var evidenceSince: Int64
    var lastTripAt: Int64
    let createdAt: Int64
    /// Baselines were restored at the start.
    var hasHistory = false
    var isPressed = false
    /// Whose the latest transactions turned out to be that began with BEGIN; at most 64.
    var adopters: [Int32] = []
    var nextAdopter = 0
    /// Made between two ticks.
    var decisions: [BudgetDecision] = []

    package init(_ settings: BudgetSettings, now: Int64) {
        self.settings = settings
        accounting = QueryAccounting(settings, now: now)
        queue = FairQueue(settings)
        inFlight = InFlightTable(slots: settings.slots)
        queue.reset(account: QueryAccounting.other)
        queue.reset(account: QueryAccounting.control)
        evidenceSince = now
        lastTripAt = now - QueryAccounting.second
        createdAt = now
    }

    /// What a client is, to be kept beside it and given to `admit`.
    package mutating func classify(_ client: ClientIdentity) -> ClientClass {
        rules.classify(client, protected: settings.protected)
    }

    /// Moves when rules or settings change: clients' classes are to be asked for again.
    ///
    /// A function that may change things, and does not: asked from another module, a computed property would be given
    /// a copy of all that is here, for every query (measured).
    package mutating func currentClassVersion() -> UInt32 { rules.version }

    package var busySlots: Int { queue.busy }
    package var waiting: Int { queue.count }
    /// As `waiting > 0`; see `currentClassVersion`.
    package mutating func hasWaiters() -> Bool { queue.count > 0 }
}

/// A client's wish for a server.
package struct SlotRequest: Hashable, Sendable {
    package var query: QueryKey
    package var kind: StatementKind
    package var client: ClientClass

    package init(_ query: QueryKey, _ kind: StatementKind, _ client: ClientClass) {
        self.query = query
        self.kind = kind
        self.client = client
    }
}

package enum Admission: Hashable, Sendable {
    case run(SlotToken)
    case queue(WaiterHandle)
    case reject(Rejection)
}

package enum StatementVerdict: Hashable, Sendable {
    case run
    /// Only right after BEGIN: send the error, and roll the server's transaction back.
    case reject(Rejection)
}

/// A waiter that has its slot now.
package struct Turn: Hashable, Sendable {
    package var waiter: QueryBudgets.Waiter
    package var token: SlotToken
    package var waited: Span
}

/// What a tick wants done.
package struct TickReport: Sendable {
    package var decisions: [BudgetDecision] = []
    /// Waiters that are no longer waiting.
    package var rejected: [(waiter: QueryBudgets.Waiter, rejection: Rejection)] = []
    /// Cancel what runs on these slots; `finished` or `statementEnded` then says `.cancelledByGuard`.
    package var cancel: [SlotToken] = []
    /// End these idle transactions.
    package var endIdle: [SlotToken] = []
}
