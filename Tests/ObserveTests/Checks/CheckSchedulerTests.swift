import Decide
import Observe
import ServiceLifecycle
import Synchronization
import Testing

/// Time that passes only when the scheduler sleeps, and everything it was told.
private final class World: Sendable {
    static let start = Instant(milliseconds: 1_700_000_000_000)

    struct State {
        var now = World.start
        var results: [CheckResult] = []
        var runs: [(id: String, at: Instant, forced: [String: String])] = []
        var end = World.start
        var running: [String: Int] = [:]
        var overlaps = 0
        var most = 0
        var isOver = false
        var gates: [CheckedContinuation<Void, Never>] = []
    }

    let state = Mutex(State())
    /// Checks whose runs wait at the gate until `open()`.
    let slow: Set<String>

    init(slow: Set<String> = []) { self.slow = slow }

    var now: Instant { state.withLock { $0.now } }
    var results: [CheckResult] { state.withLock { $0.results } }
    func starts(of id: String) -> [Instant] { state.withLock { $0.runs.filter { $0.id == id }.map(\.at) } }

    func open() {
        let gates = state.withLock { state in
            defer { state.gates = [] }
            return state.gates
        }
        for gate in gates { gate.resume() }
    }

    @Sendable func run(_ definition: CheckDefinition, _ forcing: [String: String]) async -> CheckResult {
        let began = state.withLock { state in
            state.runs.append((definition.id, state.now, forcing))
            let count = state.running[definition.id, default: 0] + 1
            state.running[definition.id] = count
            if count > 1 { state.overlaps += 1 }
            state.most = max(state.most, state.running.values.reduce(0, +))
            return state.now
        }
        if slow.contains(definition.name) {
            await withCheckedContinuation { gate in state.withLock { $0.gates.append(gate) } }
        }
        state.withLock { $0.running[definition.id, default: 1] -= 1 }
        return CheckResult(check: definition.id, startedAt: began, finishedAt: now, failure: nil, forced: forcing)
    }

    @Sendable func take(_ result: CheckResult) { state.withLock { $0.results.append(result) } }

    /// Sleeping moves the time on, once nothing but gated runs is going on; at the end it waits for more or the stop.
    @Sendable func sleep(_ span: Span) async throws {
        for _ in 0..<20 { await Task.yield() }
        while state.withLock({ $0.running.values.reduce(0, +) > $0.gates.count }) { await Task.yield() }
        while true {
            let isOver = state.withLock { state in
                if state.now + span > state.end {
                    state.isOver = true
                    return true
                }
                state.now = state.now + span
                return false
            }
            guard isOver else { return }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    func untilOver() async { while !state.withLock({ $0.isOver }) { await Task.yield() } }
}

@Suite("The scheduler of checks", .timeLimit(.minutes(1)))
struct CheckSchedulerTests {
    static func checks(_ count: Int, every: Span = .seconds(10)) -> [CheckDefinition] {
        (0..<count).map { index in
            CheckDefinition(
                service: "shop", name: "c\(index)", feature: "f", every: every, timeout: .seconds(5),
                kind: .tcp(TCPCheck(host: "127.0.0.1", port: 1)))
        }
    }

    private static func scheduler(
        _ world: World, _ checks: [CheckDefinition], options: CheckScheduler.Options = CheckScheduler.Options()
    ) -> CheckScheduler {
        CheckScheduler(
            definitions: checks, options: options, clock: { world.now },
            forcing: { $0.feature == "f" ? ["flag": "v2"] : [:] },
            sink: { world.take($0) }, sleep: world.sleep, run: world.run)
    }

    /// Lets `span` pass, then does `body`, then stops.
    private static func pass(
        _ span: Span, _ world: World, _ scheduler: CheckScheduler,
        then body: @escaping @Sendable () async throws -> Void = {}
    ) async throws {
        world.state.withLock { $0.end = World.start + span }
        try await withThrowingTaskGroup { group in
            group.addTask { try await scheduler.run() }
            await world.untilOver()
            try await body()
            world.open()
            group.cancelAll()
        }
    }

    @Test("a thousand checks start on time, evenly, for two minutes")
    func thousand() async throws {
        let world = World()
        let scheduler = Self.scheduler(world, Self.checks(1_000))
        try await Self.pass(.minutes(2), world, scheduler)
        let statistics = await scheduler.statistics
        #expect((11_900...12_000).contains(statistics.started), "\(statistics.started)")
        #expect(statistics.lateness.percentile(0.99) <= 1)
        #expect(statistics.overlapped == 0 && statistics.missed == 0)
        let starts = world.starts(of: "shop/c7")
        for (one, next) in zip(starts, starts.dropFirst()) {
            #expect((Span.milliseconds(9_990)...Span.milliseconds(10_010)).contains(next - one))
        }
        #expect(world.results.count == statistics.started)
        #expect(world.results.allSatisfy { $0.forced == ["flag": "v2"] })
    }

    @Test("a slow check delays no other, never overlaps with itself, and its skipped starts are counted")
    func slow() async throws {
        let world = World(slow: ["c0"])
        let scheduler = Self.scheduler(world, Self.checks(3))
        try await Self.pass(.minutes(1), world, scheduler)
        #expect(world.starts(of: "shop/c0").count == 1)
        #expect((5...6).contains(world.starts(of: "shop/c1").count))
        let statistics = await scheduler.statistics
        #expect((4...5).contains(statistics.overlapped))
        #expect(world.state.withLock { $0.overlaps } == 0)
    }

    @Test("no more run at a time than the limit says, and waiting shows as lateness")
    func limit() async throws {
        let world = World(slow: Set((0..<10).map { "c\($0)" }))
        var options = CheckScheduler.Options()
        options.concurrentRuns = 4
        let scheduler = Self.scheduler(world, Self.checks(10), options: options)
        try await Self.pass(.seconds(20), world, scheduler) {
            #expect(await scheduler.statistics.running == 4)
            #expect(await scheduler.statistics.waiting == 6)
            while await scheduler.statistics.started < 10 {
                world.open()
                await Task.yield()
            }
        }
        #expect(world.state.withLock { $0.most } <= 4)
        #expect(await scheduler.statistics.lateness.max >= 1_000)
    }

    @Test("a request runs at once, is reported or kept apart, and unknown checks have no result")
    func requests() async throws {
        let world = World()
        let scheduler = Self.scheduler(world, Self.checks(1, every: .hours(1)))
        await withThrowingTaskGroup { group in
            group.addTask { try await scheduler.run() }
            while await scheduler.runNow("shop/c0", forcing: ["flag": "v1"]) == nil { await Task.yield() }
            #expect(
                await scheduler.runNow("shop/c0", forcing: ["flag": "v2"], reports: false)?.forced == ["flag": "v2"])
            #expect(await scheduler.runNow("shop/none") == nil)
            #expect(world.results.map(\.forced) == [["flag": "v1"]])
            group.cancelAll()
        }
        #expect(await scheduler.runNow("shop/c0") == nil)
    }

    @Test("requests of one check run one after the other, and are bounded")
    func serialised() async throws {
        let world = World(slow: ["c0"])
        var options = CheckScheduler.Options()
        options.waitingRequests = 3
        let scheduler = Self.scheduler(world, Self.checks(2, every: .hours(1)), options: options)
        await withThrowingTaskGroup { group in
            group.addTask { try await scheduler.run() }
            while await scheduler.runNow("shop/c1") == nil { await Task.yield() }
            let answers = await withTaskGroup(of: CheckResult?.self) { requests in
                for _ in 0..<10 { requests.addTask { await scheduler.runNow("shop/c0") } }
                var answers: [CheckResult?] = []
                // One runs and three wait: the other six are refused at once.
                while answers.count < 6, let answer = await requests.next() { answers.append(answer) }
                #expect(answers.allSatisfy { $0 == nil })
                while world.results.count < 5 {
                    world.open()
                    await Task.yield()
                }
                while let answer = await requests.next() { answers.append(answer) }
                return answers
            }
            #expect(answers.count { $0 != nil } == 4)
            group.cancelAll()
        }
        #expect(world.state.withLock { $0.overlaps } == 0)
    }

    @Test("a reload adds and removes checks; those that stay keep their times")
    func reload() async throws {
        let world = World()
        let scheduler = Self.scheduler(world, Self.checks(3))
        world.state.withLock { $0.end = World.start + .seconds(30) }
        await withThrowingTaskGroup { group in
            group.addTask { try await scheduler.run() }
            await world.untilOver()
            world.state.withLock { state in
                state.end = World.start + .seconds(60)
                state.now = state.now + .milliseconds(1)
                state.isOver = false
            }
            await scheduler.update(Array(Self.checks(5).dropFirst()))
            await world.untilOver()
            group.cancelAll()
        }
        let early = World.start + .seconds(30)
        #expect(world.starts(of: "shop/c0").allSatisfy { $0 <= early })
        #expect(world.starts(of: "shop/c4").allSatisfy { $0 > early } && world.starts(of: "shop/c4").count >= 2)
        let starts = world.starts(of: "shop/c2")
        #expect(starts.count >= 5)
        for (one, next) in zip(starts, starts.dropFirst()) {
            #expect((next - one).milliseconds % 10_000 <= 10 || (next - one).milliseconds % 10_000 >= 9_990)
        }
    }

    @Test("paused, it plans only while it is told to, and a run that began goes on to its end")
    func paused() async throws {
        let world = World(slow: ["c0"])
        var options = CheckScheduler.Options()
        options.startsPaused = true
        let scheduler = Self.scheduler(world, Self.checks(1), options: options)
        world.state.withLock { $0.end = World.start + .minutes(1) }
        await withThrowingTaskGroup { group in
            group.addTask { try await scheduler.run() }
            for _ in 0..<100 { await Task.yield() }
            #expect(world.starts(of: "shop/c0").isEmpty)
            await withThrowingTaskGroup { lease in
                lease.addTask { await scheduler.schedule() }
                while world.starts(of: "shop/c0").isEmpty { await Task.yield() }
                lease.cancelAll()
            }
            #expect(world.results.isEmpty)
            while world.results.isEmpty {
                world.open()
                await Task.yield()
            }
            group.cancelAll()
        }
        #expect(world.results.map(\.passed) == [true])
    }

    @Test("a run that the end cut off is not reported as a failure")
    func cutOff() async throws {
        let world = World()
        world.state.withLock { $0.end = World.start + .hours(1) }
        let scheduler = CheckScheduler(
            definitions: Self.checks(1), clock: { world.now }, sink: { world.take($0) }, sleep: world.sleep,
            run: { definition, _ in
                world.state.withLock { $0.isOver = true }
                do { try await Task.sleep(for: .seconds(3_600)) } catch {}
                let failure = CheckFailure(kind: .timeout, step: nil, message: "the run was stopped")
                return CheckResult(check: definition.id, startedAt: world.now, finishedAt: world.now, failure: failure)
            })
        await withThrowingTaskGroup { group in
            group.addTask { try await scheduler.run() }
            await world.untilOver()
            group.cancelAll()
        }
        #expect(world.results.isEmpty)
    }

    @Test("in real time it starts in order and on time enough to count")
    func realTime() async throws {
        let world = World()
        let scheduler = CheckScheduler(
            definitions: Self.checks(5, every: .milliseconds(50)),
            clock: { Instant(milliseconds: World.start.milliseconds + Span.since(World.reference)) },
            sink: { world.take($0) }, run: world.run)
        await withThrowingTaskGroup { group in
            group.addTask { try await scheduler.run() }
            while world.results.count < 25 { await Task.yield() }
            group.cancelAll()
        }
        #expect(world.state.withLock { $0.overlaps } == 0)
        #expect(await scheduler.statistics.started >= 25)
    }
}

extension World {
    fileprivate static let reference = ContinuousClock.now
}

extension Span {
    fileprivate static func since(_ start: ContinuousClock.Instant) -> Int64 {
        let (seconds, attoseconds) = start.duration(to: .now).components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
