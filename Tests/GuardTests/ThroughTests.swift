import Decide
import Foundation
import Guard
import Logging
import SQL
import Synchronization
import TestSupport
import Testing

/// A guard in this process before the real server, used by our own driver.
@Suite(.enabled(if: TestDriver.isPostgresAvailable))
struct ThroughTests {
    private static func withGuard(
        _ mode: GuardSettings.Mode, poolSize: Int = 2,
        _ body: @Sendable (_ url: String, Guard) async throws -> Void
    ) async throws {
        let direct = try #require(URLComponents(string: TestDriver.serverURL))
        var settings = GuardSettings()
        settings.port = 0
        settings.mode = mode
        settings.authentication = .trust
        settings.limits.poolSize = poolSize
        var target = Target(host: direct.host ?? "127.0.0.1", port: direct.port ?? 5_432)
        target.tls = .disable
        settings.databases = [GuardSettings.anyDatabase: DatabaseSettings(targets: [target])]
        let taken = settings
        let (ports, port) = AsyncStream<Int>.makeStream()
        let proxy = Guard(
            settings: settings, logger: Logger(label: "guard", factory: { _ in SwiftLogNoOpLogHandler() }),
            wallClock: { Instant(milliseconds: 0) }, reading: { taken }, onReady: { port.yield($0) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await proxy.run() }
            var iterator = ports.makeAsyncIterator()
            let number = try #require(await iterator.next())
            var url = direct
            url.host = "127.0.0.1"
            url.port = number
            try await body(try #require(url.string), proxy)
            group.cancelAll()
        }
    }

    @Test("statements, transactions and errors work as they do directly", arguments: GuardSettings.Mode.allCases)
    func works(_ mode: GuardSettings.Mode) async throws {
        try await Self.withGuard(mode, poolSize: 4) { url, proxy in
            var options = PoolOptions()
            options.connections = 3
            let database = try PostgresDatabase(url: url, options: options)
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
            let counters = try await proxy.snapshot().counters
            #expect(counters.queries >= 23)
            #expect(counters.violations == 0)
        }
    }
}
