import NIOCore
import Testing

@testable import PGWire

/// A text is looked at before its client has a server, and not a second time; and what it says of its release.
struct SessionPeekTests {
    private static func statements(_ scene: SessionScene) -> [RunningStatement] {
        scene.events.compactMap { if case .ended(let statement) = $0 { statement } else { nil } }
    }

    @Test(
        "a text is looked at once, however it is sent",
        arguments: [Frame.query("select 7"), Frame.parse("", "select 7")])
    func once(_ message: [UInt8]) throws {
        let pool = SessionPool()
        let scene = SessionScene(pool)
        _ = try scene.client.peek(ByteBuffer(bytes: message))
        try scene.sends(message)
        #expect(pool.catalog.counters.looks == 1)
        try scene.sends(Frame.query("select 8"))
        #expect(pool.catalog.counters.looks == 2)
    }

    @Test("what was looked at and refused, or skipped after an error, is never taken for the next text")
    func fresh() throws {
        let scene = SessionScene()
        _ = try scene.client.peek(ByteBuffer(bytes: Frame.query("select refused from a")))
        #expect(scene.refuse(Frame.query("select refused from a")).count > 0)
        try scene.sends(Frame.query("select sent from b"))
        try scene.answers(Frame.done("SELECT 0"), Frame.idle)
        #expect(Self.statements(scene).map(\.query?.normalizedText) == ["select sent from b"])
        // An error in a batch: the server skips what was looked at.
        try scene.sends(Frame.parse("", "select broken"), Frame.flush)
        try scene.answers(Frame.error("42601"))
        _ = try scene.client.peek(ByteBuffer(bytes: Frame.parse("", "select skipped")))
        try scene.sends(Frame.parse("", "select skipped"), server: [])
        try scene.sends(Frame.sync)
        try scene.answers(Frame.idle)
        try scene.sends(Frame.query("select later from c"))
        try scene.answers(Frame.done("SELECT 0"), Frame.idle)
        #expect(Self.statements(scene).last?.query?.normalizedText == "select later from c")
    }

    @Test(
        "the release that a text names goes with its statement: simple, unnamed and prepared",
        arguments: [
            [Frame.query("select 1 /*release='r1'*/")],
            [Frame.parse("", "select 1 /*release='r1'*/"), Frame.bind(""), Frame.execute(), Frame.sync],
            [Frame.parse("a", "/* release=r1 */ select 1"), Frame.bind("a"), Frame.execute(), Frame.sync],
        ])
    func releases(_ messages: [[UInt8]]) throws {
        let pool = SessionPool()
        let scene = SessionScene(pool)
        _ = try scene.forward(messages.flatMap(\.self))
        if messages.count > 1 {
            _ = try scene.read(Frame.parsed + Frame.bound + Frame.done("SELECT 1") + Frame.idle)
        } else {
            _ = try scene.read(Frame.done("SELECT 1") + Frame.idle)
        }
        #expect(Self.statements(scene).map { pool.catalog.releases.name(of: $0.release) } == ["r1"])
        #expect(Self.statements(scene).map(\.query?.normalizedText) == ["select $1"])
        // The next one names none.
        _ = try scene.forward(Frame.query("select 1"))
        _ = try scene.read(Frame.done("SELECT 1") + Frame.idle)
        #expect(Self.statements(scene).last?.release == 0)
    }

    @Test("names have numbers; past the limit the older half is forgotten, and a name that comes again has another")
    func names() {
        let names = ReleaseNames()
        #expect(names.number(of: "") == 0)
        #expect(names.number(of: String(repeating: "x", count: ReleaseNames.lengthLimit + 1)) == 0)
        let first = names.number(of: "first")
        #expect(names.number(of: "first") == first)
        #expect(names.name(of: first) == "first")
        for number in 0..<ReleaseNames.limit { _ = names.number(of: "r\(number)") }
        #expect(names.name(of: first).isEmpty)
        #expect(names.number(of: "first") != first)
        #expect(names.name(of: 0).isEmpty)
    }

    @Test(
        "a batch only reads when it is one SELECT that is there as a whole",
        arguments: [
            ([Frame.query("select 1")], true), ([Frame.query("select 1; delete from t")], false),
            ([Frame.query("select 1 for update")], false), ([Frame.query("begin")], false),
            ([Frame.parse("", "select 1"), Frame.bind(""), Frame.execute(), Frame.sync], true),
            ([Frame.parse("", "select 1"), Frame.bind(""), Frame.execute()], false),
            ([Frame.parse("", "select 1"), Frame.bind(""), Frame.execute(), Frame.flush], false),
            (
                [
                    Frame.parse("", "select 1"), Frame.bind(""), Frame.execute(), Frame.parse("", "delete from t"),
                    Frame.bind(""), Frame.execute(), Frame.sync,
                ], false
            ),
            ([Frame.parse("", "select 1"), Frame.query("delete from t")], false),
            ([Frame.parse("", "select 1"), Frame.bind(""), Frame.bind("other"), Frame.execute(), Frame.sync], false),
        ] as [([[UInt8]], Bool)])
    func onlyReads(_ frames: [[UInt8]], _ isRead: Bool) throws {
        let scene = SessionScene()
        let input = ByteBuffer(bytes: frames.flatMap(\.self))
        let facts = try #require(try scene.client.peek(input))
        #expect(try scene.client.onlyReads(facts, input) == isRead)
    }

    @Test("one connection may keep only so many prepared statements")
    func bound() throws {
        let scene = SessionScene()
        for number in 0..<ClientConversation.namedLimit {
            _ = try scene.forward(Frame.parse("s\(number)", "select 1") + Frame.sync)
            _ = try scene.read((number == 0 ? Frame.parsed : []) + Frame.idle)
        }
        #expect(throws: WireError.self) { _ = try scene.forward(Frame.parse("more", "select 1")) }
    }
}
