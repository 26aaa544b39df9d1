import Decide
import Logging
import Record
import ServiceLifecycle
import Synchronization

/// Delivers the pages that wait in the outbox, at least once each.
///
/// Invariants:
/// 1. An effect leaves the outbox only in the transaction that records its outcome.
/// 2. One process never sends one page twice at the same time, even when its lease ran out while it was sending.
/// 3. A first page waits for nothing but a free place; only failed tries wait.
/// 4. No failure ends the loop, and after each there is a pause.
///
/// A crash between sending and recording leads to a second delivery with the same identifiers (`Message-ID`,
/// `Mainstay-Delivery`) once the lease has ended.
package final class PageDispatcher: Service {
    package struct Limits: Sendable {
        /// Effects leased in one go.
        package var claim = 16
        /// Pages under way at the same time.
        package var running = 32
        /// Looks again after this even without a signal: another process may have left work behind.
        package var longestNap: Span = .seconds(2)
        /// Pause after the record failed, doubling up to `longestPause`.
        package var pause: Span = .milliseconds(200)
        package var longestPause: Span = .seconds(5)
        /// How often an outcome is tried to be recorded once the process shuts down.
        package var triesAtShutdown = 5

        package init() {}
    }

    let record: Record
    let limits: Limits
    let logger: Logger
    private let owner: String
    private let carrier: PageCarrier
    private let links: LinkSigner
    private let running = Mutex<Set<Int64>>([])

    /// - Parameter owner: names this process among those that share the record; unique to it and to this start.
    package init(
        record: Record, owner: String, carrier: PageCarrier, links: LinkSigner, limits: Limits = Limits(),
        logger: Logger
    ) {
        self.record = record
        self.owner = owner
        self.carrier = carrier
        self.links = links
        self.limits = limits
        self.logger = logger
    }

    /// Until shutdown; then what is under way is finished, which the senders' time limits bound.
    package func run() async throws {
        let (claimed, queue) = AsyncStream.makeStream(of: ClaimedEffect.self)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await cancelWhenGracefulShutdown { await self.feed(queue) }
                queue.finish()
            }
            group.addTask {
                await withDiscardingTaskGroup { deliveries in
                    for await effect in claimed {
                        deliveries.addTask { await self.perform(effect) }
                    }
                }
            }
        }
    }

    /// Delivers what is due now and waits for it: one turn of `run`, for tests and drills.
    /// - Returns: how many were tried.
    @discardableResult
    package func deliverDue() async throws -> Int {
        let effects = try await claim()
        await withDiscardingTaskGroup { group in
            for effect in effects {
                group.addTask { await self.perform(effect) }
            }
        }
        return effects.count
    }

    // MARK: Claiming

    /// At most `limits.running` effects are claimed and not yet performed, so the queue is bounded by it.
    private func feed(_ queue: AsyncStream<ClaimedEffect>.Continuation) async {
        var pause = limits.pause
        while !Task.isCancelled {
            let stream = record.signals.stream()
            var nap = limits.longestNap
            do {
                let effects = try await claim()
                for effect in effects { queue.yield(effect) }
                if !effects.isEmpty { continue }
                if let due = try await record.nextDue(.act) { nap = min(nap, due - record.now()) }
                // With no free place, what is due stays due: the end of a delivery wakes this loop.
                nap = hasRoom ? max(nap, .milliseconds(10)) : limits.longestNap
                pause = limits.pause
            } catch {
                if Task.isCancelled { break }
                logger.error("pages cannot be claimed", metadata: ["cause": "\(error)"])
                (nap, pause) = (pause, min(pause * 2, limits.longestPause))
            }
            await Signals.wait(on: stream, for: [.outbox(.act)], atMost: nap.duration)
        }
    }

    private var hasRoom: Bool { running.withLock { $0.count } < limits.running }

    /// Leases what is due, as far as there is room, and marks it as under way.
    private func claim() async throws -> [ClaimedEffect] {
        let room = min(limits.claim, limits.running - running.withLock { $0.count })
        guard room > 0 else { return [] }
        // A try and a slow farewell to the mail server, twice the limit together, and then the outcome is recorded.
        let lease = carrier.timeLimit * 2 + .seconds(10)
        let effects = try await record.claim(.act, owner: owner, lease: lease, limit: room)
        return effects.filter { effect in running.withLock { $0.insert(effect.id).inserted } }
    }

    // MARK: Performing

    private func perform(_ effect: ClaimedEffect) async {
        if let next = await attempt(effect) { await settle(effect, next) }
        running.withLock { _ = $0.remove(effect.id) }
        record.signals.send(.outbox(.act))
    }

    /// Nil: nothing is known and nothing to be recorded; the lease ends and the page is tried again.
    private func attempt(_ effect: ClaimedEffect) async -> DeliveryPolicy.Next? {
        guard case .deliver(let delivery) = effect.effect else {
            return .giveUp(reason: "\(effect.key) is not a page")
        }
        let readiness: DeliveryPolicy.Readiness
        do {
            readiness = DeliveryPolicy.readiness(
                delivery, incident: try await record.incident(delivery.incident), now: record.now(),
                expiresAt: effect.expiresAt)
        } catch {
            logger.error("an incident cannot be read", metadata: ["page": "\(delivery.page)", "cause": "\(error)"])
            // Without the incident a repetition may come after the acknowledgement; any other page must go out.
            guard !delivery.isRepage else {
                return .retry(at: record.now() + .seconds(2), reason: "the record cannot be read")
            }
            readiness = .send(meanwhile: [], offersLinks: true)
        }
        switch readiness {
        case .withhold(let reason): return .giveUp(reason: reason)
        case .send(let meanwhile, let offersLinks):
            let page = OutgoingPage(
                delivery, requestedAt: effect.createdAt, meanwhile: meanwhile, offersLinks: offersLinks, links: links)
            let outcome = await carrier.send(page)
            // Cut off from inside, so the outcome says nothing about the receiving side.
            if case .temporary = outcome, Task.isCancelled { return nil }
            return DeliveryPolicy.next(
                after: outcome, attempt: effect.attempt, now: record.now(), expiresAt: effect.expiresAt)
        }
    }
}
