import NIOCore
import Testing

@testable import PGWire

/// What clients share, and what they must not.
@Suite("Session: what is shared")
struct SessionSharingTests {
    private let pool = SessionPool()

    private func prepared(_ text: String) throws -> SessionScene {
        let scene = SessionScene(pool)
        _ = try scene.forward(Frame.parse("s", text) + Frame.sync)
        _ = try scene.read(Frame.parsed + Frame.idle)
        return scene
    }

    @Test(
        "a text that the server reads as of now is read anew for each that prepares it",
        arguments: [
            ("insert into log values ('now', 1)", false), ("select ' Today '::date", false),
            ("select e'tomorrow'", false), ("select $$now$$, 'nothing'", false),
            ("select 'no', NOW (), nowadays, \"a_now\"", true),
            ("select 'now()'::timestamptz", false), ("select '{now()}'::timestamptz[]", false),
            ("select $$now()$$::timestamptz", false), ("select e'\\'', 'now()'::timestamptz", false),
            ("/* ' */ select 'now()'::timestamptz", false), ("-- '\nselect 'now()'::timestamptz", false),
            ("select 'it''s', \"a'b\", now(), $1", true),
            ("select '12:00 today'::timestamp", false), ("select '{now}'::timestamptz[]", false),
        ])
    func moments(_ text: String, isShared: Bool) throws {
        _ = try prepared(text)
        let output = try SessionScene(pool, server: nil).forward(Frame.parse("t", text))
        #expect(output.progress == (isShared ? .all : .needsServer))
        #expect(output.client == (isShared ? Frame.parsed : []))
    }

    @Test("what is prepared behind a setting in one batch is nobody else's: what constants mean is not known yet")
    func behindSetting() throws {
        for (setting, isShared) in [("SET TimeZone TO 'Asia/Tokyo'", false), ("SELECT 1", true)] {
            let pool = SessionPool()
            let scene = SessionScene(pool)
            let parse = Frame.parse("s", "select '2026-01-01'::timestamptz")
            _ = try scene.forward(Frame.parse("", setting) + Frame.bind("") + Frame.execute() + parse + Frame.sync)
            let tag = isShared ? "SELECT 1" : "SET"
            _ = try scene.read(Frame.parsed + Frame.bound + Frame.done(tag) + Frame.parsed + Frame.idle)
            let other = SessionScene(pool, server: nil)
            #expect(try other.forward(parse).progress == (isShared ? .all : .needsServer), "\(setting)")
        }
    }

    private static let setTime = Frame.parse("", "SET TimeZone TO 'Asia/Tokyo'") + Frame.bind("") + Frame.execute()

    @Test("nor is it before the batch has ended, though the setting was answered")
    func behindAnsweredSetting() throws {
        let scene = SessionScene(pool)
        let parse = Frame.parse("s", "select '2026-01-01'::timestamptz")
        _ = try scene.forward(Self.setTime + Frame.flush)
        _ = try scene.read(Frame.parsed + Frame.bound + Frame.done("SET"))
        _ = try scene.forward(parse + Frame.sync)
        _ = try scene.read(Frame.parsed + Frame.idle)
        #expect(try SessionScene(pool, server: nil).forward(parse).progress == .needsServer)
    }

    @Test("a shared text that a server does not have yet is prepared there under a name of its own behind a setting")
    func knownBehindSetting() throws {
        for use in [Frame.bind("s"), Frame.describe("s"), Frame.parse("s", "select '2026-01-01'::timestamptz")] {
            let pool = SessionPool()
            let scene = SessionScene(pool)
            let first = try scene.forward(Frame.parse("s", "select '2026-01-01'::timestamptz") + Frame.sync)
            #expect(Frame.shown(first.server).hasPrefix("P[mainstay_1·"))
            _ = try scene.read(Frame.parsed + Frame.idle)
            scene.server = .started()
            let sent = Frame.shown(try scene.forward(Self.setTime + use + Frame.sync).server)
            #expect(sent.contains("mainstay_2·") && !sent.contains("mainstay_1·"), "\(sent)")
        }
    }

    @Test("clients that see times otherwise share no statement, and those that see them alike do")
    func literals() throws {
        let first = SessionScene(pool)
        first.client.literals = pool.catalog.carried.literals(["TimeZone": "UTC", "application_name": "one"])
        _ = try first.forward(Frame.parse("s", "select '2024-01-01 00:00'::timestamptz") + Frame.sync)
        _ = try first.read(Frame.parsed + Frame.idle)
        for (zone, isShared) in [("Europe/Berlin", false), ("UTC", true)] {
            let other = SessionScene(pool, server: nil)
            other.client.literals = pool.catalog.carried.literals(["TimeZone": zone, "application_name": "two"])
            let output = try other.forward(Frame.parse("t", "select '2024-01-01 00:00'::timestamptz"))
            #expect(output.progress == (isShared ? .all : .needsServer), "\(zone)")
        }
        // Its own statement is another one when it sees times otherwise.
        first.client.literals = pool.catalog.carried.literals(["TimeZone": "Europe/Berlin"])
        let moved = try first.forward(Frame.bind("s") + Frame.execute() + Frame.sync)
        #expect(Frame.shown(moved.server).hasPrefix("P[mainstay_2"), "\(Frame.shown(moved.server))")
    }

    @Test("a client's statements are bounded by their bytes, too; names for the same text count each")
    func bytes() throws {
        let scene = SessionScene(pool)
        let text = "select '" + String(repeating: "x", count: 6 << 20) + "'"
        for name in ["a", "b"] {
            _ = try scene.forward(Frame.parse(name, text) + Frame.sync)
            if name == "a" { _ = try scene.read(Frame.parsed) }
            _ = try scene.read(Frame.idle)
        }
        let refusal = #expect(throws: WireError.self) { try scene.forward(Frame.parse("c", text)) }
        #expect(refusal?.sqlState == "53400")
        #expect(scene.client.changes.bytes > 12 << 20)
        let other = SessionScene(pool)
        _ = try other.forward(Frame.parse("a", text) + Frame.close("a") + Frame.sync)
        _ = try other.read(Frame.parsed + Frame.idle)
        #expect(other.client.changes.bytes == 0)
    }

    @Test("settings beyond those that are carried are not kept, however many a text has")
    func manySettings() {
        let text = ByteBuffer(string: String(repeating: "SET a = b; ", count: 1_000))
        let info = text.withUnsafeReadableBytes { pool.catalog.look(at: $0) }
        #expect(info.settings.count <= CarriedSettings.countLimit && !info.isWhole)
    }

    // MARK: What is taken back

    private func runs(_ scene: SessionScene, _ text: String, _ tags: String...) throws {
        _ = try scene.forward(Frame.query(text))
        _ = try scene.read(tags.flatMap { Frame.done($0) } + Frame.idle)
    }

    @Test("what a prepared statement may leave stays, until there is none that could leave it again")
    func preparedTaints() throws {
        let scene = SessionScene(pool)
        try runs(scene, "PREPARE s AS SELECT set_config('search_path', 'x', false)", "PREPARE")
        try runs(scene, "RESET ALL", "RESET")
        #expect(scene.client.taint == [.prepare, .settings])
        try runs(scene, "EXECUTE s", "SELECT 1")
        try runs(scene, "DEALLOCATE ALL", "DEALLOCATE ALL")
        #expect(scene.client.taint == [.settings])
        try runs(scene, "RESET ALL", "RESET")
        #expect(!scene.client.isTainted)
        try runs(scene, "PREPARE l AS SELECT pg_advisory_lock(1)", "PREPARE")
        try runs(scene, "SELECT pg_advisory_unlock_all()", "SELECT 1")
        #expect(scene.client.taint == [.prepare, .advisoryLock])
        try runs(scene, "DISCARD ALL", "DISCARD ALL")
        #expect(!scene.client.isTainted)
    }

    @Test("one text of several statements that take everything back ends a pin, as drivers' pools do")
    func severalResets() throws {
        let scene = SessionScene(pool)
        try runs(scene, "SELECT set_config('jit', 'off', false)", "SELECT 1")
        #expect(scene.client.isTainted)
        let reset = "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;"
        try runs(scene, reset, "SELECT 1", "CLOSE CURSOR ALL", "UNLISTEN", "RESET")
        #expect(!scene.client.isTainted)
        // Not if something of it leaves a trace, or ends what was begun before.
        for text in ["RESET ALL; LISTEN c", "COMMIT; RESET ALL"] {
            try runs(scene, "SELECT set_config('jit', 'off', false)", "SELECT 1")
            try runs(scene, text, "RESET", "LISTEN")
            #expect(scene.client.isTainted, "\(text)")
        }
    }

    @Test("a batch in which nothing was done but preparing may be ended by us, and no other")
    func idleBatch() throws {
        let scene = SessionScene(pool)
        let server = try #require(scene.server)
        _ = try scene.forward(Frame.parse("s", "select 1") + Frame.describe("s") + Frame.flush)
        #expect(!server.canEndBatch, "it is not answered")
        _ = try scene.read(Frame.parsed + Frame.parameters + Frame.noData)
        #expect(server.canEndBatch && !server.isAtRest)
        #expect(server.endBatch().map { Array($0.readableBytesView) } == Frame.sync)
        #expect(try scene.read(Frame.idle) == [])
        #expect(server.isAtRest)
        // The client's own Sync needs no server then.
        scene.server = nil
        try scene.sends(Frame.sync, server: [], client: [Frame.idle])
        scene.server = server
        _ = try scene.forward(Frame.bind("s") + Frame.flush)
        _ = try scene.read(Frame.bound)
        #expect(!server.canEndBatch && server.hasOpenBatch)
    }
}
