import NIOCore
import Testing

@testable import PGWire

@Suite("Session: prepared statements")
struct SessionStatementTests {
    private let pool = SessionPool()
    private let scene: SessionScene
    private let first = ServerConversation.started()
    private let second = ServerConversation.started()

    init() {
        scene = SessionScene(pool, server: first)
    }

    private static func ours(_ id: Int, _ sql: String = "select 1") -> [UInt8] { Frame.parse("mainstay_\(id)", sql) }

    /// The client prepares `name`, which becomes our `id`.
    private func prepare(_ name: String = "s", _ sql: String = "select 1", id: Int = 1) throws {
        try scene.sends(Frame.parse(name, sql), Frame.sync, server: [Self.ours(id, sql), Frame.sync])
        try scene.answers(Frame.parsed, Frame.idle)
    }

    private func run(_ name: String = "s", id: Int = 1) throws {
        try scene.sends(
            Frame.bind(name), Frame.execute(), Frame.sync,
            server: [Frame.bind("mainstay_\(id)"), Frame.execute(), Frame.sync])
        try scene.answers(Frame.bound, Frame.done("SELECT 1"), Frame.idle)
    }

    @Test("a statement is prepared again on another server, and nobody hears of it")
    func twoServers() throws {
        try prepare()
        try run()
        scene.moves(to: second)
        try scene.sends(
            Frame.bind("s"), Frame.execute(), Frame.sync,
            server: [Self.ours(1), Frame.bind("mainstay_1"), Frame.execute(), Frame.sync])
        try scene.answers(
            Frame.parsed, Frame.bound, Frame.done("SELECT 1"), Frame.idle,
            client: [Frame.bound, Frame.done("SELECT 1"), Frame.idle])
        try run()
        scene.moves(to: first)
        try scene.sends(Frame.describe("s"), Frame.sync, server: [Frame.describe("mainstay_1"), Frame.sync])
        try scene.answers(Frame.parameters, Frame.noData, Frame.idle)
        #expect(first.prepared.count == 1)
        #expect(second.prepared.count == 1)
    }

    @Test("what a server holds already is answered in its stead, in order")
    func synthetic() throws {
        try prepare()
        try scene.sends(Frame.parse("t", "select 1"), server: [], client: [Frame.parsed])
        try scene.sends(Frame.close("t"), server: [], client: [Frame.closed])
        try scene.sends(Frame.sync)
        try scene.answers(Frame.idle)
        try scene.sends(
            Frame.bind("s"), Frame.parse("t", "select 1"), Frame.close("s"), Frame.parse("s", "select 1"),
            Frame.execute(), Frame.sync, server: [Frame.bind("mainstay_1"), Frame.execute(), Frame.sync])
        try scene.answers(Frame.bound, client: [Frame.bound, Frame.parsed, Frame.closed, Frame.parsed])
        try scene.answers(Frame.done("SELECT 1"), Frame.idle)
        #expect(scene.client.changes.count == 2)
        #expect(first.isAtRest)
    }

    @Test("another client's Parse of a known text needs no server at all")
    func proven() throws {
        try prepare()
        let other = SessionScene(pool, server: nil)
        try other.sends(
            Frame.parse("x", "select 1"), Frame.sync, server: [], client: [Frame.parsed, Frame.idle])
        try other.sends(Frame.parse("y", "select 2"), server: [], .needsServer)
    }

    @Test("after a change of the schema a known text is parsed anew, by whichever client")
    func schema() throws {
        try prepare()
        let other = SessionScene(pool, server: second)
        try other.sends(Frame.query("alter table t add c int"))
        try scene.sends(Frame.parse("u", "select 1"), Frame.sync, server: [Self.ours(2), Frame.sync])
        try scene.answers(Frame.parsed, Frame.idle)
        // Those prepared before mean what they meant.
        try run()
        try other.answers(Frame.done("ALTER TABLE"), Frame.idle)
        pool.registry.schema.change()
        let third = SessionScene(pool, server: nil)
        try third.sends(Frame.parse("x", "select 1"), server: [], .needsServer)
        third.moves(to: first)
        try third.sends(Frame.parse("y", "select 1"), server: [Self.ours(3)])
        #expect(pool.registry.count == 1)
    }

    @Test(
        "others see a change of the schema when it is committed",
        arguments: [
            ["alter table t add c int"], ["begin", "create table t (a int)", "commit"],
            ["select 1; drop table t"],
        ])
    func schemaCommitted(_ texts: [String]) throws {
        func changes() -> Int { scene.events.count { if case .schemaChanged = $0 { true } else { false } } }
        let scene = scene
        for (n, text) in texts.enumerated() {
            try scene.sends(Frame.query(text))
            #expect(scene.events.allSatisfy { if case .schemaChanged = $0 { false } else { true } })
            try scene.answers(Frame.done("OK"), n == texts.count - 1 ? Frame.idle : Frame.open)
        }
        #expect(changes() == 1)
        try scene.sends(Frame.query("select 1"))
        try scene.answers(Frame.columns, Frame.done("SELECT 0"), Frame.idle)
        #expect(changes() == 1)
        #expect(!first.changesSchema)
    }

    @Test("a name that exists is refused by the server, under the client's own name")
    func duplicate() throws {
        try prepare()
        try scene.sends(Frame.parse("s", "select 2"), Frame.sync, server: [Self.ours(1), Frame.sync])
        try scene.answers(
            Frame.error("42P05", "prepared statement \"mainstay_1\" already exists"), Frame.idle,
            client: [Frame.error("42P05", "prepared statement \"s\" already exists"), Frame.idle])
        try run()
        #expect(first.prepared.count == 1)
    }

    @Test("a duplicate takes nothing from the unnamed statement")
    func duplicateAndUnnamed() throws {
        try prepare()
        try scene.sends(Frame.parse("", "select 3"), Frame.sync)
        try scene.answers(Frame.parsed, Frame.idle)
        try scene.sends(Frame.parse("s", "select 2"), Frame.sync, server: [Self.ours(1), Frame.sync])
        try scene.answers(Frame.error("42P05"), Frame.idle)
        try scene.sends(Frame.bind(""), Frame.execute(), Frame.sync)
        try scene.answers(Frame.bound, Frame.done("SELECT 1"), Frame.idle)
    }

    @Test("a Parse that fails leaves its name free, and what was in the batch before it stands")
    func failedParse() throws {
        try scene.sends(
            Frame.parse("a", "select 1"), Frame.parse("s", "selec"), Frame.close("a"), Frame.sync,
            server: [Self.ours(1), Self.ours(2, "selec"), Frame.sync])
        try scene.answers(Frame.parsed, Frame.error("42601"), Frame.idle)
        #expect(scene.client.changes.count == 1)
        #expect(first.prepared.keys.sorted() == [1])
        try prepare("s", "select 2", id: 3)
        try run("a", id: 1)
        try run("s", id: 3)
    }

    @Test("Close, and Parse again in one batch; an error takes both back")
    func closeThenParse() throws {
        try prepare()
        try scene.sends(
            Frame.close("s"), Frame.parse("s", "selec"), Frame.sync, server: [Self.ours(2, "selec"), Frame.sync],
            client: [Frame.closed])
        try scene.answers(Frame.error("42601"), Frame.idle)
        #expect(scene.client.changes.count == 0)
        try scene.sends(Frame.parse("s", "select 1"), server: [], client: [Frame.parsed])
        try run()
    }

    @Test("a name that an unanswered batch changes has to wait; nothing is sent under it")
    func uncertain() throws {
        try scene.sends(Frame.parse("s", "selec"), Frame.sync, server: [Self.ours(1, "selec"), Frame.sync])
        try scene.sends(Frame.parse("s", "select 2"), server: [], .waitsForServer)
        try scene.sends([], server: [], .waitsForServer)
        try scene.answers(Frame.error("42601"), Frame.idle)
        try scene.sends(Frame.sync, server: [Self.ours(2, "select 2"), Frame.sync])
        try scene.answers(Frame.parsed, Frame.idle)
        try run(id: 2)
    }

    @Test(
        "a simple DEALLOCATE is answered in the server's stead",
        arguments: [
            "DEALLOCATE s", " deallocate prepare S ;", "deallocate \"s\"", "DEALLOCATE\n\ts;",
        ])
    func simpleDeallocate(_ text: String) throws {
        try prepare()
        try scene.sends(Frame.query(text), server: [], client: [Frame.done("DEALLOCATE"), Frame.idle])
        #expect(scene.client.changes.count == 0)
        #expect(first.prepared.count == 1)
        try scene.sends(Frame.query(text))
        try scene.answers(Frame.error("26000"), Frame.idle)
    }

    @Test("a simple DEALLOCATE waits for what was sent before, and commits it")
    func deallocateWaits() throws {
        try prepare()
        try scene.sends(Frame.query("select 1"))
        try scene.sends(Frame.query("deallocate s"), server: [], .waitsForServer)
        try scene.answers(Frame.empty, Frame.idle)
        try scene.sends([], server: [], client: [Frame.done("DEALLOCATE"), Frame.idle])
        try scene.sends(Frame.parse("u", "select 2"), Frame.flush, server: [Self.ours(2, "select 2"), Frame.flush])
        try scene.answers(Frame.parsed)
        try scene.sends(Frame.query("deallocate u"), server: [Frame.sync], .waitsForServer)
        try scene.answers(Frame.idle, client: [])
        try scene.sends([], server: [], client: [Frame.done("DEALLOCATE"), Frame.idle])
        #expect(first.isAtRest)
    }

    @Test("a DEALLOCATE through the extended protocol takes a statement that nobody uses")
    func extendedDeallocate() throws {
        try prepare()
        let sent = [Frame.close("mainstay_0"), Frame.parse("mainstay_0", ""), Frame.parse("", "DEALLOCATE mainstay_0")]
        try scene.sends(
            Frame.parse("", "DEALLOCATE s"), Frame.bind(""), Frame.execute(), Frame.sync,
            server: sent + [Frame.bind(""), Frame.execute(), Frame.sync])
        try scene.answers(
            Frame.closed, Frame.parsed, Frame.parsed, Frame.bound, Frame.done("DEALLOCATE"), Frame.idle,
            client: [Frame.parsed, Frame.bound, Frame.done("DEALLOCATE"), Frame.idle])
        #expect(scene.client.changes.count == 0)
        // Never executed, as well: the server still holds what others use.
        #expect(first.prepared.keys.sorted() == [1])
        try scene.sends(Frame.parse("s", "select 1"), server: [], client: [Frame.parsed])
        try run()
    }

    @Test("a DEALLOCATE that fails leaves the name")
    func failedDeallocate() throws {
        try prepare()
        _ = try scene.forward(Frame.bind("nobody's") + Frame.parse("", "DEALLOCATE s") + Frame.sync)
        try scene.answers(Frame.error("26000"), Frame.idle)
        #expect(scene.client.changes.count == 1)
        try run()
    }

    @Test("after DEALLOCATE ALL nothing is left; names sent behind it wait, and stand", arguments: [true, false])
    func deallocateAll(_ isSimple: Bool) throws {
        try prepare()
        let all =
            isSimple
            ? [Frame.query("DEALLOCATE ALL")]
            : [Frame.parse("", "DEALLOCATE ALL"), Frame.bind(""), Frame.execute(), Frame.sync]
        try scene.sends(all.flatMap(\.self))
        try scene.sends(
            Frame.parse("s", "select 1"), Frame.bind("s"), Frame.execute(), Frame.sync, server: [], .waitsForServer)
        if !isSimple { try scene.answers(Frame.parsed, Frame.bound) }
        try scene.answers(Frame.done("DEALLOCATE ALL"), Frame.idle)
        #expect(first.prepared.isEmpty)
        try scene.sends([], server: [Self.ours(1), Frame.bind("mainstay_1"), Frame.execute(), Frame.sync])
        try scene.answers(Frame.parsed, Frame.bound, Frame.done("SELECT 1"), Frame.idle)
        #expect(scene.client.changes.count == 1)
    }

    @Test("what waits in an open batch asks the server to speak")
    func urge() throws {
        try prepare()
        try scene.sends(Frame.parse("", "DEALLOCATE ALL"), Frame.bind(""), Frame.execute())
        try scene.sends(Frame.parse("s", "select 1"), server: [Frame.flush], .waitsForServer)
        try scene.answers(Frame.parsed, Frame.bound, Frame.done("DEALLOCATE ALL"))
        try scene.sends([], server: [Self.ours(1)])
    }

    @Test("what the client sent behind DEALLOCATE ALL stands when its answer comes")
    func pendingStands() {
        let (changes, query) = (StatementChanges(), Queries.info("select 1"))
        let statement = PreparedStatement(id: 1, body: ByteBuffer(), query: query, release: 0, space: 0)
        changes.set("old", to: statement, batch: 0)
        changes.settleOldest()
        changes.set("new", to: statement, batch: 1)
        changes.removeAll()
        #expect(changes["old"] == nil)
        #expect(changes["new"] != nil)
        changes.undoOldest(1)
        #expect(changes["new"] == nil)
    }

    // MARK: Room

    @Test("the one that was used longest ago makes room")
    func eviction() throws {
        scene.client.preparedLimit = 2
        try prepare("a", "select 1", id: 1)
        try prepare("b", "select 2", id: 2)
        try run("a", id: 1)
        try scene.sends(
            Frame.parse("c", "select 3"), Frame.sync,
            server: [Frame.close("mainstay_2"), Self.ours(3, "select 3"), Frame.sync])
        try scene.answers(Frame.closed, Frame.parsed, Frame.idle, client: [Frame.parsed, Frame.idle])
        #expect(first.prepared.keys.sorted() == [1, 3])
        try scene.sends(
            Frame.bind("b"), Frame.sync,
            server: [Frame.close("mainstay_1"), Self.ours(2, "select 2"), Frame.bind("mainstay_2"), Frame.sync])
        try scene.answers(
            Frame.closed, Frame.parsed, Frame.bound, Frame.idle, client: [Frame.bound, Frame.idle])
    }

    @Test("one that had to make room, and did not because of an error, is still known")
    func skippedEviction() throws {
        scene.client.preparedLimit = 1
        try prepare("a", "select 1", id: 1)
        _ = try scene.forward(Frame.bind("nobody's") + Frame.parse("b", "select 2") + Frame.bind("a") + Frame.sync)
        try scene.answers(Frame.error("26000"), Frame.idle)
        #expect(first.prepared.keys.sorted() == [1])
        try run("a", id: 1)
    }

    @Test("statements that nobody uses are dropped: by number and by size")
    func registry() {
        let (registry, query) = (StatementRegistry(), TextFacts(query: Queries.info("select 1"), release: 0))
        for index in 0..<(StatementRegistry.limit * 2) {
            _ = registry.intern(ByteBuffer(string: "select \(index)"), query)
        }
        #expect(registry.count <= StatementRegistry.limit)
        let large = String(repeating: "x", count: 1 << 20)
        for index in 0..<100 { _ = registry.intern(ByteBuffer(string: large + "\(index)"), query) }
        #expect(registry.count <= 64)
    }

    @Test("a name is cut at 63 bytes, between characters")
    func names() {
        let long = String(repeating: "a", count: 62)
        #expect(ClientConversation.name(long + "éé") == long)
        #expect(ClientConversation.name(long + "bc") == long + "b")
        #expect(ClientConversation.name("é") == "é")
        #expect(ClientConversation.name(String(repeating: "e\u{301}", count: 1 << 20)).utf8.count == 63)
    }

    @Test("a client that knows our names does not get at others' statements")
    func foreignNames() throws {
        try prepare()
        let other = SessionScene(pool, server: first)
        try other.sends(
            Frame.describe("mainstay_1"), Frame.sync, server: [Frame.describe("mainstay_missing"), Frame.sync])
        try other.answers(Frame.error("26000"), Frame.idle)
        try other.sends(Frame.bind("mainstay_1"), Frame.sync, server: [Frame.bind("mainstay_missing"), Frame.sync])
        try other.answers(Frame.error("26000"), Frame.idle)
    }

    @Test("a plan that no longer fits is reported, and its text gets a new name")
    func stale() throws {
        try prepare()
        try scene.sends(Frame.bind("s"), Frame.sync, server: [Frame.bind("mainstay_1"), Frame.sync])
        try scene.answers(Frame.error("0A000", "cached plan must not change result type"), Frame.idle)
        guard case .stale(let id)? = scene.events.first(where: { if case .stale = $0 { true } else { false } })
        else { throw Unexpected() }
        #expect(id == 1)
        pool.registry.forget(id)
        try prepare("t", "select 1", id: 2)
    }

    @Test("in session mode statements are passed as they are")
    func session() throws {
        let scene = SessionScene(sharesStatements: false)
        try scene.sends(
            Frame.parse("s", "select 1"), Frame.bind("s"), Frame.describe("s"), Frame.close("s"), Frame.sync)
        try scene.answers(
            Frame.parsed, Frame.bound, Frame.parameters, Frame.noData, Frame.closed, Frame.idle)
        try scene.sends(Frame.query("DEALLOCATE s"))
    }

    // MARK: The unnamed statement

    @Test("the unnamed statement goes with the client to another server")
    func unnamed() throws {
        try scene.sends(Frame.parse("", "select 1"), Frame.sync)
        try scene.answers(Frame.parsed, Frame.idle)
        scene.moves(to: second)
        try scene.sends(Frame.bind(""), Frame.sync, server: [Frame.parse("", "select 1"), Frame.bind(""), Frame.sync])
        try scene.answers(Frame.parsed, Frame.bound, Frame.idle, client: [Frame.bound, Frame.idle])
        try scene.sends(Frame.bind(""), Frame.sync)
        try scene.answers(Frame.bound, Frame.idle)
        // Another client's is not found in its stead.
        let other = SessionScene(pool, server: first)
        try other.sends(Frame.bind(""), Frame.sync, server: [Frame.close(""), Frame.bind(""), Frame.sync])
        try other.answers(Frame.closed, Frame.error("26000"), Frame.idle, client: [Frame.error("26000"), Frame.idle])
    }

    @Test("the unnamed statement is lost with a refusal, a simple query, a Close")
    func unnamedLost() throws {
        for end in [Frame.parse("", "selec") + Frame.sync, Frame.query("select 2"), Frame.close("") + Frame.sync] {
            let scene = SessionScene()
            try scene.sends(Frame.parse("", "select 1"), Frame.sync)
            try scene.answers(Frame.parsed, Frame.idle)
            try scene.sends(end)
            switch end[0] {
            case ClientMessage.parse: try scene.answers(Frame.error("42601"), Frame.idle)
            case ClientMessage.query: try scene.answers(Frame.empty, Frame.idle)
            default: try scene.answers(Frame.closed, Frame.idle)
            }
            try scene.sends(Frame.bind(""), Frame.sync, server: [Frame.close(""), Frame.bind(""), Frame.sync])
        }
    }

    @Test("one that was refused does not take the next one with it")
    func unnamedAfterRefusal() throws {
        try scene.sends(Frame.parse("", "selec"), Frame.sync, Frame.parse("", "select 1"), Frame.sync)
        try scene.answers(Frame.error("42601"), Frame.idle, Frame.parsed, Frame.idle)
        try scene.sends(Frame.bind(""), Frame.sync)
    }

    // MARK: Pipelines

    @Test("what an earlier batch was to make on the server is waited for: an error there may have prevented it")
    func uncertainOnServer() throws {
        try prepare()
        scene.moves(to: second)
        let batch = Frame.bind("nobody's") + Frame.bind("s") + Frame.sync
        try scene.sends(
            batch, server: [Frame.bind("nobody's"), Self.ours(1), Frame.bind("mainstay_1"), Frame.sync])
        try scene.sends(Frame.bind("s"), Frame.sync, server: [], .waitsForServer)
        try scene.answers(Frame.error("26000"), Frame.idle)
        #expect(second.prepared.isEmpty)
        try scene.sends([], server: [Self.ours(1), Frame.bind("mainstay_1"), Frame.sync])
        try scene.answers(Frame.parsed, Frame.bound, Frame.idle, client: [Frame.bound, Frame.idle])
    }

    @Test("an error never makes a client run another's unnamed statement")
    func uncertainUnnamed() throws {
        let other = SessionScene(pool, server: second)
        try other.sends(Frame.parse("", "delete from t"), Frame.sync)
        try other.answers(Frame.parsed, Frame.idle)
        try scene.sends(Frame.parse("", "select 1"), Frame.sync)
        try scene.answers(Frame.parsed, Frame.idle)
        scene.moves(to: second)
        let mine = Frame.parse("", "select 1")
        try scene.sends(
            Frame.bind("nobody's"), Frame.bind(""), Frame.sync,
            server: [Frame.bind("nobody's"), mine, Frame.bind(""), Frame.sync])
        try scene.sends(Frame.bind(""), Frame.execute(), Frame.sync, server: [], .waitsForServer)
        try scene.answers(Frame.error("26000"), Frame.idle)
        try scene.sends([], server: [mine, Frame.bind(""), Frame.execute(), Frame.sync])
    }
}
