import NIOCore
import Testing

@testable import PGWire

@Suite("Session: rest")
struct SessionRestTests {
    /// What was sent and answered, and what is true of the server then.
    struct State: CustomTestStringConvertible {
        var name: String
        var sent: [UInt8] = []
        var answered: [UInt8] = []
        var isQuiet = false
        var hasOpenBatch = false
        var testDescription: String { name }
    }

    private static let states = [
        State(name: "a query under way", sent: Frame.query("select 1")),
        State(
            name: "its answer without an end", sent: Frame.query("select 1"),
            answered: Frame.columns + Frame.row("1") + Frame.done("SELECT 1")),
        State(
            name: "in the middle of a row", sent: Frame.query("select 1"),
            answered: Frame.columns + [0x44, 0, 0, 0, 9, 1]),
        State(
            name: "in the middle of a notice behind the end", sent: Frame.query("select 1"),
            answered: Frame.empty + Frame.idle + Frame.notice("x").dropLast()),
        State(
            name: "in a transaction", sent: Frame.query("begin"), answered: Frame.done("BEGIN") + Frame.open,
            isQuiet: true),
        State(
            name: "in a failed one", sent: Frame.query("selec"), answered: Frame.error("42601") + Frame.failed,
            isQuiet: true),
        State(name: "a Parse without an answer", sent: Frame.parse("", "select 1"), hasOpenBatch: true),
        State(
            name: "an answered Parse without a Sync", sent: Frame.parse("", "select 1"), answered: Frame.parsed,
            isQuiet: true, hasOpenBatch: true),
        State(name: "a Sync without an answer", sent: Frame.sync),
        State(
            name: "an error without a Sync", sent: Frame.parse("", "selec"), answered: Frame.error("42601"),
            hasOpenBatch: true),
        State(name: "a copy", sent: Frame.query("copy t from stdin"), answered: Frame.copyIn),
        State(
            name: "a copy whose Sync was read over",
            sent: Frame.parse("", "copy t from stdin") + Frame.bind("") + Frame.execute() + Frame.sync,
            answered: Frame.parsed + Frame.bound + Frame.copyIn, hasOpenBatch: true),
        State(name: "a function call", sent: Frame.call, answered: Frame.result),
        State(
            name: "the second of two queries", sent: Frame.query("select 1") + Frame.query("select 2"),
            answered: Frame.empty + Frame.idle),
        State(
            name: "something open behind a query", sent: Frame.query("select 1") + Frame.parse("", "select 2"),
            answered: Frame.empty + Frame.idle + Frame.parsed, isQuiet: true, hasOpenBatch: true),
    ]

    @Test("a server is not at rest", arguments: states)
    func notAtRest(_ state: State) throws {
        let scene = SessionScene()
        _ = try scene.forward(state.sent)
        _ = try scene.read(state.answered)
        let server = try #require(scene.server)
        #expect(!server.isAtRest)
        #expect(server.isQuiet == state.isQuiet)
        #expect(server.hasOpenBatch == state.hasOpenBatch)
    }

    @Test("nor while a cancel is under way, or while it answers us")
    func ours() throws {
        let server = ServerConversation.started()
        #expect(server.isAtRest)
        server.cancelsUnderWay = 1
        #expect(!server.isAtRest)
        server.cancelsUnderWay = 0
        _ = server.ask("DISCARD ALL")
        #expect(!server.isAtRest)
    }

    @Test("our own query is heard by nobody but us; its failure is told")
    func ask() throws {
        let scene = SessionScene()
        let server = try #require(scene.server)
        #expect(Array(server.ask("SET x TO 1").readableBytesView) == Frame.query("SET x TO 1"))
        try scene.sends(Frame.query("select 1"))
        try scene.answers(
            Frame.notice("ours"), Frame.status("TimeZone", "CET"), Frame.done("SET"), Frame.idle, client: [])
        #expect(server.parameters["TimeZone"] == "CET")
        #expect(!server.isAtRest)
        try scene.answers(Frame.columns, Frame.row("1"), Frame.done("SELECT 1"), Frame.idle)
        #expect(server.isAtRest)
        _ = server.ask("SELECT 1/0")
        scene.events = []
        try scene.answers(Frame.columns, Frame.row("1"), Frame.error("22012"), Frame.failed, client: [])
        guard case .ourQueryEnded(.failed, let state)? = scene.events.first else { throw Unexpected() }
        #expect(state == SQLState("22012"))
        #expect(scene.events.count == 1)
    }

    @Test("notices, notifications and settings come at any time, with a client or without")
    func asynchronous() throws {
        let scene = SessionScene()
        let server = try #require(scene.server)
        let all = Frame.notice("x") + Frame.notification + Frame.status("TimeZone", "CET")
        try scene.answers(all)
        #expect(try scene.read(all, hasClient: false).isEmpty)
        #expect(server.isAtRest)
        try scene.sends(Frame.query("select 1"))
        try scene.answers(all, Frame.columns, Frame.row("1"), Frame.done("SELECT 1"), all, Frame.idle)
        #expect(server.parameters == ["application_name": "", "TimeZone": "CET"])
        let told = scene.events.filter {
            if case .parameter(name: "TimeZone", value: "CET") = $0 { true } else { false }
        }
        #expect(told.count == 4)
    }

    @Test("notifications and settings are the client's while a Parse of ours is under way")
    func asynchronousBehindOurs() throws {
        let pool = SessionPool()
        let scene = SessionScene(pool)
        _ = try scene.forward(Frame.parse("s", "select 1") + Frame.sync)
        try scene.answers(Frame.parsed, Frame.idle)
        scene.moves(to: .started())
        _ = try scene.forward(Frame.bind("s") + Frame.sync)
        try scene.answers(Frame.notification, Frame.status("TimeZone", "CET"))
        try scene.answers(Frame.parsed, client: [])
    }

    @Test("a server that says goodbye is told apart from one that is broken")
    func farewell() throws {
        let scene = SessionScene()
        try scene.answers(Frame.error("57P01", severity: .fatal))
        guard case .farewell(let state)? = scene.events.first else { throw Unexpected() }
        #expect(state.description == "57P01")
        scene.events = []
        _ = try scene.forward(Frame.query("select 1"))
        try scene.answers(Frame.error("P0001", "xVFATAL"))
        #expect(scene.events.isEmpty)
        #expect(throws: WireError.self) { try SessionScene().read(Frame.error("P0001")) }
    }

    @Test("the batch of a client that left is ended where it is open")
    func endBatch() throws {
        let open: [(sent: [UInt8], answered: [UInt8], end: [UInt8])] = [
            (Frame.parse("", "select 1"), [], Frame.sync),
            (Frame.parse("", "select 1"), Frame.parsed, Frame.sync),
            (Frame.parse("", "selec"), Frame.error("42601"), Frame.sync),
            (Frame.parse("", "select 1") + Frame.sync, [], []),
            (Frame.query("select 1"), [], []), ([], [], []),
        ]
        for state in open {
            let scene = SessionScene()
            _ = try scene.forward(state.sent)
            _ = try scene.read(state.answered)
            let end = try #require(scene.server).endBatch().map { Array($0.readableBytesView) }
            #expect(end ?? [] == state.end)
            #expect(try #require(scene.server).endBatch() == nil)
        }
    }

    @Test("nobody hears the rest of a batch that we ended")
    func endedBatch() throws {
        let scene = SessionScene()
        let server = try #require(scene.server)
        _ = try scene.forward(Frame.parse("", "select 1") + Frame.bind("") + Frame.execute())
        _ = server.endBatch()
        let rest = Frame.parsed + Frame.bound + Frame.row("1") + Frame.done("SELECT 1") + Frame.idle
        #expect(try scene.read(rest, hasClient: false).isEmpty)
        #expect(server.isAtRest)
    }

    // MARK: Taint

    @Test("a taint counts as soon as it is sent; settings that the server reports are none")
    func taint() throws {
        let scene = SessionScene()
        try scene.sends(Frame.query("SET timezone TO 'CET'"))
        #expect(scene.client.taint.isEmpty)
        try scene.sends(Frame.query("SET work_mem TO '1MB'"))
        #expect(scene.client.taint == .settings)
        try scene.sends(Frame.parse("l", "LISTEN x"), server: [Frame.parse("mainstay_1", "LISTEN x")])
        #expect(scene.client.taint == .settings)
        try scene.sends(Frame.bind("l"), Frame.execute(), server: [Frame.bind("mainstay_1"), Frame.execute()])
        #expect(scene.client.taint == [.settings, .listen])
        scene.client.forgetTaint()
        #expect(scene.client.taint.isEmpty)
    }

    @Test("what a text clears counts when it succeeded, outside of a transaction, with nothing behind it")
    func clearing() throws {
        let cases: [(text: String, answer: [UInt8], behind: [UInt8], clears: Bool)] = [
            ("RESET ALL", Frame.done("RESET") + Frame.idle, [], true),
            ("DISCARD ALL", Frame.done("DISCARD ALL") + Frame.idle, [], true),
            ("RESET ALL", Frame.error("57014") + Frame.idle, [], false),
            ("RESET ALL", Frame.done("RESET") + Frame.open, [], false),
            ("RESET ALL; SELECT 1/0", Frame.done("RESET") + Frame.error("22012") + Frame.idle, [], false),
            ("RESET ALL", Frame.done("RESET") + Frame.idle, Frame.query("SET work_mem TO '2MB'"), false),
            ("RESET ALL", Frame.done("RESET") + Frame.idle, Frame.parse("", "select 1"), false),
        ]
        for row in cases {
            let scene = SessionScene()
            _ = try scene.forward(Frame.query("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
            _ = try scene.read(Frame.done("SET") + Frame.idle)
            _ = try scene.forward(Frame.query(row.text) + row.behind)
            #expect(scene.client.taint == .settings, "\(row)")
            _ = try scene.read(row.answer)
            #expect(scene.client.taint.isEmpty == row.clears, "\(row)")
        }
    }
}
