import NIOCore
import Testing

@testable import PGWire

/// Transactions that are sent together with their first statement.
@Suite("Session: BEGIN and what comes with it")
struct SessionBeginningTests {
    private static func extended(_ text: String, name: String = "") -> [UInt8] {
        Frame.parse(name, text) + Frame.bind(name) + Frame.execute()
    }

    /// The text that is found (by its kind), and whether it has an answer of its own.
    private static let cases: [(name: String, sent: [UInt8], kind: QueryKind?, isNextBatch: Bool)] = [
        ("alone", Frame.query("BEGIN"), nil, false),
        ("one batch", extended("BEGIN") + extended("SELECT 1") + Frame.sync, .select, false),
        (
            "prepared by name", extended("BEGIN", name: "b") + extended("UPDATE t SET a = 1") + Frame.sync, .update,
            false
        ),
        ("known by name", Frame.query("BEGIN") + Frame.bind("known") + Frame.execute() + Frame.sync, .delete, true),
        ("simple, then extended", Frame.query("BEGIN") + extended("INSERT INTO t VALUES (1)"), .insert, true),
        ("two simple ones", Frame.query("BEGIN") + Frame.query("SELECT 1"), .select, true),
        (
            "with settings between",
            Frame.query("BEGIN") + Frame.query("SET LOCAL work_mem = 1") + Frame.query("SELECT 1"),
            nil, false
        ),
        ("the second is not there as a whole", Frame.query("BEGIN") + Frame.query("SELECT 1").dropLast(), nil, false),
        ("not beyond the end", Frame.query("BEGIN") + Frame.sync + Frame.query("SELECT 1"), nil, false),
        ("a text of an earlier batch", extended("BEGIN") + Frame.bind("") + Frame.sync, nil, false),
        ("goodbye", Frame.query("BEGIN") + Frame.terminate, nil, false),
    ]

    @Test("the first statement behind a beginning is found where it was sent with it", arguments: cases.indices)
    func behind(_ index: Int) throws {
        let scene = SessionScene()
        _ = try scene.forward(Frame.parse("known", "DELETE FROM t") + Frame.sync)
        _ = try scene.read(Frame.parsed + Frame.idle)
        _ = try scene.forward(Frame.parse("", "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE") + Frame.sync)
        _ = try scene.read(Frame.parsed + Frame.idle)
        let (name, sent, kind, isNextBatch) = Self.cases[index]
        let found = try scene.client.statementBehind(ByteBuffer(bytes: sent))
        #expect(found?.facts.query.kind == kind, "\(name)")
        #expect((found?.isNextBatch ?? false) == isNextBatch, "\(name)")
    }

    @Test("what was to begin is refused with its beginning: once in one batch, twice in two, and then it is over")
    func refused() throws {
        let error = WireError(.unsupported, sqlState: "53000", "over budget")
        for isTwo in [false, true] {
            let client = SessionScene().client
            let beginning = isTwo ? Frame.query("BEGIN") : Self.extended("BEGIN")
            var input = ByteBuffer(bytes: beginning + Self.extended("SELECT 1") + Frame.sync + Frame.query("SELECT 2"))
            var out = ForwardBuffer()
            client.refuse(&input, error, withNext: isTwo, client: &out)
            let told = out.take(from: input).map { Frame.shown(Array($0.readableBytesView)) } ?? ""
            #expect(
                told.split(separator: " ").filter { $0.hasPrefix("Z") }
                    == Array(repeating: "Z[I]", count: isTwo ? 2 : 1))
            #expect(Array(input.readableBytesView) == Frame.query("SELECT 2"))
        }
    }
}
