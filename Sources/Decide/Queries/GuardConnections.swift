/// The connections of a guard at this moment, for people.
package struct GuardConnections: Hashable, Sendable, Codable {
    package struct Client: Hashable, Sendable, Codable {
        /// The process id that the client was told at log-in.
        package var id: Int32 = 0
        package var database = ""
        package var user = ""
        package var application = ""
        /// Host and port.
        package var address = ""
        /// `login`, `waiting`, `active` (has a server) or `idle`.
        package var state = ""
        /// Why it keeps its server between transactions; empty: it does not.
        package var pinnedBy = ""
        package var connectedSeconds = 0

        package init() {}
    }

    package struct Server: Hashable, Sendable, Codable {
        /// Of the server's own process.
        package var processID: Int32 = 0
        package var database = ""
        package var user = ""
        /// Without secrets.
        package var target = ""
        /// `login`, `active` (has a client), `idle` or `cleaning`.
        package var state = ""
        package var prepared = 0
        package var connectedSeconds = 0

        package init() {}
    }

    /// Lists of either are cut here; the counts are not.
    package static let listed = 500

    /// Those that wait first, then those with a server; the oldest of each first.
    package var clients: [Client] = []
    package var servers: [Server] = []
    package var clientCount = 0
    package var serverCount = 0

    package init() {}
}
