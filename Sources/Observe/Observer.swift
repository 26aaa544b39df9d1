import Decide
import Logging
import Record
import ServiceLifecycle

/// Runs checks and requests in one process at a time: the one that holds the observer's lease. When it dies, another
/// takes over within `lease`.
package struct Observer: Service {
    package static let leaseName = "observer"
    private static let lease: Span = .seconds(10)
    /// After this long somebody runs the checks, whoever died when.
    package static let takeover: Span = .seconds(20)
    private static let renewal: Duration = .seconds(3)

    private let record: Record
    private let owner: String
    private let intake: ResultIntake
    private let candidates: CandidateVariants
    private let requests: RequestRunner
    private let schedule: @Sendable () async throws -> Void
    private let logger: Logger

    /// - Parameter schedule: runs planned checks until cancelled.
    package init(
        record: Record, owner: String, intake: ResultIntake, candidates: CandidateVariants, requests: RequestRunner,
        schedule: @escaping @Sendable () async throws -> Void, logger: Logger
    ) {
        self.record = record
        self.owner = owner
        self.intake = intake
        self.candidates = candidates
        self.requests = requests
        self.schedule = schedule
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if await holds() {
                    logger.info("this process runs the checks")
                    await watch()
                }
                do { try await Task.sleep(for: .seconds(1)) } catch { break }
            }
        }
        do {
            try await record.dropLease(Self.leaseName, owner: owner)
        } catch {
            logger.warning(
                "the observer's lease could not be given back; it ends by itself", metadata: ["cause": "\(error)"])
        }
    }

    private func holds() async -> Bool {
        do {
            return try await record.holdLease(Self.leaseName, owner: owner, for: Self.lease)
        } catch {
            logger.error("the observer's lease cannot be asked for", metadata: ["cause": "\(error)"])
            return false
        }
    }

    /// Until the lease is lost or the process shuts down.
    private func watch() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await intake.refresh()
                    try await candidates.refresh(record)
                    try await expectHeartbeats()
                    try await schedule()
                } catch is CancellationError {
                } catch {
                    logger.error("checks stopped", metadata: ["cause": "\(error)"])
                }
            }
            group.addTask { await requests.run() }
            group.addTask { await follow() }
            group.addTask {
                while !Task.isCancelled {
                    do { try await Task.sleep(for: Self.renewal) } catch { return }
                    guard await holds() else {
                        logger.warning("the observer's lease is lost; checks stop here")
                        return
                    }
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    /// Keeps the candidates current as rollouts start and end.
    private func follow() async {
        while !Task.isCancelled {
            await Signals.wait(on: record.signals.stream(), for: [.timeline], atMost: .seconds(2))
            do {
                try await candidates.refresh(record)
            } catch is CancellationError {
                return
            } catch {
                if Task.isCancelled { return }
                logger.error("rollouts cannot be read", metadata: ["cause": "\(error)"])
            }
        }
    }

    private func expectHeartbeats() async throws {
        for check in record.policy.checks.values where check.heartbeatGrace != nil {
            try await record.apply(Subject(.check, check.id), .check(.expected), by: .mainstay)
        }
    }
}
