import Foundation
import SQL
import TestSupport
import Testing

@Suite("SQLite", .timeLimit(.minutes(1)))
struct SQLiteDatabaseTests {
    /// Holds the writer with a first write while `body` lines up others, then lets them go.
    private func lineUp(
        _ database: SQLiteDatabase, _ writes: [@Sendable (any SQLConnection) throws -> Void]
    ) async throws -> [SQLError?] {
        let door = Doorway()
        async let first: Void = database.write { _ in door.pass() }
        await door.arrival()
        let errors = await withTaskGroup(of: (Int, SQLError?).self) { group in
            for (index, write) in writes.enumerated() {
                group.addTask {
                    do {
                        try await database.write(write)
                        return (index, nil)
                    } catch {
                        return (index, error as? SQLError)
                    }
                }
            }
            await until { database.statistics.waitingWrites == writes.count }
            door.open()
            return await group.reduce(into: [Int: SQLError?]()) { $0[$1.0] = $1.1 }
        }
        try await first
        return writes.indices.map { errors[$0] ?? nil }
    }

    private func withSQLite(
        _ options: SQLiteOptions = SQLiteOptions(), _ body: @Sendable (SQLiteDatabase) async throws -> Void
    ) async throws {
        try await withDatabase(.sqlite, sqlite: options) { database, _ in
            try await body(try #require(database as? SQLiteDatabase))
        }
    }

    private func numbers(_ database: SQLiteDatabase) async throws -> [Int64] {
        try await database.read { try $0.query("SELECT n FROM t ORDER BY n").map { try $0.int("n") } }
    }

    private func insert(_ n: Int, bytes: Int = 0) -> @Sendable (any SQLConnection) throws -> Void {
        { connection in
            let arguments: [SQLValue] = [SQLValue(n), .blob(Array(repeating: 7, count: bytes))]
            try connection.execute("INSERT INTO t (n, b) VALUES (?, ?)", arguments)
        }
    }

    @Test("writes that wait share one commit")
    func groupCommit() async throws {
        try await withSQLite { database in
            try await database.write { try $0.execute("CREATE TABLE t (n BIGINT PRIMARY KEY, b BLOB)") }
            let before = database.statistics
            let errors = try await lineUp(database, (0..<50).map { insert($0) })
            #expect(errors.allSatisfy { $0 == nil })
            let after = database.statistics
            #expect(after.commits - before.commits == 2, "one for the write that held the others up, one for them all")
            #expect(after.writes - before.writes == 51)
            #expect(after.largestGroup == 50)
            #expect(try await numbers(database) == Array(0..<50))
        }
    }

    @Test("a group is no larger than its limit")
    func groupLimit() async throws {
        var options = SQLiteOptions()
        options.groupLimit = 20
        try await withSQLite(options) { database in
            try await database.write { try $0.execute("CREATE TABLE t (n BIGINT PRIMARY KEY, b BLOB)") }
            _ = try await lineUp(database, (0..<50).map { insert($0) })
            #expect(database.statistics.largestGroup == 20)
            #expect(database.statistics.commits == 1 + 1 + 3)
        }
    }

    @Test("the failing members of a group take back only what they wrote")
    func failingMember() async throws {
        try await withSQLite { database in
            try await database.write { try $0.execute("CREATE TABLE t (n BIGINT PRIMARY KEY, b BLOB)") }
            let failing: @Sendable (any SQLConnection) throws -> Void = { connection in
                try connection.execute("INSERT INTO t (n) VALUES (100)")
                throw SQLError(.constraint, "no")
            }
            let errors = try await lineUp(database, [insert(1), failing, insert(2), insert(1), insert(3)])
            #expect(errors.compactMap { $0 }.count == 2)
            #expect(errors.compactMap { $0?.code } == [.constraint, .constraint])
            #expect(try await numbers(database) == [1, 2, 3])
        }
    }

    @Test("a constraint checked only at COMMIT is told to its own writer")
    func deferredConstraint() async throws {
        try await withSQLite { database in
            try await database.write { connection in
                try connection.execute("CREATE TABLE t (n BIGINT PRIMARY KEY, b BLOB)")
                try connection.execute(
                    "CREATE TABLE u (n BIGINT REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED)")
            }
            let orphan: @Sendable (any SQLConnection) throws -> Void = { connection in
                try connection.execute("INSERT INTO u (n) VALUES (77)")
            }
            let errors = try await lineUp(database, [insert(1), orphan, insert(2)])
            #expect(errors.map { $0?.code } == [nil, .constraint, nil])
            #expect(try await numbers(database) == [1, 2])
        }
    }

    @Test("a full disk fails the write that does not fit, in words, and keeps the others")
    func fullDisk() async throws {
        var options = SQLiteOptions()
        options.maximumPages = 64
        try await withSQLite(options) { database in
            try await database.write { try $0.execute("CREATE TABLE t (n BIGINT PRIMARY KEY, b BLOB)") }
            let errors = try await lineUp(
                database, [insert(1), insert(2, bytes: 1_000_000), insert(3), insert(4, bytes: 50_000)])
            #expect(errors.map { $0?.code } == [nil, .unavailable, nil, nil])
            #expect(errors[1]?.message.contains("full") == true)
            #expect(try await numbers(database) == [1, 3, 4])
            try await database.write { try $0.execute("DELETE FROM t WHERE n = 4") }
            try await database.write(insert(5, bytes: 50_000))
            #expect(try await numbers(database) == [1, 3, 5])
        }
    }

    @Test("too many waiting writes are refused")
    func tooManyWaiting() async throws {
        var options = SQLiteOptions()
        options.waitingWrites = 2
        try await withSQLite(options) { database in
            let door = Doorway()
            async let first: Void = database.write { _ in door.pass() }
            await door.arrival()
            async let second: Void = database.write { _ in }
            async let third: Void = database.write { _ in }
            await until { database.statistics.waitingWrites == 2 }
            let error = await sqlError { try await database.write { _ in } }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("too many writes waiting") == true)
            door.open()
            _ = try await (first, second, third)
        }
    }

    @Test("what is acknowledged is flushed: write-ahead log, synchronous FULL, foreign keys on")
    func settings() async throws {
        try await withSQLite { database in
            let values = try await database.write { connection in
                try ["journal_mode", "synchronous", "foreign_keys"].map { name in
                    try connection.query("PRAGMA \(name)")[0].values[0]
                }
            }
            #expect(values == ["wal", 2, 1])
        }
    }

    @Test("what was written is there when the file is opened again")
    func reopening() async throws {
        try await withDatabase(.sqlite) { database, place in
            try await database.write { try $0.execute("CREATE TABLE t (n BIGINT, b BLOB)") }
            try await database.write(insert(1))
            await database.close()
            let again = try SQLiteDatabase(path: place.location)
            #expect(try await numbers(again) == [1])
            await again.close()
            #expect(!FileManager.default.fileExists(atPath: place.location + "-wal"))
        }
    }

    @Test("a file whose lock another program holds is told, not waited for without end")
    func lockedByOther() async throws {
        var options = SQLiteOptions()
        options.busyTimeoutMilliseconds = 20
        try await withDatabase(.sqlite, sqlite: options) { database, place in
            try await database.write { try $0.execute("CREATE TABLE t (n BIGINT, b BLOB)") }
            let other = try SQLiteDatabase(path: place.location)
            let door = Doorway()
            async let held: Void = other.write { _ in door.pass() }
            await door.arrival()
            let error = await sqlError { try await database.write(insert(1)) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("lock") == true)
            door.open()
            try await held
            await other.close()
            try await database.write(insert(2))
        }
    }

    @Test("a file that is no database, and a directory that is not there, are told in words")
    func unusableFiles() async throws {
        let place = try await TestDatabase.make(.sqlite)
        try String(repeating: "this is a letter, not a database\n", count: 200)
            .write(toFile: place.location, atomically: true, encoding: .utf8)
        let letter = await sqlError { try SQLiteDatabase(path: place.location) }
        #expect(letter?.code == .unavailable)
        #expect(letter?.message == "\(place.location): the file is not a SQLite database")
        let nowhere = await sqlError { try SQLiteDatabase(path: place.location + ".d/test.db") }
        #expect(nowhere?.code == .unavailable)
        #expect(nowhere?.message.contains("cannot be opened") == true)
        try await place.remove()
    }

    @Test("a damaged file is told in words")
    func damagedFile() async throws {
        try await withDatabase(.sqlite) { database, place in
            try await database.write { try $0.execute("CREATE TABLE t (n BIGINT, b BLOB)") }
            try await database.write(insert(1, bytes: 200_000))
            await database.close()
            var bytes = try Data(contentsOf: URL(filePath: place.location))
            for index in 4_096..<bytes.count { bytes[index] = 0xA5 }
            try bytes.write(to: URL(filePath: place.location))
            let damaged = try SQLiteDatabase(path: place.location)
            let error = await sqlError { try await damaged.read { try $0.query("SELECT n, b FROM t") } }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("damaged") == true)
            await damaged.close()
        }
    }

    @Test("a cancelled caller does not write")
    func cancelled() async throws {
        try await withSQLite { database in
            try await database.write { try $0.execute("CREATE TABLE t (n BIGINT, b BLOB)") }
            let write = insert(1)
            await withTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask {
                    await #expect(throws: CancellationError.self) { try await database.write(write) }
                }
            }
            #expect(try await numbers(database).isEmpty)
        }
    }
}
