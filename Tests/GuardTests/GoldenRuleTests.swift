import EndToEndSupport
import Guard
import NIOCore
import PGWire
import Testing

/// Servers that say what nobody asked for: the connection is closed and counted, and no other client gets a byte of it.
@Suite("Guard: the golden rule")
struct GoldenRuleTests {
    private static func fake(
        _ answers: [FakePostgres.Heard: [FakePostgres.Step]], _ body: (FakePostgres) async throws -> Void
    ) async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.answer = { answers[$0] }
        try await FakePostgres.run(behaviour, body)
    }

    private static let unasked: [(String, ByteBuffer)] = [
        ("a row", FakeAnswer.make { $0.writeRow("stray") }),
        ("a whole result", FakeAnswer.whole(["stray"])),
        ("ReadyForQuery", FakeAnswer.make { $0.writeReady() }),
        ("CommandComplete", FakeAnswer.make { $0.writeTag("SELECT 1") }),
        ("ParseComplete", FakeAnswer.make { $0.writePGFrame("1") }),
        ("an error", FakeAnswer.make { $0.writePGErrorResponse(.unsupported("stray"), severity: .error) }),
        ("an unknown message", FakeAnswer.make { $0.writePGFrame("~") { $0.writeString("stray") } }),
        ("half a row", FakeAnswer.make { $0.writeBytes([0x44, 0, 0, 0, 90, 0, 1]) }),
        ("a broken length", FakeAnswer.make { $0.writeBytes([0x44, 0, 0, 0, 1]) }),
    ]

    @Test(
        "what an idle server says unasked closes it and is counted; nobody gets it", arguments: unasked.indices)
    func idleSays(_ index: Int) async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
            } _: { scene in
                let (one, other) = (try await scene.client(), try await scene.client())
                #expect(try await one.query("SELECT 'a'").rows == [["a"]])
                try await fake.say { $0.writeImmutableBuffer(Self.unasked[index].1) }
                try await eventually("it is counted", every: .milliseconds(5)) {
                    try await scene.counters.violations == 1 ? true : nil
                }
                for client in [one, other] {
                    let answer = try await client.query("SELECT 'b'")
                    #expect(answer.types == "TDCZ" && answer.rows == [["b"]])
                }
                #expect(scene.log.text.contains("broke the protocol"))
                #expect(fake.heard.count { $0 == .connected } == 2)
            }
        }
    }

    /// The beginning of something that nobody asked for; the rest would come with the next client's own answer.
    private static let beginnings: [(String, [UInt8])] = [
        ("a type", [0x54]), ("three bytes", [0x54, 0, 0]), ("half of the columns", [0x54, 0, 0, 0, 30, 0, 1, 0x61]),
        ("half of a tag", [0x43, 0, 0, 0, 13, 0x53]), ("half of a notice", [0x4E, 0, 0, 0, 90, 0x53]),
    ]

    @Test(
        "a server with a part of a message that is not read is no client's: it is closed and counted",
        arguments: beginnings.indices)
    func idleBegins(_ index: Int) async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
            } _: { scene in
                let (one, other) = (try await scene.client(), try await scene.client())
                #expect(try await one.query("SELECT 'a'").rows == [["a"]])
                try await fake.say { $0.writeBytes(Self.beginnings[index].1) }
                // Whoever logs in now is answered by a loop that has seen those bytes.
                _ = try await scene.client()
                let answer = try await other.query("SELECT 'b'")
                #expect(answer.types == "TDCZ" && answer.rows == [["b"]], "\(Self.beginnings[index].0): \(answer)")
                #expect(try await scene.counters.violations == 1)
                #expect(fake.heard.count { $0 == .connected } == 2)
            }
        }
    }

    @Test("what follows an answer unasked closes the server and reaches nobody else", arguments: unasked.indices)
    func answerSaysMore(_ index: Int) async throws {
        let both = FakeAnswer.make { bytes in
            bytes.writeImmutableBuffer(FakeAnswer.whole(["mine"]))
            bytes.writeImmutableBuffer(Self.unasked[index].1)
        }
        try await Self.fake([.query("more"): [.send(both)]]) { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
            } _: { scene in
                let (one, other) = (try await scene.client(), try await scene.client())
                let answer = try await one.query("more")
                #expect(answer.rows.isEmpty || answer.rows == [["mine"]])
                for _ in 0..<3 {
                    let answer = try await other.query("SELECT 'b'")
                    #expect(answer.types == "TDCZ" && answer.rows == [["b"]], "\(answer)")
                }
                #expect(try await scene.counters.violations == 1)
            }
        }
    }

    @Test("what follows the session's start unasked is nobody's answer", arguments: unasked.indices)
    func startSaysMore(_ index: Int) async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.afterStart = Self.unasked[index].1
        try await FakePostgres.run(behaviour) { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                let refusal = try #require(try await scene.refusal())
                #expect(refusal.code == "08006" || refusal.code == "08P01")
                #expect(try await scene.counters.violations > 0)
            }
        }
    }

    @Test("a server that is ended as its session begins broke nothing: the next one is tried, and tells why")
    func startSaysGoodbye() async throws {
        var behaviour = FakePostgres.Behaviour()
        let farewell = WireError(
            .internalFault, sqlState: "57P01", "terminating connection due to administrator command")
        behaviour.afterStart = FakeAnswer.make { $0.writePGErrorResponse(farewell, severity: .fatal) }
        try await FakePostgres.run(behaviour) { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                let refusal = try #require(try await scene.refusal())
                #expect(refusal.code == "08006" && refusal.message.hasSuffix("ended the connection at once"))
                #expect(try await scene.counters.violations == 0)
                #expect(!scene.log.text.contains("broke the protocol"))
            }
        }
    }

    @Test("what a server may say at any time may come with the start of its session, too")
    func startIsFollowedByNews() async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.afterStart = FakeAnswer.make { bytes in
            bytes.writePGParameterStatus(name: "TimeZone", value: "CET")
            bytes.writePGFrame("N") { $0.writeBytes([0]) }
        }
        try await FakePostgres.run(behaviour) { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                let client = try await scene.client()
                #expect(try await client.query("SELECT 'a'").rows == [["a"]])
                #expect(try await scene.counters.violations == 0)
            }
        }
    }

    /// As if an earlier answer had more rows or ends than its client saw.
    private static let late: [(String, ByteBuffer)] = [
        ("a row", FakeAnswer.make { $0.writeRow("stray") }),
        (
            "rows and their end",
            FakeAnswer.make {
                $0.writeRow("stray"); $0.writeTag("SELECT 1"); $0.writeReady()
            }
        ),
        ("ReadyForQuery", FakeAnswer.make { $0.writeReady() }),
        ("a line of COPY", FakeAnswer.make { $0.writePGFrame("d") { $0.writeString("stray\n") } }),
        ("ParseComplete", FakeAnswer.make { $0.writePGFrame("1") }),
    ]

    @Test("what comes late, before the next client's own answer, is not taken for it", arguments: late.indices)
    func lateWords(_ index: Int) async throws {
        let answer = FakeAnswer.make { bytes in
            bytes.writeImmutableBuffer(Self.late[index].1)
            bytes.writeImmutableBuffer(FakeAnswer.whole(["mine"]))
        }
        try await Self.fake([.query("mine"): [.send(answer)]]) { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                try await scene.unnoticed {
                    let client = try await scene.client()
                    let answer = try await client.query("mine")
                    #expect(answer.rows.isEmpty && !answer.types.contains("d"), "\(Self.late[index].0): \(answer)")
                    #expect(answer.status == nil && answer.states == ["08006"], "\(answer)")
                }
                #expect(try await scene.counters.violations == 1)
            }
        }
    }

    @Test("a setting that an idle server changes by itself is not the next client's: its own is set again")
    func idleReports() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
            } _: { scene in
                let client = try await scene.client()
                #expect(try await client.query("SELECT 'a'").rows == [["a"]])
                try await fake.say { $0.writePGParameterStatus(name: "TimeZone", value: "CET") }
                // What reaches the guard later is answered, so what came before was read.
                #expect(try await scene.refusal() == nil)
                let answer = try await client.query("SELECT 'b'")
                #expect(answer.types == "TDCZ" && answer.rows == [["b"]], "\(answer)")
                let own = FakePostgres.Heard.query("BEGIN; SET \"TimeZone\" TO 'UTC'; COMMIT")
                let heard = fake.heard
                let place = try #require(heard.firstIndex(of: own), "\(heard)")
                #expect(heard.last == .query("SELECT 'b'") && place == heard.count - 2)
            }
        }
    }

    @Test("what servers may say unasked closes nothing, and goes to nobody who is not there")
    func allowed() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
            } _: { scene in
                let client = try await scene.client()
                #expect(try await client.query("SELECT 'a'").rows == [["a"]])
                try await fake.say { bytes in
                    bytes.writePGNoticeResponse(ErrorFields(severity: .notice, code: "00000", message: "hear, hear"))
                    bytes.writePGParameterStatus(name: "TimeZone", value: "CET")
                }
                let answer = try await client.query("SELECT 'b'")
                #expect(answer.types.filter { $0 != "N" && $0 != "S" } == "TDCZ" && answer.rows == [["b"]])
                #expect(try await scene.counters.violations == 0)
                #expect(fake.heard.count { $0 == .connected } == 1)
            }
        }
    }
}
