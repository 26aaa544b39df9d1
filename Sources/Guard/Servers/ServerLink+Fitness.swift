import NIOCore
import PGWire

/// Whether a server, or what is asked of it, is fit for its next client.
extension ServerLink {
    /// How long a batch may be open in which nothing but preparing is done.
    static let openBatchRest = GuardSettings.Timeouts.second / 5

    /// The golden rule, asked wherever a server changes hands: nothing is owed, no transaction is open, no cancel is
    /// under way, and not even a part of a message is unread. One that breaks it is closed and counted.
    func isFitForNext() -> Bool {
        if conversation.isAtRest, input.readableBytes == 0 { return true }
        broke(.protocolViolation("the server was not at rest when its next client was to have it"))
        return false
    }

    func report(_ name: String, _ value: String) {
        var values = parameters.values
        values[name] = value
        parameters = core.intern(values)
        client?.parameters = parameters
    }

    func isStale(_ now: Int64, _ timeouts: GuardSettings.Timeouts) -> Bool {
        (timeouts.serverIdle > 0 && now - restedAt > timeouts.serverIdle)
            || (timeouts.serverLifetime > 0 && now - openedAt > timeouts.serverLifetime)
    }

    /// Of what brings a session's settings about: a name is never refused.
    static func onlyNames(_ statement: String) -> Bool {
        statement.hasPrefix("SET \"application_name\" TO ") && !statement.contains(";")
    }

    static func unfit(_ failure: ErrorFields?) -> WireError {
        let reason = failure?.message ?? "no reason was given"
        // A cancel that came just then. No 08xxx: it was asked for, and is nothing to try again.
        if failure?.code == "57014" { return WireError(.internalFault, sqlState: "57014", reason) }
        return WireError(
            .internalFault, sqlState: "08006",
            "[mainstay] the next server refused this session's settings: \(reason)")
    }
}
