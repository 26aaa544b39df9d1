import SQL
import TestSupport
import Testing

@Suite("Both drivers: errors", .timeLimit(.minutes(1)))
struct ContractErrorTests {
    struct Wrong: Sendable {
        var sql: String
        var arguments: [SQLValue] = []
        var code: SQLError.Code
    }

    private static let wrong: [Wrong] = [
        Wrong(sql: "SELEKT 1", code: .statement),
        Wrong(sql: "SELECT * FROM nowhere", code: .statement),
        Wrong(sql: "SELECT missing FROM parents", code: .statement),
        Wrong(sql: "", code: .statement),
        Wrong(sql: "SELECT 1; SELECT 2", code: .statement),
        Wrong(sql: "SELECT ?", code: .statement),
        Wrong(sql: "SELECT ?", arguments: [1, 2], code: .statement),
        Wrong(sql: "SELECT ?", arguments: [.real(.nan)], code: .statement),
        Wrong(sql: "SELECT ?", arguments: [.text("a\0b")], code: .statement),
        Wrong(sql: "COMMIT", code: .statement),
        Wrong(sql: "-- a comment\n rollback", code: .statement),
        Wrong(sql: "SAVEPOINT mine", code: .statement),
        Wrong(sql: "INSERT INTO parents (id) VALUES (?)", arguments: [1], code: .constraint),
        Wrong(sql: "INSERT INTO parents (id) VALUES (NULL)", code: .constraint),
        Wrong(sql: "INSERT INTO children (parent) VALUES (?)", arguments: [99], code: .constraint),
        Wrong(sql: "INSERT INTO children (parent, age) VALUES (?, ?)", arguments: [1, -1], code: .constraint),
    ]

    @Test(
        "each wrong statement has its code, takes its write back and leaves the database usable",
        arguments: TestDriver.available)
    func codes(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            try await database.write { connection in
                try connection.execute("CREATE TABLE parents (id BIGINT NOT NULL PRIMARY KEY)")
                try connection.execute(
                    "CREATE TABLE children (parent BIGINT NOT NULL REFERENCES parents (id), age BIGINT CHECK (age >= 0))"
                )
                try connection.execute("INSERT INTO parents (id) VALUES (1)")
            }
            for wrong in Self.wrong {
                let error = await sqlError {
                    try await database.write { connection in
                        try connection.execute("INSERT INTO parents (id) VALUES (50)")
                        try connection.execute(wrong.sql, wrong.arguments)
                    }
                }
                #expect(error?.isDuplicate == (wrong.sql.hasSuffix("VALUES (?)") && wrong.arguments == [1]))
                #expect(error?.code == wrong.code, "\(wrong.sql): \(String(describing: error))")
            }
            let ids = try await database.read { try $0.query("SELECT id FROM parents").map { try $0.int("id") } }
            #expect(ids == [1])
        }
    }

    @Test(
        "a read cannot write", arguments: TestDriver.available,
        ["INSERT INTO t (a) VALUES (1)", "CREATE TABLE u (a BIGINT)", "DELETE FROM t", "DROP TABLE t"])
    func readOnly(_ driver: TestDriver, _ sql: String) async throws {
        try await withDatabase(driver) { database, _ in
            try await database.write { try $0.execute("CREATE TABLE t (a BIGINT)") }
            let error = await sqlError { try await database.read { try $0.execute(sql) } }
            #expect(error?.code == .statement)
            #expect(try await database.read { try $0.query("SELECT * FROM t").count } == 0)
        }
    }

    @Test("a failed statement that the body swallows does not commit the rest", arguments: TestDriver.available)
    func swallowed(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            try await database.write { try $0.execute("CREATE TABLE t (a BIGINT PRIMARY KEY)") }
            let error = await sqlError {
                try await database.write { connection in
                    try connection.execute("INSERT INTO t (a) VALUES (1)")
                    _ = try? connection.execute("INSERT INTO t (a) VALUES (1)")
                }
            }
            #expect(error?.code == .constraint)
            #expect(try await database.read { try $0.query("SELECT * FROM t").count } == 0)
        }
    }

    @Test(
        "an error of the body's own takes its writes back and reaches the caller as it is",
        arguments: TestDriver.available)
    func ownError(_ driver: TestDriver) async throws {
        struct Refused: Error, Equatable { var reason: String }
        try await withDatabase(driver) { database, _ in
            try await database.write { try $0.execute("CREATE TABLE t (a BIGINT)") }
            await #expect(throws: Refused(reason: "no")) {
                try await database.write { connection in
                    try connection.execute("INSERT INTO t (a) VALUES (1)")
                    throw Refused(reason: "no")
                }
            }
            #expect(try await database.read { try $0.query("SELECT * FROM t").count } == 0)
        }
    }

    @Test("a closed database says so", arguments: TestDriver.available)
    func closed(_ driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            _ = try await database.read { try $0.query("SELECT 1 AS a") }
            await database.close()
            let read = await sqlError { try await database.read { try $0.query("SELECT 1 AS a") } }
            let write = await sqlError { try await database.write { try $0.query("SELECT 1 AS a") } }
            #expect(read?.code == .unavailable)
            #expect(write?.code == .unavailable)
            await database.close()
        }
    }

    @Test("a connection kept beyond its transaction refuses", arguments: TestDriver.available)
    func keptConnection(_ driver: TestDriver) async throws {
        final class Thief: @unchecked Sendable { var connection: (any SQLConnection)? }
        try await withDatabase(driver) { database, _ in
            let thief = Thief()
            _ = try await database.write { thief.connection = $0 }
            #expect(throws: SQLError.self) { _ = try thief.connection?.query("SELECT 1") }
        }
    }
}
