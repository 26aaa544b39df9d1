import EndToEndSupport
import Guard
import NIOCore
import NIOSSL
import PGWire
import TestSupport
import Testing

/// Encryption between clients and the guard.
@Suite("Guard: TLS towards clients", .enabled(if: TestAuthority.isPossible, "needs openssl"))
struct ClientTLSTests {
    /// A guard with a certificate for `localhost`, before a server that lets everybody in.
    private func withGuard(
        isRequired: Bool = false, _ body: (GuardScene, TestAuthority) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory("guard-tls") { directory in
            let authority = try await TestAuthority.make(in: directory)
            let issued = try await authority.issue(for: ["DNS:localhost"])
            try await FakePostgres.run { fake in
                try await GuardScene.run(before: [fake.target]) {
                    $0.tls = .files(certificate: issued.certificate, key: issued.key, isRequired: isRequired)
                } _: {
                    try await body($0, authority)
                }
            }
        }
    }

    private func encrypted(_ scene: GuardScene, trusting certificate: String, as host: String) async throws
        -> WireClient
    {
        let client = try await WireClient.connect(scene.port)
        try await client.send { $0.writePGSSLRequest() }
        #expect(try await client.byte() == "S")
        try await client.encrypt(trusting: certificate, as: host)
        return client
    }

    @Test("a client checks the certificate and works under TLS", arguments: [false, true])
    func works(isRequired: Bool) async throws {
        try await withGuard(isRequired: isRequired) { scene, authority in
            let client = try await encrypted(scene, trusting: authority.certificate, as: "localhost")
            try await client.logIn()
            #expect(try await client.query("SELECT 'a'").rows == [["a"]])
            let big = String(repeating: "x", count: 200_000)
            #expect(try await client.query("SELECT '\(big)'").rows == [[big]])
            await client.close()
            try await scene.comesToRest()
        }
    }

    @Test("a client that expects another name, or another authority, leaves; the others go on")
    func distrust() async throws {
        try await withGuard { scene, authority in
            try await withTemporaryDirectory("stranger") { directory in
                let stranger = try await TestAuthority.make("stranger", in: directory)
                try await scene.unnoticed {
                    for (certificate, host) in [
                        (authority.certificate, "elsewhere"), (stranger.certificate, "localhost"),
                    ] {
                        let client = try await encrypted(scene, trusting: certificate, as: host)
                        await #expect(throws: (any Error).self) { try await client.logIn() }
                        await client.close()
                    }
                }
            }
        }
    }

    @Test("where TLS is needed, a client without it gets 28000")
    func required() async throws {
        try await withGuard(isRequired: true) { scene, _ in
            let refusal = try #require(try await scene.refusal())
            #expect(refusal.code == "28000")
            #expect(refusal.severity == .fatal)
            #expect(refusal.message.contains("sslmode=require"))
        }
    }

    @Test("where TLS is offered only, a client may do without")
    func offered() async throws {
        try await withGuard { scene, _ in
            let refusal = try await scene.refusal()
            #expect(refusal == nil)
        }
    }

    @Test("without a certificate the answer is N, and the client goes on in the clear")
    func notOffered() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                let client = try await WireClient.connect(scene.port)
                try await client.send { $0.writePGSSLRequest() }
                #expect(try await client.byte() == "N")
                try await client.send { $0.writeGSSENCRequest() }
                #expect(try await client.byte() == "N")
                try await client.logIn()
                #expect(try await client.query("SELECT 'a'").rows == [["a"]])
            }
        }
    }

    @Test("GSSAPI is declined, and TLS follows on the same connection")
    func afterGSS() async throws {
        try await withGuard(isRequired: true) { scene, authority in
            let client = try await WireClient.connect(scene.port)
            try await client.send { $0.writeGSSENCRequest() }
            #expect(try await client.byte() == "N")
            try await client.send { $0.writePGSSLRequest() }
            #expect(try await client.byte() == "S")
            try await client.encrypt(trusting: authority.certificate, as: "localhost")
            try await client.logIn()
            #expect(try await client.query("SELECT 'a'").rows == [["a"]])
        }
    }

    @Test("words put before the encrypted ones end the connection", arguments: [false, true])
    func early(isGSS: Bool) async throws {
        try await withGuard { scene, _ in
            let client = try await WireClient.connect(scene.port)
            try await client.send { bytes in
                if isGSS { bytes.writeGSSENCRequest() } else { bytes.writePGSSLRequest() }
                bytes.writePGStartupMessage(parameters: [.init(name: "user", value: "postgres")])
            }
            let answer = try await client.answer()
            #expect(answer.states == ["08P01"] && answer.status == nil)
            #expect(answer.errors.first?.message.contains("unencrypted data after") == true)
        }
    }

    @Test("after S only TLS is understood: a start-up message in the clear ends the connection")
    func clearAfterS() async throws {
        try await withGuard { scene, _ in
            try await scene.unnoticed {
                let client = try await WireClient.connect(scene.port)
                try await client.send { $0.writePGSSLRequest() }
                #expect(try await client.byte() == "S")
                try await client.startUp(user: "postgres", database: "postgres")
                // TLS has an alert of its own for it, which is no message of PostgreSQL's.
                while try await client.next(.byte) != nil {}
            }
            #expect(try await scene.counters.logins == 1)
        }
    }
}

extension ByteBuffer {
    mutating func writeGSSENCRequest() {
        writeInteger(Int32(8))
        writeInteger(Int32(80_877_104))
    }
}
