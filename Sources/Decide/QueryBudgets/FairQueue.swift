/// What may differ between two waiters of one query: their standing, and the rule that limits them.
struct FlowKey: Hashable, Sendable {
    enum Standing: UInt8, Hashable, Sendable {
        case ordinary
        /// No limit but a rule's.
        case allowed
        /// As `allowed`, and may use the reserved slots.
        case protected
    }

    var account: Int32
    var standing: Standing = .ordinary
    /// The place of the rule by hand that limits it, or -1.
    var rule: Int8 = -1
}

/// Names one waiter until it is served, dropped or removed.
package struct WaiterHandle: Hashable, Sendable {
    var node: Int32
    var generation: UInt32
}

/// Who gets the next slot: start-time fair queueing (Goyal, Vin, Cheng 1996) across queries, over P slots.
///
/// Each query has a finish tag F, in nanoseconds of slot time over weight; a new turn starts at S = max(V, F) and moves
/// F to S + cost/w. The lowest S is served and becomes V. The cost is an estimate, corrected by `charge` as the slot is
/// used and when it is given back.
///
/// Invariants
/// 1. Slots in use never exceed `slots`, nor those of unprotected flows `slots - reserved`.
/// 2. A flow exists while it has waiters. It is in its heap, or parked because a limit holds it back.
/// 3. Waiters of one flow are served in the order of arrival, unless their query is limited (newest first) or the
///    oldest has waited `overdueWait` and all would need longer than that (then three in four are the newest).
/// 4. Tags never fall behind V when they are used: nobody saves up slot time by staying away.
struct FairQueue<Waiter: Sendable>: Sendable {
    struct Node: Sendable {
        var waiter: Waiter?
        var flow: Int32
        var previous: Int32 = -1
        var next: Int32 = -1
        var enqueuedAt: Int64
        var sequence: UInt64
        var cost: Int64
        var generation: UInt32 = 0
    }

    struct Flow: Sendable {
        var key: FlowKey
        var head: Int32 = -1
        var tail: Int32 = -1
        var count = 0
        /// The sequence of the head, which breaks ties.
        var sequence: UInt64 = 0
        var start: Int64 = 0
        var heapIndex = -1
        var turn: UInt8 = 0
    }

    struct Gate: Sendable {
        /// F.
        var finish: Int64 = 0
        /// Most slots at a time of ordinary flows; `Int32.max` without a limit.
        var limit: Int32 = .max
        /// Waiters past the bound are refused, and wait for a short time only.
        var sheds = true
        var inFlight: Int32 = 0
        var queued: Int32 = 0
        /// `queued`, without those whom the limit does not concern.
        var queuedOrdinary: Int32 = 0
    }

    struct Served: Sendable {
        var waiter: Waiter
        var flow: FlowKey
        var waited: Int64
        var enqueuedAt: Int64
        var cost: Int64
    }

    struct Dropped: Sendable {
        enum Reason: Hashable, Sendable {
            case expired, overLimit
        }

        var waiter: Waiter
        var flow: FlowKey
        var reason: Reason
    }

    var slots: Int
    var reserved: Int
    var busy = 0
    var busyUnprotected = 0
    /// Order of arrival across all queries, no limits: mode `off`.
    var isFair: Bool
    var capacity: Int
    var limitedQueueFactor: Int32
    var limitedWait: Int64
    var queueTimeout: Int64
    var overdueWait: Int64
    var protectedWeight: Double

    /// V.
    var virtualTime: Int64 = 0
    var gates: [Gate] = []
    var rules: [Gate]
    var nodes: [Node] = []
    var freeNodes: [Int32] = []
    var flows: [Flow] = []
    var freeFlows: [Int32] = []
    var flowIndex: [FlowKey: Int32] = [:]
    var unprotectedHeap: [Int32] = []
    var protectedHeap: [Int32] = []
    var parked: [Int32] = []
    var dropped: [Dropped] = []
    var count = 0
    var sequence: UInt64 = 0

    init(_ settings: BudgetSettings) {
        slots = settings.slots
        rules = Array(repeating: Gate(), count: BudgetRules.most)
        reserved = settings.reservedSlots
        isFair = settings.mode != .off
        capacity = settings.queueCapacity
        limitedQueueFactor = Int32(clamping: settings.limitedQueueFactor)
        limitedWait = settings.limitedWait.nanoseconds
        queueTimeout = settings.queueTimeout.nanoseconds
        overdueWait = settings.overdueWait.nanoseconds
        protectedWeight = max(0.001, settings.protectedWeight)
    }

    // MARK: Slots

    /// Whether a newcomer may take a slot at once: one is free, no limit holds it, and nobody is ahead of it.
    func canRun(_ flow: FlowKey) -> Bool {
        guard busy < slots, !isHeld(flow) else { return false }
        if flow.standing != .protected, busyUnprotected >= slots - reserved { return false }
        return count == 0 || !isAnyoneAhead(flow)
    }

    /// A limit holds it back.
    func isHeld(_ flow: FlowKey) -> Bool {
        if flow.standing == .ordinary {
            let gate = gates[Int(flow.account)]
            if gate.inFlight >= gate.limit { return true }
        }
        guard flow.rule >= 0 else { return false }
        return rules[Int(flow.rule)].inFlight >= rules[Int(flow.rule)].limit
    }

    /// Flows in a heap could run if there were a slot for them; parked ones could not.
    private func isAnyoneAhead(_ flow: FlowKey) -> Bool {
        if !protectedHeap.isEmpty { return true }
        return flow.standing != .protected && !unprotectedHeap.isEmpty
    }

    /// Takes a slot and moves the tags.
    mutating func start(_ flow: FlowKey, cost: Int64) {
        busy += 1
        if flow.standing != .protected { busyUnprotected += 1 }
        if flow.standing == .ordinary { gates[Int(flow.account)].inFlight += 1 }
        if flow.rule >= 0 { rules[Int(flow.rule)].inFlight += 1 }
        let start = max(virtualTime, gates[Int(flow.account)].finish)
        virtualTime = start
        gates[Int(flow.account)].finish = start + weighed(cost, flow)
    }

    /// Gives the slot back. `rest` is the slot time that was not charged yet; negative when the estimate was too high.
    mutating func finish(_ flow: FlowKey, payer: FlowKey, rest: Int64) {
        busy -= 1
        if flow.standing != .protected { busyUnprotected -= 1 }
        if flow.standing == .ordinary { gates[Int(flow.account)].inFlight -= 1 }
        if flow.rule >= 0 { rules[Int(flow.rule)].inFlight -= 1 }
        charge(payer, rest)
        if !parked.isEmpty { unpark() }
    }

    /// The slot changes hands without being given back: a transaction has shown what it is.
    mutating func transfer(from old: FlowKey, to new: FlowKey) {
        if old.standing == .ordinary { gates[Int(old.account)].inFlight -= 1 }
        if old.rule >= 0 { rules[Int(old.rule)].inFlight -= 1 }
        if old.standing != .protected { busyUnprotected -= 1 }
        if new.standing == .ordinary { gates[Int(new.account)].inFlight += 1 }
        if new.rule >= 0 { rules[Int(new.rule)].inFlight += 1 }
        if new.standing != .protected { busyUnprotected += 1 }
    }

    mutating func charge(_ flow: FlowKey, _ slotTime: Int64) {
        gates[Int(flow.account)].finish += weighed(slotTime, flow)
    }

    private func weighed(_ slotTime: Int64, _ flow: FlowKey) -> Int64 {
        flow.standing == .protected ? Int64(Double(slotTime) / protectedWeight) : slotTime
    }

    /// Makes room for an account that is new, and forgets what another left in its place.
    mutating func reset(account: Int32) {
        if Int(account) >= gates.count {
            gates.append(contentsOf: repeatElement(Gate(), count: Int(account) + 1 - gates.count))
        }
        if gates[Int(account)].inFlight == 0, gates[Int(account)].queued == 0 { gates[Int(account)] = Gate() }
    }

    func isInUse(account: Int32) -> Bool {
        gates[Int(account)].inFlight > 0 || gates[Int(account)].queued > 0
    }

    // MARK: Limits

    /// Holds ordinary flows of the account to `limit` slots; nil: no limit. When it sheds, waiters past the queue's
    /// bound are dropped, oldest first; when not, everyone may wait.
    mutating func setLimit(_ limit: Int?, sheds: Bool = true, account: Int32) {
        gates[Int(account)].limit = limit.map { Int32(clamping: max(0, $0)) } ?? .max
        gates[Int(account)].sheds = sheds
        if limit != nil, sheds { trim { $0.account == account && $0.standing == .ordinary } }
        unpark()
    }

    mutating func setRule(_ place: Int, limit: Int?) {
        rules[place].limit = limit.map { Int32(clamping: max(0, $0)) } ?? .max
        unpark()
    }

    private mutating func trim(_ concerns: (FlowKey) -> Bool) {
        for place in flows.indices where flows[place].count > 0 && concerns(flows[place].key) {
            let account = Int(flows[place].key.account)
            let bound = bound(gates[account].limit)
            while flows[place].count > 0, gates[account].queuedOrdinary > bound {
                drop(flows[place].head, .overLimit)
            }
        }
    }

    func bound(_ limit: Int32) -> Int32 {
        let (product, overflow) = limit.multipliedReportingOverflow(by: limitedQueueFactor)
        return overflow ? .max : product
    }

    /// It is over a limit that sheds.
    func isShedding(_ flow: FlowKey) -> Bool {
        let gate = gates[Int(flow.account)]
        return flow.rule >= 0 || (flow.standing == .ordinary && gate.limit != .max && gate.sheds)
    }

    func maxWait(_ flow: FlowKey) -> Int64 {
        isShedding(flow) ? limitedWait : queueTimeout
    }

    mutating func unpark() {
        var place = 0
        while place < parked.count {
            let flow = parked[place]
            guard !isHeld(flows[Int(flow)].key) else {
                place += 1
                continue
            }
            parked.swapAt(place, parked.count - 1)
            parked.removeLast()
            push(flow)
        }
    }
}
