import Decide
import EndToEndSupport
import Foundation
import Guard
import NIOCore
import PGWire
import SQL
import TestSupport
import Testing

/// Settings that follow a client from server to server.
@Suite("Guard: carried settings")
struct CarriedTests {
    // MARK: What is said to servers

    private static func one(_ body: (GuardScene, FakePostgres) async throws -> Void) async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.answer = { event in
            guard case .query(let text) = event, text.hasPrefix("BEGIN") else { return nil }
            guard text.contains("refused") || text.contains("cancelled") else { return nil }
            let answer = FakeAnswer.make { bytes in
                bytes.writeTag("BEGIN")
                bytes.writePGErrorResponse(
                    text.contains("cancelled")
                        ? ErrorFields(severity: .error, code: "57014", message: "canceling statement")
                        : ErrorFields(severity: .error, code: "42501", message: "permission denied"))
                bytes.writeReady("E")
            }
            return [.send(answer)]
        }
        try await FakePostgres.run(behaviour) { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
            } _: { scene in
                try await body(scene, fake)
            }
        }
    }

    private static func queries(_ fake: FakePostgres) -> [String] {
        fake.heard.compactMap { if case .query(let text) = $0 { text } else { nil } }
    }

    @Test("a server is told the difference, and only that, before the client's own words")
    func differences() async throws {
        try await Self.one { scene, fake in
            let (one, other) = (try await scene.client(), try await scene.client(["application_name": "two"]))
            _ = try await one.query("SET statement_timeout = '5s'; SET work_mem = 100")
            _ = try await one.query("SELECT '1'")
            _ = try await other.query("SELECT '2'")
            _ = try await other.query("SET work_mem = 200")
            _ = try await one.query("SELECT '3'")
            await one.close()
            try await scene.comesToRest()
            _ = try await other.query("SELECT '4'")
            #expect(
                Self.queries(fake) == [
                    "SET statement_timeout = '5s'; SET work_mem = 100", "SELECT '1'",
                    #"BEGIN; SET "application_name" TO 'two'; SET "statement_timeout" TO DEFAULT; "#
                        + #"SET "work_mem" TO DEFAULT; COMMIT"#,
                    "SELECT '2'", "SET work_mem = 200",
                    #"BEGIN; SET "application_name" TO ''; SET "statement_timeout" TO '5s'; "#
                        + #"SET "work_mem" TO '100'; COMMIT"#,
                    "SELECT '3'",
                    #"BEGIN; SET "application_name" TO 'two'; SET "statement_timeout" TO DEFAULT; "#
                        + #"SET "work_mem" TO '200'; COMMIT"#,
                    "SELECT '4'",
                ])
            #expect(try await scene.proxy.snapshot().pools.allSatisfy { $0.clientsPinned == 0 })
        }
    }

    @Test("who leaves with something uncertain leaves nothing behind: the server is discarded, and told all anew")
    func discards() async throws {
        try await Self.one { scene, fake in
            let (one, other) = (try await scene.client(), try await scene.client())
            _ = try await one.query("SET a = 1")
            _ = try await one.query("SET b = 2")
            _ = try await one.query("LISTEN x")
            await one.close()
            _ = try await other.query("SELECT 'x'")
            _ = try await other.query("SET c = 3")
            #expect(Self.queries(fake).suffix(3) == ["DISCARD ALL", "SELECT 'x'", "SET c = 3"])
        }
    }

    @Test("a server that refuses a client's settings is closed, and the client is told why")
    func refused() async throws {
        try await Self.one { scene, _ in
            let (one, other) = (try await scene.client(), try await scene.client())
            _ = try await one.query("SET refused = 1")
            _ = try await other.query("SELECT 'x'")
            let own = try await one.query("SELECT 'z'")
            #expect(own.states == ["08006"] && own.status == nil, "\(own)")
            let words = "[mainstay] the next server refused this session's settings: permission denied"
            #expect(own.errors.first?.message == words)
            let third = try await scene.client()
            #expect(try await third.query("SELECT 'w'").rows == [["w"]])
        }
    }

    @Test("a cancel that comes as a server is told a client's settings is a cancel to the client, too")
    func cancelled() async throws {
        try await Self.one { scene, _ in
            let (one, other) = (try await scene.client(), try await scene.client())
            _ = try await one.query("SET cancelled = 1")
            _ = try await other.query("SELECT 'x'")
            let own = try await one.query("SELECT 'z'")
            #expect(own.states == ["57014"] && own.errors.first?.message == "canceling statement", "\(own)")
            #expect(try await scene.client().query("SELECT 'w'").rows == [["w"]])
        }
    }

    @Test("a new server and a replica are told all of it")
    func elsewhere() async throws {
        try await FakePostgres.run { primary in
            try await FakePostgres.run { replica in
                try await GuardScene.run(before: [primary.target]) { settings in
                    settings.databases[GuardSettings.anyDatabase]?.replicas = ReplicaSettings(
                        targets: [replica.target], poolSize: 1, rules: [(ClientPattern(application: ""), .reads)])
                } _: { scene in
                    let client = try await scene.client()
                    _ = try await client.query("SET b = 2; SET a = 1")
                    let all = #"BEGIN; SET "a" TO '1'; SET "b" TO '2'; COMMIT"#
                    #expect(try await client.query("SELECT 'r'").rows == [["r"]])
                    #expect(Self.queries(replica) == [all, "SELECT 'r'"])
                    for session in primary.sessions { try await session.close() }
                    try await eventually("the server is gone", every: .milliseconds(5)) {
                        try await scene.proxy.snapshot().pools.reduce(0) { $0 + $1.serversIdle } == 1
                    }
                    _ = try await client.query("INSERT")
                    #expect(Self.queries(primary).suffix(2) == [all, "INSERT"])
                }
            }
        }
    }

    @Test("in session mode nothing is carried")
    func sessionMode() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.mode = .session
                $0.limits.poolSize = 1
            } _: { scene in
                let one = try await scene.client()
                _ = try await one.query("SET a = 1")
                await one.close()
                let other = try await scene.client()
                _ = try await other.query("SELECT 'x'")
                #expect(Self.queries(fake) == ["SET a = 1", "DISCARD ALL", "SELECT 'x'"])
            }
        }
    }
}

extension WireClient {
    /// One statement by the extended protocol.
    func execute(_ text: String, statement: String = "") async throws -> Answer {
        try await send { bytes in
            bytes.writePGFrame("P") { frame in
                frame.writePGString(statement)
                frame.writePGString(text)
                frame.writeInteger(UInt16(0))
            }
            bytes.writeBindAndExecute(statement)
        }
        return try await answer()
    }

    func executePrepared(_ statement: String) async throws -> Answer {
        try await send { $0.writeBindAndExecute(statement) }
        return try await answer()
    }
}

extension ByteBuffer {
    fileprivate mutating func writeBindAndExecute(_ statement: String) {
        writePGFrame("B") { frame in
            frame.writePGString("")
            frame.writePGString(statement)
            for _ in 0..<3 { frame.writeInteger(UInt16(0)) }
        }
        writePGFrame("E") { frame in
            frame.writePGString("")
            frame.writeInteger(UInt32(0))
        }
        writePGSync()
    }
}
