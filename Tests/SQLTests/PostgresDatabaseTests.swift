import Dispatch
import Foundation
import TestSupport
import Testing

@testable import SQL

@Suite(
    "PostgreSQL", .timeLimit(.minutes(1)),
    .enabled(if: TestDriver.isPostgresAvailable, "MAINSTAY_TEST_POSTGRES is not set"))
struct PostgresDatabaseTests {
    private func withPostgres(
        _ options: PoolOptions = PoolOptions(), _ body: @Sendable (PostgresDatabase, PoolOptions) async throws -> Void
    ) async throws {
        var options = options
        options.applicationName = "test_\(UInt64.random(in: 0...UInt64.max))"
        try await withDatabase(.postgres, postgres: options) { [options] database, _ in
            try await database.write { try $0.execute("CREATE TABLE t (n BIGINT)") }
            try await body(try #require(database as? PostgresDatabase), options)
        }
    }

    private func numbers(_ database: PostgresDatabase) async throws -> [Int64] {
        try await database.read { try $0.query("SELECT n FROM t ORDER BY n").map { try $0.int("n") } }
    }

    private func killIdle(_ options: PoolOptions) async throws {
        // With a timeout the call returns when the backends are gone, not just told to go.
        try await TestDatabase.onServer(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = ?",
            [.text(options.applicationName)])
    }

    @Test("connections killed by the server are made again, for reads and writes")
    func reconnects() async throws {
        try await withPostgres { database, options in
            try await killIdle(options)
            #expect(try await numbers(database) == [])
            try await killIdle(options)
            try await database.write { try $0.execute("INSERT INTO t (n) VALUES (1)") }
            #expect(try await numbers(database) == [1])
            #expect(database.statistics.connections == 3)
        }
    }

    @Test("a write that loses its connection before COMMIT is run again")
    func lostBeforeCommit() async throws {
        try await withPostgres { database, _ in
            let runs = Counter()
            try await database.write { connection in
                try connection.execute("INSERT INTO t (n) VALUES (1)")
                if runs.next() == 1 { _ = try connection.query("SELECT pg_terminate_backend(pg_backend_pid())") }
            }
            #expect(runs.value == 2)
            #expect(try await numbers(database) == [1])
        }
    }

    @Test("a write that loses its connection at COMMIT is not run again, and its caller is told")
    func lostAtCommit() async throws {
        try await withPostgres { database, _ in
            try await database.write { connection in
                try connection.execute(
                    """
                    CREATE FUNCTION kill_self() RETURNS trigger LANGUAGE plpgsql AS $body$
                    BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NULL; END $body$
                    """)
                try connection.execute(
                    """
                    CREATE CONSTRAINT TRIGGER killer AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION kill_self()
                    """)
            }
            let runs = Counter()
            let error = await sqlError {
                try await database.write { connection in
                    runs.next()
                    try connection.execute("INSERT INTO t (n) VALUES (1)")
                }
            }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("unknown") == true)
            #expect(runs.value == 1)
            #expect(try await numbers(database) == [])
        }
    }

    @Test("a serialization failure is run again", arguments: ["40001", "40P01"])
    func serializationFailure(_ state: String) async throws {
        try await withPostgres { database, _ in
            let runs = Counter()
            try await database.write { connection in
                try connection.execute("INSERT INTO t (n) VALUES (1)")
                guard runs.next() < 3 else { return }
                try connection.execute("DO $$ BEGIN RAISE EXCEPTION 'what?' USING ERRCODE = '\(state)'; END $$")
            }
            #expect(runs.value == 3)
            #expect(database.statistics.conflicts == 2)
            #expect(try await numbers(database) == [1])
        }
    }

    @Test("two writers that lock each other both get through")
    func deadlock() async throws {
        try await withPostgres { database, _ in
            try await database.write { try $0.execute("INSERT INTO t (n) VALUES (1), (2)") }
            let met = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for order in [[1, 2], [2, 1]] {
                    group.addTask {
                        try await database.write { connection in
                            let lock = "UPDATE t SET n = n WHERE n = ?"
                            try connection.execute(lock, [SQLValue(order[0])])
                            met.next()
                            while met.value < 2 { usleep(1_000) }
                            try connection.execute(lock, [SQLValue(order[1])])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(database.statistics.conflicts >= 1)
        }
    }

    @Test("a statement past its timeout is stopped, and the connection stays usable")
    func statementTimeout() async throws {
        var options = PoolOptions()
        options.statementTimeoutMilliseconds = 100
        try await withPostgres(options) { database, _ in
            let error = await sqlError { try await database.read { try $0.query("SELECT pg_sleep(20)") } }
            #expect(error?.code == .timeout)
            let stored = try await numbers(database)
            #expect(stored.isEmpty)
            #expect(database.statistics.connections == 1)
        }
    }

    @Test("many callers share few connections")
    func pooling() async throws {
        var options = PoolOptions()
        options.connections = 3
        try await withPostgres(options) { database, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for n in 0..<100 {
                    group.addTask {
                        _ = try await database.write { connection in
                            try connection.execute("INSERT INTO t (n) VALUES (?)", [SQLValue(n)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await numbers(database) == Array(0..<100))
            #expect(database.statistics.connections <= 3)
        }
    }

    @Test("prepared statements are bounded, and one forgotten by the server is prepared again")
    func preparedStatements() async throws {
        var options = PoolOptions()
        (options.preparedStatements, options.connections) = (3, 1)
        try await withPostgres(options) { database, _ in
            let kept = try await database.read { connection in
                for n in 0..<10 { _ = try connection.query("SELECT \(n) AS n, ?", [1]) }
                return try connection.query("SELECT count(*) AS c FROM pg_prepared_statements")[0].int("c")
            }
            #expect(kept == 3)
            try await database.write { try $0.execute("DEALLOCATE ALL") }
            let again = try await database.read { connection in
                try connection.query("SELECT count(*) AS c FROM pg_prepared_statements")[0].int("c")
            }
            #expect(again >= 1)
        }
    }

    @Test("a server that takes no writes is unavailable, after one try on a new connection")
    func demotedServer() async throws {
        try await withPostgres { database, _ in
            let runs = Counter()
            let error = await sqlError {
                try await database.write { connection in
                    runs.next()
                    try connection.execute("SET LOCAL transaction_read_only = on")
                    try connection.execute("INSERT INTO t (n) VALUES (1)")
                }
            }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("takes no writes") == true)
            #expect(runs.value == 2)
        }
    }

    @Test("a server that says nothing within the deadline is given up")
    func silence() async throws {
        let location = try PostgresLocation(url: TestDriver.serverURL)
        let state = try await DispatchQueue(label: "test").run {
            let settings = PostgresWire.Settings(
                applicationName: "test", connectTimeoutMilliseconds: 20_000, statementTimeoutMilliseconds: 0)
            let wire = try PostgresWire(location, settings)
            var code: SQLError.Code?
            do throws(SQLError) {
                try wire.simple("SELECT pg_sleep(30)", until: .now + .milliseconds(50)).free()
            } catch {
                code = error.code
            }
            return (code: code, isLost: wire.isLost)
        }
        #expect(state.code == .timeout)
        #expect(state.isLost)
    }

    @Test("types of other people's tables become values")
    func foreignTypes() async throws {
        let expected: [(sql: String, value: SQLValue)] = [
            ("true", 1), ("false", 0), ("1::smallint", 1), ("2::int", 2), ("3::numeric", 3), ("1.50::numeric", 1.5),
            ("'NaN'::numeric", .real(.nan)), ("'NaN'::float8", .real(.nan)), ("'-Infinity'::float4", .real(-.infinity)),
            ("123456789012345678901234567890::numeric", .real(123_456_789_012_345_677_877_719_597_056)),
            ("'2026-01-02 03:04:05+02'::timestamptz", "2026-01-02 01:04:05+00"), ("'{\"a\": 1}'::jsonb", "{\"a\": 1}"),
            ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            ("'\\x00ff'::bytea", .blob([0, 255])), ("ARRAY[1,2]", "{1,2}"), ("NULL::int", .null),
        ]
        try await withPostgres { database, _ in
            for item in expected {
                let value = try await database.read { try $0.query("SELECT \(item.sql) AS v")[0].value("v") }
                #expect("\(value)" == "\(item.value)", "\(item.sql)")
            }
        }
    }

    @Test("text fits a column of any type that is written as text")
    func textParameters() async throws {
        try await withPostgres { database, _ in
            try await database.write { connection in
                try connection.execute("CREATE TABLE typed (id UUID, at TIMESTAMPTZ, doc JSONB, n INTEGER)")
                let values: [SQLValue] = [
                    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "2026-01-02T03:04:05Z", "{\"a\":1}", 7,
                ]
                try connection.execute("INSERT INTO typed VALUES (?, ?, ?, ?)", values)
                #expect(try connection.query("SELECT * FROM typed WHERE id = ? AND n = ?", [values[0], 7]).count == 1)
            }
        }
    }

    @Test("a server that is not there is told at once, without the password")
    func deadServer() async throws {
        let database = try PostgresDatabase(url: "postgres://someone:hunter2@127.0.0.1:1/shop")
        let error = await sqlError { try await database.write { try $0.execute("SELECT 1") } }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("database shop at 127.0.0.1:1") == true)
        #expect(error?.description.contains("hunter2") == false)
        await database.close()
    }

    @Test("a database or user that is not there is unavailable, in the server's words")
    func unknownDatabase() async throws {
        let url = try #require(URL(string: TestDriver.serverURL))
        let database = try PostgresDatabase(url: url.deletingLastPathComponent().absoluteString + "no_such_database")
        let error = await sqlError { try await database.read { try $0.query("SELECT 1") } }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("no_such_database") == true)
        await database.close()
    }
}

@Suite("PostgreSQL URLs")
struct PostgresLocationTests {
    @Test(
        "a URL that cannot be read is refused without repeating any of it",
        arguments: [
            "postgres://user:hunter2/x@host/db", "postgres://user:hunter2@host:port/db",
            "postgres://user:hun#ter2@h/db",
            "postgres://user:hunter2@host/db?nonsense=1", "postgres://user:hunter2@[::1/db",
            "postgres://u:p@hunter2@h/db",
            "mysql://user:hunter2@host/db", "postgres://user:hunter2?x@host/db", "postgres://user:hunter%2@host/db",
        ])
    func refused(_ url: String) async {
        let error = await sqlError { try PostgresDatabase(url: url) }
        #expect(error?.code == .statement)
        #expect(error?.description.contains("hun") == false)
    }

    @Test(
        "a URL is summed up without its password",
        arguments: [
            ("postgres://u:hunter2@db.example.com:5433/shop", "database shop at db.example.com:5433"),
            ("postgresql://u:p%40ss@h/shop?sslmode=require", "database shop at h"),
            ("postgres://h1,h2/shop?target_session_attrs=read-write", "database shop at h1,h2"),
            ("postgres:///shop?host=/run/postgresql", "database shop at /run/postgresql"),
        ])
    func summary(_ url: String, _ summary: String) throws {
        #expect(try PostgresLocation(url: url).summary == summary)
    }

    @Test("a password is struck from messages of the library")
    func redaction() throws {
        let location = try PostgresLocation(url: "postgres://u:p%40ss@h/shop")
        #expect(location.redacted("p@ss is not p@ss1") == "*** is not ***1")
        var dumped = ""
        dump(location, to: &dumped)
        #expect(!dumped.contains("p@ss") && !String(reflecting: location).contains("p@ss"))
    }

    @Test(
        "a location names its driver",
        arguments: [
            ("data.db", "data.db"), ("sqlite:data.db", "data.db"), ("sqlite:///var/data.db", "/var/data.db"),
            ("/var/data.db", "/var/data.db"),
        ])
    func sqlitePaths(_ location: String, _ path: String) throws {
        #expect(try sqlitePath(location) == path)
        #expect(!PostgresLocation.isURL(location))
    }

    @Test("a location of another database is refused", arguments: ["mysql://h/db", "", "sqlite:"])
    func otherLocations(_ location: String) async {
        #expect(await sqlError { try openDatabase(location) }?.code == .statement)
    }
}
