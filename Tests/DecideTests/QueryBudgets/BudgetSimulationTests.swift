import Decide
import Testing

/// The targets, in simulated time, over twenty slots. A failing seed is in the failure's arguments.
@Suite("Simulation of query budgets")
struct BudgetSimulationTests {
    typealias Source = BudgetSimulation.Source

    struct Run: CustomTestStringConvertible, Sendable {
        var seed: Int
        /// Statements that the database runs at full speed at a time.
        var knee: Double

        var testDescription: String { "seed \(seed), knee \(knee)" }
    }

    static let runs = [4.0, 8, 20].flatMap { knee in [1, 2, 3].map { Run(seed: $0, knee: knee) } }

    private func settings(_ mode: BudgetSettings.Mode = .enforce) -> BudgetSettings {
        BudgetSettings(slots: 20, mode: mode)
    }

    private static let begin = BudgetSimulation.Statement(query: 0, kind: .transactionControl, work: 0.01...0.02)
    private static let read = BudgetSimulation.Statement(query: 1, work: 0.5...1.5)
    private static let scan = BudgetSimulation.Statement(query: 2, work: 500...2_000)

    private func good(_ script: [BudgetSimulation.Statement] = [read]) -> Source {
        Source(name: "good", script: script, rate: 300)
    }

    private func bad(_ script: [BudgetSimulation.Statement] = [scan], from: Int64 = 20, until: Int64 = 10_000) -> Source
    {
        Source(
            name: "bad", script: script, clients: 40, backoff: 100, from: from * second, until: until * second,
            release: "v2")
    }

    private func expectProtected(_ simulation: BudgetSimulation, _ range: Range<Int64>, _ run: Run) {
        let good = simulation.tally("good", range)
        #expect(good.calls > 1_000, "\(run) \(good)")
        #expect(good.success >= 0.999 && good.percentile99 <= 10, "\(run) \(good)")
    }

    // MARK: Runaway

    @Test("a runaway: from 3 s after its onset good queries succeed, 99 % of them within 10 ms", arguments: runs)
    func runaway(run: Run) {
        var simulation = BudgetSimulation(settings(), knee: run.knee, seed: run.seed, [good(), bad()])
        simulation.run(until: 90 * second)
        expectProtected(simulation, 23 * second..<88 * second, run)
        #expect(simulation.count("tripped") == 1, "\(run)")
    }

    @Test(
        "beside a runaway on one processor, where nothing is usual yet and where it is known",
        arguments: [Int64(5), 60], [1, 2, 3])
    func oneProcessor(onset: Int64, seed: Int) {
        var simulation = BudgetSimulation(settings(), knee: 1, seed: seed, [good(), bad(from: onset)])
        simulation.run(until: (onset + 90) * second)
        expectProtected(simulation, (onset + 3) * second..<(onset + 88) * second, Run(seed: seed, knee: 1))
        #expect(simulation.count("tripped") == 1)
        let limits = limits(simulation)
        #expect(limits.max() ?? 1 <= (onset > 10 ? 2 : 1), "onset \(onset), seed \(seed): \(limits)")
    }

    /// What limits were raised to.
    private func limits(_ simulation: BudgetSimulation) -> [Int] {
        simulation.decisions.compactMap { if case .limitRaised(_, let limit) = $0.what { limit } else { nil } }
    }

    @Test("where the database has room, a runaway gets more as long as nobody suffers", arguments: [1, 2, 3])
    func room(seed: Int) {
        var simulation = BudgetSimulation(settings(), knee: 8, seed: seed, [good(), bad()])
        simulation.run(until: 90 * second)
        let limits = limits(simulation)
        #expect((limits.max() ?? 0) >= 5, "seed \(seed): \(limits)")
    }

    @Test(
        "the same without budgets: the pool is lost, so that the test above proves something", arguments: [4.0, 8, 20])
    func unprotected(knee: Double) {
        var simulation = BudgetSimulation(settings(.off), knee: knee, seed: 1, [good(), bad()])
        simulation.run(until: 60 * second)
        #expect(simulation.tally("good", 23 * second..<58 * second).percentile99 > 1_000)
    }

    @Test("a runaway whose statements all stand inside transactions", arguments: runs.filter { $0.knee == 8 })
    func inTransactions(run: Run) {
        let (begin, read, scan) = (Self.begin, Self.read, Self.scan)
        var simulation = BudgetSimulation(
            settings(), knee: run.knee, seed: run.seed, [good([begin, read, begin]), bad([begin, scan, begin])])
        simulation.run(until: 60 * second)
        expectProtected(simulation, 23 * second..<58 * second, run)
    }

    @Test(
        "a runaway on a pool of four, whose few other clients hardly ever get a slot",
        arguments: [2_000.0, 8_000], [false, true])
    func smallPool(sleep: Double, inTransactions: Bool) {
        for (seed, others) in [(1, 1), (2, 2), (3, 6)] {
            let (begin, read) = (Self.begin, Self.read)
            let sleeping = BudgetSimulation.Statement(query: 2, work: sleep - 50...sleep)
            let good = Source(
                name: "good", script: inTransactions ? [begin, read, begin] : [read], clients: others, think: 10)
            let bad = Source(
                name: "bad", script: inTransactions ? [begin, sleeping, begin] : [sleeping], clients: 12,
                from: 2 * second)
            var simulation = BudgetSimulation(
                BudgetSettings(slots: 4, mode: .enforce), knee: 4, seed: seed, [good, bad])
            simulation.run(until: 24 * second)
            let trip = simulation.decisions.first { $0.trip != nil }
            let what: Comment = "seed \(seed), \(others) others: \(trip as Any)"
            #expect(trip?.query?.fingerprint == 2 && (trip?.at ?? .max) <= 5 * second, what)
            let after = simulation.tally("good", 6 * second..<22 * second)
            #expect(after.success == 1 && after.percentile99 < 10, "\(what) \(after)")
        }
    }

    @Test("a runaway that was there first", arguments: runs.filter { $0.knee == 8 })
    func first(run: Run) {
        var late = good()
        late.from = 100 * second
        var simulation = BudgetSimulation(settings(), knee: run.knee, seed: run.seed, [bad(from: 0), late])
        simulation.run(until: 130 * second)
        expectProtected(simulation, 103 * second..<128 * second, run)
    }

    @Test(
        "a runaway among a thousand queries a second that are all different",
        arguments: [Run(seed: 1, knee: 8)])
    func generated(run: Run) {
        let many = Source(
            name: "many", script: [.init(query: 9, work: 0.5...1.5)], rate: 1_000, isGenerated: true)
        var simulation = BudgetSimulation(settings(), knee: run.knee, seed: run.seed, [good(), many, bad()])
        simulation.run(until: 40 * second)
        expectProtected(simulation, 23 * second..<38 * second, run)
        #expect(simulation.budgets.queries.count == 1_000)
    }

    @Test(
        "a release that makes a query slower is held, and the others keep their latency",
        arguments: [50.0, 200, 1_000])
    func slowerRelease(service: Double) {
        let other = Source(name: "good", script: [.init(query: 3, work: 1...3)], rate: 200)
        let before = Source(name: "before", script: [Self.read], rate: 300, until: 100 * second)
        let after = Source(
            name: "after", script: [.init(query: 1, work: service / 2...service * 1.5)], rate: 300,
            from: 100 * second, patience: 5_000, release: "v2")
        var simulation = BudgetSimulation(settings(), knee: 8, seed: 1, [other, before, after])
        simulation.release("v2", at: 100 * second)
        simulation.run(until: 130 * second)
        expectProtected(simulation, 103 * second..<124 * second, Run(seed: 1, knee: 8))
        let trip = simulation.decisions.first { $0.trip != nil }
        #expect(trip?.query?.fingerprint == 1 && trip?.release == "v2")
    }

    @Test("observe decides the same and sheds nothing")
    func observed() {
        var simulation = BudgetSimulation(settings(.observe), knee: 8, seed: 1, [good(), bad()])
        simulation.run(until: 60 * second)
        #expect(simulation.count("wouldTrip") == 1)
        #expect(simulation.outcomes.allSatisfy { !$0.rejected && $0.succeeded })
    }

    @Test("after the runaway has gone its query is served again within 5 s, at its new rate")
    func runawayEnds() {
        let later = Source(name: "later", script: [Self.scan], rate: 1, from: 60 * second)
        var simulation = BudgetSimulation(settings(), knee: 8, seed: 1, [good(), bad(until: 60), later])
        simulation.run(until: 180 * second)
        let tally = simulation.tally("later", 65 * second..<176 * second)
        #expect(tally.calls > 80 && tally.success == 1, "\(tally)")
        #expect(simulation.count("released") == 1)
    }

    // MARK: Gate

    /// Why the gate counts late admissions instead of taking the minimum wait over 100 ms, the first proposal.
    @Test(
        "in a runaway nearly all others wait, while the minimum over 100 ms often enough says that nobody does",
        arguments: [4.0, 8, 20])
    func minimumMisses(knee: Double) {
        var simulation = BudgetSimulation(settings(.observe), knee: knee, seed: 1, [good(), bad(from: 0)])
        simulation.run(until: 60 * second)
        let waits = simulation.waits.filter { $0.source == 0 && $0.at > 10 * second }
        let late = Double(waits.count { $0.waited > 5 * ms }) / Double(waits.count)
        let windows = Dictionary(grouping: waits) { $0.at / (100 * ms) }
        let calm = windows.values.count { window in window.contains { $0.waited <= 5 * ms } }
        #expect(late > 0.6, "knee \(knee): \(late)")
        #expect(Double(calm) > 0.1 * Double(windows.count), "knee \(knee): \(calm) of \(windows.count)")
    }

    // MARK: Flash crowd

    @Test(
        "a crowd on a good query loses nothing, and the others hardly notice",
        arguments: [
            (1, 1.0, 200, 20.0), (1, 1, 200, 8), (7, 50, 100, 20), (7, 100, 300, 20),
        ] as [(UInt64, Double, Int, Double)])
    func flashCrowd(query: UInt64, service: Double, clients: Int, knee: Double) {
        let work = service / 2...service * 1.5
        let other = Source(name: "other", script: [.init(query: 3, work: 1...3)], rate: 100)
        let usual = Source(name: "usual", script: [.init(query: 7, work: 50...150)], rate: 10)
        let crowd = Source(
            name: "crowd", script: [.init(query: query, work: work)], clients: clients, think: 1,
            from: 60 * second, until: 70 * second)
        var simulation = BudgetSimulation(settings(), knee: knee, seed: 1, [good(), other, usual, crowd])
        simulation.run(until: 90 * second)
        #expect(simulation.outcomes.allSatisfy { $0.succeeded && !$0.rejected })
        #expect(simulation.tally("crowd", 60 * second..<70 * second).calls > 500)
        #expect(simulation.tally("other", 63 * second..<70 * second).percentile99 < 20)
    }

    @Test("a crowd of three quarters of what the database can serve is served at once")
    func openCrowd() {
        let crowd = Source(
            name: "crowd", script: [Self.read], rate: 15_000, from: 30 * second, until: 34 * second)
        var simulation = BudgetSimulation(settings(), knee: 20, seed: 1, [good(), crowd])
        simulation.run(until: 36 * second)
        #expect(simulation.outcomes.allSatisfy { $0.succeeded })
        #expect(simulation.tally("crowd", 30 * second..<34 * second).percentile99 < 5)
    }

    // MARK: Retry storm

    @Test(
        "a retry storm is over within 5 s of the end of its cause",
        arguments: [(10.0, 1_000.0), (20, 1_000), (5, 300), (10, 500)])
    func retryStorm(slowdown: Double, patience: Double) {
        let main = Source(
            name: "good", script: [.init(query: 1, work: 10...30)], rate: 500, patience: patience, retries: 3)
        let other = Source(
            name: "other", script: [.init(query: 3, work: 1...3)], rate: 100, patience: patience, retries: 3)
        var simulation = BudgetSimulation(settings(), knee: 20, seed: 1, [main, other])
        simulation.slow(by: slowdown, at: 30 * second)
        simulation.slow(by: 1, at: 50 * second)
        simulation.run(until: 70 * second)
        let after = simulation.tally("good", 55 * second..<65 * second)
        #expect(after.calls > 4_000 && after.success >= 0.999 && after.percentile99 < 100, "\(after)")
        #expect(simulation.tally("other", 55 * second..<65 * second).success == 1)
    }

    @Test(
        "a database that refuses everything for 41 s is used again 5 s after; with the longest time of a minute not",
        arguments: [(2, 4, true), (5, 60, false)])
    func refusals(shortest: Int64, longest: Int64, recovers: Bool) {
        var settings = settings()
        settings.breakerOpen = .seconds(shortest)
        settings.breakerLongestOpen = .seconds(longest)
        var simulation = BudgetSimulation(settings, knee: 20, seed: 1, [good()])
        simulation.fail(true, at: 20 * second)
        simulation.fail(false, at: 61 * second)
        simulation.run(until: 80 * second)
        let after = simulation.tally("good", 66 * second..<78 * second)
        #expect((after.success == 1) == recovers, "\(after)")
    }

    // MARK: False positives

    /// The same demand twice: once because the whole database is ten times slower, once because one plan is.
    @Test(
        "a query that is only as slow as everything is no culprit; one that is slower than everything is",
        arguments: [true, false])
    func innocence(everything: Bool) {
        let report = BudgetSimulation.Statement(query: 5, work: 50...150)
        let slow = BudgetSimulation.Statement(query: 5, work: 500...1_500)
        let other = Source(name: "other", script: [.init(query: 6, kind: .write, work: 20...60)], rate: 30)
        let before = Source(
            name: "report", script: [report], rate: 30, until: everything ? .max : 120 * second)
        let after = Source(
            name: "report", script: [slow], rate: 30, from: everything ? .max / 2 : 120 * second)
        var settings = settings()
        settings.learningTime = .zero
        var simulation = BudgetSimulation(settings, knee: 20, seed: 1, [good(), other, before, after])
        if everything { simulation.slow(by: 10, at: 120 * second) }
        simulation.run(until: 119 * second)
        #expect(simulation.decisions.isEmpty)
        simulation.run(until: 128 * second)
        #expect(simulation.decisions.contains { $0.trip != nil } == !everything)
        #expect(simulation.budgets.busySlots == 20 || !everything)
    }

    /// Transactions of five statements, with more clients than slots or fewer, and a vacuum or a checkpoint that makes
    /// everything three times slower for a minute, every ten minutes; from a cold start.
    @Test(
        "an hour of TPC-B with vacuums and checkpoints trips nothing and loses nothing",
        arguments: [(24, 60), (12, 15), (48, 15)])
    func ordinaryHour(clients: Int, minutes: Int64) {
        let begin = BudgetSimulation.Statement(query: 0, kind: .transactionControl, work: 0.05...0.1)
        let script: [BudgetSimulation.Statement] = [
            begin, .init(query: 11, kind: .write, work: 40...200), .init(query: 12, work: 4...12),
            .init(query: 13, kind: .write, work: 40...400), .init(query: 14, kind: .write, work: 8...40),
            .init(query: 0, kind: .transactionControl, work: 20...80),
        ]
        let mix = Source(name: "tpcb", script: script, clients: clients)
        let select = Source(name: "select", script: [.init(query: 3, work: 1...3)], rate: 5)
        var simulation = BudgetSimulation(settings(), knee: 8, seed: clients, [mix, select])
        for minute in stride(from: 1, to: minutes, by: 10) {
            simulation.slow(by: 3, at: minute * 60 * second)
            simulation.slow(by: 1, at: (minute + 1) * 60 * second)
        }
        simulation.run(until: minutes * 60 * second)
        #expect(simulation.decisions.isEmpty, "seed \(clients): \(simulation.decisions.first?.explanation ?? "")")
        #expect(simulation.outcomes.count > 500 * minutes)
        #expect(simulation.outcomes.allSatisfy { $0.succeeded })
    }
}
