import Decide
import NIOCore
import PGWire

/// While its database is paused, a client waits: without a slot, or with the server that its session is in.
extension ClientLink {
    /// True: it goes on when the database does.
    func isHeldByPause(_ conversation: ClientConversation) -> Bool {
        guard conversation.isBetweenMessages else { return false }
        if !isHeld { waitingSince = core.now }
        isHeld = true
        if input.readableBytes > Self.heldLimit { pauseReading() }
        return true
    }

    /// True: the demand was answered with an error.
    func wait(for pool: Pool) -> Bool {
        guard pool.hold(self) else {
            refuseBatch(
                WireError(
                    .unsupported, sqlState: "53000",
                    "[mainstay] database \(pool.key.database) is paused, and too many wait already; retry later"))
            return true
        }
        isWaiting = true
        return false
    }

    /// It had a slot and waited for a server when the pause began.
    func holdAgain() {
        giveSlotBack()
        isWaiting = false
        guard let pool, case .open = phase else { return }
        if wait(for: pool) { pump() }
    }

    /// The pause is over.
    func goOn() {
        (isWaiting, isHeld) = (false, false)
        guard case .open = phase else { return }
        core.waited(core.now - waitingSince)
        resumeReading()
        pump()
    }

    /// No replica answers: the primary does.
    func reroute() {
        guard isWaiting, case .open = phase else { return }
        giveSlotBack()
        isWaiting = false
        pump()
    }
}
