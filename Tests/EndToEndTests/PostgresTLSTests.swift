import Decide
import EndToEndSupport
import Foundation
import SQL
import TestSupport
import Testing

extension EndToEnd {
    /// PostgreSQL over TLS, against servers of the tests' own with certificates of a private authority.
    @Suite(
        .serialized, .enabled(if: OwnPostgres.isPossible, "needs Debian's postgresql"),
        .enabled(if: TestAuthority.isPossible, "needs openssl"))
    struct PostgresTLSTests {
        /// A server that speaks TLS, and would take its user without.
        private struct World: Sendable {
            let postgres: OwnPostgres
            let authority: TestAuthority
            let stranger: TestAuthority

            /// The certificate names `localhost`, while the address stays what the server listens on.
            func url(user: String = "postgres", host: String = "localhost", _ parameters: String) -> String {
                "postgres://\(user)@\(host):\(postgres.port)/postgres?hostaddr=127.0.0.1&\(parameters)"
            }

            var good: String { url("sslmode=verify-full&sslrootcert=\(authority.certificate)") }

            static func make(in directory: String) async throws -> World {
                let authority = try await TestAuthority.make(in: directory)
                let issued = try await authority.issue(for: ["DNS:localhost"])
                return World(
                    postgres: try await OwnPostgres.make(in: directory, tls: issued), authority: authority,
                    stranger: try await TestAuthority.make("stranger", in: directory))
            }
        }

        private func withWorld(_ directory: String, _ body: (World) async throws -> Void) async throws {
            let world = try await World.make(in: directory)
            try await world.postgres.serving { try await body(world) }
        }

        private func rows(_ url: String, _ sql: String) async throws -> [SQLRow] {
            let database = try openDatabase(url)
            do {
                let rows = try await database.read { try $0.query(sql) }
                await database.close()
                return rows
            } catch {
                await database.close()
                throw error
            }
        }

        private func refusal(_ url: String) async -> SQLError? {
            do {
                _ = try await rows(url, "SELECT 1")
                return nil
            } catch {
                return error as? SQLError
            }
        }

        private static let isEncrypted = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"

        @Test("with sslmode=verify-full the record's and the checks' connections are encrypted")
        func encrypted() async throws {
            try await withTemporaryDirectory("tls") { directory in
                try await withWorld(directory) { world in
                    let row = try #require(try await rows(world.good, Self.isEncrypted).first)
                    #expect(try row.int("ssl") == 1)
                    #expect(try row.text("version").hasPrefix("TLSv1."))
                    let probe = SQLProbe()
                    let asked = try await probe.run(
                        location: world.good, sql: Self.isEncrypted, timeoutMilliseconds: 30_000)
                    await probe.close()
                    #expect(try asked.first?.int("ssl") == 1)
                }
            }
        }

        @Test("a server that is not the one that was meant is refused, with what to do")
        func refused() async throws {
            try await withTemporaryDirectory("tls") { directory in
                try await withWorld(directory) { world in
                    let (known, strange) = (world.authority.certificate, world.stranger.certificate)
                    #expect(await refusal(world.url("sslmode=require")) == nil, "nothing but the certificate is wrong")
                    let cases = [
                        (
                            world.url("sslmode=verify-full&sslrootcert=\(strange)"),
                            "name the file of the right authority"
                        ),
                        (world.url("sslmode=verify-ca&sslrootcert=\(strange)"), "name the file of the right authority"),
                        (
                            world.url(host: "elsewhere", "sslmode=verify-full&sslrootcert=\(known)"),
                            "name the server as its certificate does"
                        ),
                        (world.url("sslmode=verify-full&sslrootcert=\(directory)/none.pem"), "by its full path"),
                        (world.url(user: "careful", "sslmode=disable"), "use sslmode=verify-full"),
                    ]
                    for (url, advice) in cases {
                        let error = await refusal(url)
                        #expect(error?.code == .unavailable, "\(url)")
                        #expect(error?.message.contains(advice) == true, "\(error?.message ?? "connected"): \(url)")
                    }
                }
            }
        }

        @Test("sslmode=require against a server without TLS is refused, with what to do")
        func withoutTLS() async throws {
            try await withTemporaryDirectory("tls") { directory in
                let postgres = try await OwnPostgres.make(in: directory)
                try await postgres.serving {
                    #expect(await refusal(postgres.url) == nil, "nothing but TLS is missing")
                    for mode in ["require", "verify-full"] {
                        let authority = try await TestAuthority.make(mode, in: directory)
                        let error = await refusal(
                            "\(postgres.url)?sslmode=\(mode)&sslrootcert=\(authority.certificate)")
                        #expect(error?.code == .unavailable)
                        #expect(error?.message.contains("turn on 'ssl' in the server's") == true, "\(mode): \(error)")
                    }
                }
            }
        }

        @Test("Mainstay serves over TLS from the URL in its configuration: no connection of its is in the clear")
        func serves() async throws {
            try await Town.run { town in
                try await withWorld(town.directory) { world in
                    var plan = TownPlan()
                    plan.database = world.good
                    plan.components = ["postgres: { check: { postgres: \"\(world.good)\", every: 1s } }"]
                    try town.configure(plan)
                    try await town.startMainstay()
                    let sessions = """
                        SELECT ssl, application_name AS name FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                        WHERE application_name IN ('mainstay', 'mainstay-check') AND pid <> pg_backend_pid()
                        """
                    let found = try await eventually("the record and the checks are connected") { () -> [SQLRow]? in
                        let found = try await rows(world.good, sessions)
                        return Set(try found.map { try $0.text("name") }).count == 2 ? found : nil
                    }
                    for session in found { #expect(try session.int("ssl") == 1) }
                    try await town.mainstay.stop()
                }
            }
        }

        @Test("Mainstay does not start on a server that it cannot trust, and says what to do")
        func doesNotStart() async throws {
            try await Town.run { town in
                try await withWorld(town.directory) { world in
                    var plan = TownPlan()
                    plan.database = world.url("sslmode=verify-full&sslrootcert=\(world.stranger.certificate)")
                    try town.configure(plan)
                    // Should it start after all, it would never end by itself.
                    let serve = [Binaries.mainstay, "serve", "--config", town.configurationPath]
                    let outcome = try await Command.run(
                        "/usr/bin/timeout", ["60"] + serve, environment: town.variables)
                    #expect(outcome.code == 1)
                    let said = outcome.output + outcome.errors
                    #expect(said.contains("certificate verify failed"), "\(said)")
                    #expect(said.contains("name the file of the right authority in sslrootcert"), "\(said)")
                }
            }
        }

        @Test(
            "a URL that would not do what it says is told with its line, and nothing starts",
            arguments: [
                ("sslmod=verify-full", "has an unknown parameter 'sslmod'", "; did you mean 'sslmode'?"),
                ("sslmode=verify_full", "is none of disable, allow", "; did you mean 'verify-full'?"),
                ("sslrootcert=/ca.pem", "has no effect without sslmode=verify-full", ""),
            ])
        func configuration(parameters: String, words: String, meant: String) async throws {
            try await Town.run { town in
                var plan = TownPlan()
                let url = "postgres://mainstay:hunter2@db.example.test/mainstay?\(parameters)"
                plan.database = url
                try town.configure(plan)
                for command in [["check", town.configurationPath], ["serve", "--config", town.configurationPath]] {
                    let outcome = try await Command.run(Binaries.mainstay, command, environment: town.variables)
                    #expect(outcome.code == 1)
                    let said = outcome.output + outcome.errors
                    #expect(said.contains("mainstay.yaml:5:13: server.database: "), "\(said)")
                    #expect(said.contains(words) && (meant.isEmpty || said.contains(meant)), "\(said)")
                    #expect(!said.contains("hunter2"))
                }
                let storefront = try await Command.run(
                    Binaries.storefront, ["serve", "--port", "0", "--database", url], environment: town.variables)
                let said = storefront.output + storefront.errors
                #expect(storefront.code != 0)
                #expect(said.contains(words), "\(said)")
                #expect(!said.contains("hunter2"))
            }
        }
    }
}
