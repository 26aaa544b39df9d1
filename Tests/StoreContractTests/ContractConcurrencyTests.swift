import SQL
import TestSupport
import Testing

@Suite("Both drivers: many at once", .timeLimit(.minutes(1)))
struct ContractConcurrencyTests {
    struct Unlucky: Error {}

    @Test(
        "200 writers at once are all stored, and the failing ones among them are not", arguments: TestDriver.available)
    func manyWriters(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            try await database.write { try $0.execute("CREATE TABLE t (n BIGINT PRIMARY KEY)") }
            let failures = try await withThrowingTaskGroup(of: Bool.self) { group in
                for n in 0..<200 {
                    group.addTask {
                        do {
                            try await database.write { connection in
                                try connection.execute("INSERT INTO t (n) VALUES (?)", [SQLValue(n)])
                                if n % 10 == 3 { throw Unlucky() }
                            }
                            return false
                        } catch is Unlucky {
                            return true
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(failures == 20)
            let stored = try await database.read { try $0.query("SELECT n FROM t").map { try $0.int("n") } }
            #expect(Set(stored) == Set((0..<200).filter { $0 % 10 != 3 }))
        }
    }

    @Test("steps on one counter by compare and swap lose none", arguments: TestDriver.available)
    func compareAndSwap(_ driver: TestDriver) async throws {
        var pool = PoolOptions()
        pool.tries = 200
        try await withDatabase(driver, postgres: pool) { database, _ in
            try await database.write { connection in
                try connection.execute("CREATE TABLE counter (n BIGINT NOT NULL)")
                try connection.execute("INSERT INTO counter (n) VALUES (0)")
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        try await database.write { connection in
                            let n = try connection.query("SELECT n FROM counter")[0].int("n")
                            let changed = try connection.execute(
                                "UPDATE counter SET n = ? WHERE n = ?", [.integer(n + 1), .integer(n)])
                            if changed == 0 { throw SQLError(.conflict, "someone was faster") }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.read { try $0.query("SELECT n FROM counter")[0].int("n") } == 40)
        }
    }

    @Test("a conflict is tried again, and in the end told to the caller", arguments: TestDriver.available)
    func conflicts(_ driver: TestDriver) async throws {
        var sqlite = SQLiteOptions()
        sqlite.tries = 4
        var pool = PoolOptions()
        pool.tries = 4
        try await withDatabase(driver, sqlite: sqlite, postgres: pool) { database, _ in
            try await database.write { try $0.execute("CREATE TABLE t (n BIGINT)") }
            let tries = Counter()
            try await database.write { connection in
                try connection.execute("INSERT INTO t (n) VALUES (1)")
                if tries.next() < 3 { throw SQLError(.conflict, "once more") }
            }
            #expect(tries.value == 3)
            #expect(try await database.read { try $0.query("SELECT * FROM t").count } == 1)

            let hopeless = Counter()
            let error = await sqlError {
                try await database.write { _ in
                    hopeless.next()
                    throw SQLError(.conflict, "always")
                }
            }
            #expect(error?.code == .conflict)
            #expect(hopeless.value == 4)
        }
    }

    @Test("a read sees one moment, whatever is written meanwhile", arguments: TestDriver.available)
    func consistentRead(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            try await database.write { connection in
                try connection.execute("CREATE TABLE t (n BIGINT)")
                try connection.execute("INSERT INTO t (n) VALUES (1)")
            }
            let door = Doorway()
            let sql = "SELECT count(*) AS c FROM t"
            async let counts = database.read { connection in
                let before = try connection.query(sql)[0].int("c")
                door.pass()
                return [before, try connection.query(sql)[0].int("c")]
            }
            await door.arrival()
            try await database.write { try $0.execute("INSERT INTO t (n) VALUES (2)") }
            door.open()
            #expect(try await counts == [1, 1])
            #expect(try await database.read { try $0.query(sql)[0].int("c") } == 2)
        }
    }

    @Test("closing waits for what runs", arguments: TestDriver.available)
    func closing(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, place in
            try await database.write { try $0.execute("CREATE TABLE t (n BIGINT)") }
            let door = Doorway()
            async let written: Void = database.write { connection in
                door.pass()
                try connection.execute("INSERT INTO t (n) VALUES (1)")
            }
            await door.arrival()
            async let closed: Void = database.close()
            door.open()
            try await written
            await closed
            let again = try place.open()
            #expect(try await again.read { try $0.query("SELECT * FROM t").count } == 1)
            await again.close()
        }
    }

    @Test(
        "readers past the limit are refused, or sent away when they wait too long", arguments: TestDriver.available,
        [(waiting: 0, says: "too many callers wait"), (waiting: 1, says: "waited too long")])
    func boundedReaders(_ driver: TestDriver, _ limit: (waiting: Int, says: String)) async throws {
        var sqlite = SQLiteOptions()
        (sqlite.readers, sqlite.waitingReads, sqlite.waitTimeoutMilliseconds) = (1, limit.waiting, 20)
        var pool = PoolOptions()
        (pool.connections, pool.waitingLimit, pool.waitTimeoutMilliseconds) = (1, limit.waiting, 20)
        try await withDatabase(driver, sqlite: sqlite, postgres: pool) { database, _ in
            let door = Doorway()
            async let first: Void = database.read { _ in door.pass() }
            await door.arrival()
            let error = await sqlError { try await database.read { _ in } }
            #expect(error?.code == .unavailable)
            #expect(error?.message.hasPrefix(limit.says) == true)
            door.open()
            try await first
            try await database.read { _ in }
        }
    }
}
