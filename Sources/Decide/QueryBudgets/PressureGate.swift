/// Nothing is ever shed unless the pool is under pressure: nearly all slots in use for a while, and queries waiting.
///
/// The wait that counts for a culprit is that of the *others*: a crowd that only waits for itself harms nobody, and
/// under fair queueing a crowd of short queries makes nobody else wait.
struct PressureGate: Hashable, Sendable {
    private(set) var busySince: Int64?

    /// - Parameter busy: slots in use now. Called at each tick.
    mutating func observe(busy: Int, now: Int64, settings: BudgetSettings) {
        if busy >= settings.busyThreshold {
            if busySince == nil { busySince = now }
        } else {
            busySince = nil
        }
    }

    func isBusy(now: Int64, settings: BudgetSettings) -> Bool {
        guard let busySince else { return false }
        return now - busySince >= settings.pressureTime.nanoseconds
    }

    /// - Parameter waits: admissions over the last second or two, those still waiting included.
    static func isLate(_ waits: (all: Int, late: Int), settings: BudgetSettings) -> Bool {
        waits.all >= settings.lateSamples && Double(waits.late) >= settings.lateShare * Double(waits.all)
    }
}
