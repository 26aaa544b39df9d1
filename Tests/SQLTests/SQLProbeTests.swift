import Foundation
import SQL
import TestSupport
import Testing

@Suite("SQL probe", .timeLimit(.minutes(1)))
struct SQLProbeTests {
    /// A table `favorites` with two rows of one user, and a probe.
    private func withProbe(
        _ driver: TestDriver, _ body: @Sendable (SQLProbe, TestDatabase, any SQLDatabase) async throws -> Void
    ) async throws {
        try await withDatabase(driver) { database, place in
            try await database.write { connection in
                try connection.execute("CREATE TABLE favorites (user_id BIGINT NOT NULL, product TEXT NOT NULL)")
                try connection.execute("INSERT INTO favorites VALUES (7, 'lamp'), (7, 'chair')")
            }
            let probe = SQLProbe()
            try await body(probe, place, database)
            await probe.close()
        }
    }

    private static let count = "SELECT count(*) AS n FROM favorites WHERE user_id = :user AND product = :product"

    @Test("named parameters, and the service's own writes are seen", arguments: TestDriver.available)
    func parameters(_ driver: TestDriver) async throws {
        try await withProbe(driver) { probe, place, database in
            for (product, expected) in [("lamp", 1), ("desk", 0)] {
                let rows = try await probe.run(
                    location: place.location, sql: Self.count, parameters: ["user": 7, "product": .text(product)],
                    timeoutMilliseconds: 20_000)
                #expect(try rows[0].int("n") == Int64(expected))
            }
            try await database.write { try $0.execute("INSERT INTO favorites VALUES (7, 'desk')") }
            let rows = try await probe.run(
                location: place.location, sql: Self.count, parameters: ["user": 7, "product": "desk"],
                timeoutMilliseconds: 20_000)
            #expect(try rows[0].int("n") == 1)
            #expect(probe.idleCount == 1)
        }
    }

    struct Wrong: Sendable {
        var sql: String
        var parameters: [String: SQLValue] = [:]
        var says: String
    }

    private static let wrong: [Wrong] = [
        Wrong(sql: count, parameters: ["user": 7], says: "the parameter :product has no value (given are :user)"),
        Wrong(
            sql: "SELECT :user", parameters: ["user": 1, "usr": 7],
            says: "the parameter :usr is not in the SQL (it uses :user)"),
        Wrong(sql: "SELECT * FROM favourites", says: "favourites"),
        Wrong(sql: "SELEC 1", says: "only a reading statement"),
        Wrong(sql: "DELETE FROM favorites", says: "only a reading statement"),
        Wrong(sql: "COMMIT", says: "only a reading statement"),
        Wrong(sql: "", says: "not nothing"),
        Wrong(sql: "SELECT 1; DELETE FROM favorites", says: ""),
        Wrong(sql: "SELECT user_id FROM favorites", says: "more than 1 rows"),
        Wrong(sql: "SELECT 'a\0'", says: "NUL"),
    ]

    @Test("wrong SQL is told as such, and nothing is written", arguments: TestDriver.available)
    func wrongSQL(_ driver: TestDriver) async throws {
        try await withProbe(driver) { probe, place, database in
            for wrong in Self.wrong {
                let error = await sqlError {
                    try await probe.run(
                        location: place.location, sql: wrong.sql, parameters: wrong.parameters,
                        timeoutMilliseconds: 20_000, rowLimit: 1)
                }
                #expect(error?.code == .statement, "\(wrong.sql)")
                #expect(
                    error?.message.contains(wrong.says) == true || wrong.says.isEmpty, "\(String(describing: error))")
            }
            let stored = try await database.read { try $0.query("SELECT * FROM favorites").count }
            #expect(stored == 2)
        }
    }

    @Test(
        "a query that does not end is stopped at its deadline, and the next one is answered",
        arguments: TestDriver.available)
    func deadline(_ driver: TestDriver) async throws {
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS m FROM n"
        try await withProbe(driver) { probe, place, _ in
            let error = await sqlError {
                try await probe.run(location: place.location, sql: endless, timeoutMilliseconds: 100)
            }
            #expect(error?.code == .timeout)
            let rows = try await probe.run(location: place.location, sql: "SELECT 1 AS a", timeoutMilliseconds: 20_000)
            #expect(try rows[0].int("a") == 1)
        }
    }

    @Test("a large result is refused before it fills the memory", arguments: TestDriver.available)
    func largeResult(_ driver: TestDriver) async throws {
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT i FROM n"
        try await withProbe(driver) { probe, place, _ in
            let error = await sqlError {
                try await probe.run(location: place.location, sql: endless, timeoutMilliseconds: 30_000, rowLimit: 100)
            }
            #expect(error?.message.contains("more than 100 rows") == true)
            let rows = try await probe.run(location: place.location, sql: "SELECT 1 AS a", timeoutMilliseconds: 20_000)
            #expect(rows.count == 1)
        }
    }

    @Test("connections are kept, but no more than the limit")
    func idleLimit() async throws {
        var options = SQLProbe.Options()
        options.idle = 2
        let probe = SQLProbe(options: options)
        for _ in 0..<4 {
            try await withDatabase(.sqlite) { _, place in
                _ = try await probe.run(location: place.location, sql: "SELECT 1", timeoutMilliseconds: 20_000)
            }
        }
        #expect(probe.idleCount == 2)
        await probe.close()
        #expect(probe.idleCount == 0)
        let error = await sqlError {
            try await probe.run(location: "x.db", sql: "SELECT 1", timeoutMilliseconds: 1_000)
        }
        #expect(error?.code == .unavailable)
    }

    @Test("many questions at once, more than there are turns", arguments: TestDriver.available)
    func many(_ driver: TestDriver) async throws {
        try await withProbe(driver) { probe, place, _ in
            let total = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<60 {
                    group.addTask {
                        let sql = "SELECT * FROM favorites"
                        return try await probe.run(location: place.location, sql: sql, timeoutMilliseconds: 30_000)
                            .count
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(total == 120)
            #expect(probe.idleCount <= 16)
        }
    }

    @Test("a SQLite file that is not there is unavailable, and is not made")
    func missingFile() async throws {
        let place = try await TestDatabase.make(.sqlite)
        let probe = SQLProbe()
        let error = await sqlError {
            try await probe.run(location: place.location, sql: "SELECT 1", timeoutMilliseconds: 20_000)
        }
        #expect(error?.code == .unavailable)
        #expect(!FileManager.default.fileExists(atPath: place.location))
        await probe.close()
        try await place.remove()
    }

    @Test("a SQLite file that was replaced is read, not the one that is gone")
    func replacedFile() async throws {
        try await withProbe(.sqlite) { probe, place, database in
            let sql = "SELECT count(*) AS n FROM favorites"
            #expect(
                try await probe.run(location: place.location, sql: sql, timeoutMilliseconds: 20_000)[0].int("n") == 2)
            let restored = place.location + ".restored"
            let other = try SQLiteDatabase(path: restored)
            try await other.write { try $0.execute("CREATE TABLE favorites (user_id BIGINT, product TEXT)") }
            await other.close()
            await database.close()
            // As a restore must: what is left of the old file's log would be read into the new file.
            for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: place.location + suffix) {
                try FileManager.default.removeItem(atPath: place.location + suffix)
            }
            try FileManager.default.moveItem(atPath: restored, toPath: place.location)
            #expect(
                try await probe.run(location: place.location, sql: sql, timeoutMilliseconds: 20_000)[0].int("n") == 0)
        }
    }

    @Test("a lock held until the deadline is a timeout, held shorter is waited for")
    func locked() async throws {
        try await withProbe(.sqlite) { probe, place, database in
            try await database.write { _ in }
            await database.close()
            // With a rollback journal, unlike a write-ahead log, a writer keeps readers out.
            let other = try ExclusiveLock(place.location)
            let sql = "SELECT count(*) AS n FROM favorites"
            let error = await sqlError {
                try await probe.run(location: place.location, sql: sql, timeoutMilliseconds: 100)
            }
            #expect(error?.code == .timeout)
            async let rows = probe.run(location: place.location, sql: sql, timeoutMilliseconds: 30_000)
            other.release()
            #expect(try await rows[0].int("n") == 2)
        }
    }

    @Test(
        "a PostgreSQL connection is reused, and made again when the server ended it",
        .enabled(if: TestDriver.isPostgresAvailable, "MAINSTAY_TEST_POSTGRES is not set"))
    func reconnects() async throws {
        try await withProbe(.postgres) { probe, place, _ in
            let sql = "SELECT pg_backend_pid() AS pid"
            func pid() async throws -> Int64 {
                try await probe.run(location: place.location, sql: sql, timeoutMilliseconds: 20_000)[0].int("pid")
            }
            let first = try await pid()
            #expect(try await pid() == first)
            try await TestDatabase.onServer("SELECT pg_terminate_backend(?::int, 10000)", [.integer(first)])
            #expect(try await pid() != first)
        }
    }

    @Test(
        "a function that writes is refused by the read-only transaction",
        .enabled(if: TestDriver.isPostgresAvailable, "MAINSTAY_TEST_POSTGRES is not set"),
        arguments: [
            "WITH x AS (DELETE FROM favorites RETURNING 1) SELECT * FROM x",
            "EXPLAIN ANALYZE DELETE FROM favorites",
            "SELECT set_config('transaction_read_only', 'off', false) FROM favorites",
        ])
    func hiddenWrites(_ sql: String) async throws {
        try await withProbe(.postgres) { probe, place, database in
            let error = await sqlError {
                try await probe.run(location: place.location, sql: sql, timeoutMilliseconds: 20_000)
            }
            #expect(error?.code == .statement)
            let stored = try await database.read { try $0.query("SELECT * FROM favorites").count }
            #expect(stored == 2)
        }
    }

    @Test("a PostgreSQL server that is not there is unavailable, without the password")
    func deadServer() async throws {
        let probe = SQLProbe()
        let error = await sqlError {
            try await probe.run(
                location: "postgres://u:hunter2@127.0.0.1:1/shop", sql: "SELECT 1", timeoutMilliseconds: 20_000)
        }
        #expect(error?.code == .unavailable)
        #expect(error?.description.contains("hunter2") == false)
        await probe.close()
    }

    @Test("a server that accepts and stays silent is a timeout for the caller")
    func silentServer() async throws {
        let listener = try SilentListener()
        let probe = SQLProbe()
        let error = await sqlError {
            try await probe.run(
                location: "postgres://u@127.0.0.1:\(listener.port)/shop", sql: "SELECT 1", timeoutMilliseconds: 100)
        }
        #expect(error?.code == .timeout)
        listener.close()
        await probe.close()
    }
}
