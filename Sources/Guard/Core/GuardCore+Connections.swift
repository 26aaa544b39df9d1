import Decide
import NIOCore
import PGWire

extension GuardCore {
    func connections(listed: Int = GuardConnections.listed) -> GuardConnections {
        refreshClock()
        var connections = GuardConnections()
        let links = clients.values.map { (link: $0, rank: Self.rank($0)) }
            .sorted { ($0.rank, $0.link.connectedAt) < ($1.rank, $1.link.connectedAt) }
        connections.clients = links.prefix(listed).map { client($0.link) }
        connections.clientCount = links.count
        let servers = pools.values.sorted { ($0.key.database, $0.key.user) < ($1.key.database, $1.key.user) }
            .flatMap { pool in
                pool.servers.values.sorted { $0.openedAt < $1.openedAt }.map { (pool, $0) }
            }
        connections.servers = servers.prefix(listed).map { server($1, of: $0) }
        connections.serverCount = servers.count
        return connections
    }

    private static func rank(_ link: ClientLink) -> Int {
        link.isWaiting || link.isHeld ? 0 : link.server != nil ? 1 : link.isLoggingIn ? 2 : 3
    }

    private func client(_ link: ClientLink) -> GuardConnections.Client {
        var client = GuardConnections.Client()
        client.id = link.key.processID
        (client.database, client.user) = (link.startup?.database ?? "", link.startup?.user ?? "")
        client.application = link.applicationName
        client.address = link.remoteAddress
        client.state = link.stateName
        client.pinnedBy = link.conversation.map { "\($0.taint)" } ?? ""
        client.connectedSeconds = seconds(since: link.connectedAt)
        return client
    }

    private func server(_ link: ServerLink, of pool: Pool) -> GuardConnections.Server {
        var server = GuardConnections.Server()
        server.processID = link.processID
        (server.database, server.user, server.target) = (pool.key.database, pool.key.user, "\(link.target)")
        server.state = link.stateName
        server.prepared = link.conversation.prepared.count
        server.connectedSeconds = seconds(since: link.openedAt)
        return server
    }

    private func seconds(since then: Int64) -> Int {
        Int((now - then) / GuardSettings.Timeouts.second)
    }
}
