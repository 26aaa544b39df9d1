/// What a review takes for given where nothing was measured. Every finding that rests on one of these says so.
package struct ReviewAssumptions: Hashable, Sendable {
    /// Server connections that may work at the same time.
    package var slots: Int
    /// Milliseconds for one unit of the planner's cost.
    package var millisecondsPerCost: Double
    /// Where the figure above comes from, in words.
    package var calibration: String
    /// `work_mem` of the reviewing role, in bytes.
    package var workMemory: Double

    /// Measured on PostgreSQL 15 with a cached table of 200,000 rows, eight queries of seven runs each: scans, joins,
    /// groupings and sorts took between 4 and 42 µs for a unit of cost, half of them less than this.
    package static let standardMillisecondsPerCost = 0.007
    package static let standardSlots = 20

    package init(
        slots: Int = standardSlots, millisecondsPerCost: Double? = nil, workMemory: Double = 4 * 1_024 * 1_024
    ) {
        self.slots = max(1, slots)
        self.workMemory = workMemory
        self.millisecondsPerCost = millisecondsPerCost ?? Self.standardMillisecondsPerCost
        calibration = millisecondsPerCost == nil ? "the built-in calibration" : "the calibration that was given"
    }

    /// Learns from statements whose plan and mean time are both known: the median of their ratios, from five of them.
    mutating func calibrate(costs: [(cost: Double, milliseconds: Double)]) {
        let ratios = costs.filter { $0.cost >= 1 && $0.milliseconds > 0 }.map { $0.milliseconds / $0.cost }.sorted()
        guard ratios.count >= Self.leastSamples else { return }
        millisecondsPerCost = ratios[ratios.count / 2]
        calibration = "the median of \(ratios.count) statements of this review whose time is known"
    }

    private static let leastSamples = 5
}

/// Where findings begin.
enum ReviewLimits {
    /// A filter that keeps less than this reads the table for nothing.
    static let keptShare = 0.05
    static let scannedRowsToWarn = 10_000.0
    static let scannedRowsToBlock = 100_000.0
    /// Calls a second from which a long scan blocks.
    static let callsToBlock = 1.0

    /// Rows of a list without LIMIT.
    static let listedRows = 1_000.0

    /// Pairs of rows that a join without a condition gives.
    static let unconditionalPairs = 10_000.0
    /// Pairs of rows that a join compares one by one.
    static let comparedPairsToWarn = 5_000_000.0
    static let comparedPairsToBlock = 100_000_000.0

    /// Share of the slots.
    static let loadToWarn = 0.10
    static let loadToBlock = 0.25
    /// One call, when nothing says how often it is made.
    static let slowMilliseconds = 1_000.0

    static let costFactorToWarn = 3.0
    static let costFactorToBlock = 10.0
    /// Below this a multiple of little is still little.
    static let leastComparedCost = 100.0

    /// Calls of the one for each call of the other.
    static let callsPerSibling = 5.0

    /// Tables below this say nothing about production, unless they are that small there.
    static let smallTable = 1_000.0
    /// Tables below this are locked for too short to matter.
    static let shortLockRows = 10_000.0

    /// Bytes of a row in a sort beside its columns.
    static let tupleOverhead = 24.0
}
