import Decide
import ServiceLifecycle

/// Starts every check when `CheckPlan` says so, and at once when asked.
///
/// Invariants:
/// 1. A check never overlaps with itself: a planned start of one that still runs is skipped and counted, a request
///    waits for it.
/// 2. No check waits for another: each runs in its own task, at most `Options.concurrentRuns` planned ones at a time.
/// 3. Every result goes to the sink, in the order of the check's runs, before the check may run again.
/// 4. A run that has begun goes on to the end of its clean-up: runs belong to `run()`, so that neither a caller of
///    `runNow` that is cancelled nor the end of `schedule()` cuts them off.
package actor CheckScheduler: Service {
    package struct Options: Sendable {
        /// Planned runs at a time; those that find no place start late, and their lateness shows it.
        package var concurrentRuns = 512
        /// Requests that may wait for one check.
        package var waitingRequests = 16
        /// The clock is looked at this often while anything is planned, so that one that was set back is noticed.
        package var longestSleep = Span.milliseconds(500)
        /// Planned starts are made only while `schedule()` runs, not already because `run()` does.
        package var startsPaused = false

        package init() {}
    }

    package struct Statistics: Sendable {
        /// Runs that were started on schedule.
        package var started = 0
        /// Planned starts that found the same check still running.
        package var overlapped = 0
        /// Planned starts that came too late to be worth making (the clock jumped, the machine slept).
        package var missed = 0
        /// Runs on request.
        package var requested = 0
        /// Runs going on now, those on request included.
        package var running = 0
        /// Planned runs that wait for a place.
        package var waiting = 0
        package var lateness = LatenessHistogram()
    }

    package typealias Run = @Sendable (CheckDefinition, [String: String]) async -> CheckResult

    private struct Request {
        var id: String
        var forcing: [String: String]
        var reports: Bool
        var answer: CheckedContinuation<CheckResult?, Never>
    }

    private let runCheck: Run
    private let forcing: @Sendable (CheckDefinition) -> [String: String]
    private let sink: @Sendable (CheckResult) async -> Void
    private let clock: @Sendable () -> Instant
    private let sleep: @Sendable (Span) async throws -> Void
    private let options: Options

    private var definitions: [String: CheckDefinition] = [:]
    private var plan = CheckPlan()
    private var queue = StartQueue()
    private var wake: AsyncStream<Void>.Continuation?
    private var wakesAt: Instant?
    /// How many want planned starts: `run()` unless it starts paused, and every `schedule()`.
    private var planners = 0
    private var busy: Set<String> = []
    /// Waiting for the check's run that is going on.
    private var requests: [String: [Request]] = [:]
    /// Next in line; their checks are marked busy for them.
    private var ready: [Request] = []
    private var places: Int
    private var placeQueue: [CheckedContinuation<Void, Never>] = []
    private var counts = Statistics()

    /// - Parameters:
    ///   - forcing: variants to force in a planned run: a rollout pins its candidate.
    ///   - sink: receives every result; the check does not run again before this returns.
    ///   - run: `CheckRunner.run`.
    ///   - sleep: real time, but for tests.
    package init(
        definitions: [CheckDefinition] = [], options: Options = Options(),
        clock: @escaping @Sendable () -> Instant,
        forcing: @escaping @Sendable (CheckDefinition) -> [String: String] = { _ in [:] },
        sink: @escaping @Sendable (CheckResult) async -> Void,
        sleep: @escaping @Sendable (Span) async throws -> Void = { try await Task.sleep(for: $0.duration) },
        run: @escaping Run
    ) {
        self.options = options
        self.clock = clock
        self.forcing = forcing
        self.sink = sink
        self.sleep = sleep
        runCheck = run
        places = options.concurrentRuns
        self.definitions = Self.runnable(definitions)
        plan.update(self.definitions.mapValues(\.every))
    }

    package var statistics: Statistics {
        var statistics = counts
        statistics.waiting = placeQueue.count
        return statistics
    }

    /// Takes the definitions of a reloaded configuration. Checks that stay keep their place in the plan; what runs
    /// goes on to its end.
    package func update(_ definitions: [CheckDefinition]) {
        self.definitions = Self.runnable(definitions)
        let earlier = plan
        plan.update(self.definitions.mapValues(\.every))
        guard planners > 0 else { return }
        let kept = queue.all.filter { earlier.isSame($0.id, in: plan) }
        let known = Set(kept.map(\.id))
        queue = StartQueue(kept)
        enqueue(self.definitions.keys.filter { !known.contains($0) }, after: clock())
        wake?.yield()
    }

    /// Runs until graceful shutdown, and then until the runs that are going on have ended.
    ///
    /// Cancelling it stops those too, clean-up included; what they found is then not reported, because it is the
    /// stopping that failed them.
    package func run() async throws {
        guard wake == nil else { return }
        let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.wake = wake
        if !options.startsPaused { beginPlanning() }
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                wake.yield()
                for await _ in wakes {
                    for start in takeDueStarts() { group.addTask { await self.perform(start) } }
                    for request in takeReady() { group.addTask { await self.perform(request) } }
                    if let nap = nextNap() { group.addTask { await self.rest(nap) } }
                }
            }
        } onGracefulShutdown: {
            wake.finish()
        }
        if !options.startsPaused { endPlanning() }
        self.wake = nil
        for request in ready + requests.values.flatMap({ $0 }) { request.answer.resume(returning: nil) }
        ready = []
        requests = [:]
        busy = []
    }

    /// Makes planned starts until it is cancelled: for the process that holds the lease to do so. Needs `run()` and
    /// `Options.startsPaused`.
    package func schedule() async {
        beginPlanning()
        let (never, continuation) = AsyncStream<Never>.makeStream()
        for await _ in never {}
        continuation.finish()
        endPlanning()
    }

    /// Runs a check at once, or after its run that is going on.
    ///
    /// - Parameter reports: whether the result goes to the sink.
    /// - Returns: nil if there is no such check, if it is a heartbeat, if too many requests wait for it already, or
    ///   if the scheduler does not run.
    package func runNow(
        _ id: String, forcing: [String: String] = [:], reports: Bool = true
    ) async -> CheckResult? {
        guard wake != nil, definitions[id] != nil else { return nil }
        return await withCheckedContinuation { answer in
            let request = Request(id: id, forcing: forcing, reports: reports, answer: answer)
            if busy.insert(id).inserted {
                ready.append(request)
                wake?.yield()
            } else if requests[id, default: []].count < options.waitingRequests {
                requests[id, default: []].append(request)
            } else {
                answer.resume(returning: nil)
            }
        }
    }

    // MARK: Planning

    private static func runnable(_ definitions: [CheckDefinition]) -> [String: CheckDefinition] {
        Dictionary(definitions.filter(\.isRun).map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    }

    private func beginPlanning() {
        planners += 1
        guard planners == 1 else { return }
        enqueue(definitions.keys, after: clock())
        wake?.yield()
    }

    private func endPlanning() {
        planners -= 1
        if planners == 0 { queue = StartQueue() }
    }

    private func enqueue(_ ids: some Sequence<String>, after now: Instant) {
        for id in ids {
            if let at = plan.nextStart(for: id, after: now) { queue.insert(StartQueue.Start(id: id, at: at)) }
        }
    }

    /// Takes what is due from the queue, puts its next starts in, and marks as busy what will run.
    private func takeDueStarts() -> [StartQueue.Start] {
        let now = clock()
        var due: [StartQueue.Start] = []
        while let start = queue.pop(at: now) {
            // From now, not from the planned start: what was missed is not caught up on.
            enqueue([start.id], after: now)
            if plan.isMissed(start.id, planned: start.at, now: now) {
                counts.missed += 1
            } else if !busy.insert(start.id).inserted {
                counts.overlapped += 1
            } else {
                due.append(start)
            }
        }
        if let first = queue.first, plan.isBeyondNext(first.id, planned: first.at, now: now) {
            // The clock was set back: every planned start is too far away.
            let ids = queue.all.map(\.id)
            queue = StartQueue()
            enqueue(ids, after: now)
        }
        return due
    }

    private func takeReady() -> [Request] {
        defer { ready = [] }
        return ready
    }

    private struct Nap {
        var length: Span
        var end: Instant
    }

    /// Nil when something will wake the loop early enough already.
    private func nextNap() -> Nap? {
        guard let first = queue.first else { return nil }
        let now = clock()
        let length = min(max(.milliseconds(1), first.at - now), options.longestSleep)
        if let wakesAt, wakesAt <= now + length { return nil }
        wakesAt = now + length
        return Nap(length: length, end: now + length)
    }

    private func rest(_ nap: Nap) async {
        do { try await sleep(nap.length) } catch {}  // Cancelled: the loop has ended too.
        if wakesAt == nap.end { wakesAt = nil }
        wake?.yield()
    }

    // MARK: Runs

    private func perform(_ start: StartQueue.Start) async {
        await takePlace()
        defer {
            leavePlace()
            release(start.id)
        }
        guard let definition = definitions[start.id] else { return }
        counts.started += 1
        counts.lateness.record(clock() - start.at)
        _ = await run(definition, forcing(definition), reports: true)
    }

    private func perform(_ request: Request) async {
        defer { release(request.id) }
        guard let definition = definitions[request.id] else { return request.answer.resume(returning: nil) }
        counts.requested += 1
        request.answer.resume(returning: await run(definition, request.forcing, reports: request.reports))
    }

    private func run(
        _ definition: CheckDefinition, _ forcing: [String: String], reports: Bool
    ) async -> CheckResult? {
        counts.running += 1
        defer { counts.running -= 1 }
        let result = await runCheck(definition, forcing)
        if Task.isCancelled, !result.passed { return nil }
        if reports { await sink(result) }
        return result
    }

    /// Hands the check to the request that waited longest, if there is one.
    private func release(_ id: String) {
        if var waiting = requests[id], !waiting.isEmpty {
            ready.append(waiting.removeFirst())
            requests[id] = waiting.isEmpty ? nil : waiting
            wake?.yield()
        } else {
            busy.remove(id)
        }
    }

    private func takePlace() async {
        if places > 0 {
            places -= 1
        } else {
            await withCheckedContinuation { placeQueue.append($0) }
        }
    }

    private func leavePlace() {
        if placeQueue.isEmpty { places += 1 } else { placeQueue.removeFirst().resume() }
    }
}
