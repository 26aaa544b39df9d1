import Foundation
import SQL

/// The drivers that every store is tested on. PostgreSQL takes part when MAINSTAY_TEST_POSTGRES names a server.
package enum TestDriver: String, CaseIterable, Sendable, CustomStringConvertible {
    case sqlite, postgres

    package static let serverURL = ProcessInfo.processInfo.environment["MAINSTAY_TEST_POSTGRES"] ?? ""
    package static let isPostgresAvailable = !serverURL.isEmpty
    package static let available: [TestDriver] = allCases.filter { $0 == .sqlite || isPostgresAvailable }

    package var description: String { rawValue }
}

/// A database of a test's own: a SQLite file in a temporary directory, or a schema of the PostgreSQL server.
package struct TestDatabase: Sendable {
    package let driver: TestDriver
    /// For `openDatabase`, also in another process.
    package let location: String
    /// A temporary directory that goes with the database.
    package let directory: URL
    private let name: String

    package static func make(_ driver: TestDriver) async throws -> TestDatabase {
        let name = "test_\(UInt64.random(in: 0...UInt64.max))"
        let directory = FileManager.default.temporaryDirectory.appending(path: "mainstay-\(name)")
        var location = directory.appending(path: "test.db").path
        if driver == .postgres {
            try await onServer("CREATE SCHEMA \(name)")
            let separator = TestDriver.serverURL.contains("?") ? "&" : "?"
            location = "\(TestDriver.serverURL)\(separator)options=-c%20search_path%3D\(name)"
        }
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return TestDatabase(driver: driver, location: location, directory: directory, name: name)
    }

    package func open(
        sqlite: SQLiteOptions = SQLiteOptions(), postgres: PoolOptions = PoolOptions()
    ) throws -> any SQLDatabase {
        switch driver {
        case .sqlite: try SQLiteDatabase(path: location, options: sqlite)
        case .postgres: try PostgresDatabase(url: location, options: postgres)
        }
    }

    package func remove() async throws {
        try FileManager.default.removeItem(at: directory)
        if driver == .postgres { try await Self.onServer("DROP SCHEMA \(name) CASCADE") }
    }

    /// Runs a statement on the PostgreSQL server, in its own schema.
    package static func onServer(_ sql: String, _ arguments: [SQLValue] = []) async throws {
        var options = PoolOptions()
        options.connections = 1
        let server = try PostgresDatabase(url: TestDriver.serverURL, options: options)
        do {
            _ = try await server.write { try $0.query(sql, arguments) }
        } catch {
            await server.close()
            throw error
        }
        await server.close()
    }
}

/// Gives `body` a fresh database, closes it and removes it.
package func withDatabase(
    _ driver: TestDriver = .sqlite, sqlite: SQLiteOptions = SQLiteOptions(), postgres: PoolOptions = PoolOptions(),
    _ body: @Sendable (any SQLDatabase, TestDatabase) async throws -> Void
) async throws {
    let place = try await TestDatabase.make(driver)
    do {
        let database = try place.open(sqlite: sqlite, postgres: postgres)
        do {
            try await body(database, place)
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    } catch {
        try await place.remove()
        throw error
    }
    try await place.remove()
}
