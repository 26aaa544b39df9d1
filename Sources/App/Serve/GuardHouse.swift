import Decide
import Logging
import Record
import ServiceLifecycle
import Web

/// Between the guard of this process and the record: what the guard decides becomes events; the rules that people
/// wrote, and the releases that go out, reach the guard.
///
/// With several processes over one PostgreSQL each has a guard of its own. Each records what its own decided, and each
/// gives it all rules and releases: a signal tells of what this process wrote, and a look at the timeline's head every
/// `pollEvery` of what another did.
struct GuardHouse: Service {
    struct Options: Sendable {
        var pollEvery: Duration = .seconds(1)
        /// Often enough that no hold falls silent (`QueryState.silence`).
        var confirmEvery: Duration = .seconds(120)
        var firstRetry: Duration = .milliseconds(250)
        var longestRetry: Duration = .seconds(10)
        /// Changes of a service among which a new release is looked for.
        var changes = 50
        /// Limited queries that are confirmed at a time.
        var confirmations = 200
    }

    let record: Record
    let decisions: DecisionQueue
    let control: any GuardControl
    /// Which guard this is, where there are several.
    let place: String
    let logger: Logger
    var options = Options()

    func run() async throws {
        await withDiscardingTaskGroup { group in
            // What the guard has decided is written down also while it stops.
            group.addTask {
                await withGracefulShutdownHandler {
                    await keepDecisions()
                } onGracefulShutdown: {
                    decisions.finish()
                }
            }
            group.addTask { await cancelWhenGracefulShutdown { await confirmHolds() } }
            group.addTask { await cancelWhenGracefulShutdown { await handOverRules() } }
            group.addTask { await cancelWhenGracefulShutdown { await watchReleases() } }
        }
    }

    // MARK: Decisions

    private func keepDecisions() async {
        for await _ in decisions.rings() { await keepWaiting() }
        await keepWaiting()
    }

    private func keepWaiting() async {
        // Told to stop all is written down; cut off, the next to listen does it.
        while !Task.isCancelled || decisions.isFinished, let decision = decisions.take() {
            await keep(.decided(decision, place: place), decision)
        }
    }

    /// Tries until it is on disk. What can never be, and what is left when the process stops, is told in the log.
    private func keep(_ event: QueryEvent, _ decision: QueryDecision) async {
        var pause = options.firstRetry
        while true {
            do {
                try await record.apply(QueryState.subject(of: decision), .query(event), by: .mainstay)
                return
            } catch {
                if Task.isCancelled, !decisions.isFinished { return decisions.putBack(decision) }
                let mayHelp = RecordFailure(error) == .unavailable && !decisions.isFinished
                logger.log(
                    level: mayHelp ? .warning : .error,
                    mayHelp
                        ? "a decision of the guard cannot be recorded yet" : "a decision of the guard was not recorded",
                    metadata: [
                        "decision": "\(decision.kind.rawValue)", "query": "\(decision.query?.hex ?? "none")",
                        "database": "\(decision.database)", "cause": "\(error)",
                    ])
                guard mayHelp else { return }
            }
            do { try await Task.sleep(for: pause) } catch { continue }
            pause = min(pause * 2, options.longestRetry)
        }
    }

    /// Tells now and then that what is held back still is, so that the silence of a guard that died is heard.
    private func confirmHolds() async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: options.confirmEvery) } catch { return }
            // What waits tells the same, and more exactly.
            guard decisions.count == 0 else { continue }
            do {
                let now = record.now()
                for limited in try await control.overview().limited.prefix(options.confirmations) {
                    let decision = QueryDecision(limited, at: now)
                    try await record.apply(
                        QueryState.subject(of: decision), .query(.confirmed(decision, place: place)), by: .mainstay)
                }
            } catch {
                logger.warning("what the guard holds back cannot be confirmed", metadata: ["cause": "\(error)"])
            }
        }
    }

    // MARK: Rules by hand

    private func handOverRules() async {
        var given: Int64?
        await whenever(.guardRules, "the rules by hand cannot be given to the guard") {
            let rules = try await record.guardRules()
            guard rules.version != given else { return }
            try await control.setRules(rules.rules)
            given = rules.version
            logger.info("the guard has the rules by hand", metadata: ["rules": "\(rules.rules.count)"])
        }
    }

    // MARK: Releases

    private func watchReleases() async {
        var watches: [String: ReleaseWatch] = [:]
        var pending: [(database: String, order: ReleaseWatch.Order)] = []
        await whenever(.timeline, "releases cannot be told to the guard") {
            if pending.isEmpty {
                for (database, service) in record.policy.guarded.services.sorted(by: { $0.key < $1.key }) {
                    for order in try await look(&watches[database, default: ReleaseWatch()], at: service) {
                        pending.append((database, order))
                    }
                }
            }
            while let next = pending.first {
                switch next.order {
                case .started(let release): try await control.releaseStarted(release, database: next.database)
                case .proven: try await control.releaseProven(database: next.database)
                }
                pending.removeFirst()
            }
        }
    }

    private func look(_ watch: inout ReleaseWatch, at service: String) async throws -> [ReleaseWatch.Order] {
        let changes = try await record.changes(service: service, limit: options.changes)
        var isUndone = false
        if let known = watch.change { isUndone = try await record.change(known)?.undoneAt != nil }
        var after = watch
        var orders = after.look(changes, isUndone: isUndone)
        if let release = after.unproven, try await record.rollout(release)?.status == .completed {
            orders += after.proven()
        }
        watch = after
        return orders
    }

    /// Runs `work` at the start and whenever the timeline has grown; what fails is tried again at the next look.
    private func whenever(
        _ signal: Signals.Signal, _ complaint: Logger.Message, _ work: () async throws -> Void
    ) async {
        var (done, isFailing): (Int64?, Bool) = (nil, false)
        while !Task.isCancelled {
            // Anew each time: a wait that its limit ends takes its stream with it, and the next would not wait at all.
            let signals = record.signals.stream()
            do {
                let head = try await record.timelineHead()
                if head != done { try await work() }
                (done, isFailing) = (head, false)
            } catch {
                if !isFailing, !Task.isCancelled { logger.warning(complaint, metadata: ["cause": "\(error)"]) }
                isFailing = true
            }
            await Signals.wait(on: signals, for: [signal], atMost: options.pollEvery)
        }
    }
}

extension QueryDecision {
    /// As if it had just been decided.
    init(_ limited: GuardOverview.Limited, at now: Instant) {
        self.init(
            kind: limited.limit == nil ? .breakerOpened : .tripped, at: now, database: limited.database,
            user: limited.user, query: limited.query, text: limited.text, release: limited.release,
            isObserved: limited.isObserved, share: limited.size > 0 ? limited.usage / Double(limited.size) : nil,
            budget: limited.budget, limit: limited.limit, slots: limited.size, isCrowd: limited.isCrowd,
            until: limited.until)
    }
}
