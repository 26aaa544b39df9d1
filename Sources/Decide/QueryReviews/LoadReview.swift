/// How much of the database a statement will take, and how that compares with the last review.
struct LoadReview {
    let notes: StatementNotes
    let cost: Double
    /// Of the same statement in an earlier review.
    let earlierCost: Double?
    /// One run of it, where it was run.
    let measuredMilliseconds: Double?
    let assumptions: ReviewAssumptions

    /// Milliseconds of one call, and how that is known.
    var time: (milliseconds: Double, source: String) {
        if let mean = notes.meanMilliseconds { return (mean, "measured: its mean time") }
        if let measured = measuredMilliseconds { return (measured, "measured in one run that was rolled back") }
        let scale = Figures.oneDecimal(assumptions.millisecondsPerCost * 1_000)
        return (
            cost * assumptions.millisecondsPerCost,
            "an estimate: cost \(Figures.count(cost)) at \(scale) µs a unit, \(assumptions.calibration)"
        )
    }

    func objections() -> [Objection] { [load(), slow(), increase()].compactMap { $0 } }

    private func load() -> Objection? {
        guard let calls = notes.callsPerSecond, calls > 0 else { return nil }
        let time = time
        let busy = calls * time.milliseconds / 1_000
        let share = busy / Double(assumptions.slots)
        guard share > ReviewLimits.loadToWarn else { return nil }
        let isBlocking = share > ReviewLimits.loadToBlock
        return Objection(
            rule: .expectedLoad, severity: isBlocking ? .block : .warn,
            what: "Will keep about \(Figures.count(busy)) of \(assumptions.slots) server connections busy "
                + "(\(Figures.share(share))).",
            why: "\(Figures.count(calls)) calls a second of \(Figures.time(milliseconds: time.milliseconds)) each "
                + "(\(time.source)). Above \(Figures.share(ReviewLimits.loadToBlock)) one statement can starve all "
                + "others.",
            remedy: "Make it cheaper or call it less (cache, batch). If the time is wrong, give mean_ms from "
                + "production; if the pool is larger, --slots.")
    }

    private func slow() -> Objection? {
        let time = time
        guard notes.callsPerSecond == nil, time.milliseconds > ReviewLimits.slowMilliseconds else { return nil }
        let rate = Double(assumptions.slots) * ReviewLimits.loadToBlock * 1_000 / time.milliseconds
        let often =
            rate >= 1
            ? "\(Figures.count(rate)) calls a second" : "one call every \(Figures.time(milliseconds: 1_000 / rate))"
        return Objection(
            rule: .slowStatement, severity: .warn,
            what: "One call takes about \(Figures.time(milliseconds: time.milliseconds)) (\(time.source)).",
            why:
                "No more than \(often) keeps \(Figures.share(ReviewLimits.loadToBlock)) of \(assumptions.slots) server "
                + "connections busy; how often it is called is not known.",
            remedy: "Say how often it is called (/* calls_per_second=… */), or make it cheaper.")
    }

    private func increase() -> Objection? {
        guard let earlierCost, cost >= ReviewLimits.leastComparedCost else { return nil }
        let factor = cost / max(earlierCost, 1)
        guard factor >= ReviewLimits.costFactorToWarn else { return nil }
        return Objection(
            rule: .costIncrease, severity: factor >= ReviewLimits.costFactorToBlock ? .block : .warn,
            what: "Costs \(Figures.count(factor)) times what it did in the earlier review.",
            why: "Cost \(Figures.count(earlierCost)) then, \(Figures.count(cost)) now, in the planner's units.",
            remedy: "Compare the two plans: a lost index, a lost condition, or a table that grew. If it is the data, "
                + "review the old statement against this copy and compare with that.")
    }
}
