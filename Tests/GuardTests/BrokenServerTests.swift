import EndToEndSupport
import Guard
import NIOCore
import PGWire
import TestSupport
import Testing

/// Servers that die in the middle of something.
@Suite("Guard: broken servers")
struct BrokenServerTests {
    private static func fake(
        _ answers: [FakePostgres.Heard: [FakePostgres.Step]], _ body: (FakePostgres) async throws -> Void
    ) async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.answer = { answers[$0] }
        try await FakePostgres.run(behaviour, body)
    }

    private static func make(_ write: (inout ByteBuffer) -> Void) -> FakePostgres.Step { .send(FakeAnswer.make(write)) }

    /// What a server says before it dies, and what its client sees of it.
    struct Death: Sendable, CustomTestStringConvertible {
        var name: String
        var lastWords: ByteBuffer
        /// Types of what the client sees; nil: the connection ends inside a message.
        var seen: String?
        var code: String?
        var testDescription: String { name }
    }

    private static let deaths = [
        Death(name: "at once", lastWords: ByteBuffer(), seen: "E", code: "08006"),
        Death(
            name: "between rows",
            lastWords: FakeAnswer.make {
                $0.writeColumns(); $0.writeRow("a")
            }, seen: "TDE",
            code: "08006"),
        Death(
            name: "before ReadyForQuery",
            lastWords: FakeAnswer.make {
                $0.writeColumns(); $0.writeRow("a"); $0.writeTag("SELECT 1")
            }, seen: "TDCE",
            code: "08006"),
        Death(
            name: "inside a row",
            lastWords: FakeAnswer.make {
                $0.writeColumns(); $0.writeBytes([0x44, 0, 0, 0, 30, 0, 1, 0, 0])
            }),
        Death(
            name: "inside a row's length",
            lastWords: FakeAnswer.make {
                $0.writeColumns(); $0.writeBytes([0x44, 0, 0])
            },
            seen: "TE", code: "08006"),
        Death(
            name: "inside an error", lastWords: FakeAnswer.make { $0.writeBytes([0x45, 0, 0, 0, 90, 0x53]) }, seen: "E",
            code: "08006"),
        Death(
            name: "with its own words",
            lastWords: FakeAnswer.make {
                $0.writePGErrorResponse(ErrorFields(severity: .fatal, code: "57P01", message: "going down"))
            }, seen: "E", code: "57P01"),
    ]

    @Test(
        "a server that dies in a result: its client is told where a message may begin, and nobody else notices",
        arguments: deaths, GuardSettings.Mode.allCases)
    func result(_ death: Death, _ mode: GuardSettings.Mode) async throws {
        try await Self.fake([.query("die"): [.send(death.lastWords), .close]]) { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.mode = mode
            } _: { scene in
                try await scene.unnoticed {
                    let client = try await scene.client()
                    try await client.send { $0.writePGQuery("die") }
                    if let seen = death.seen {
                        let answer = try await client.answer()
                        #expect(answer.types == seen && answer.status == nil, "\(answer)")
                        #expect(answer.states == (death.code.map { [$0] } ?? []))
                    } else {
                        #expect(try await client.next()?.type == "T")
                        await #expect(throws: Complaint.self) { try await client.next() }
                    }
                    // The next client finds a server.
                    let other = try await scene.client()
                    #expect(try await other.query("SELECT 'b'").rows == [["b"]])
                    await other.close()
                }
                try await scene.comesToRest()
                #expect(try await scene.counters.violations == 0)
            }
        }
    }

    @Test("a server that dies while a client copies in: the client is told", arguments: [false, true])
    func copyIn(isTold: Bool) async throws {
        let words = ErrorFields(severity: .fatal, code: "57P02", message: "crash")
        let end: [FakePostgres.Step] = isTold ? [Self.make { $0.writePGErrorResponse(words) }, .close] : [.close]
        try await Self.fake([.query("COPY t FROM STDIN"): [Self.make { $0.writeCopyIn() }], .message("d"): end]) {
            fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                try await scene.unnoticed {
                    let client = try await scene.client()
                    try await client.send { $0.writePGQuery("COPY t FROM STDIN") }
                    #expect(try await client.next()?.type == "G")
                    try await client.send { $0.writePGFrame("d") { $0.writeString("1\n") } }
                    for _ in 0..<20 {
                        await client.trySending { bytes in
                            bytes.writePGFrame("d") { $0.writeString(String(repeating: "2\n", count: 10_000)) }
                        }
                    }
                    let answer = try await client.answer()
                    #expect(answer.states == [isTold ? "57P02" : "08006"] && answer.status == nil)
                }
                try await scene.comesToRest()
            }
        }
    }

    @Test("a server that dies while a client copies out: the client is told between two lines")
    func copyOut() async throws {
        let lines = Self.make { bytes in
            bytes.writeCopyOut()
            for _ in 0..<100 { bytes.writePGFrame("d") { $0.writeString("1\n") } }
        }
        try await Self.fake([.query("COPY t TO STDOUT"): [lines, .close]]) { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                try await scene.unnoticed {
                    let client = try await scene.client()
                    let answer = try await client.query("COPY t TO STDOUT")
                    #expect(answer.types == "H" + String(repeating: "d", count: 100) + "E")
                    #expect(answer.states == ["08006"])
                }
            }
        }
    }

    @Test("an idle server that dies is not missed", arguments: GuardSettings.Mode.allCases)
    func idle(_ mode: GuardSettings.Mode) async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.mode = mode
                $0.limits.poolSize = 1
            } _: { scene in
                let client = try await scene.client()
                #expect(try await client.query("SELECT 'a'").rows == [["a"]])
                try await fake.say {
                    $0.writePGErrorResponse(ErrorFields(severity: .fatal, code: "57P01", message: "going down"))
                }
                for channel in fake.sessions { try? await channel.close() }
                if mode == .session {
                    // Its session is lost, as it would be without the guard.
                    #expect(try await client.answer().states == ["57P01"])
                } else {
                    try await eventually("it is gone", every: .milliseconds(5)) {
                        try await scene.idleServers == 0 ? true : nil
                    }
                    #expect(try await client.query("SELECT 'b'").rows == [["b"]])
                }
            }
        }
    }

    @Test("real servers that are ended meanwhile", .enabled(if: TestDriver.isPostgresAvailable))
    func terminated() async throws {
        try await GuardScene.runBeforePostgres {
            $0.limits.poolSize = 3
        } _: { scene in
            try await scene.unnoticed {
                // So much that the server has to send some of it before it falls asleep.
                let rows = """
                    SELECT repeat('x', 20000), CASE WHEN n = 4 THEN pg_sleep(600) END FROM generate_series(1, 5) n
                    """
                for (sql, first) in [
                    (rows, "D"), ("COPY (\(rows)) TO STDOUT", "d"),
                    ("DO $$ BEGIN RAISE NOTICE 'here'; END $$; SELECT pg_sleep(600)", "N"),
                    ("CREATE TEMP TABLE t (n int); COPY t FROM STDIN", "G"), ("SELECT 1", "Z"),
                ] {
                    let client = try await scene.client()
                    let pid = try await client.query("BEGIN; SELECT pg_backend_pid()").rows[0][0] ?? ""
                    try await client.send { $0.writePGQuery(sql) }
                    #expect(try await client.until(Character(first)) != nil)
                    let killer = try await scene.client()
                    #expect(try await killer.query("SELECT pg_terminate_backend(\(pid))").rows == [["t"]])
                    await killer.close()
                    let answer = try await client.answer()
                    #expect(answer.errors.last?.code == "57P01" && answer.status == nil, "\(sql): \(answer)")
                }
            }
            try await scene.comesToRest()
            #expect(try await scene.counters.violations == 0)
        }
    }
}
