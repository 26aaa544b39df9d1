import Decide
import EndToEndSupport
import Guard
import NIOCore
import PGWire
import TestSupport
import Testing

/// Users who are in no file: the database is asked for their secrets.
@Suite("Guard: auth-query", .enabled(if: OwnPostgres.isPossible, "needs Debian's postgresql"))
struct AuthQueryTests {
    private static let rules = "host all all 127.0.0.1/32 scram-sha-256\n"

    private struct World: Sendable {
        var postgres: OwnPostgres
        var target: Target
    }

    private static func withWorld(
        query: String = AuthQuerySettings.usual, _ body: (GuardScene) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory("guard-auth-query") { directory in
            let issued = try await TestAuthority.make(in: directory).issue()
            let postgres = try await OwnPostgres.make(
                in: directory, tls: issued, rules: "host all postgres 127.0.0.1/32 trust\n" + rules)
            try await postgres.serving {
                var target = Target(host: "127.0.0.1", port: postgres.port)
                target.tls = .disable
                try await GuardScene.run(before: [target]) { scene in
                    let client = try await scene.client()
                    let made = try await client.query(
                        """
                        CREATE ROLE ada LOGIN PASSWORD 'right';
                        CREATE ROLE old LOGIN PASSWORD 'right' VALID UNTIL '2000-01-01 00:00:00+00';
                        CREATE ROLE later LOGIN PASSWORD 'right' VALID UNTIL '2999-01-01 00:00:00+00';
                        CREATE ROLE always LOGIN PASSWORD 'right' VALID UNTIL 'infinity';
                        CREATE ROLE nosecret LOGIN;
                        CREATE ROLE nologin PASSWORD 'right';
                        """)
                    #expect(made.errors.isEmpty, "\(made.errors)")
                    await client.close()
                }
                // VALID UNTIL is held against this time.
                let now = Instant(milliseconds: 1_800_000_000_000)
                try await GuardScene.run(before: [target], at: now) { settings in
                    settings.authentication = .scram
                    settings.authQuery = AuthQuerySettings(user: "postgres", query: query)
                } _: { scene in
                    try await body(scene)
                }
            }
        }
    }

    @Test("a right password lets in, by SCRAM on both sides; a wrong, an ended or a missing one does not")
    func asks() async throws {
        try await Self.withWorld { scene in
            for user in ["ada", "later", "always"] {
                let client = try await WireClient.connect(scene.port)
                try await client.logIn(user: user, database: "postgres", password: "right")
                #expect(try await client.query("SELECT current_user").rows == [[user]])
                await client.close()
            }
            for (user, password) in [
                ("ada", "wrong"), ("old", "right"), ("nosecret", "right"), ("nologin", "right"), ("nobody", "right"),
            ] {
                let refusal = try await scene.refusal(user: user, password: password)
                #expect(refusal?.code == "28P01", "\(user): \(String(describing: refusal))")
            }
            #expect(!scene.log.text.contains("right"))
        }
    }

    @Test("the client's settings do not reach the question")
    func settings() async throws {
        let query = """
            SELECT rolname, rolpassword FROM pg_authid
            WHERE rolname = $1 AND current_setting('search_path') = 'pg_catalog'
            """
        try await Self.withWorld(query: query) { scene in
            let client = try await WireClient.connect(scene.port)
            try await client.logIn(
                user: "ada", database: "postgres", password: "right",
                ["search_path": "evil", "options": "-c search_path=evil"])
            await client.close()
        }
    }

    @Test(
        "a question that cannot be asked lets nobody in, and says why in the log only",
        arguments: [
            ("SELECT 1", "08006", "auth-query"),
            ("SELECT usename FROM pg_user WHERE usename = $1", "08006", "return a user"),
            ("SELECT rolname, 'x' FROM pg_authid WHERE $1::text IS NOT NULL", "28P01", ""),
        ])
    func wrongQuery(_ query: String, _ state: String, _ logged: String) async throws {
        try await Self.withWorld(query: query) { scene in
            let refusal = try await scene.refusal(user: "ada", password: "right")
            #expect(refusal?.code == state, "\(String(describing: refusal))")
            if !logged.isEmpty { #expect(scene.log.text.contains(logged)) }
        }
    }
}
