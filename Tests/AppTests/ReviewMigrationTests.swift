import Decide
import SQL
import Testing

@testable import App

/// Migrations, parsed by PostgreSQL's own grammar; no server is asked.
@Suite("Reviews of migrations")
struct ReviewMigrationTests {
    private static let large = RelationFacts(
        rows: 200_000, bytes: 3e7,
        columns: [
            "title": .init(type: "character varying(20)", isNotNull: false),
            "done": .init(type: "text", isNotNull: false), "id": .init(type: "bigint", isNotNull: true),
        ], checks: ["CHECK ((done IS NOT NULL))"])

    private func review(_ text: String, facts: RelationFacts? = large) async throws -> [String] {
        let statements = try StatementSplitter.split(SourceText(file: "m.sql", text: text))
        let parsed = await SyntaxParser.parse(statements.map(\.sql))
        let subjects = try zip(statements, parsed).map { statement, parsed in
            let tree = try #require(parsed.tree, "\(statement.sql): \(parsed.problem ?? "")")
            let shape = try #require(StatementShape(tree: JSONValue(parsing: tree)))
            var known: [RelationName: RelationFacts] = [:]
            for change in shape.changes where change.table.name == "posts" { known[change.table] = facts }
            return ReviewSubject(statement: statement, shape: shape, outcome: .noPlan, facts: known)
        }
        let database = ReviewedDatabase(summary: "", version: "15", role: "", searchPath: "", isRehearsed: false)
        let review = QueryReview.judge(subjects, database: database, assumptions: ReviewAssumptions())
        return review.findings.filter { $0.rule != .missingLockTimeout }.map { "\($0.severity) \($0.rule.rawValue)" }
    }

    @Test(
        "what can hurt a table of 200,000 rows",
        arguments: [
            ("ADD COLUMN a INT", []),
            ("ADD COLUMN a INT NOT NULL", ["block add-required-column"]),
            ("ADD COLUMN a INT NOT NULL DEFAULT NULL", ["block add-required-column"]),
            ("ADD COLUMN a INT NOT NULL DEFAULT 0", []),
            ("ADD COLUMN a TIMESTAMPTZ DEFAULT now()", []),
            ("ADD COLUMN a UUID DEFAULT gen_random_uuid()", ["block add-column-rewrite"]),
            ("ADD COLUMN a INT DEFAULT own()", ["warn add-column-rewrite"]),
            ("ADD COLUMN a BIGSERIAL", ["block add-column-rewrite"]),
            ("ADD COLUMN a INT GENERATED ALWAYS AS IDENTITY", ["block add-column-rewrite"]),
            ("ADD COLUMN a INT GENERATED ALWAYS AS (id * 2) STORED", ["block add-column-rewrite"]),
            ("ADD COLUMN a INT UNIQUE", ["block unique-constraint"]),
            ("ADD COLUMN a INT REFERENCES users", []),
            ("ADD COLUMN a INT DEFAULT 1 REFERENCES users", ["block constraint-without-not-valid"]),
            ("ADD COLUMN a INT CHECK (a > 0)", ["block constraint-without-not-valid"]),
            ("ALTER COLUMN id TYPE TEXT", ["block change-column-type"]),
            ("ALTER COLUMN title TYPE VARCHAR(40)", []),
            ("ALTER COLUMN title TYPE TEXT", []),
            ("ALTER COLUMN title TYPE VARCHAR(10)", ["block change-column-type"]),
            ("ALTER COLUMN title TYPE TEXT USING lower(title)", ["block change-column-type"]),
            ("ALTER COLUMN title SET NOT NULL", ["block set-not-null"]),
            ("ALTER COLUMN id SET NOT NULL", []),
            ("ALTER COLUMN done SET NOT NULL", []),
            ("ALTER COLUMN id DROP NOT NULL", ["warn drop-not-null"]),
            ("ALTER COLUMN title DROP NOT NULL", []),
            ("ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES users", ["block constraint-without-not-valid"]),
            ("ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES users NOT VALID", []),
            ("ADD CHECK (id > 0)", ["block constraint-without-not-valid"]),
            ("ADD CHECK (id > 0) NOT VALID", []),
            ("VALIDATE CONSTRAINT f", []),
            ("ADD UNIQUE (title)", ["block unique-constraint"]),
            ("ADD CONSTRAINT u UNIQUE USING INDEX i", []),
            ("ADD PRIMARY KEY (id)", ["block unique-constraint"]),
            ("ADD EXCLUDE USING gist (id WITH =)", ["block unique-constraint"]),
            ("DROP COLUMN title", ["block drop-column"]),
            ("RENAME COLUMN title TO heading", ["block rename-column"]),
            ("RENAME TO articles", ["block rename-table"]),
            ("SET SCHEMA old", ["block rename-table"]),
            ("SET TABLESPACE fast", ["block rewrite-table"]),
            ("ADD COLUMN a INT NOT NULL, DROP COLUMN title", ["block add-required-column", "block drop-column"]),
        ])
    func alterations(change: String, expected: [String]) async throws {
        #expect(try await review("ALTER TABLE posts \(change)") == expected)
    }

    @Test(
        "other commands",
        arguments: [
            ("CREATE INDEX i ON posts (title)", ["block index-without-concurrently"]),
            ("CREATE DOMAIN email AS text", []), ("CREATE DOMAIN email AS text DEFAULT ''", []),
            ("CREATE DOMAIN email AS text CHECK (value ~ '@')", ["warn domain-constraint"]),
            ("ALTER DOMAIN email ADD CHECK (length(value) < 100)", ["block domain-constraint"]),
            ("ALTER DOMAIN email ADD CONSTRAINT c CHECK (length(value) < 100) NOT VALID", []),
            ("ALTER DOMAIN email VALIDATE CONSTRAINT c", []), ("ALTER DOMAIN email DROP CONSTRAINT c", []),
            ("BEGIN; ALTER TABLE posts ADD a int; BEGIN; COMMIT", ["warn transaction-nesting"]),
            ("BEGIN; COMMIT; COMMIT", ["warn transaction-nesting"]),
            ("BEGIN; COMMIT AND CHAIN; COMMIT", []),
            ("CREATE DOMAIN d AS text; ALTER DOMAIN d ADD CHECK (value <> '')", []),
            ("CREATE INDEX CONCURRENTLY i ON posts (title)", []),
            ("BEGIN; CREATE INDEX CONCURRENTLY i ON posts (title); COMMIT", ["block concurrently-in-transaction"]),
            ("DROP INDEX i", ["warn index-without-concurrently"]),
            ("DROP INDEX CONCURRENTLY i", []),
            ("DROP TABLE posts", ["block drop-table"]),
            ("DROP VIEW a.b", ["block drop-table"]),
            ("DROP SCHEMA a CASCADE", ["block drop-database"]),
            ("DROP DATABASE a", ["block drop-database"]),
            ("TRUNCATE posts", ["block truncate"]),
            ("VACUUM FULL posts", ["block rewrite-table"]),
            ("VACUUM posts", []),
            ("CLUSTER posts", ["block rewrite-table"]),
            ("REINDEX TABLE posts", ["block rewrite-table"]),
            ("REINDEX TABLE CONCURRENTLY posts", []),
            ("REFRESH MATERIALIZED VIEW m", ["block rewrite-table"]),
            ("LOCK TABLE posts", ["block rewrite-table"]),
            ("ALTER TABLE missing ADD COLUMN a INT", ["warn unknown-table"]),
            ("CREATE TABLE t (a INT); ALTER TABLE t ADD COLUMN b INT NOT NULL; CREATE INDEX ON t (b)", []),
            ("CREATE TABLE t AS SELECT 1 AS a; CREATE INDEX ON t (a)", []),
            ("SELECT 1 AS a INTO t; CREATE INDEX ON t (a)", []),
            ("-- mainstay:allow drop-table unused since May\nDROP TABLE posts", ["block drop-table"]),
            ("CREATE FUNCTION f() RETURNS INT LANGUAGE sql RETURN 1; GRANT SELECT ON posts TO app", []),
        ])
    func commands(text: String, expected: [String]) async throws {
        #expect(try await review(text) == expected)
    }

    @Test("a small table is locked for too short to matter, and what was dropped is gone all the same")
    func small() async throws {
        let small = RelationFacts(rows: 500, bytes: 50_000)
        #expect(
            try await review("CREATE INDEX i ON posts (title)", facts: small) == ["note index-without-concurrently"])
        #expect(try await review("ALTER TABLE posts DROP COLUMN title", facts: small) == ["block drop-column"])
        let empty = RelationFacts(rows: 0, bytes: 0)
        #expect(try await review("ALTER TABLE posts ADD COLUMN a INT NOT NULL", facts: empty).isEmpty)
    }

    @Test(
        "waiting for a lock without a limit is said once a file",
        arguments: [
            ("ALTER TABLE posts ADD COLUMN a INT; ALTER TABLE posts ADD COLUMN b INT", 1),
            ("SET lock_timeout = '2s'; ALTER TABLE posts ADD COLUMN a INT", 0),
            ("SET LOCAL lock_timeout TO '2s'; ALTER TABLE posts ADD COLUMN a INT", 0),
            ("CREATE TABLE t (a INT); ALTER TABLE t ADD COLUMN b INT", 0),
            ("CREATE INDEX CONCURRENTLY i ON posts (title)", 0),
        ])
    func lockTimeout(text: String, count: Int) async throws {
        let statements = try StatementSplitter.split(SourceText(file: "m.sql", text: text))
        let parsed = await SyntaxParser.parse(statements.map(\.sql))
        let subjects = try zip(statements, parsed).map { statement, parsed in
            let tree = try #require(parsed.tree)
            return ReviewSubject(
                statement: statement, shape: StatementShape(tree: try JSONValue(parsing: tree)), outcome: .noPlan)
        }
        let database = ReviewedDatabase(summary: "", version: "15", role: "", searchPath: "", isRehearsed: false)
        let review = QueryReview.judge(subjects, database: database, assumptions: ReviewAssumptions())
        #expect(review.findings.count { $0.rule == .missingLockTimeout } == count)
    }

    @Test("text that would exhaust a stack is parsed or refused, and the process lives")
    func deep() async throws {
        let texts = [
            "SELECT " + String(repeating: "1+", count: 120_000) + "1",
            "SELECT " + String(repeating: "(", count: 250_000),
            "SELECT " + String(repeating: "NOT ", count: 60_000) + "t", String(repeating: "x", count: 300_000),
            "SELECT 1",
            "SELECT 1\0",
        ]
        let parsed = await SyntaxParser.parse(texts)
        #expect(parsed.map { $0.tree != nil } == [true, false, false, false, true, false])
        #expect(parsed[3].problem == "it is longer than 256 KiB")
        #expect(parsed[4].fingerprint?.count == 16)
        let tree = try #require(parsed[0].tree)
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: tree, depthLimit: StatementShape.depthLimit) }
    }
}
