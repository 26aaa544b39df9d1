import Decide
import Explain

/// The guard's clients and servers, one by one.
enum GuardConnectionPages {
    static func page(_ connections: GuardConnections, notice: Notice? = nil) -> PageContent {
        PageContent(
            "Clients and servers", .queries, "guard-connections",
            [
                "clients": connections.clients.map(client), "servers": connections.servers.map(server),
                "hasClients": !connections.clients.isEmpty, "hasServers": !connections.servers.isEmpty,
                "clientCount": Words.count(connections.clientCount, "client", "clients"),
                "serverCount": Words.count(connections.serverCount, "server", "servers"),
                "moreClients": more(connections.clientCount, connections.clients.count),
                "moreServers": more(connections.serverCount, connections.servers.count),
            ], refresh: 5, notice: notice)
    }

    private static func more(_ all: Int, _ listed: Int) -> String? {
        all > listed ? "\(listed) of \(all) are listed." : nil
    }

    private static func client(_ client: GuardConnections.Client) -> Fields {
        [
            "id": String(client.id), "database": client.database, "user": client.user,
            "application": client.application, "address": client.address, "state": state(client.state),
            "pinned": client.pinnedBy.isEmpty ? nil : "keeps its server: \(client.pinnedBy)",
            "age": Span.seconds(Int64(client.connectedSeconds)).spoken,
        ]
    }

    private static func server(_ server: GuardConnections.Server) -> Fields {
        [
            "id": String(server.processID), "database": server.database, "user": server.user,
            "target": server.target, "state": state(server.state), "prepared": String(server.prepared),
            "age": Span.seconds(Int64(server.connectedSeconds)).spoken,
        ]
    }

    private static func state(_ state: String) -> Fields {
        switch state {
        case "waiting": Words.badge(.warn, "wait", "waits")
        case "active": Words.badge(.well, "ok", "at work")
        case "idle": Words.badge(.calm, "unknown", "idle")
        default: Words.badge(.calm, "unknown", state)
        }
    }

    static let template = """
        <p class="crumbs"><a href="/queries">Queries</a> / <a href="/guard">Guard</a> / Clients and servers</p>
        <header class="head" id="connections-head" data-live><h1>Clients and servers</h1><p class="quiet">{{clientCount}} and {{serverCount}} now.</p></header>
        <section id="connections-clients" data-live><h2>Clients</h2>
        {{^hasClients}}<p class="empty">Nobody is connected.</p>{{/hasClients}}
        {{#hasClients}}<div class="scroll" tabindex="0" role="region" aria-label="Clients"><table class="list"><thead><tr><th scope="col">Program</th><th scope="col">State</th><th scope="col">Database and user</th><th scope="col">From</th><th scope="col">Connected for</th></tr></thead>
        <tbody>{{#clients}}<tr><th scope="row">{{#application}}{{application}} {{/application}}<span class="quiet">{{id}}</span></th><td>{{#state}}{{>badge}}{{/state}}{{#pinned}}<p class="by">{{pinned}}</p>{{/pinned}}</td><td>{{database}} <span class="quiet">{{user}}</span></td><td>{{address}}</td><td>{{age}}</td></tr>{{/clients}}</tbody></table></div>{{/hasClients}}
        {{#moreClients}}<p class="quiet">{{moreClients}} Those that wait come first, then those at work.</p>{{/moreClients}}</section>
        <section id="connections-servers" data-live><h2>Servers</h2>
        {{^hasServers}}<p class="empty">No server connection is open.</p>{{/hasServers}}
        {{#hasServers}}<div class="scroll" tabindex="0" role="region" aria-label="Servers"><table class="list"><thead><tr><th scope="col">Server</th><th scope="col">State</th><th scope="col">Database and user</th><th scope="col">Prepared statements</th><th scope="col">Connected for</th></tr></thead>
        <tbody>{{#servers}}<tr><th scope="row">{{target}} <span class="quiet">{{id}}</span></th><td>{{#state}}{{>badge}}{{/state}}</td><td>{{database}} <span class="quiet">{{user}}</span></td><td>{{prepared}}</td><td>{{age}}</td></tr>{{/servers}}</tbody></table></div>{{/hasServers}}
        {{#moreServers}}<p class="quiet">{{moreServers}}</p>{{/moreServers}}</section>
        """
}
