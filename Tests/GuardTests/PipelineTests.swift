import EndToEndSupport
import Guard
import NIOCore
import PGWire
import TestSupport
import Testing

/// Drivers that send more than one thing at once, or ask for answers without ending what they do.
@Suite("Guard: pipelines")
struct PipelineTests {
    private static func extended(_ text: String, _ bytes: inout ByteBuffer) {
        bytes.writePGFrame("P") { $0.writeString("\0\(text)\0\0\0") }
        bytes.writePGFrame("B") { $0.writeString("\0\0\0\0\0\0\0\0") }
        bytes.writePGFrame("E") { $0.writeString("\0\0\0\0\0") }
    }

    @Test("a blocked query is turned away in a transaction that is begun in the same breath, with its beginning")
    func blocked() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.adminUsers = ["postgres"]
            } _: { scene in
                let text = "SELECT 'bad' FROM t"
                var looked = ByteBuffer(string: text)
                let fingerprint = looked.withUnsafeMutableReadableBytes {
                    QueryCatalog(seed: 1).look(at: UnsafeRawBufferPointer($0)).fingerprintText
                }
                let admin = try await scene.client(database: "mainstay")
                #expect(try await admin.query("BLOCK QUERY \(fingerprint) FOR 1h").errors.isEmpty)
                let client = try await scene.client()
                try await client.send { bytes in
                    Self.extended("BEGIN", &bytes)
                    Self.extended(text, &bytes)
                    bytes.writePGSync()
                }
                let one = try await client.answer()
                #expect(one.states == ["53000"] && one.status == "I", "\(one)")
                try await client.send { bytes in
                    bytes.writePGQuery("BEGIN")
                    Self.extended(text, &bytes)
                    bytes.writePGSync()
                }
                for _ in 0..<2 {
                    let answer = try await client.answer()
                    #expect(answer.states == ["53000"] && answer.status == "I", "\(answer)")
                }
                #expect(try await client.query("SELECT 'good'").rows == [["good"]])
                #expect(Set(fake.heard) == [.connected, .query("SELECT 'good'")], "\(fake.heard)")
            }
        }
    }

    @Test(
        "who only prepares, and asks for the answers by Flush, keeps no server from the others",
        .enabled(if: TestDriver.isPostgresAvailable))
    func flushed() async throws {
        try await GuardScene.runBeforePostgres {
            $0.mode = .transaction
            $0.limits.poolSize = 1
        } _: { scene in
            let (one, other) = (try await scene.client(), try await scene.client())
            try await one.send { bytes in
                bytes.writePGFrame("P") { $0.writeString("s\0SELECT 'mine'\0\0\0") }
                bytes.writePGFrame("D") { $0.writeString("Ss\0") }
                bytes.writePGFrame("H")
            }
            for type in ["1", "t", "T"] {
                let frame = try #require(try await one.next())
                #expect(String(frame.type) == type)
            }
            #expect(try await other.query("SELECT 'theirs'").rows == [["theirs"]])
            try await one.send { bytes in
                bytes.writePGFrame("B") { $0.writeString("\0s\0\0\0\0\0\0\0") }
                bytes.writePGFrame("E") { $0.writeString("\0\0\0\0\0") }
                bytes.writePGSync()
            }
            let answer = try await one.answer()
            #expect(answer.rows == [["mine"]] && answer.status == "I", "\(answer)")
            #expect(try await other.query("SELECT 'theirs'").rows == [["theirs"]])
        }
    }
}
