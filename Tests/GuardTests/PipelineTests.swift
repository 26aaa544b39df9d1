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

    @Test(
        "a blocked query is turned away with the beginning that it stands in one batch with, and behind another query")
    func blocked() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.adminUsers = ["postgres"]
            } _: { scene in
                let text = "SELECT 'bad' FROM t"
                let admin = try await scene.client(database: "mainstay")
                #expect(try await admin.query("BLOCK QUERY \(Self.fingerprint(text)) FOR 1h").errors.isEmpty)
                let client = try await scene.client()
                try await client.send { bytes in
                    Self.extended("BEGIN", &bytes)
                    Self.extended(text, &bytes)
                    bytes.writePGSync()
                }
                let one = try await client.answer()
                #expect(one.states == ["53000"] && one.status == "I", "\(one)")
                try await client.send { bytes in
                    bytes.writePGQuery("SELECT 'good'")
                    Self.extended(text, &bytes)
                    bytes.writePGSync()
                }
                #expect(try await client.answer().rows == [["good"]])
                let behind = try await client.answer()
                #expect(behind.states == ["53000"] && behind.status == "I", "\(behind)")
                #expect(try await client.query("SELECT 'good'").rows == [["good"]])
                #expect(Set(fake.heard) == [.connected, .query("SELECT 'good'")], "\(fake.heard)")
            }
        }
    }

    @Test(
        "a transaction that is sent as a whole, and whose first statement is blocked, does nothing",
        .enabled(if: TestDriver.isPostgresAvailable))
    func atomic() async throws {
        try await GuardScene.runBeforePostgres {
            $0.mode = .transaction
            $0.adminUsers = ["postgres"]
        } _: { scene in
            let client = try await scene.client()
            let table = "atomic_\(UInt32.random(in: 0 ... .max))"
            _ = try await client.query("CREATE TABLE \(table) (a int, b int)")
            let text = "INSERT INTO \(table) (a) VALUES (1)"
            let admin = try await scene.client(database: "mainstay")
            #expect(try await admin.query("BLOCK QUERY \(Self.fingerprint(text)) FOR 1h").errors.isEmpty)
            try await client.send { bytes in
                for text in ["BEGIN", text, "INSERT INTO \(table) (b) VALUES (2)", "COMMIT"] {
                    bytes.writePGQuery(text)
                }
            }
            var answers: [String] = []
            for _ in 0..<4 {
                let answer = try await client.answer()
                answers.append(
                    (answer.tags + answer.states + [answer.status.map(String.init) ?? ""]).joined(separator: " "))
            }
            #expect(answers == ["BEGIN T", "53000 E", "25P02 E", "ROLLBACK I"])
            #expect(try await client.query("SELECT count(*) FROM \(table)").rows == [["0"]])
            _ = try await client.query("DROP TABLE \(table)")
        }
    }

    @Test(
        "a blocked query behind a beginning that was answered by Flush ends the client: half a batch cannot be refused",
        .enabled(if: TestDriver.isPostgresAvailable))
    func openBatch() async throws {
        try await GuardScene.runBeforePostgres {
            $0.mode = .transaction
            $0.limits.poolSize = 1
            $0.adminUsers = ["postgres"]
        } _: { scene in
            let text = "SELECT 'bad' FROM pg_class"
            let admin = try await scene.client(database: "mainstay")
            #expect(try await admin.query("BLOCK QUERY \(Self.fingerprint(text)) FOR 1h").errors.isEmpty)
            let client = try await scene.client()
            try await client.send { bytes in
                Self.extended("BEGIN", &bytes)
                bytes.writePGFrame("H")
            }
            for type in ["1", "2", "C"] {
                let frame = try #require(try await client.next())
                #expect(String(frame.type) == type)
            }
            try await client.send { bytes in
                Self.extended(text, &bytes)
                bytes.writePGSync()
            }
            let told = try await client.answer()
            #expect(told.states == ["53000"] && told.status == nil, "\(told)")
            let other = try await scene.client()
            #expect(try await other.query("SELECT 'x'").rows == [["x"]])
            try await scene.comesToRest()
        }
    }

    private static func fingerprint(_ text: String) -> String {
        var looked = ByteBuffer(string: text)
        return looked.withUnsafeMutableReadableBytes {
            QueryCatalog(seed: 1).look(at: UnsafeRawBufferPointer($0)).fingerprintText
        }
    }

    @Test(
        "a query where a copy's data is due is refused as the server does it",
        .enabled(if: TestDriver.isPostgresAvailable), arguments: ["", "SELECT 1; "])
    func copy(_ before: String) async throws {
        try await GuardScene.runBeforePostgres {
            $0.mode = .transaction
        } _: { scene in
            let client = try await scene.client()
            let table = "copy_\(UInt32.random(in: 0 ... .max))"
            _ = try await client.query("CREATE TABLE \(table) (a int)")
            try await client.send { bytes in
                bytes.writePGQuery("\(before)COPY \(table) FROM STDIN")
                bytes.writePGQuery("SELECT 'behind'")
            }
            let told = try await client.answer()
            #expect(told.states == ["08P01", "08P01"] && told.status == nil, "\(told)")
            let other = try await scene.client()
            _ = try await other.query("DROP TABLE \(table)")
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
