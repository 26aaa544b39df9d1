import PGWire

/// Whether a server, or what is asked of it, is fit for its next client.
extension ServerLink {
    /// How long a batch may be open in which nothing but preparing is done.
    static let openBatchRest = GuardSettings.Timeouts.second / 5

    func isStale(_ now: Int64, _ timeouts: GuardSettings.Timeouts) -> Bool {
        (timeouts.serverIdle > 0 && now - restedAt > timeouts.serverIdle)
            || (timeouts.serverLifetime > 0 && now - openedAt > timeouts.serverLifetime)
    }

    /// Of what brings a session's settings about: a name is never refused.
    static func onlyNames(_ statement: String) -> Bool {
        statement.hasPrefix("SET \"application_name\" TO ") && !statement.contains(";")
    }

    static func unfit(_ failure: ErrorFields?) -> String {
        "[mainstay] the next server refused this session's settings: \(failure?.message ?? "no reason was given")"
    }
}
