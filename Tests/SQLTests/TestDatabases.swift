import Dispatch
import Foundation
import SQL
import Synchronization
import Testing

/// The drivers that every contract test runs on. PostgreSQL takes part when MAINSTAY_TEST_POSTGRES names a server.
enum TestDriver: String, CaseIterable, CustomTestStringConvertible {
    case sqlite, postgres

    static let serverURL = ProcessInfo.processInfo.environment["MAINSTAY_TEST_POSTGRES"] ?? ""
    static let isPostgresAvailable = !serverURL.isEmpty
    static let available: [TestDriver] = allCases.filter { $0 == .sqlite || isPostgresAvailable }

    var testDescription: String { rawValue }
}

/// A database of a test's own: a SQLite file in a temporary directory, or a schema of the PostgreSQL server.
struct TestDatabase: Sendable {
    let driver: TestDriver
    let location: String
    private let name: String
    private let directory: URL

    static func make(_ driver: TestDriver) async throws -> TestDatabase {
        let name = "test_\(UInt64.random(in: 0...UInt64.max))"
        let directory = FileManager.default.temporaryDirectory.appending(path: "mainstay-\(name)")
        switch driver {
        case .sqlite:
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let path = directory.appending(path: "test.db").path
            return TestDatabase(driver: driver, location: path, name: name, directory: directory)
        case .postgres:
            try await onServer("CREATE SCHEMA \(name)")
            let separator = TestDriver.serverURL.contains("?") ? "&" : "?"
            let location = "\(TestDriver.serverURL)\(separator)options=-c%20search_path%3D\(name)"
            return TestDatabase(driver: driver, location: location, name: name, directory: directory)
        }
    }

    func open(sqlite: SQLiteOptions = SQLiteOptions(), postgres: PoolOptions = PoolOptions()) throws -> any SQLDatabase
    {
        switch driver {
        case .sqlite: try SQLiteDatabase(path: location, options: sqlite)
        case .postgres: try PostgresDatabase(url: location, options: postgres)
        }
    }

    func remove() async throws {
        switch driver {
        case .sqlite: try FileManager.default.removeItem(at: directory)
        case .postgres: try await Self.onServer("DROP SCHEMA \(name) CASCADE")
        }
    }

    static func onServer(_ sql: String, _ arguments: [SQLValue] = []) async throws {
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
func withDatabase(
    _ driver: TestDriver, sqlite: SQLiteOptions = SQLiteOptions(), postgres: PoolOptions = PoolOptions(),
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

/// A door between a test and a body that runs on the driver's own thread (which, unlike the test, may block).
final class Gate: Sendable {
    private let opened = DispatchSemaphore(value: 0)
    private let arrived = Mutex((count: 0, waiters: [CheckedContinuation<Void, Never>]()))

    /// From the body: says that it is here and waits to be let on.
    func pass() {
        let waiters = arrived.withLock { arrived in
            arrived.count += 1
            defer { arrived.waiters = [] }
            return arrived.waiters
        }
        for waiter in waiters { waiter.resume() }
        opened.wait()
    }

    /// From the test: waits for a body to be at the gate.
    func arrival() async {
        await withCheckedContinuation { continuation in
            let isHere = arrived.withLock { arrived in
                if arrived.count > 0 { return true }
                arrived.waiters.append(continuation)
                return false
            }
            if isHere { continuation.resume() }
        }
    }

    func open() { opened.signal() }
}

/// How often something ran.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .sequentiallyConsistent) }

    @discardableResult
    func next() -> Int { count.add(1, ordering: .sequentiallyConsistent).newValue }
}

/// The error that `body` throws; the test fails when it throws none, or one of another kind.
func sqlError<Value>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Value
) async -> SQLError? {
    do {
        _ = try await body()
        Issue.record("no error was thrown", sourceLocation: sourceLocation)
    } catch let error as SQLError {
        return error
    } catch {
        Issue.record("not an SQLError: \(error)", sourceLocation: sourceLocation)
    }
    return nil
}

/// Lets other tasks run until `condition` holds; the test's time limit ends it when it never does.
func until(_ condition: () -> Bool) async {
    while !condition() { await Task.yield() }
}
