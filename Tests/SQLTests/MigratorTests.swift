import SQL
import TestSupport
import Testing

@Suite("Migrations", .timeLimit(.minutes(1)))
struct MigratorTests {
    private static let steps: [Migration] = [
        Migration(version: 1, name: "things") { dialect in
            ["CREATE TABLE things (id BIGINT PRIMARY KEY, data \(dialect.blob))", "INSERT INTO things (id) VALUES (1)"]
        },
        Migration(version: 2, name: "names") { _ in
            ["ALTER TABLE things ADD COLUMN name TEXT", "UPDATE things SET name = 'number ' || id"]
        },
        Migration(version: 3, name: "index") { _ in ["CREATE INDEX things_by_name ON things (name)"] },
    ]

    private static let migrator = Migrator(schema: "tests", migrations: steps)

    @Test("a database of any earlier version comes to the newest", arguments: TestDriver.available, 0...3)
    func everyVersion(_ driver: TestDriver, _ version: Int) async throws {
        try await withDatabase(driver) { database, _ in
            let first = try await Self.migrator.migrate(database, appliedAt: 1_000, upTo: version)
            #expect(first == (0, version))
            let second = try await Self.migrator.migrate(database, appliedAt: 2_000)
            #expect(second == (version, 3))
            #expect(try await Self.migrator.migrate(database, appliedAt: 3_000) == (3, 3))
            try await database.read { connection in
                #expect(try connection.query("SELECT name FROM things")[0].text("name") == "number 1")
                let rows = try connection.query(
                    "SELECT version, name, applied_at FROM schema_versions ORDER BY version")
                #expect(try rows.map { try $0.int("version") } == [1, 2, 3])
                #expect(try rows.map { try $0.text("name") } == ["things", "names", "index"])
                #expect(try rows.map { try $0.int("applied_at") } == (1...3).map { $0 <= version ? 1_000 : 2_000 })
            }
        }
    }

    @Test(
        "a database of a newer program is refused with both versions, and left alone", arguments: TestDriver.available)
    func newer(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            try await Self.migrator.migrate(database, appliedAt: 1)
            let older = Migrator(schema: "tests", migrations: Array(Self.steps.prefix(2)))
            let error = await sqlError { try await older.migrate(database, appliedAt: 2) }
            #expect(error?.code == .newer)
            #expect(error?.message.contains("version 3") == true)
            #expect(error?.message.contains("up to version 2") == true)
        }
    }

    @Test("two programs keep their versions apart in one database", arguments: TestDriver.available)
    func twoSchemas(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            try await Self.migrator.migrate(database, appliedAt: 1)
            let other = Migrator(
                schema: "others", migrations: [Migration(version: 1, name: "o") { _ in ["CREATE TABLE o (a BIGINT)"] }])
            #expect(try await other.migrate(database, appliedAt: 1) == (0, 1))
        }
    }

    @Test("several processes that migrate at once do it once", arguments: TestDriver.available)
    func atOnce(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { _, place in
            let databases = try (0..<4).map { _ in try place.open() }
            let from = try await withThrowingTaskGroup(of: Int.self) { group in
                for database in databases {
                    group.addTask { try await Self.migrator.migrate(database, appliedAt: 1).from }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(from.sorted() == [0, 3, 3, 3])
            for database in databases { await database.close() }
        }
    }

    @Test("a step that fails leaves nothing, and is named", arguments: TestDriver.available)
    func failing(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            let broken = Migration(version: 4, name: "broken") { _ in ["CREATE TABLE x (a BIGINT)", "CREATE TABL y"] }
            let migrator = Migrator(schema: "tests", migrations: Self.steps + [broken])
            let error = await sqlError { try await migrator.migrate(database, appliedAt: 1) }
            #expect(error?.code == .statement)
            #expect(error?.message.contains("migration 4 (broken) of 'tests'") == true)
            #expect(
                await sqlError { try await database.read { try $0.query("SELECT * FROM things") } }?.code == .statement)
        }
    }

    @Test("steps must be numbered without gaps", arguments: [[1, 3], [2], [1, 1], [2, 1]])
    func numbering(_ versions: [Int]) async throws {
        try await withDatabase(.sqlite) { database, _ in
            let migrator = Migrator(
                schema: "tests", migrations: versions.map { Migration(version: $0, name: "x") { _ in [] } })
            #expect(await sqlError { try await migrator.migrate(database, appliedAt: 1) }?.code == .statement)
        }
    }

    @Test(
        "a step may take longer than any other statement",
        .enabled(if: TestDriver.isPostgresAvailable, "MAINSTAY_TEST_POSTGRES is not set"))
    func slowStep() async throws {
        var options = PoolOptions()
        options.statementTimeoutMilliseconds = 50
        options.silenceMilliseconds = 50
        try await withDatabase(.postgres, postgres: options) { database, _ in
            let slow = Migration(version: 1, name: "slow") { _ in ["SELECT pg_sleep(0.3)"] }
            let versions = try await Migrator(schema: "tests", migrations: [slow]).migrate(database, appliedAt: 1)
            #expect(versions == (0, 1))
            #expect(await sqlError { try await database.read { try $0.query("SELECT pg_sleep(5)") } }?.code == .timeout)
        }
    }
}
