import Decide
import Foundation
import Guard
import PGWire
import TestSupport
import Testing

@testable import App

/// The guard's own file.
struct GuardConfigurationTests {
    private static func load(_ text: String) throws -> GuardSettings {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mainstay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        try Data("\"ada\" \"secret\"\n".utf8).write(to: folder.appendingPathComponent("users.txt"))
        let file = folder.appendingPathComponent("guard.yaml")
        try Data(text.utf8).write(to: file)
        return try ConfigurationLoader.loadGuard(path: file.path, environment: ["PASSWORD": "s3cret/pass"])
    }

    @Test("a file is read, value by value")
    func values() throws {
        let settings = try Self.load(
            """
            guard:
              listen: ":6000"
              mode: session
              users: { file: users.txt }
              admin: { users: [ ada ] }
              pool-size: 7
              timeouts: { queue: 5s, idle-transaction: 1m }
              budgets: { mode: enforce, cancels-writes: true, protected: [ { application: checkout } ] }
              databases:
                shop:
                  targets:
                    - "postgres://guard:p%40ss@db1.example.test:5433/shop_1?sslmode=verify-full"
                    - "postgres:///shop_1?host=/var/run/postgresql"
                  pool-size: 3
                notes: "postgres://db2.example.test/notes"
            """)
        #expect(settings.host == "127.0.0.1" && settings.port == 6_000)
        #expect(settings.mode == .session)
        #expect(settings.users.secret(of: "ada") != nil)
        #expect(settings.adminUsers == ["ada"])
        #expect(settings.limits.poolSize == 7)
        #expect(settings.timeouts.queue == 5_000_000_000 && settings.timeouts.idleTransaction == 60_000_000_000)
        #expect(settings.budgets.mode == .enforce && settings.budgets.cancelsWrites)
        #expect(settings.budgets.protected == [ClientPattern(application: "checkout")])
        let shop = try #require(settings.databases["shop"])
        #expect(shop.database == "shop_1" && shop.poolSize == 3)
        #expect(shop.targets.map(\.description) == ["db1.example.test:5433", "/var/run/postgresql/.s.PGSQL.5432"])
        #expect(shop.targets[0].user == "guard" && shop.targets[0].password == "p@ss")
        #expect(shop.targets[0].tls == .verifyFull)
        #expect(settings.databases["notes"]?.targets.first?.user == nil)
    }

    @Test(
        "what is wrong is told with line and key",
        arguments: [
            ("guard: { databases: { a: \"postgres://h/a\" } }", "'users' is missing"),
            ("guard: { auth: trust }", "'databases' is missing"),
            ("guard: { auth: trust, databases: { a: \"http://h/a\" } }", "guard.databases.a: this is not a URL"),
            ("guard: { auth: trust, databases: { a: \"postgres:///a\" } }", "names no host"),
            ("guard: { auth: trust, databases: { a: \"postgres://h/a?sslmod=x\" } }", "'sslmod' is not known"),
            ("guard: { auth: trust, databases: { a: \"postgres://h/a?sslmode=x\" } }", "sslmode is one of disable"),
            ("guard: { auth: trust, pool-sise: 3, databases: { a: \"postgres://h/a\" } }", "did you mean 'pool-size'?"),
            (
                "guard: { mode: statement, auth: trust, databases: { a: \"postgres://h/a\" } }",
                "none of session, transaction"
            ),
            ("guard: { users: { file: none.txt }, databases: { a: \"postgres://h/a\" } }", "cannot be read"),
            (
                "guard: { auth: trust, tls: { certificate: c.pem }, databases: { a: \"postgres://h/a\" } }",
                "'key' is missing"
            ),
            ("guards: {}", "'guard' is missing"),
        ])
    func problems(_ text: String, _ words: String) throws {
        let error = #expect(throws: ConfigurationErrors.self) { try Self.load(text) }
        let all = try #require(error).problems.map { "\($0)" }.joined(separator: "\n")
        #expect(all.contains(words), "\(all)")
        #expect(all.contains("guard.yaml:1:"))
    }

    @Test("no message shows a password")
    func secrets() throws {
        let error = #expect(throws: ConfigurationErrors.self) {
            try Self.load("guard: { auth: trust, databases: { a: \"postgres://u:${PASSWORD}@h:x/a\" } }")
        }
        #expect(try #require(error).problems.allSatisfy { !"\($0)".contains("s3cret") })
    }
}
