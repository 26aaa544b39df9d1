import ArgumentParser
import Decide
import Foundation
import SQL
import TestSupport
import Testing

@testable import App

@Suite("mainstay review")
struct ReviewCommandTests {
    /// Runs the command with a file of SQL; its exit code, and what it wrote to `--output`.
    private func run(_ sql: String, _ arguments: [String]) async throws -> (code: Int32, output: String) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mainstay-review-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        let file = folder.appending(path: "q.sql")
        let output = folder.appending(path: "out")
        try sql.write(to: file, atomically: true, encoding: .utf8)
        let command = try ReviewCommand.parse([folder.path, "--output", output.path] + arguments)
        var code: Int32 = 0
        do {
            try await command.run()
        } catch let exit as ExitCode {
            code = exit.rawValue
        }
        let written = FileManager.default.contents(atPath: output.path)
        return (code, written.map { String(decoding: $0, as: UTF8.self) } ?? "")
    }

    @Test(
        "exits with 0 for a pass, with 1 for a block, and writes each form",
        .enabled(if: TestDriver.isPostgresAvailable),
        arguments: [
            ("SELECT 1", "text", 0, "PASS: nothing speaks against the release."),
            ("UPDATE t SET x = 1", "text", 1, "BLOCK  write-without-where  at 1:8"),
            ("UPDATE t SET x = 1", "json", 1, #""verdict" : "block""#),
            ("UPDATE t SET x = 1", "sarif", 1, #""ruleId" : "write-without-where""#),
            ("-- mainstay:allow write-without-where one row\nUPDATE t SET x = 1", "text", 0, "Allowed: one row"),
        ])
    func verdicts(sql: String, format: String, code: Int32, expected: String) async throws {
        try await ReviewShop.with(["CREATE TABLE t (x INT)"]) { _, place in
            let result = try await run(sql, ["--database", place.location, "--format", format])
            #expect(result.code == code)
            #expect(result.output.contains(expected), "\(result.output)")
            #expect(!result.output.contains("\u{1B}"))
        }
    }

    @Test(
        "exits with 2 when there is nothing to review, or nothing to review it with",
        arguments: [
            ("SELECT 1", ["--database", "postgres://u:hunter2@127.0.0.1:1/x"]),
            ("SELECT 1", ["--database", "shop.db"]),
            ("-- nothing", ["--database", "postgres://127.0.0.1:1/x"]),
            ("SELECT 1", ["--database", "postgres://127.0.0.1:1/x", "--slots", "0"]),
            ("SELECT 1", ["--database", "postgres://127.0.0.1:1/x", "--against", "missing.json"]),
        ])
    func unusable(sql: String, arguments: [String]) async throws {
        let result = try await run(sql, arguments)
        #expect(result.code == 2)
        #expect(result.output.isEmpty)
    }

    @Test("an error of the connection never shows the password")
    func password() async throws {
        let session = try PostgresReviewSession(url: "postgres://u:hunter2@127.0.0.1:1/x")
        let error = await #expect(throws: SQLError.self) { try await session.open() }
        #expect(error?.code == .unavailable)
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test("as another role, and on another search path", .enabled(if: TestDriver.isPostgresAvailable))
    func roles() async throws {
        let tables = ["CREATE TABLE t (x INT)", "INSERT INTO t SELECT generate_series(1, 2000)", "ANALYZE t"]
        try await ReviewShop.with(tables) { _, place in
            let role = "review_\(UInt32.random(in: 0...UInt32.max))"
            let server = try openDatabase(TestDriver.serverURL)
            try await server.write { try $0.execute("CREATE ROLE \(role)") }
            let review = try await ReviewShop.review("SELECT x FROM t LIMIT 1", place) {
                $0.session.role = role
            }
            let elsewhere = try await ReviewShop.review("SELECT x FROM t LIMIT 1", place) {
                $0.session.searchPath = "pg_catalog"
            }
            try await server.write { try $0.execute("DROP ROLE \(role)") }
            await server.close()
            // The role may not use the schema, so its tables are not found.
            #expect(review.database.role == role)
            #expect(review.verdict == .block)
            #expect(ReviewShop.told(elsewhere) == ["block unknown-table 1:15"])
            await #expect(throws: SQLError.self) {
                try await ReviewShop.review("SELECT 1", place) { $0.session.role = "nobody_\(role)" }
            }
            await #expect(throws: SQLError.self) {
                try await ReviewShop.review("SELECT 1", place) { $0.session.searchPath = "nowhere_\(role)" }
            }
        }
    }

    @Test("foreign text cannot steer the terminal")
    func controlCharacters() {
        #expect(ReviewText.oneLine("a\u{1B}[2Jb\n\t c\u{9B}1m\u{7F}d") == "a [2Jb c 1m d")
    }
}
