import EndToEndSupport
import Foundation
import Guard
import NIOCore
import PGWire
import TestSupport
import Testing

/// How the guard proves to servers who it is, with what it has: passwords, hashes, or what a client's proof taught it.
@Suite("Guard: servers that want a password", .enabled(if: OwnPostgres.isPossible, "needs Debian's postgresql"))
struct ServerLoginTests {
    private static let password = "battery staple"

    private struct World: Sendable {
        var target: Target
        /// What the server stores, by user.
        var stored: [String: String] = [:]
    }

    private static let rules = """
        host all postgres 127.0.0.1/32 trust
        host all md5_user 127.0.0.1/32 md5
        host all clear_user 127.0.0.1/32 password
        host all all 127.0.0.1/32 scram-sha-256

        """

    /// A server with users by every method.
    private static func withWorld(_ body: (World) async throws -> Void) async throws {
        try await withTemporaryDirectory("guard-server-login") { directory in
            let issued = try await TestAuthority.make(in: directory).issue()
            let postgres = try await OwnPostgres.make(in: directory, tls: issued, rules: rules)
            try await postgres.serving {
                var world = World(target: Target(host: "127.0.0.1", port: postgres.port))
                world.target.tls = .disable
                try await GuardScene.run(before: [world.target]) { scene in
                    let client = try await scene.client()
                    for (user, encryption) in [
                        ("scram_user", "scram-sha-256"), ("md5_user", "md5"), ("clear_user", "scram-sha-256"),
                    ] {
                        let made = try await client.query(
                            """
                            SET password_encryption = '\(encryption)';
                            CREATE ROLE \(user) LOGIN PASSWORD '\(password)'
                            """)
                        #expect(made.errors.isEmpty)
                        let row = try await client.query("SELECT rolpassword FROM pg_authid WHERE rolname = '\(user)'")
                        world.stored[user] = row.rows.first?.first ?? nil
                    }
                    await client.close()
                }
                try await body(world)
            }
        }
    }

    private struct Case: Sendable {
        var user: String
        var method: GuardSettings.Authentication
        /// In the users file; nil: there is no such user in it.
        var secret: String?
        var tls = Target.TLS.disable
        /// The refusal's SQLSTATE, and what it says; nil: the client is let in.
        var refusal: (code: String, words: String)?
    }

    private static func cases(_ world: World) throws -> [Case] {
        let (verifier, hash) = (world.stored["scram_user"], world.stored["md5_user"])
        return [
            // What a client proved by a verifier's keys is passed through.
            Case(user: "scram_user", method: .scram, secret: verifier),
            Case(user: "scram_user", method: .scram, secret: password),
            Case(user: "scram_user", method: .md5, secret: password),
            Case(user: "scram_user", method: .md5, secret: verifier),
            Case(user: "md5_user", method: .md5, secret: hash),
            Case(user: "md5_user", method: .scram, secret: password),
            Case(user: "clear_user", method: .scram, secret: password, tls: .require),
            Case(
                user: "clear_user", method: .scram, secret: password,
                refusal: ("28000", "the server asks for the password in clear, without TLS")),
            Case(
                user: "clear_user", method: .scram, secret: world.stored["clear_user"], tls: .require,
                refusal: ("28000", "there is not a password to answer with")),
            // Trusted by the guard, and with nothing to show to the server.
            Case(
                user: "scram_user", method: .trust,
                refusal: ("28000", "there is not a password or SCRAM keys to answer with")),
            Case(user: "scram_user", method: .trust, secret: password),
            Case(
                user: "scram_user", method: .trust, secret: "wrong",
                refusal: ("28P01", "password authentication failed for user \"scram_user\"")),
        ]
    }

    @Test("every method of the server is answered with what is known of the user, or the client is told what is not")
    func methods() async throws {
        try await Self.withWorld { world in
            for entry in try Self.cases(world) {
                var target = world.target
                target.tls = entry.tls
                try await GuardScene.run(before: [target]) {
                    $0.authentication = entry.method
                    let line = entry.secret.map { "\"\(entry.user)\" \"\($0)\"" } ?? ""
                    $0.users = (try? UsersFile.parse(line)) ?? UsersFile()
                } _: { scene in
                    try await judge(entry, scene)
                    for secret in [Self.password] + world.stored.values {
                        #expect(!scene.log.text.contains(secret), "a secret is in the log")
                    }
                }
            }
        }
    }

    private func judge(_ entry: Case, _ scene: GuardScene) async throws {
        let client = try await WireClient.connect(scene.port)
        do {
            try await client.logIn(user: entry.user, password: entry.method == .trust ? nil : Self.password)
            #expect(entry.refusal == nil, "\(entry) is let in")
            #expect(try await client.query("SELECT current_user").rows == [[entry.user]])
        } catch let refusal as WireClient.Refusal {
            #expect(refusal.fields.code == entry.refusal?.code, "\(entry): \(refusal)")
            #expect(refusal.fields.message.contains(entry.refusal?.words ?? "no refusal"), "\(entry): \(refusal)")
        }
        await client.close()
    }

    @Test("a target's own user and password serve every client, and stay out of the log")
    func fixed() async throws {
        try await Self.withWorld { world in
            for password in [Self.password, "a wrong one"] {
                var target = world.target
                (target.user, target.password) = ("scram_user", password)
                try await GuardScene.run(before: [target]) { scene in
                    let client = try await WireClient.connect(scene.port)
                    if password == Self.password {
                        try await client.logIn(user: "anybody")
                        #expect(try await client.query("SELECT current_user").rows == [["scram_user"]])
                    } else {
                        let refusal = await #expect(throws: WireClient.Refusal.self) {
                            try await client.logIn(user: "anybody")
                        }
                        #expect(refusal?.fields.code == "28P01")
                    }
                    await client.close()
                    #expect(!scene.log.text.contains(password))
                }
            }
        }
    }
}
