import Decide
import EndToEndSupport
import NIOCore
import PGWire
import TestSupport
import Testing

@testable import Guard

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

/// Where the question goes, and what becomes of its connection, when the guard is told something else meanwhile.
@Suite("Guard: auth-query, moved and replaced")
struct AuthQueryChangeTests {
    /// The end of a question; nothing else here says it.
    private static let question = FakePostgres.Heard.message("S")

    private static let answer = FakeAnswer.make { bytes in
        bytes.writePGFrame("D") { frame in
            frame.writeInteger(Int16(2))
            for value in ["ada", "right"] {
                frame.writeInteger(Int32(value.utf8.count))
                frame.writeString(value)
            }
        }
        bytes.writeReady()
    }

    private static var answering: FakePostgres.Behaviour {
        var behaviour = FakePostgres.Behaviour()
        behaviour.answer = { $0 == Self.question ? [.send(Self.answer)] : nil }
        return behaviour
    }

    private static func configure(_ settings: inout GuardSettings) {
        settings.authentication = .scram
        settings.authQuery = AuthQuerySettings(user: "asker")
    }

    private static func questions(to server: FakePostgres) -> Int {
        server.heard.count { $0 == question }
    }

    @Test("after a switch the server is asked that the database is on now", arguments: [false, true])
    func switched(isNamed: Bool) async throws {
        try await FakePostgres.run(Self.answering) { first in
            try await FakePostgres.run(Self.answering) { second in
                try await GuardScene.run(before: [first.target]) { settings in
                    Self.configure(&settings)
                    if isNamed { settings.databases = ["postgres": DatabaseSettings(targets: [first.target])] }
                } _: { scene in
                    #expect(try await scene.refusal(user: "ada", password: "right") == nil)
                    #expect(Self.questions(to: first) == 1)
                    for (now, before) in [(second, first), (first, second)] {
                        let asked = Self.questions(to: now)
                        try await scene.proxy.switchTarget(
                            database: "postgres", to: "127.0.0.1:\(now.target.port)", deadline: .seconds(5))
                        #expect(try await scene.refusal(user: "ada", password: "right") == nil)
                        #expect(Self.questions(to: now) == asked + 1)
                        try await eventually("nothing stays on the server that was left", every: .milliseconds(5)) {
                            before.connectionCount == 0 ? true : nil
                        }
                    }
                }
            }
        }
    }

    @Test("a reload lets what was asked be answered, and then closes the connection")
    func reloaded() async throws {
        try await FakePostgres.run { server in
            try await GuardScene.run(before: [server.target], Self.configure) { scene in
                async let refused = scene.refusal(user: "ada", password: "right")
                try await server.hears(Self.question)
                let asked = try #require(server.sessions.first)
                try await scene.proxy.reload()
                try await server.say { $0.writeImmutableBuffer(Self.answer) }
                let refusal = try await refused
                #expect(refusal == nil)
                try await eventually("its connection is closed", every: .milliseconds(5)) {
                    asked.isActive ? nil : true
                }
            }
        }
    }

    @Test(
        "one that is replaced while it connects answers first; neither it nor one that is closed stays connected",
        arguments: [false, true])
    func connecting(isReplaced: Bool) async throws {
        try await FakePostgres.run(Self.answering) { server in
            let (loop, target, log) = (try SocketLoop(), server.target, LogRecorder())
            let core = try await loop.submit {
                let core = try GuardCore(
                    loop: loop, settings: GuardSettings(), logger: log.logger,
                    wallClock: { Instant(milliseconds: 0) })
                return NIOLoopBound(core, eventLoop: loop)
            }.get()
            // In one turn of the loop: no connection is there before its end.
            let answer = loop.flatSubmit { () -> EventLoopFuture<Bool> in
                let lookup = SecretLookup(
                    core: core.value, targets: [target], database: "postgres",
                    settings: AuthQuerySettings(user: "asker"))
                let found = lookup.ask("ada").map { $0.secret != nil }
                if isReplaced { lookup.retire() } else { lookup.close() }
                return found
            }
            if isReplaced {
                #expect(try await answer.get())
            } else {
                await #expect(throws: WireError.self) { _ = try await answer.get() }
            }
            try await server.hears(.connected)
            try await eventually("nobody is connected", every: .milliseconds(5)) {
                server.connectionCount == 0 ? true : nil
            }
            try await loop.shutdownGracefully()
        }
    }
}
