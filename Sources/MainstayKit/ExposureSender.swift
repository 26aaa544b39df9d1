import Decide
import Foundation
import Logging
import Synchronization

/// Records exposures and sends them, each batch until it is accepted, under one id by which the server knows a
/// repetition.
///
/// Nothing new is taken from the log while a batch is still unsent, so a server that is away for long costs no more
/// memory than the log's limit, and users go on being counted once.
final class ExposureSender: Sendable {
    private struct Pending: Sendable {
        var id: String
        var batch: ExposureBatch
    }

    private struct State {
        var log: ExposureLog
        var backlog: [Pending] = []
        var accepted = 0
        var refused = 0
    }

    /// User entries of one request: about 400 kB.
    static let batchLimit = 20_000

    private let service: String
    private let client: MainstayClient?
    private let clock: KitClock
    private let logger: Logger
    private let state: Mutex<State>

    /// - Parameter client: nil: nothing is recorded, because nobody would ever ask.
    init(service: String, client: MainstayClient?, limit: Int, clock: KitClock, logger: Logger) {
        self.service = service
        self.client = client
        self.clock = clock
        self.logger = logger
        state = Mutex(State(log: ExposureLog(limit: limit)))
    }

    func record(_ flag: String, _ variant: String, _ version: Int64, _ user: UserContext) {
        guard client != nil, !user.isSynthetic, !user.key.isEmpty else { return }
        let hash = UserHash(key: user.key)
        let now = clock.now()
        state.withLock { $0.log.record(flag, variant, version, hash, at: now) }
    }

    func recordActive(_ user: UserContext) {
        guard client != nil, !user.isSynthetic, !user.key.isEmpty else { return }
        let hash = UserHash(key: user.key)
        let now = clock.now()
        state.withLock { $0.log.recordActive(hash, at: now) }
    }

    func describe(into status: inout MainstayStatus) {
        state.withLock { state in
            status.exposuresPending = state.log.size + state.backlog.reduce(0) { $0 + $1.batch.size }
            status.exposuresDropped = state.log.dropped
            status.batchesAccepted = state.accepted
            status.batchesRefused = state.refused
        }
    }

    /// Sends every `interval`, and less often while the server does not answer.
    func run(every interval: Duration, timeout: Duration) async {
        var failures = 0
        while !Task.isCancelled {
            let slowed = min(interval * (1 << min(failures, 8)), max(interval, .seconds(5)))
            do {
                try await clock.sleep(slowed)
                try await flush(timeout: timeout)
                failures = 0
            } catch is CancellationError {
                return
            } catch {
                logger.log(
                    level: failures == 0 ? .warning : .debug, "Exposures could not be sent; they will be sent again.",
                    metadata: ["error": "\(error)"])
                failures += 1
            }
        }
    }

    /// Sends what there is; throws at the first batch that was neither accepted nor refused for good. Call it from
    /// one task at a time.
    func flush(timeout: Duration) async throws {
        guard let client else { return }
        fill()
        while let next = state.withLock({ $0.backlog.first }) {
            let answer = try await client.post(
                "/api/v1/exposures", next.batch.json(service: service, id: next.id), timeout: timeout,
                operation: "exposures.send")
            let isAccepted = (200..<300).contains(answer.status)
            guard isAccepted || Self.isFinal(answer.status) else {
                throw MainstayError(
                    code: .refused, operation: "exposures.send", status: answer.status, detail: answer.detail)
            }
            state.withLock { state in
                state.backlog.removeFirst()
                if isAccepted { state.accepted += 1 } else { state.refused += 1 }
            }
            if !isAccepted {
                logger.error(
                    "Mainstay refused a batch of exposures; it is dropped.",
                    metadata: ["status": "\(answer.status)", "detail": "\(answer.detail)"])
            }
        }
    }

    private func fill() {
        let now = clock.now()
        state.withLock { state in
            guard state.backlog.isEmpty else { return }
            state.backlog = state.log.take(at: now, batchLimit: Self.batchLimit)
                .map { Pending(id: UUID().uuidString.lowercased(), batch: $0) }
        }
    }

    /// A body that is wrong stays wrong. A missing right, a limit or a fault of the server may pass.
    private static func isFinal(_ status: Int) -> Bool {
        (400..<500).contains(status) && ![401, 403, 404, 408, 429].contains(status)
    }
}

extension ExposureBatch {
    fileprivate var size: Int { exposures.reduce(active.count) { $0 + $1.users.count } }
}
