import NIOCore
import Testing

@testable import PGWire

/// Transactions that are sent together with their first statement.
@Suite("Session: BEGIN and what comes with it")
struct SessionBeginningTests {
    private static func extended(_ text: String, name: String = "") -> [UInt8] {
        Frame.parse(name, text) + Frame.bind(name) + Frame.execute()
    }

    /// The text that is found, by its kind.
    private static let cases: [(name: String, sent: [UInt8], kind: QueryKind?)] = [
        ("alone", Frame.query("BEGIN"), nil),
        ("one batch", extended("BEGIN") + extended("SELECT 1") + Frame.sync, .select),
        ("prepared by name", extended("BEGIN", name: "b") + extended("UPDATE t SET a = 1") + Frame.sync, .update),
        (
            "known by name", Frame.bind("begin") + Frame.execute() + Frame.bind("known") + Frame.execute() + Frame.sync,
            .delete
        ),
        ("settings between", extended("BEGIN") + extended("SET LOCAL a = 1") + extended("SELECT 1"), .select),
        ("the second is not there as a whole", extended("BEGIN") + Frame.parse("", "SELECT 1").dropLast(), nil),
        ("not beyond the end", extended("BEGIN") + Frame.sync + extended("SELECT 1"), nil),
        ("not behind a simple one", Frame.query("BEGIN") + Frame.query("SELECT 1"), nil),
        ("a text of an earlier batch", extended("BEGIN") + Frame.bind("") + Frame.sync, nil),
        ("goodbye", extended("BEGIN") + Frame.terminate, nil),
    ]

    @Test("the first statement behind a beginning is found where it stands in the same batch", arguments: cases.indices)
    func behind(_ index: Int) throws {
        let scene = SessionScene()
        _ = try scene.forward(Frame.parse("known", "DELETE FROM t") + Frame.parse("begin", "BEGIN") + Frame.sync)
        _ = try scene.read(Frame.parsed + Frame.parsed + Frame.idle)
        _ = try scene.forward(Frame.parse("", "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE") + Frame.sync)
        _ = try scene.read(Frame.parsed + Frame.idle)
        let (name, sent, kind) = Self.cases[index]
        let found = try scene.client.statementBehind(ByteBuffer(bytes: sent))
        #expect(found?.query.kind == kind, "\(name)")
    }

    /// What is sent behind a batch that the server still runs, and whether it goes on its way at once.
    private static let pairs: [(name: String, first: [UInt8], next: [UInt8], follows: Bool)] = [
        ("the same", Frame.query("SELECT 1"), Frame.query("SELECT 2"), true),
        ("another", Frame.query("SELECT 1"), Frame.query("SELECT a FROM t"), false),
        ("the first of a transaction", Frame.query("BEGIN"), Frame.query("SELECT 1"), false),
        ("the end of a transaction", Frame.query("SELECT 1"), Frame.query("COMMIT"), true),
        ("the next transaction", Frame.query("COMMIT"), Frame.query("BEGIN"), false),
        ("something behind a setting", Frame.query("SET a = 1"), Frame.query("SELECT 1"), false),
        ("another, extended", extended("SELECT 1") + Frame.sync, extended("SELECT a FROM t"), false),
        ("the same, extended", extended("SELECT 1") + Frame.sync, extended("SELECT 2") + Frame.sync, true),
        ("what is no data behind a copy", Frame.query("COPY t FROM STDIN"), Frame.query("SELECT 1"), true),
        (
            "another, behind a batch that runs nothing", Frame.parse("", "SELECT 1") + Frame.sync,
            extended("SELECT a FROM t"), false
        ),
        ("more of one batch", extended("SELECT 1"), extended("SELECT a FROM t") + Frame.sync, true),
    ]

    @Test("a batch waits for the end of one of another sort, to be decided upon by itself", arguments: pairs.indices)
    func follows(_ index: Int) throws {
        let (name, first, next, follows) = Self.pairs[index]
        let scene = SessionScene()
        scene.client.decidesByBatch = true
        #expect(try scene.forward(first).progress == .all, "\(name)")
        let sent = try scene.forward(next)
        #expect(sent.progress == (follows ? .all : .waitsForEnd), "\(name)")
        #expect(sent.server.isEmpty != follows, "\(name)")
    }

    @Test("a beginning that is refused takes its batch with it, and nothing else")
    func refused() throws {
        let error = WireError(.unsupported, sqlState: "53000", "over budget")
        let client = SessionScene().client
        var input = ByteBuffer(
            bytes: Self.extended("BEGIN") + Self.extended("SELECT 1") + Frame.sync + Frame.query("SELECT 2"))
        var out = ForwardBuffer()
        client.refuse(&input, error, client: &out)
        let told = out.take(from: input).map { Frame.shown(Array($0.readableBytesView)) } ?? ""
        #expect(told.split(separator: " ").filter { $0.hasPrefix("Z") } == ["Z[I]"])
        #expect(Array(input.readableBytesView) == Frame.query("SELECT 2"))
    }
}
