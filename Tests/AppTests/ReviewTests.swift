import Decide
import Foundation
import SQL
import TestSupport
import Testing

@testable import App

@Suite("Reviews against PostgreSQL", .enabled(if: TestDriver.isPostgresAvailable))
struct ReviewTests {
    private typealias Shop = ReviewShop

    @Test("the query of the posts outage is stopped, and the one before it passes")
    func postsOutage() async throws {
        try await Shop.with { _, place in
            let before = try await Shop.review(Shop.good, place)
            #expect(before.verdict == .pass, "\(Shop.told(before))")
            let old = SourceText(file: "old.json", text: before.json.compactText)
            let baseline = try QueryReview.costs(in: old)

            let after = try await Shop.review(Shop.bad, place) { $0.earlierCosts = baseline }
            #expect(after.verdict == .block)
            let blocking = Set(after.findings.filter { $0.severity == .block }.map(\.rule))
            #expect(blocking.isSuperset(of: [.rowByRowJoin, .costIncrease]), "\(Shop.told(after))")
            let join = try #require(after.findings.first { $0.rule == .rowByRowJoin && $0.what.contains("others") })
            #expect(join.what.contains("billion comparisons"))
            // Without a baseline and without a rate it is stopped all the same.
            #expect(try await Shop.review(Shop.bad, place).verdict == .block)
        }
    }

    @Test("statements are judged by text and plan")
    func statements() async throws {
        try await Shop.with { _, place in
            for (text, expected) in Self.judged {
                let review = try await Shop.review(text, place)
                #expect(Shop.told(review) == expected, "\(text)")
            }
        }
    }

    private static let padding = "/*" + String(repeating: "-", count: SyntaxParser.byteLimit) + "*/ "

    private static let judged: [(String, [String])] = [
        ("SELECT id FROM posts WHERE id = $1", []),
        ("SELECT id FROM posts WHERE title = :title", ["warn sequential-scan 1:1"]),
        (
            "/* calls_per_second=2 mean_ms=1 */SELECT id FROM posts WHERE lower(title) = $1",
            ["block sequential-scan 1:35"]
        ),
        (
            "/* calls_per_second=50 */ SELECT * FROM posts ORDER BY md5(title) LIMIT 5",
            ["block limit-after-sort 1:27", "warn expected-load 1:27"]
        ),
        ("SELECT id FROM posts", ["warn list-without-limit 1:1"]),
        ("SELECT * FROM posts ORDER BY created_at", ["warn list-without-limit 1:1", "warn disk-sort 1:1"]),
        ("SELECT count(*) FROM posts, users", ["block missing-join-condition 1:1", "warn slow-statement 1:1"]),
        ("UPDATE posts SET title = $1 WHERE id = $2", []),
        ("UPDATE posts SET title = 'x'", ["block write-without-where 1:8"]),
        ("DELETE FROM posts WHERE 1 = 1", ["block write-without-where 1:13"]),
        (
            "WITH gone AS (DELETE FROM users RETURNING id) SELECT id FROM gone LIMIT 1",
            ["block write-without-where 1:27"]
        ),
        ("INSERT INTO users VALUES ($1, $2)", []),
        ("SELECT x", ["block unknown-column 1:8"]),
        ("SELECT 1 FROM\n  nowhere", ["block unknown-table 2:3"]),
        ("SELECT nothing(1)", ["block unknown-function 1:8"]),
        ("SELEC 1", ["block syntax-error 1:1"]),
        ("SELECT 'ö', :a::int, x", ["block unknown-column 1:22"]),
        ("SELECT 1 WHERE $1 IS NULL AND $2 IS NULL", []),
        ("SET lock_timeout = '1s'; BEGIN; COMMIT; SHOW work_mem", []),
        ("DO $$ BEGIN DELETE FROM posts; END $$", ["warn not-reviewed 1:1"]),
        ("SELECT 1; -- mainstay:allow disk-sort", ["warn annotation 1:1"]),
        // Too long for the parser: the plan is judged, and a change that has none is not let pass.
        ("SELECT \(padding) id FROM posts WHERE id = 1", ["note not-reviewed 1:1"]),
        ("CREATE \(padding) TABLE long (a INT)", ["block not-reviewed 1:1"]),
        ("UPDATE \(padding) posts SET title = 'x'", ["note not-reviewed 1:1", "block write-without-where 1:1"]),
    ]

    @Test("no statement runs: nothing that it would have done is there afterwards")
    func neverExecutes() async throws {
        let traces = [
            "CREATE SEQUENCE trace", "CREATE TABLE traced (x BIGINT)",
            """
            CREATE FUNCTION leave_trace() RETURNS BIGINT LANGUAGE plpgsql VOLATILE AS
            $$ BEGIN INSERT INTO traced VALUES (1); RETURN nextval('trace'); END $$
            """,
            """
            CREATE FUNCTION lie() RETURNS BIGINT LANGUAGE plpgsql STABLE AS
            $$ BEGIN RETURN nextval('trace'); END $$
            """,
            "INSERT INTO traced VALUES (0)", "ANALYZE traced",
        ]
        try await Shop.with(traces) { database, place in
            let review = try await Shop.review(
                """
                SELECT nextval('trace'); SELECT leave_trace(); INSERT INTO traced VALUES (2);
                DELETE FROM traced WHERE x = 0; SELECT x FROM traced WHERE x = leave_trace();
                SELECT x FROM traced WHERE x = lie(); DROP TABLE traced; TRUNCATE traced; COMMIT;
                CREATE TABLE more (x INT); COPY traced FROM STDIN; CALL nothing(); VACUUM traced;
                SELECT pg_advisory_lock(4711); LISTEN x
                """, place)
            #expect(review.statements.count == 15)
            let left = try await database.read { connection in
                let rows = try connection.query("SELECT x FROM traced").map { try $0.int("x") }
                let isCalled = try connection.query("SELECT is_called FROM trace")[0].int("is_called")
                let more = try connection.query("SELECT to_regclass('more') IS NULL AS gone")[0].int("gone")
                let locks = try connection.query("SELECT count(*) AS n FROM pg_locks WHERE objid = 4711")[0].int("n")
                return [rows, [isCalled, more, locks]]
            }
            #expect(left == [[0], [0, 1, 0]])
        }
    }

    @Test("nothing rides along behind a semicolon")
    func oneStatement() async throws {
        try await Shop.with(["CREATE TABLE kept (x INT)"]) { database, place in
            let session = try PostgresReviewSession(url: place.location)
            _ = try await session.open()
            for text in [
                "SELECT 1; DROP TABLE kept", "SELECT 1; COMMIT; DROP TABLE kept", "SELECT 1\0; DROP TABLE kept",
            ] {
                guard case .refused(let refusal) = try await session.plan(text, hasPlan: true) else {
                    Issue.record("\(text) was not refused")
                    continue
                }
                #expect(refusal.state == "42601")
            }
            try await session.beginRehearsal()
            let ran = try await session.run("SELECT 1; COMMIT; DROP TABLE kept", .query)
            #expect(throws: ReviewRefusal.self) { try ran.get() }
            await session.close()
            let rows = try await database.read { try $0.query("SELECT count(*) AS n FROM kept") }
            #expect(try rows[0].int("n") == 0)
        }
    }

    @Test("a rehearsal applies migrations, plans what needs them, and leaves nothing")
    func rehearsal() async throws {
        let text = """
            SET lock_timeout = '1s';
            CREATE TABLE tags (id BIGINT PRIMARY KEY, post_id BIGINT NOT NULL, name TEXT);
            ALTER TABLE posts ADD COLUMN slug TEXT;
            CREATE INDEX CONCURRENTLY posts_by_slug ON posts (slug);
            SELECT slug FROM posts WHERE id = $1;
            SELECT id FROM tags WHERE id = $1;
            INSERT INTO tags VALUES (1, 1, 'x');
            INSERT INTO posts (id) VALUES (1);
            """
        try await Shop.with { database, place in
            let cold = try await Shop.review(text, place)
            #expect(
                Shop.told(cold) == [
                    "warn needs-migration 5:8", "warn needs-migration 6:16", "warn needs-migration 7:13",
                ])
            let rehearsed = try await Shop.review(text, place) { $0.isRehearsed = true }
            #expect(Shop.told(rehearsed) == ["note small-copy 6:1", "note small-copy 7:1", "block run-failed 8:1"])
            #expect(rehearsed.statements[6].timeSource == "measured in one run that was rolled back")
            #expect(rehearsed.statements[4].timeSource?.hasPrefix("an estimate") == true)
            let gone = try await database.read { try $0.query("SELECT to_regclass('tags') IS NULL AS gone") }
            #expect(try gone[0].int("gone") == 1)
        }
    }

    @Test("a statement that runs too long is stopped")
    func runTimeout() async throws {
        try await Shop.with([]) { _, place in
            let review = try await Shop.review("SELECT pg_sleep(60); SELECT 1", place) {
                $0.isRehearsed = true
                $0.session.runTimeoutMilliseconds = 100
            }
            #expect(Shop.told(review) == ["block run-failed 1:1"])
        }
    }

    @Test("what waits for a lock is given up, and no pass")
    func locked() async throws {
        try await Shop.with(["CREATE TABLE busy (x INT)"]) { database, place in
            try await database.write { connection in
                try connection.execute("LOCK TABLE busy IN ACCESS EXCLUSIVE MODE")
                // The review is made while this transaction holds the lock, on another thread.
                let done = DispatchSemaphore(value: 0)
                let told = Told()
                Task.detached {
                    do {
                        let review = try await Shop.review("SELECT x FROM busy; SELECT 1", place) {
                            $0.session.lockTimeoutMilliseconds = 50
                        }
                        told.set(Shop.told(review))
                    } catch {
                        told.set(["\(error)"])
                    }
                    done.signal()
                }
                done.wait()
                #expect(told.value == ["block not-reviewed 1:15"])
            }
        }
    }

    @Test("the partitions of a plan for any value are judged, too")
    func partitions() async throws {
        let tables = [
            "CREATE TABLE events (id BIGINT, tenant INT, name TEXT) PARTITION BY LIST (tenant)",
            "CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1)",
            "CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2)",
            "INSERT INTO events SELECT i, 1 + i % 2, 'n' || i FROM generate_series(1, 60000) i",
            "ANALYZE events",
        ]
        try await Shop.with(tables) { _, place in
            let review = try await Shop.review("SELECT id FROM events WHERE tenant = $1 AND name = $2", place)
            #expect(Shop.told(review) == ["warn sequential-scan 1:1", "warn sequential-scan 1:1"])
        }
    }

    @Test("tables that were never analysed are said")
    func notAnalyzed() async throws {
        let tables = ["CREATE TABLE fresh (x INT)", "INSERT INTO fresh SELECT generate_series(1, 5000)"]
        try await Shop.with(tables) { _, place in
            let review = try await Shop.review("SELECT x FROM fresh WHERE x = $1 LIMIT 1", place)
            #expect(Shop.told(review) == ["warn not-analyzed 1:1"])
        }
    }

    @Test("a lookup that runs once for each row of a list is found in an export")
    func nPlusOne() async throws {
        try await Shop.with { _, place in
            let list =
                #"{"query": "SELECT id, user_id FROM posts ORDER BY id DESC LIMIT 20", "name": "list", "#
                + #""calls_per_second": 10, "mean_ms": 1, "rows": 20}"#
            let lookup = #"{"query": "SELECT name FROM users WHERE id = $1", "calls_per_second": 200, "mean_ms": 0.1}"#
            let other = #"{"query": "SELECT title FROM posts WHERE id = $1", "calls_per_second": 40, "mean_ms": 0.1}"#
            let review = try await Shop.review([list, lookup, other].joined(separator: "\n"), place, isExport: true)
            #expect(Shop.told(review) == ["warn n-plus-one 2:1"])
        }
    }
}

private final class Told: @unchecked Sendable {
    private let lock = NSLock()
    private var texts: [String] = []
    func set(_ value: [String]) { lock.withLock { texts = value } }
    var value: [String] { lock.withLock { texts } }
}
