import EndToEndSupport
import Guard
import NIOCore
import PGWire
import TestSupport
import Testing

/// Encryption between the guard and its servers.
@Suite("Guard: TLS towards servers", .enabled(if: TestAuthority.isPossible, "needs openssl"))
struct ServerTLSTests {
    private func target(_ host: String, _ port: Int, _ tls: Target.TLS, _ root: String? = nil) -> Target {
        var target = Target(host: host, port: port)
        (target.tls, target.rootCertificate) = (tls, root)
        return target
    }

    /// `postgres` of every database, with TLS as each target wants it; the certificate names `localhost`.
    private struct World: Sendable {
        let port: Int
        let known: String
        let strange: String

        static func run(_ body: (World) async throws -> Void) async throws {
            try await withTemporaryDirectory("guard-server-tls") { directory in
                let authority = try await TestAuthority.make(in: directory)
                let issued = try await authority.issue(for: ["DNS:localhost"])
                let stranger = try await TestAuthority.make("stranger", in: directory)
                let postgres = try await OwnPostgres.make(in: directory, tls: issued)
                try await postgres.serving {
                    try await body(
                        World(
                            port: postgres.port, known: authority.certificate, strange: stranger.certificate))
                }
            }
        }
    }

    private static let isEncrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"

    @Test(
        "what sslmode asks for is done: encrypted or not, the right authority, the right name",
        .enabled(if: OwnPostgres.isPossible, "needs Debian's postgresql"))
    func modes() async throws {
        try await World.run { world in
            let trusted = [
                (target("127.0.0.1", world.port, .disable), "f"), (target("127.0.0.1", world.port, .prefer), "t"),
                (target("127.0.0.1", world.port, .require), "t"),
                (target("127.0.0.1", world.port, .verifyCA, world.known), "t"),
                (target("localhost", world.port, .verifyFull, world.known), "t"),
            ]
            for (target, encrypted) in trusted {
                try await GuardScene.run(before: [target]) { scene in
                    let client = try await scene.client()
                    #expect(try await client.query(Self.isEncrypted).rows == [[encrypted]], "\(target.tls)")
                }
            }
            let refused = [
                target("127.0.0.1", world.port, .verifyFull, world.known),
                target("localhost", world.port, .verifyFull, world.strange),
                target("127.0.0.1", world.port, .verifyCA, world.strange),
                target("127.0.0.1", world.port, .require, world.strange),
            ]
            for target in refused {
                try await GuardScene.run(before: [target]) { scene in
                    let refusal = try #require(try await scene.refusal(), "\(target.tls)")
                    #expect(refusal.code == "08006", "\(refusal.message)")
                    #expect(refusal.message.contains("its certificate is not"), "\(refusal.message)")
                }
            }
            try await cancels(target("localhost", world.port, .verifyFull, world.known))
        }
    }

    private func cancels(_ target: Target) async throws {
        try await GuardScene.run(before: [target]) { scene in
            let client = try await WireClient.connect(scene.port)
            let session = try await client.logIn()
            let sql = "DO $$ BEGIN RAISE NOTICE 'here'; END $$; SELECT pg_sleep(600)"
            try await client.send { $0.writePGQuery(sql) }
            #expect(try await client.until("N") != nil, "the server is at work")
            let canceller = try await WireClient.connect(scene.port)
            try await canceller.send { $0.writePGCancelRequest(processID: session.processID, secret: session.secret) }
            #expect(try await canceller.next() == nil)
            #expect(try await client.answer().states == ["57014"])
        }
    }

    @Test("a server that does not know TLS is refused where it is needed", arguments: Target.TLS.allCases)
    func withoutTLS(_ mode: Target.TLS) async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [target("127.0.0.1", fake.target.port, mode)]) { scene in
                let refusal = try await scene.refusal()
                guard mode != .disable, mode != .prefer else {
                    #expect(refusal == nil)
                    return
                }
                #expect(refusal?.code == "08006")
                #expect(refusal?.message.contains("does not offer TLS") == true)
                #expect(!fake.heard.contains(.connected), "nothing was said in the clear")
            }
        }
    }

    @Test(
        "words put before the encrypted ones, and other protocols, are refused",
        arguments: [("SE", "unexpected bytes before TLS"), ("HTTP/1.1 400", "unexpected bytes"), ("E", "not speak")])
    func strange(answer: String, words: String) async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.tlsAnswer = answer
        try await FakePostgres.run(behaviour) { fake in
            try await GuardScene.run(before: [target("127.0.0.1", fake.target.port, .prefer)]) { scene in
                let refusal = try await scene.refusal()
                #expect(refusal?.code == "08006")
                #expect(refusal?.message.contains(words) == true, "\(refusal?.message ?? "")")
            }
        }
    }

    @Test("a server that accepts and says nothing is given up in time", arguments: [Target.TLS.disable, .require])
    func mute(_ mode: Target.TLS) async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.isMute = true
        try await FakePostgres.run(behaviour) { fake in
            try await GuardScene.run(before: [target("127.0.0.1", fake.target.port, mode)]) {
                $0.timeouts.connect = GuardSettings.Timeouts.second / 5
            } _: { scene in
                let refusal = try await scene.refusal()
                #expect(refusal?.code == "08006")
                #expect(refusal?.message.contains("no answer in time") == true)
                try await eventually("its connection is closed") { fake.connectionCount == 0 ? true : nil }
            }
        }
    }
}
