import Foundation
import Guard
import SQL
import TestSupport
import Testing

/// A guard in this process before the real server, used by our own driver.
@Suite(.enabled(if: TestDriver.isPostgresAvailable))
struct ThroughTests {
    @Test("statements, transactions and errors work as they do directly", arguments: GuardSettings.Mode.allCases)
    func works(_ mode: GuardSettings.Mode) async throws {
        try await GuardScene.runBeforePostgres {
            $0.mode = mode
            $0.limits.poolSize = 4
        } _: { scene in
            var options = PoolOptions()
            options.connections = 3
            var url = try #require(URLComponents(string: TestDriver.serverURL))
            (url.host, url.port) = ("127.0.0.1", scene.port)
            let database = try PostgresDatabase(url: try #require(url.string), options: options)
            let name = "guard_\(UInt32.random(in: 0 ... .max))"
            _ = try await database.write { try $0.execute("CREATE TABLE \(name) (n BIGINT PRIMARY KEY)") }
            for n in 1...20 {
                _ = try await database.write { try $0.execute("INSERT INTO \(name) VALUES (?)", [.integer(Int64(n))]) }
            }
            await #expect(throws: SQLError.self) {
                try await database.write { connection in
                    _ = try connection.execute("INSERT INTO \(name) VALUES (?)", [.integer(100)])
                    _ = try connection.execute("INSERT INTO \(name) VALUES (?)", [.integer(1)])
                }
            }
            let sum = try await database.read {
                try $0.query("SELECT SUM(n)::bigint AS total FROM \(name)").first?.optionalInt("total")
            }
            #expect(sum == 210)
            _ = try await database.write { try $0.execute("DROP TABLE \(name)") }
            await database.close()
            let counters = try await scene.counters
            #expect(counters.queries >= 23)
            #expect(counters.violations == 0)
        }
    }
}
