import Guard
import NIOCore
import PGWire
import TestSupport
import Testing

/// Prepared statements whose tables are made anew, before a real server.
@Suite("Guard: changes of the schema", .enabled(if: TestDriver.isPostgresAvailable))
struct SchemaTests {
    private struct Prepared {
        var client: WireClient
        var name: String

        /// Prepares the text under the name, and runs it.
        func answer(_ text: String) async throws -> WireClient.Answer {
            try await client.send { bytes in
                bytes.writePGFrame("P") { $0.writeString("\(name)\0\(text)\0\0\0") }
                bytes.writePGFrame("B") { $0.writeString("\0\(name)\0\0\0\0\0\0\0") }
                bytes.writePGFrame("E") { $0.writeString("\0\0\0\0\0") }
                bytes.writePGSync()
            }
            return try await client.answer()
        }
    }

    @Test(
        "a text that is prepared after a table was made anew gives the new columns, whoever made it and wherever",
        arguments: [true, false])
    func anew(isInTransaction: Bool) async throws {
        try await GuardScene.runBeforePostgres {
            // Enough for each pool to keep its own: a new server would be asked anew in any case.
            $0.limits.poolSize = 6
        } _: { scene in
            let table = "schema_\(UInt32.random(in: 0 ... .max))"
            let (one, other) = (try await scene.client(), try await scene.client(["geqo": "off"]))
            let maker = try await scene.client(["options": "-c statement_timeout=60000"])
            #expect(try await maker.query("CREATE TABLE \(table) AS SELECT 1 AS a").errors.isEmpty)
            let text = "SELECT * FROM \(table)"
            for client in [one, other] {
                let first = try await Prepared(client: client, name: "before").answer(text)
                #expect(first.rows == [["1"]], "\(first)")
            }
            let steps = [
                "DROP TABLE \(table)", "CREATE TABLE \(table) AS SELECT 'x' AS a, 'y' AS b",
            ]
            for step in isInTransaction ? ["BEGIN"] + steps + ["COMMIT"] : steps {
                #expect(try await maker.query(step).errors.isEmpty)
            }
            for client in [one, other, maker] {
                let again = try await Prepared(client: client, name: "after").answer(text)
                #expect(again.rows == [["x", "y"]], "\(again)")
            }
            let stale = try await Prepared(client: one, name: "").answer(text)
            #expect(stale.rows == [["x", "y"]], "\(stale)")
            _ = try await maker.query("DROP TABLE \(table)")
        }
    }

    @Test("a plan that went stale past the guard fails once, and is nobody's after that")
    func pastTheGuard() async throws {
        try await GuardScene.runBeforePostgres {
            $0.limits.poolSize = 1
        } _: { scene in
            let table = "schema_\(UInt32.random(in: 0 ... .max))"
            let (one, other) = (try await scene.client(), try await scene.client())
            #expect(try await one.query("CREATE TABLE \(table) AS SELECT 1 AS a").errors.isEmpty)
            let text = "SELECT * FROM \(table)"
            #expect(try await Prepared(client: one, name: "s").answer(text).rows == [["1"]])
            let direct = try await WireClient.connect(try GuardScene.postgres().port)
            try await direct.logIn(database: "postgres")
            #expect(try await direct.query("ALTER TABLE \(table) ADD b int DEFAULT 2").errors.isEmpty)
            #expect(try await Prepared(client: other, name: "s").answer(text).states == ["0A000"])
            #expect(try await Prepared(client: other, name: "t").answer(text).rows == [["1", "2"]])
            _ = try await direct.query("DROP TABLE \(table)")
            await direct.close()
        }
    }

    @Test("parameters get the types that their columns have now")
    func parameters() async throws {
        try await GuardScene.runBeforePostgres { scene in
            let table = "schema_\(UInt32.random(in: 0 ... .max))"
            let client = try await scene.client()
            #expect(try await client.query("CREATE TABLE \(table) AS SELECT 1 AS a").errors.isEmpty)
            let text = "SELECT a FROM \(table) WHERE a = coalesce($1, a)"
            func parameterType(_ name: String) async throws -> Int32? {
                try await client.send { bytes in
                    bytes.writePGFrame("P") { $0.writeString("\(name)\0\(text)\0\0\0") }
                    bytes.writePGFrame("D") { $0.writeString("S\(name)\0") }
                    bytes.writePGSync()
                }
                let frame = try await client.until("t")
                _ = try await client.until("Z")
                return frame?.payload.getInteger(at: (frame?.payload.readerIndex ?? 0) + 2)
            }
            #expect(try await parameterType("before") == 23)
            #expect(try await client.query("ALTER TABLE \(table) ALTER a TYPE text").errors.isEmpty)
            #expect(try await parameterType("after") == 25)
            _ = try await client.query("DROP TABLE \(table)")
        }
    }
}
