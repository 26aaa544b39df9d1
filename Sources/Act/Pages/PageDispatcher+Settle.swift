import Decide
import Logging
import Record
import SQL
import ServiceLifecycle

/// How an outcome reaches the record.
extension PageDispatcher {
    /// Records an outcome, and keeps trying while the database is away: forgetting it would page somebody twice.
    func settle(_ effect: ClaimedEffect, _ next: DeliveryPolicy.Next) async {
        var (tries, pause) = (0, limits.pause)
        while true {
            do {
                return try await write(effect, next)
            } catch let refusal as Refusal where refusal.code == .conflict {
                let metadata: Logger.Metadata = ["effect": "\(effect.key)", "cause": "\(refusal)"]
                return logger.warning("a page was taken over while it was sent", metadata: metadata)
            } catch  where Self.isHopeless(error) {
                let metadata: Logger.Metadata = ["effect": "\(effect.key)", "cause": "\(error)"]
                logger.error("a page's outcome does not fit the record", metadata: metadata)
                return await close(effect)
            } catch {
                tries += 1
                logger.error(
                    "a page's outcome is not recorded yet", metadata: ["effect": "\(effect.key)", "cause": "\(error)"])
            }
            let isLeaving = Task.isShuttingDownGracefully && tries >= limits.triesAtShutdown
            guard !isLeaving, await rest(pause) else { return }
            pause = min(pause * 2, limits.longestPause)
        }
    }

    private func write(_ effect: ClaimedEffect, _ next: DeliveryPolicy.Next) async throws {
        switch next {
        case .delivered(let proof):
            try await record.apply(told(effect, .delivered(proof: proof)), completing: effect)
        case .giveUp(let reason):
            logger.warning("a page is given up", metadata: ["effect": "\(effect.key)", "reason": "\(reason)"])
            try await record.apply(told(effect, .attemptFailed(reason: reason, isFinal: true)), completing: effect)
        case .retry(let at, let reason):
            logger.warning(
                "a page will be tried again", metadata: ["effect": "\(effect.key)", "reason": "\(reason)"])
            try await record.postpone(effect, until: at, told(effect, .attemptFailed(reason: reason, isFinal: false)))
        }
    }

    private func told(_ effect: ClaimedEffect, _ event: PageEvent) -> [Occurrence] {
        guard case .deliver(let delivery) = effect.effect else { return [] }
        return [Occurrence(Subject(.page, delivery.page), .page(event), by: .mainstay)]
    }

    /// Ends the effect without telling the page, which cannot take the news: otherwise it would be sent for ever.
    private func close(_ effect: ClaimedEffect) async {
        do {
            try await record.apply([], completing: effect)
        } catch {
            logger.error("a page cannot be ended", metadata: ["effect": "\(effect.key)", "cause": "\(error)"])
        }
    }

    /// Whether trying again is pointless because the database answered and said no.
    private static func isHopeless(_ error: any Error) -> Bool {
        if error is Refusal { return true }
        switch (error as? SQLError)?.code {
        case .constraint, .statement, .decoding: return true
        case .conflict, .unavailable, .timeout, .newer, nil: return false
        }
    }

    /// False when the process is told to stop at once.
    private func rest(_ span: Span) async -> Bool {
        do {
            try await Task.sleep(for: span.duration)
            return true
        } catch {
            return false
        }
    }
}
