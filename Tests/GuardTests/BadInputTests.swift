import EndToEndSupport
import Guard
import NIOCore
import PGWire
import TestSupport
import Testing

/// Clients that do not keep to the protocol, or to good manners. They are told where that is possible, and nobody else
/// notices.
@Suite("Guard: bad input")
struct BadInputTests {
    /// A guard before a server that answers everything, with another client at work all the time.
    private func withGuard(
        _ configure: (inout GuardSettings) -> Void = { _ in }, _ body: (GuardScene) async throws -> Void
    ) async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target], configure) { scene in
                try await scene.unnoticed { try await body(scene) }
                #expect(try await scene.counters.violations == 0)
                try await scene.comesToRest()
            }
        }
    }

    struct Greeting: Sendable, CustomTestStringConvertible {
        var name: String
        /// Nil: the connection ends without a word, as with PostgreSQL.
        var code: String?
        var write: @Sendable (inout ByteBuffer) -> Void
        var testDescription: String { name }
    }

    private static func startup(_ body: [UInt8], version: UInt32 = 3 << 16) -> @Sendable (inout ByteBuffer) -> Void {
        { bytes in
            bytes.writeInteger(Int32(body.count + 8))
            bytes.writeInteger(version)
            bytes.writeBytes(body)
        }
    }

    private static let greetings = [
        Greeting(name: "a web browser", write: { $0.writeString("GET / HTTP/1.1\r\nHost: example.test\r\n\r\n") }),
        Greeting(name: "TLS without asking", write: { $0.writeBytes([0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3]) }),
        Greeting(name: "a length of 0", write: { $0.writeInteger(Int32(0)) }),
        Greeting(name: "a length of 7", write: { $0.writeBytes([0, 0, 0, 7, 0, 3, 0]) }),
        Greeting(name: "a negative length", write: { $0.writeInteger(Int32.min) }),
        Greeting(name: "a length of 2 GB", write: { $0.writeInteger(Int32.max) }),
        Greeting(name: "one byte too long", write: { $0.writeInteger(Int32(10_005)) }),
        Greeting(name: "version 2", write: startup([0], version: 2 << 16)),
        Greeting(name: "version 4", code: "0A000", write: startup([0], version: 4 << 16)),
        Greeting(name: "no user", code: "28000", write: startup([0])),
        Greeting(name: "no end", code: "08P01", write: startup(Array("user\0postgres\0".utf8))),
        Greeting(name: "more after the end", code: "08P01", write: startup(Array("user\0postgres\0\0x".utf8))),
        Greeting(name: "a name without a value", code: "08P01", write: startup(Array("user\0postgres\0a".utf8))),
        Greeting(name: "broken UTF-8", code: "22021", write: startup(Array("user\0".utf8) + [0xFF, 0, 0])),
        Greeting(name: "replication", code: "0A000", write: startup(Array("user\0p\0replication\0database\0\0".utf8))),
        Greeting(
            name: "a switch that is not one", code: "0A000", write: startup(Array("user\0p\0options\0-B 5\0\0".utf8))),
        Greeting(name: "a short cancel request", write: startup([0, 0], version: 80_877_102)),
        Greeting(name: "a long request for TLS", write: startup([0], version: 80_877_103)),
    ]

    @Test("what is no start-up message ends the connection, with words where there is a protocol", arguments: greetings)
    func greets(_ greeting: Greeting) async throws {
        try await withGuard { scene in
            let client = try await WireClient.connect(scene.port)
            try await client.send(greeting.write)
            let answer = try await client.answer()
            #expect(answer.states == (greeting.code.map { [$0] } ?? []))
            #expect(answer.status == nil, "the connection ends")
        }
    }

    @Test("a start-up message of exactly the limit is read")
    func longest() async throws {
        try await withGuard { scene in
            let client = try await WireClient.connect(scene.port)
            let known = "user\0postgres\0database\0d\0application_name\0"
            let name = String(repeating: "x", count: 10_000 - 4 - known.utf8.count - 2)
            try await client.send(Self.startup(Array("\(known)\(name)\0\0".utf8)))
            #expect(try await client.answer().status == "I")
            await client.close()
        }
    }

    struct Message: Sendable, CustomTestStringConvertible {
        var name: String
        var code: String?
        var write: @Sendable (inout ByteBuffer) -> Void
        var testDescription: String { name }
    }

    private static func frame(_ type: Character, _ length: Int32, _ body: String = "")
        -> @Sendable (
            inout ByteBuffer
        ) -> Void
    {
        { bytes in
            bytes.writeInteger(type.asciiValue ?? 0)
            bytes.writeInteger(length)
            bytes.writeString(body)
        }
    }

    private static let messages = [
        // Where messages begin is not known any more, and no answer would be understood.
        Message(name: "a length of 3", write: frame("Q", 3)),
        Message(name: "a length of 0", write: frame("S", 0)),
        Message(name: "a negative length", write: frame("Q", -1)),
        Message(name: "a length beyond 1 GB", write: frame("d", 0x4000_0001)),
        Message(name: "an unknown type", code: "08P01", write: frame("~", 8, "abcd")),
        Message(name: "a password, now", code: "08P01", write: frame("p", 8, "abc\0")),
        Message(name: "a server's message", code: "08P01", write: frame("Z", 5, "I")),
        Message(name: "a zero as type", code: "08P01", write: frame("\0", 8, "abcd")),
        Message(name: "an unknown type of 1 GB", code: "54000", write: frame("~", 0x4000_0000)),
        Message(name: "a statement beyond the limit", code: "54000", write: frame("Q", 1 << 20)),
        Message(name: "a Parse beyond the limit", code: "54000", write: frame("P", 1 << 20)),
    ]

    private static let contents = [
        Message(name: "a Query without its zero", write: frame("Q", 12, "SELECT 1")),
        Message(name: "an empty Query", write: frame("Q", 4)),
        Message(name: "a Query with more after its zero", write: frame("Q", 15, "SELECT 1\0xy")),
        Message(name: "a Parse without its zeros", write: frame("P", 8, "abcd")),
        Message(name: "a Parse of nothing", write: frame("P", 4)),
        Message(name: "a Parse with too few types", write: frame("P", 16, "\0SELECT 1\0\0\u{7F}")),
        Message(name: "a Bind of nothing", write: frame("B", 4)),
        Message(name: "a Bind without its values", code: "26000", write: frame("B", 10, "\0\0\0\0\0\u{7F}")),
        Message(name: "a Describe of nothing", write: frame("D", 4)),
        Message(name: "a Close of an unknown kind", write: frame("C", 7, "X\0\0")),
        Message(name: "an Execute without a count", write: frame("E", 5, "\0")),
        Message(name: "a function call of nothing", write: frame("F", 4)),
    ]

    @Test(
        "a message whose contents make no sense is refused, by the guard or by the server behind it",
        .enabled(if: TestDriver.isPostgresAvailable), arguments: contents, GuardSettings.Mode.allCases)
    func contains(_ message: Message, _ mode: GuardSettings.Mode) async throws {
        try await GuardScene.runBeforePostgres {
            $0.mode = mode
        } _: { scene in
            try await scene.unnoticed {
                let client = try await scene.client()
                #expect(try await client.query("SELECT 'a'").rows == [["a"]])
                try await client.send(message.write)
                await client.trySending { $0.writePGSync() }
                let answer = try await client.answer()
                #expect(answer.states == [message.code ?? "08P01"], "\(answer)")
                await client.close()
            }
            #expect(try await scene.counters.violations == 0)
            try await scene.comesToRest()
        }
    }

    @Test(
        "a message that makes no sense ends its session, with words where the next message can be found",
        arguments: messages, GuardSettings.Mode.allCases)
    func says(_ message: Message, _ mode: GuardSettings.Mode) async throws {
        try await withGuard {
            $0.mode = mode
            $0.limits.message = 1 << 16
        } _: { scene in
            let client = try await scene.client()
            // A server is at hand, and one message is right.
            #expect(try await client.query("SELECT 'a'").rows == [["a"]])
            try await client.send(message.write)
            await client.trySending { $0.writePGSync() }
            let answer = try await client.answer()
            if let code = message.code {
                #expect(answer.states == [code], "\(answer)")
                #expect(answer.errors.first?.severity == .fatal || answer.status != nil)
            } else {
                #expect(answer.types.isEmpty && answer.status == nil, "\(answer)")
            }
            await client.close()
        }
    }

    @Test("garbage while a result is under way does not land inside a row")
    func garbageMeanwhile() async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.answer = { event in
            // The first half of a row.
            event == .query("half")
                ? [
                    .send(
                        FakeAnswer.make {
                            $0.writeColumns(); $0.writeBytes([0x44, 0, 0, 0, 30, 0, 1, 0, 0])
                        })
                ] : nil
        }
        try await FakePostgres.run(behaviour) { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                try await scene.unnoticed {
                    let client = try await scene.client()
                    try await client.send { $0.writePGQuery("half") }
                    #expect(try await client.next()?.type == "T")
                    try await client.send { $0.writeString("~~~~~~~~~~~~~~~~") }
                    await expectCutOff(client)
                }
            }
        }
    }

    /// The end comes inside the row, and nothing fills the row up.
    private func expectCutOff(_ client: WireClient) async {
        await #expect(throws: Complaint.self) { try await client.next() }
    }
}
