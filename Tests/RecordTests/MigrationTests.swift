import Decide
import Record
import SQL
import TestSupport
import Testing

@Suite("The record's tables")
struct MigrationTests {
    static let cases = TestDriver.available.flatMap { driver in
        (1...RecordMigrations.all.count).map { (driver, $0) }
    }

    @Test("come up to date from every earlier version, and keep what is there", arguments: cases)
    func fromEarlier(driver: TestDriver, version: Int) async throws {
        try await withDatabase(driver) { database, _ in
            let migrator = Migrator(schema: RecordMigrations.schema, migrations: RecordMigrations.all)
            _ = try await migrator.migrate(database, appliedAt: 0, upTo: version)
            _ = try await database.write { connection in
                try connection.execute("UPDATE counters SET value = 41 WHERE name = 'timeline'")
            }
            let record = Record(database: database, policy: .shop, now: { .epoch })
            try await record.migrate()
            try await record.declareFavorites()
            #expect(try await record.timeline().map(\.id) == [42])
            #expect(try await record.hasAccounts() == false)
        }
    }

    @Test("bringing them up to date twice changes nothing", arguments: TestDriver.available)
    func twice(driver: TestDriver) async throws {
        try await withRecord(driver) { record, _, _ in
            try await record.declareFavorites()
            try await record.migrate()
            #expect(try await record.timeline().count == 1)
        }
    }
}
