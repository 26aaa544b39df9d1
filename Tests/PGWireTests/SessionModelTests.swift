import NIOCore
import Testing

@testable import PGWire

/// Clients that share servers hear, byte for byte, what each would hear from a server of its own.
@Suite("Session: against a server of one's own")
struct SessionModelTests {
    @Test("whatever is sent, in whatever pieces", arguments: 0..<16)
    func same(_ block: Int) throws {
        for seed in (block * 25)..<(block * 25 + 25) {
            let world = SessionWorld(seed: UInt64(seed))
            do {
                try world.run()
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
            for client in world.clients {
                guard client.heard != client.expected || !client.isDone else { continue }
                Issue.record(
                    """
                    seed \(seed), done: \(client.isDone)
                    sent     \(Frame.shown(client.script))
                    heard    \(Frame.shown(client.heard))
                    expected \(Frame.shown(client.expected))
                    """)
                return
            }
        }
    }
}

/// What a client sends: batches that each end in a Sync.
private struct SessionScript {
    var chance: QueriesChance
    /// Nothing is refused: what the unnamed statement is stays known from one batch to the next.
    let isClean: Bool
    private var hasUnnamed = false
    private var known: Set<String> = []

    init(seed: UInt64) {
        chance = QueriesChance(seed: seed)
        isClean = chance.below(3) == 0
    }

    mutating func batch() -> [UInt8] {
        if !isClean { hasUnnamed = false }
        var bytes: [UInt8] = []
        for _ in 0..<chance.below(6) { bytes += operation() }
        if chance.below(4) == 0 { bytes += query() }
        return bytes + Frame.sync
    }

    private mutating func query() -> [UInt8] {
        hasUnnamed = false
        switch chance.below(4) {
        case 0: return Frame.query("copy t from stdin") + data()
        case 1:
            known = []
            return Frame.query("DEALLOCATE ALL")
        case 2:
            guard let name = knownName() else { return Frame.query("") }
            known.remove(name)
            return Frame.query("DEALLOCATE \(name)")
        default: return Frame.query(text())
        }
    }

    private mutating func text() -> String {
        if !isClean, chance.below(6) == 0 { return chance.pick(["select bad", "select fail"]) }
        return "select c\(chance.below(5))"
    }

    private mutating func anyName() -> String { "s\(chance.below(4))" }

    private mutating func knownName() -> String? {
        guard isClean else { return anyName() }
        return known.isEmpty ? nil : chance.pick(known.sorted())
    }

    private mutating func data() -> [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<chance.below(3) { bytes += Frame.data("\(index)") }
        return bytes + (isClean ? Frame.copyDone : chance.pick([Frame.copyDone, Frame.copyDone, Frame.copyFail]))
    }

    private mutating func operation() -> [UInt8] {
        switch chance.below(12) {
        case 0, 1:
            let name = anyName()
            if isClean, !known.insert(name).inserted { return Frame.flush }
            return Frame.parse(name, text())
        case 2:
            hasUnnamed = true
            return Frame.parse("", text())
        case 3, 4: return knownName().map { Frame.bind($0) + Frame.execute() } ?? Frame.flush
        case 5, 6:
            if hasUnnamed { return Frame.bind("") + Frame.describe("") + Frame.execute() }
            return knownName().map { Frame.describe($0) } ?? Frame.flush
        case 7:
            let name = anyName()
            known.remove(name)
            return Frame.close(name)
        case 8: return deallocate()
        case 9:
            hasUnnamed = false
            let early = chance.below(4) == 0 ? Frame.sync : []
            return Frame.parse("", "copy t from stdin") + Frame.bind("") + Frame.execute() + early + data()
        case 10: return Frame.flush
        default:
            if !isClean { hasUnnamed = false }
            return Frame.sync
        }
    }

    private mutating func deallocate() -> [UInt8] {
        guard let name = knownName() else { return Frame.flush }
        hasUnnamed = false
        let all = chance.below(4) == 0
        if all { known = [] } else { known.remove(name) }
        return Frame.parse("", "DEALLOCATE \(all ? "ALL" : name)") + Frame.bind("") + Frame.execute()
    }
}

private final class SessionWorldClient {
    let conversation: ClientConversation
    let script: [UInt8]
    let expected: [UInt8]
    var unsent: ArraySlice<UInt8>
    var input = ByteBuffer()
    var heard: [UInt8] = []
    var server: SessionWorldServer?

    init(_ pool: SessionPool, seed: UInt64, preparedLimit: Int) {
        var script = SessionScript(seed: seed)
        self.script = (0..<10).flatMap { _ in script.batch() }
        var own = SessionModelServer()
        expected = own.answer(self.script)
        unsent = self.script[...]
        conversation = ClientConversation(catalog: pool.catalog, registry: pool.registry, sharesStatements: true)
        conversation.preparedLimit = preparedLimit
    }

    var isDone: Bool { unsent.isEmpty && input.readableBytes == 0 && server == nil }
}

private final class SessionWorldServer {
    let conversation = ServerConversation.started()
    var model = SessionModelServer()
    var unread: [UInt8] = []
    var input = ByteBuffer()
    var isTaken = false
}

/// A small pool: more clients than servers, one event after another in any order.
private final class SessionWorld {
    let clients: [SessionWorldClient]
    private let servers: [SessionWorldServer]
    private var chance: QueriesChance
    private var events: [ServerEvent] = []

    init(seed: UInt64) {
        chance = QueriesChance(seed: seed)
        let pool = SessionPool()
        let limit = 1 + chance.below(5)
        clients = (0..<3).map { SessionWorldClient(pool, seed: seed * 3 + UInt64($0), preparedLimit: limit) }
        servers = (0..<2).map { _ in SessionWorldServer() }
    }

    struct Failure: Error {
        var reason: String
    }

    func run() throws {
        for _ in 0..<20_000 {
            let waiting = clients.filter { !$0.isDone }
            if waiting.isEmpty { return }
            let client = chance.pick(waiting)
            if chance.below(2) == 0 {
                client.input.writeBytes(take(&client.unsent))
                try forward(client)
            } else if let server = client.server {
                var unread = server.unread[...]
                server.input.writeBytes(take(&unread))
                server.unread = Array(unread)
                try read(server, client)
            }
        }
    }

    private func take(_ bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let count = min(bytes.count, chance.below(4) == 0 ? chance.below(8) : chance.below(200))
        defer { bytes = bytes.dropFirst(count) }
        return bytes.prefix(count)
    }

    private func forward(_ client: SessionWorldClient) throws {
        while true {
            var (toServer, toClient) = (ForwardBuffer(), ForwardBuffer())
            let progress = try client.conversation.forward(
                &client.input, server: client.server?.conversation, to: &toServer, client: &toClient, now: 0)
            if let bytes = toServer.take(from: client.input), let server = client.server {
                server.unread += server.model.answer(Array(bytes.readableBytesView))
                if server.model.hasHungUp { throw Failure(reason: "the server hung up") }
            }
            if let bytes = toClient.take(from: client.input) { client.heard += bytes.readableBytesView }
            try release(client)
            guard progress == .needsServer, let free = servers.filter({ !$0.isTaken }).randomElement(using: &chance)
            else { return }
            free.isTaken = true
            client.server = free
        }
    }

    private func read(_ server: SessionWorldServer, _ client: SessionWorldClient) throws {
        var out = ForwardBuffer()
        try server.conversation.read(
            &server.input, for: &out, hasClient: true, events: &events, changes: client.conversation.changes)
        events.removeAll()
        if let bytes = out.take(from: server.input) { client.heard += bytes.readableBytesView }
        try release(client)
        try forward(client)
    }

    /// At rest a server goes to whoever comes; it holds then what we believe it to hold.
    private func release(_ client: SessionWorldClient) throws {
        guard let server = client.server, server.conversation.isAtRest, client.conversation.isBetweenMessages else {
            return
        }
        guard server.unread.isEmpty, server.input.readableBytes == 0 else { throw Failure(reason: "no rest") }
        let believed = Set(server.conversation.prepared.keys.map { "mainstay_\($0)" })
        let held = server.model.names.subtracting(["mainstay_0"])
        guard held == believed else { throw Failure(reason: "\(held) is held, not \(believed)") }
        // An error may keep what was to make room; the next statement then makes more.
        guard believed.count <= 2 * client.conversation.preparedLimit else { throw Failure(reason: "too many") }
        server.isTaken = false
        client.server = nil
    }
}
