/// When each check starts.
///
/// Invariants, tested by `CheckPlanTests`:
/// 1. A check starts at `phase + k × interval` of the UTC clock and never anywhere else: a late or slow run moves
///    nothing, so nothing drifts.
/// 2. Checks of one interval are spread evenly over it, and the intervals are shifted against one another.
/// 3. Adding and removing checks leaves the phases of all others alone.
/// 4. Missed starts are skipped, not caught up on: a pause is never followed by a bunch.
package struct CheckPlan: Hashable, Sendable {
    private struct Slot: Hashable {
        var interval: Int64
        var phase: Int64
    }

    private var slots: [String: Slot] = [:]

    package init() {}

    package init(_ intervals: [String: Span]) {
        update(intervals)
    }

    package var count: Int { slots.count }

    package func phase(of id: String) -> Span? { slots[id].map { .milliseconds($0.phase) } }

    /// Takes the new set: checks that were there with the same interval keep their phase. Intervals below a
    /// millisecond count as one.
    package mutating func update(_ intervals: [String: Span]) {
        slots = slots.filter { id, slot in intervals[id].map { Self.interval($0) == slot.interval } ?? false }
        var newcomers: [Int64: [String]] = [:]
        for (id, span) in intervals where slots[id] == nil { newcomers[Self.interval(span), default: []].append(id) }
        for (interval, ids) in newcomers {
            let taken = slots.values.filter { $0.interval == interval }.map(\.phase).sorted()
            let phases = Self.phases(interval: interval, taken: taken, adding: ids.count)
            // Neighbours by name would often be checks of one service; the hash keeps them apart.
            let ordered = ids.sorted { (Self.hash($0), $0) < (Self.hash($1), $1) }
            for (id, phase) in zip(ordered, phases) { slots[id] = Slot(interval: interval, phase: phase) }
        }
    }

    /// The first planned start after `instant`; nil for a check that is not in the plan.
    package func nextStart(for id: String, after instant: Instant) -> Instant? {
        guard let slot = slots[id] else { return nil }
        let (quotient, remainder) = (instant.milliseconds - slot.phase).quotientAndRemainder(dividingBy: slot.interval)
        let passed = remainder < 0 ? quotient - 1 : quotient
        return Instant(milliseconds: slot.phase + (passed + 1) * slot.interval)
    }

    /// A start this late is skipped: the clock jumped or the machine slept, and with one check all others are late.
    package static let lateness = Span.seconds(10)

    /// Whether a start that was planned for `planned` is still worth making.
    package func isMissed(_ id: String, planned: Instant, now: Instant) -> Bool {
        guard let slot = slots[id] else { return true }
        return now - planned >= min(.milliseconds(slot.interval), Self.lateness)
    }

    /// Whether a planned start lies further away than one interval: the clock was set back since.
    package func isBeyondNext(_ id: String, planned: Instant, now: Instant) -> Bool {
        slots[id].map { planned - now > .milliseconds($0.interval) } ?? false
    }

    /// Whether a check starts at the same times in the other plan.
    package func isSame(_ id: String, in other: CheckPlan) -> Bool { slots[id] != nil && slots[id] == other.slots[id] }

    private static func interval(_ span: Span) -> Int64 { max(1, span.milliseconds) }

    /// Fills the gaps between the phases that are taken so that all gaps become as equal as they can be.
    private static func phases(interval: Int64, taken: [Int64], adding count: Int) -> [Int64] {
        guard !taken.isEmpty else {
            let shift = Int64(hash(String(interval)) % UInt64(interval))
            return (0..<Int64(count)).map { (shift + scale($0, interval, Int64(count))) % interval }
        }
        let gaps = taken.indices.map { index in
            let next = index + 1 < taken.count ? taken[index + 1] : taken[0] + interval
            return (start: taken[index], length: next - taken[index])
        }
        var phases: [Int64] = []
        for (gap, share) in zip(gaps, shares(of: count, among: gaps.map(\.length))) where share > 0 {
            for step in 1...share {
                phases.append((gap.start + scale(Int64(step), gap.length, Int64(share) + 1)) % interval)
            }
        }
        return phases
    }

    /// How many newcomers go into each gap: about as many as make every part as long as the fair one, the rest dealt
    /// out along the interval.
    private static func shares(of count: Int, among lengths: [Int64]) -> [Int] {
        let total = lengths.reduce(0, +)
        let fair = max(1, total / Int64(count + lengths.count))
        // Gaps shorter than the fair part get none; the others share by what they are longer by.
        let surplus = lengths.map { max(0, $0 - fair) }
        let whole = max(1, surplus.reduce(0, +))
        var (shares, walked, given): ([Int], Int64, Int) = ([], 0, 0)
        for length in surplus {
            walked += length
            let due = Int(scale(Int64(count), walked, whole))
            shares.append(due - given)
            given = due
        }
        if let widest = lengths.indices.max(by: { lengths[$0] < lengths[$1] }) { shares[widest] += count - given }
        return shares
    }

    /// `value × numerator ÷ denominator` without overflow on the way.
    private static func scale(_ value: Int64, _ numerator: Int64, _ denominator: Int64) -> Int64 {
        let product = value.multipliedFullWidth(by: numerator)
        return denominator.dividingFullWidth(product).quotient
    }

    /// FNV-1a, finished with a mix: the same on every machine and in every run, unlike `Hasher`.
    private static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        return hash ^ (hash >> 33)
    }
}
