import NIOCore
import Testing

@testable import PGWire

@Suite("Session: settings that are carried")
struct SessionCarriedTests {
    /// What was sent, what was answered, and what is known of the session then.
    private typealias Step = (sent: [UInt8], answered: [UInt8], known: String)

    private static let memory = "SET \"work_mem\" TO '1'"
    private static let set = Frame.query("SET work_mem = 1")
    private static let done = Frame.done("SET") + Frame.idle
    private static let error = Frame.error("22023")
    private static let begin: Step = (Frame.query("BEGIN"), Frame.done("BEGIN") + Frame.open, "none")
    private static let setInside: Step = (set, Frame.done("SET") + Frame.open, "pending")

    private static func run(_ text: String, portal: String = "") -> [UInt8] {
        Frame.parse("", text) + Frame.bind("", portal: portal) + Frame.execute(portal)
    }

    private static func ran(_ tag: String) -> [UInt8] { Frame.parsed + Frame.bound + Frame.done(tag) }

    private static func play(_ name: String, _ steps: [Step]) throws {
        let scene = SessionScene()
        for (number, step) in steps.enumerated() {
            _ = try scene.forward(step.sent)
            _ = try scene.read(step.answered)
            #expect(scene.carried == step.known, "\(name), step \(number)")
        }
    }

    @Test("what a named portal runs is not known: it waits until the session is ready for it")
    func namedPortalWaits() throws {
        let scene = SessionScene()
        _ = try scene.forward(Frame.parse("s", "SELECT 1") + Frame.sync)
        _ = try scene.read(Frame.parsed + Frame.idle)
        _ = scene.server?.setUp("SET a = 1")
        let sent = try scene.forward(Frame.bind("s", portal: "p") + Frame.execute("p") + Frame.sync)
        #expect(sent.progress == .waitsForServer)
        #expect(!Frame.shown(sent.server).contains("E["), "\(Frame.shown(sent.server))")
        _ = try scene.read(Frame.done("BEGIN") + Frame.done("SET") + Frame.done("COMMIT") + Frame.idle)
        #expect(Frame.shown(try scene.forward([]).server) == "E[p·····] S[]")
    }

    @Test("outside of a transaction a setting counts when its batch has succeeded, as a whole")
    func outside() throws {
        let two = "SET \"a\" TO '1'; SET \"b\" TO '2'"
        let cases: [(String, [Step])] = [
            ("sent", [(Self.set, [], "pending")]),
            ("taken", [(Self.set, Self.done, Self.memory)]),
            ("refused", [(Self.set, Self.error + Frame.idle, "none")]),
            ("two", [(Frame.query("SET b = 2; SET a = 1"), Frame.done("SET") + Self.done, two)]),
            (
                "the second refused",
                [(Frame.query("SET b = 2; SET a = 1"), Frame.done("SET") + Self.error + Frame.idle, "none")]
            ),
            ("refused at the end", [(Self.set, Frame.done("SET") + Self.error + Frame.idle, "none")]),
            (
                "beside others",
                [
                    (
                        Frame.query("SET work_mem = 1; SELECT 1"),
                        Frame.done("SET") + Frame.columns + Frame.done("SELECT 1") + Frame.idle, Self.memory
                    )
                ]
            ),
            ("extended", [(Self.run("SET work_mem = 1") + Frame.sync, Self.ran("SET") + Frame.idle, Self.memory)]),
            ("before its Sync", [(Self.run("SET work_mem = 1"), Self.ran("SET"), "pending")]),
            (
                "extended, refused",
                [
                    (
                        Self.run("SET work_mem = 1") + Frame.sync, Frame.parsed + Frame.bound + Self.error + Frame.idle,
                        "none"
                    )
                ]
            ),
            (
                "refused behind it",
                [
                    (
                        Self.run("SET work_mem = 1") + Self.run("SELECT x") + Frame.sync,
                        Self.ran("SET") + Self.error + Frame.idle, "none"
                    )
                ]
            ),
            (
                "reported ones are nothing to carry",
                [(Frame.query("SET TimeZone = 'CET'; SET work_mem = 1"), Frame.done("SET") + Self.done, Self.memory)]
            ),
        ]
        for (name, steps) in cases { try Self.play(name, steps) }
    }

    @Test("what is not certain pins")
    func uncertain() throws {
        let cases: [(String, [Step])] = [
            ("something behind it", [(Self.set + Frame.query("SELECT 1"), Self.done, "pinned")]),
            ("a batch behind it", [(Self.set + Frame.parse("", "SELECT 1"), Self.done, "pinned")]),
            ("behind something", [(Frame.query("SELECT 1") + Self.set, [], "pinned")]),
            ("a portal with a name", [(Self.run("SET work_mem = 1", portal: "p"), [], "pinned")]),
            ("another portal runs", [(Self.run("SET work_mem = 1") + Frame.execute("p"), [], "pinned")]),
            ("a call might commit", [(Self.run("SET work_mem = 1") + Self.run("CALL f()"), [], "pinned")]),
            ("a COMMIT between", [(Self.run("SET work_mem = 1") + Self.run("COMMIT"), [], "pinned")]),
            ("VACUUM commits", [(Self.run("SET work_mem = 1") + Self.run("VACUUM"), [], "pinned")]),
            ("as another role", [(Frame.query("SET ROLE x"), Self.done, "none"), (Self.set, [], "pinned")]),
            ("a function", [(Frame.query("SELECT set_config('work_mem', '1', false)"), [], "pinned")]),
            (
                "a plain one and a function",
                [(Frame.query("SET work_mem = 1; SELECT set_config('b', '1', false)"), [], "pinned")]
            ),
            ("a whole transaction", [(Frame.query("BEGIN; SET work_mem = 1; COMMIT"), [], "pinned")]),
            (
                "then nothing else is followed",
                [(Frame.query("SET a = E'x'"), Self.done, "pinned"), (Self.set, Self.done, "pinned")]
            ),
            (
                "RESET ALL brings it back",
                [
                    (Frame.query("SET a = E'x'"), Self.done, "pinned"),
                    (Frame.query("RESET ALL"), Frame.done("RESET") + Frame.idle, "none"),
                    (Self.set, Self.done, Self.memory),
                ]
            ),
        ]
        for (name, steps) in cases { try Self.play(name, steps) }
    }

    @Test("taking back")
    func takingBack() throws {
        let start: Step = (Self.set, Self.done, Self.memory)
        let reset = Frame.done("RESET") + Frame.idle
        let cases: [(String, [Step])] = [
            ("RESET", [start, (Frame.query("RESET Work_Mem"), reset, "none")]),
            ("to DEFAULT", [start, (Frame.query("SET work_mem TO DEFAULT"), Self.done, "none")]),
            ("another", [start, (Frame.query("RESET b"), reset, Self.memory)]),
            ("RESET ALL", [start, (Frame.query("RESET ALL"), [], "pending"), ([], reset, "none")]),
            ("RESET ALL refused", [start, (Frame.query("RESET ALL"), Self.error + Frame.idle, Self.memory)]),
            (
                "RESET ALL, then one",
                [start, (Frame.query("RESET ALL; SET b = 2"), Frame.done("RESET") + Self.done, "SET \"b\" TO '2'")]
            ),
            (
                "RESET ALL and more",
                [
                    start,
                    (
                        Frame.query("CLOSE ALL; UNLISTEN *; RESET ALL"),
                        Frame.done("CLOSE") + Frame.done("UNLISTEN") + reset, "none"
                    ),
                ]
            ),
            ("RESET ALL and what is not followed", [start, (Frame.query("RESET ALL; VACUUM"), [], "pinned")]),
            ("DISCARD ALL", [start, (Frame.query("DISCARD ALL"), Frame.done("DISCARD ALL") + Frame.idle, "none")]),
            ("DISCARD ALL refused", [start, (Frame.query("DISCARD ALL"), Self.error + Frame.idle, "pinned")]),
            (
                "extended",
                [start, (Self.run("DISCARD ALL") + Frame.sync, Self.ran("DISCARD ALL") + Frame.idle, "none")]
            ),
            ("something beside it", [start, (Self.run("DISCARD ALL") + Self.run("SET b = 2"), [], "pinned")]),
            (
                "refused behind it",
                [
                    start,
                    (
                        Self.run("DISCARD ALL") + Frame.parse("", "selec") + Frame.sync,
                        Self.ran("DISCARD ALL") + Self.error + Frame.idle, "pinned"
                    ),
                ]
            ),
            (
                "nothing to take back",
                [
                    (
                        Frame.query("SELECT 1") + Frame.query("RESET ALL") + Frame.query("RESET b")
                            + Frame.query("DISCARD ALL"), [], "none"
                    )
                ]
            ),
            ("the same again", [start, (Frame.query("SELECT 1") + Self.set, [], Self.memory)]),
        ]
        for (name, steps) in cases { try Self.play(name, steps) }
    }

    @Test("in a transaction it counts with its COMMIT")
    func inside() throws {
        let commit = Frame.query("COMMIT")
        let committed = Frame.done("COMMIT") + Frame.idle
        let reverted = Frame.done("ROLLBACK") + Frame.idle
        let cases: [(String, [Step])] = [
            ("COMMIT", [(commit, [], "pending"), ([], committed, Self.memory)]),
            ("END, extended", [(Self.run("END") + Frame.sync, Self.ran("COMMIT") + Frame.idle, Self.memory)]),
            ("ROLLBACK", [(Frame.query("ROLLBACK"), reverted, "none")]),
            (
                "COMMIT of a failed one",
                [(Frame.query("SELECT x"), Self.error + Frame.failed, "pending"), (commit, reverted, "none")]
            ),
            (
                "ROLLBACK of a failed one",
                [
                    (Frame.query("SELECT x"), Self.error + Frame.failed, "pending"),
                    (Frame.query("ROLLBACK"), reverted, "none"),
                ]
            ),
            ("COMMIT refused", [(commit, Self.error + Frame.idle, "none")]),
            (
                "work between",
                [
                    (Frame.query("SELECT 1; INSERT INTO t VALUES (1)"), Frame.empty + Frame.open, "pending"),
                    (Frame.query("CREATE TABLE t ()"), Frame.empty + Frame.open, "pending"),
                    (commit, committed, Self.memory),
                ]
            ),
            (
                "another setting",
                [
                    (Frame.query("SET work_mem = 2"), Frame.done("SET") + Frame.open, "pending"),
                    (commit, committed, "SET \"work_mem\" TO '2'"),
                ]
            ),
            (
                "taken back",
                [
                    (Frame.query("RESET work_mem"), Frame.done("RESET") + Frame.open, "pending"),
                    (commit, committed, "none"),
                ]
            ),
        ]
        for (name, steps) in cases { try Self.play(name, [Self.begin, Self.setInside] + steps) }
        try Self.play(
            "BEGIN and SET in one batch",
            [
                (
                    Self.run("BEGIN") + Self.run("SET work_mem = 1") + Frame.sync,
                    Self.ran("BEGIN") + Self.ran("SET") + Frame.open, "pending"
                ), (commit, committed, Self.memory),
            ])
    }

    @Test("in a transaction whose parts or whose end are not followed, it pins")
    func insideUncertain() throws {
        let commit = Frame.query("COMMIT")
        let committed = Frame.done("COMMIT") + Frame.idle
        let cases: [(String, [Step])] = [
            ("a savepoint", [(Frame.query("SAVEPOINT s"), [], "pinned")]),
            ("back to a savepoint", [(Frame.query("ROLLBACK TO s"), [], "pinned")]),
            ("SET LOCAL", [(Frame.query("SET LOCAL work_mem = 2"), [], "pinned")]),
            ("COMMIT AND CHAIN", [(Frame.query("COMMIT AND CHAIN"), Frame.done("COMMIT") + Frame.open, "pinned")]),
            (
                "ROLLBACK AND CHAIN",
                [(Frame.query("ROLLBACK AND CHAIN"), Frame.done("ROLLBACK") + Frame.open, "pinned")]
            ),
            ("PREPARE TRANSACTION", [(Frame.query("PREPARE TRANSACTION 'x'"), [], "pinned")]),
            ("COMMIT and more", [(Frame.query("COMMIT; BEGIN"), [], "pinned")]),
            ("something behind the COMMIT", [(commit + Frame.query("SELECT 1"), committed, "pinned")]),
            ("a COMMIT behind something", [(Frame.query("SELECT 1") + commit, [], "pinned")]),
            ("a text behind the COMMIT of one batch", [(Self.run("COMMIT") + Self.run("SELECT 1"), [], "pinned")]),
            (
                "an error behind the COMMIT of one batch",
                [
                    (
                        Self.run("COMMIT") + Frame.parse("", "selec") + Frame.sync,
                        Self.ran("COMMIT") + Self.error + Frame.idle, "pinned"
                    )
                ]
            ),
            ("an end that nobody saw", [(Frame.query("SELECT 1"), Frame.done("COMMIT") + Frame.idle, "pinned")]),
        ]
        for (name, steps) in cases { try Self.play(name, [Self.begin, Self.setInside] + steps) }
    }

    @Test("too many pin, and leave what there was out of account")
    func bounds() throws {
        let scene = SessionScene()
        for number in 0..<CarriedSettings.countLimit {
            _ = try scene.forward(Frame.query("SET x\(number) = 1"))
            _ = try scene.read(Self.done)
        }
        #expect(scene.client.carried?.count == CarriedSettings.countLimit)
        _ = try scene.forward(Frame.query("SET y = 1"))
        #expect(scene.carried == "pinned")
        let long = SessionScene()
        _ = try long.forward(Frame.query("SET x = '\(String(repeating: "a", count: 5_000))'"))
        #expect(long.carried == "pinned")
    }

    @Test("in session mode nothing is carried")
    func sessionMode() throws {
        let scene = SessionScene(sharesStatements: false)
        _ = try scene.forward(Self.set)
        _ = try scene.read(Self.done)
        #expect(scene.carried == "pinned" && scene.client.carried == nil)
    }

    // MARK: The next server

    @Test("what differs is told: first what goes, then what comes")
    func differences() throws {
        func settings(_ texts: String) throws -> CarriedSettings? {
            try table.settings(nil, after: Queries.info(texts).settings)
        }
        let table = CarriedSettings.Table()
        let old = try settings("SET a = 1; SET b = 2; SET d = 4")
        let new = try settings("SET b = 3; SET c = x; SET d = 4")
        #expect(
            CarriedSettings.difference(from: old, to: new)
                == "SET \"a\" TO DEFAULT; SET \"b\" TO '3'; SET \"c\" TO 'x'")
        #expect(
            CarriedSettings.difference(from: nil, to: old) == "SET \"a\" TO '1'; SET \"b\" TO '2'; SET \"d\" TO '4'")
        #expect(
            CarriedSettings.difference(from: new, to: nil)
                == "SET \"b\" TO DEFAULT; SET \"c\" TO DEFAULT; SET \"d\" TO DEFAULT")
        #expect(CarriedSettings.difference(from: old, to: old) == nil)
        #expect(try settings("SET d = 4; SET b = 5; SET a = 1; SET b = 2") === old)
        #expect(try settings("SET a = 1; RESET ALL") == nil)
    }

    @Test("a session that could not be made the client's does nothing for it, and is heard no more")
    func refused() throws {
        let scene = SessionScene()
        let server = try #require(scene.server)
        #expect(Array(server.setUp("SET x TO 1").readableBytesView) == Frame.query("BEGIN; SET x TO 1; COMMIT"))
        try scene.sends(Frame.query("INSERT"))
        let answers = Frame.done("BEGIN") + Self.error + Frame.failed + Frame.error("25P02") + Frame.failed
        #expect(try scene.read(answers).isEmpty)
        #expect(server.setUpFailure?.code == "22023")
        guard case .ourQueryEnded(.failed, let state)? = scene.events.first else { throw Unexpected() }
        #expect(state == SQLState("22023") && scene.events.count == 1)
    }

    @Test("what could end a failed transaction waits until the session is the client's")
    func waits() throws {
        let texts = ["ROLLBACK", "COMMIT", "ROLLBACK; INSERT INTO t VALUES (1)", "PREPARE TRANSACTION 'x'", "VACUUM"]
        for text in texts {
            let scene = SessionScene()
            _ = scene.server?.setUp("SET x TO 1")
            try scene.sends(Frame.query(text), server: [], .waitsForServer)
            try scene.answers(Frame.done("BEGIN"), Frame.done("SET"), Frame.done("COMMIT"), Frame.idle, client: [])
            try scene.sends([], server: [Frame.query(text)])
        }
        let scene = SessionScene()
        _ = scene.server?.setUp("SET x TO 1")
        let parts = Frame.parse("", "ROLLBACK") + Frame.bind("")
        try scene.sends(parts, Frame.execute(), server: [parts, Frame.flush], .waitsForServer)
        try scene.answers(Frame.done("BEGIN"), Frame.done("SET"), Frame.done("COMMIT"), Frame.idle, client: [])
        try scene.sends(Frame.sync, server: [Frame.execute(), Frame.sync])
    }

    // MARK: Search paths

    @Test("clients with different search paths share no statement, and one that changes its path has them made anew")
    func spaces() throws {
        let pool = SessionPool()
        let (one, other) = (SessionScene(pool), SessionScene(pool))
        _ = try one.forward(Frame.query("SET search_path = a"))
        _ = try one.read(Self.done)
        try one.sends(
            Frame.parse("s", "select 1"), Frame.sync, server: [Frame.parse("mainstay_1", "select 1"), Frame.sync])
        try one.answers(Frame.parsed, Frame.idle)
        try other.sends(
            Frame.parse("s", "select 1"), Frame.sync, server: [Frame.parse("mainstay_2", "select 1"), Frame.sync])
        try other.answers(Frame.parsed, Frame.idle)
        // A setting that has nothing to do with it.
        _ = try other.forward(Self.set)
        _ = try other.read(Self.done)
        try other.sends(Frame.bind("s"), Frame.sync, server: [Frame.bind("mainstay_2"), Frame.sync])
        try other.answers(Frame.bound, Frame.idle)
        _ = try other.forward(Frame.query("BEGIN"))
        _ = try other.read(Frame.done("BEGIN") + Frame.open)
        _ = try other.forward(Frame.query("SET search_path = a"))
        _ = try other.read(Frame.done("SET") + Frame.open)
        try other.sends(
            Frame.bind("s"), Frame.sync,
            server: [Frame.parse("mainstay_1", "select 1"), Frame.bind("mainstay_1"), Frame.sync])
        try other.answers(Frame.parsed, Frame.bound, Frame.open, client: [Frame.bound, Frame.open])
        _ = try other.forward(Frame.query("ROLLBACK"))
        _ = try other.read(Frame.done("ROLLBACK") + Frame.idle)
        try other.sends(Frame.describe("s"), Frame.sync, server: [Frame.describe("mainstay_2"), Frame.sync])
    }
}
