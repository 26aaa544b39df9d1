/// Names one slot while one transaction holds it. The index is below the number of slots (unless they were reduced),
/// so that the data plane may keep an array beside it.
package struct SlotToken: Hashable, Sendable, CustomStringConvertible {
    package var index: Int32
    package var generation: UInt32

    package var description: String { "#\(index).\(generation)" }
}

/// One transaction on its slot. Times in nanoseconds of monotonic time.
struct InFlight: Hashable, Sendable {
    /// Whose limits it counts against.
    var flow: FlowKey
    /// The flow that it was admitted from, and that pays for its slot time: not `flow` once a transaction that began
    /// with BEGIN has shown what it is.
    var payer: FlowKey
    /// The account of the transaction's first statement: it owns the slot, and the time when nothing runs.
    var owner: Int32
    /// The account of the statement that is running.
    var current: Int32
    var kind: StatementKind
    var release: ReleaseID
    var startedAt: Int64
    /// When the running statement started, or when the transaction became idle.
    var statementAt: Int64
    var accountedAt: Int64
    /// Slot time that the fair queue has charged so far.
    var charged: Int64
    var waited: Int64
    var isIdle = false
    /// A statement that may change rows has run in it.
    var hasWritten = false
    /// Protected, or allowed by hand.
    var isExempt: Bool
    /// Between two transactions of a client that keeps its server.
    var isResting = false
    var isProbe = false
    /// A cancel or an end was asked for.
    var isEnding = false
}

/// The transactions in flight: a slab with generations, so that a late token is recognised.
struct InFlightTable: Sendable {
    private var entries: [InFlight?] = []
    private var generations: [UInt32] = []
    private var free: [Int32] = []

    init(slots: Int) {
        entries.reserveCapacity(slots)
        generations.reserveCapacity(slots)
        free.reserveCapacity(slots)
    }

    var indices: Range<Int> { entries.indices }

    mutating func add(_ entry: InFlight) -> SlotToken {
        if let place = free.popLast() {
            entries[Int(place)] = entry
            return SlotToken(index: place, generation: generations[Int(place)])
        }
        entries.append(entry)
        generations.append(0)
        return SlotToken(index: Int32(entries.count - 1), generation: 0)
    }

    /// Nil when the token was returned already.
    subscript(token: SlotToken) -> InFlight? {
        get { isLive(token) ? entries[Int(token.index)] : nil }
        set { if isLive(token) { entries[Int(token.index)] = newValue } }
    }

    mutating func remove(_ token: SlotToken) -> InFlight? {
        guard isLive(token), let entry = entries[Int(token.index)] else { return nil }
        entries[Int(token.index)] = nil
        generations[Int(token.index)] &+= 1
        free.append(token.index)
        return entry
    }

    func token(at place: Int) -> SlotToken? {
        entries[place] == nil ? nil : SlotToken(index: Int32(place), generation: generations[place])
    }

    private func isLive(_ token: SlotToken) -> Bool {
        token.index >= 0 && Int(token.index) < entries.count && generations[Int(token.index)] == token.generation
    }
}
