import NIOCore
import Testing

@testable import PGWire

@Suite("Session: refusing")
struct SessionRefusalTests {
    private static let extended = [
        Frame.parse("", "select 1"), Frame.bind(""), Frame.query("skipped"), Frame.execute(), Frame.sync,
    ].flatMap(\.self)
    private static let refusal = Frame.error("53000", "over budget")

    @Test("a simple query is refused at once, alone")
    func simple() throws {
        let scene = SessionScene(server: nil)
        let out = scene.refuse(Frame.query("select 1") + Frame.sync)
        #expect(Frame.shown(out) == Frame.shown(Self.refusal + Frame.idle))
        try scene.sends([], server: [], client: [Frame.idle])
        try scene.sends(Frame.query("select 2"), server: [], .needsServer)
    }

    @Test("a refusal in a transaction tells of its failure")
    func failed() throws {
        #expect(SessionScene().refuse(Frame.query("select 1"), .failed) == Self.refusal + Frame.failed)
    }

    @Test("an extended batch is refused up to its Sync; the error is told at once")
    func extended() throws {
        let scene = SessionScene()
        #expect(scene.refuse(Self.extended + Frame.query("select 2")) == Self.refusal + Frame.idle)
        try scene.sends([], server: [Frame.query("select 2")])
    }

    @Test("whatever the pieces, the same is refused and answered", arguments: [true, false])
    func pieces(_ isSimple: Bool) throws {
        let batch = isSimple ? Frame.query("select 1") : Self.extended
        let whole = batch + Frame.query("select 2")
        for cut in 5..<whole.count {
            let scene = SessionScene()
            var client = scene.refuse(Array(whole[..<cut]))
            var server: [UInt8] = []
            for byte in whole[cut...] + [] {
                let output = try scene.forward([byte])
                client += output.client
                server += output.server
            }
            let rest = try scene.forward([])
            #expect(client + rest.client == Self.refusal + Frame.idle, "cut at \(cut)")
            #expect(server + rest.server == Frame.query("select 2"), "cut at \(cut)")
        }
    }

    @Test(
        "what is looked at before there is a server",
        arguments: [
            (Frame.query("select 7"), "select $1"), (Frame.parse("", "select 7"), "select $1"), (Frame.sync, nil),
            (Frame.bind("nobody's"), nil), (Array(Frame.query("select 7").dropLast()), nil), (Frame.make("P"), nil),
            (Frame.make("B", [0]), nil), (Frame.make("D"), nil),
        ])
    func peek(_ bytes: [UInt8], _ text: String?) throws {
        let scene = SessionScene()
        #expect(try scene.client.peek(ByteBuffer(bytes: bytes))?.query.normalizedText == text)
    }
}
