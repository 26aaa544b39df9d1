import EndToEndSupport
import Foundation
import Guard
import NIOCore
import PGWire
import TestSupport
import Testing

/// How clients prove to the guard who they are.
@Suite("Guard: clients log in")
struct LoginTests {
    private typealias Method = GuardSettings.Authentication

    private static let password = "correct horse"
    private static let keys = [
        "a0ilMMEvKLEVJAogbnzFMnATbKrHzZ9X2+onW1oyVqY=", "lDg3Tq7OxChnpmsrqCCpVePBcAGjQ625LT1vm93wN8o=",
    ]
    private static let hash = "20632bf8c3914e3c30e8175c88a87242"

    /// The same password, stored in every way.
    private static let users = """
        "plain" "\(password)"
        "proof" "SCRAM-SHA-256$4096:c2l4dGVlbiBieXRlcyBvaw==$\(keys[0]):\(keys[1])"
        "hashy" "md5\(hash)"
        "empty" ""
        """

    /// A guard with TLS, and a server that lets everybody in.
    private func withGuard(_ method: Method, _ body: (GuardScene) async throws -> Void) async throws {
        try await withTemporaryDirectory("guard-login") { directory in
            let issued = try await TestAuthority.make(in: directory).issue()
            try await FakePostgres.run { fake in
                try await GuardScene.run(before: [fake.target]) {
                    $0.authentication = method
                    $0.users = (try? UsersFile.parse(Self.users)) ?? UsersFile()
                    $0.tls = .files(certificate: issued.certificate, key: issued.key, isRequired: false)
                } _: { scene in
                    try await body(scene)
                    for secret in [Self.password, Self.hash] + Self.keys {
                        #expect(!scene.log.text.contains(secret), "a secret is in the log")
                    }
                }
            }
        }
    }

    /// Nil: let in.
    private func refusal(_ scene: GuardScene, _ user: String, _ password: String?) async throws -> ErrorFields? {
        let client = try await WireClient.connect(scene.port)
        try await client.send { $0.writePGSSLRequest() }
        #expect(try await client.byte() == "S")
        try await client.encrypt(trusting: nil, as: nil)
        do {
            try await client.logIn(user: user, password: password, isEncrypted: true)
            #expect(try await client.query("SELECT 'in'").rows == [["in"]])
            await client.close()
            return nil
        } catch let refusal as WireClient.Refusal {
            #expect(try await client.next() == nil, "the connection ends with the refusal")
            return refusal.fields
        }
    }

    @Test(
        "the right password lets in, however it is stored; a wrong one is 28P01, and nobody else notices",
        .enabled(if: TestAuthority.isPossible, "needs openssl"),
        arguments: [GuardSettings.Authentication.cleartext, .md5, .scram])
    func passwords(method: GuardSettings.Authentication) async throws {
        try await withGuard(method) { scene in
            for user in ["plain", "proof", "hashy"] {
                // An MD5 hash cannot prove anything to SCRAM.
                let fits = method != .scram || user != "hashy"
                let good = try await refusal(scene, user, Self.password)
                #expect(good?.code == (fits ? nil : "28P01"), "\(method) \(user): \(good?.message ?? "")")
                for wrong in ["wrong", Self.password + " ", String(repeating: "x", count: 7_000)] {
                    let refused = try await refusal(scene, user, wrong)
                    #expect(refused?.code == "28P01", "\(method) \(user)")
                    #expect(refused?.message == "password authentication failed for user \"\(user)\"")
                    #expect(refused?.severity == .fatal)
                }
            }
            #expect(try await refusal(scene, "empty", "x")?.code == "28P01")
            let counters = try await scene.counters
            #expect(counters.refusedLogins == (method == .scram ? 11 : 10))
            #expect(scene.log.text.contains("a client was not let in"))
        }
    }

    @Test("with trust everybody is let in, with a password or without")
    func trust() async throws {
        try await withGuard(.trust) { scene in
            for (user, password) in [("nobody", nil), ("plain", "wrong")] {
                let refusal = try await refusal(scene, user, password)
                #expect(refusal == nil)
            }
        }
    }

    @Test("a password in clear is not taken without TLS, and is not even asked for")
    func clearWithoutTLS() async throws {
        try await withGuard(.cleartext) { scene in
            let refused = try #require(try await scene.refusal(user: "plain", password: Self.password))
            #expect(refused.code == "28000")
            #expect(refused.message.contains("over TLS only"))
        }
    }

    /// Everything that a user with a wrong password hears, as types, lengths and words; without its name.
    private func heard(_ scene: GuardScene, _ user: String) async throws -> [String] {
        let client = try await WireClient.connect(scene.port)
        var heard: [String] = []
        await #expect(throws: WireClient.Refusal.self) {
            try await client.logIn(user: user, password: "wrong") { frame in
                heard.append("\(frame.type) \(frame.payload.readableBytes)")
                guard frame.type == "E", let fields = try? ErrorFields(parsing: frame.payload) else { return }
                heard.append("\(fields)".replacing(user, with: "*"))
            }
        }
        await client.close()
        return heard
    }

    @Test("an unknown user is told the same as a known one with a wrong password", arguments: ["scram", "md5"])
    func unknown(name: String) async throws {
        let method = name == "md5" ? Method.md5 : .scram
        try await withGuard(method) { scene in
            let known = try await heard(scene, name == "md5" ? "hashy" : "proof")
            #expect(known.count == (name == "md5" ? 3 : 4))
            #expect(try await heard(scene, "ghost") == known)
            #expect(try await heard(scene, "plain") == known)
        }
    }

    @Test("the salt of an unknown user stays the same, as a known one's does")
    func salt() async throws {
        try await withGuard(.scram) { scene in
            for user in ["ghost", "proof"] {
                var salts: Set<String> = []
                for _ in 0..<3 {
                    let client = try await WireClient.connect(scene.port)
                    _ = try? await client.logIn(user: user, password: "wrong") { frame in
                        let text = String(decoding: frame.payload.readableBytesView, as: UTF8.self)
                        for part in text.split(separator: ",") where part.hasPrefix("s=") { salts.insert(String(part)) }
                    }
                    await client.close()
                }
                #expect(salts.count == 1, "\(user): \(salts)")
            }
        }
    }

    @Test(
        "a database that is not configured is told after the right password only",
        arguments: [GuardSettings.Authentication.scram, .md5])
    func unknownDatabase(method: GuardSettings.Authentication) async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.authentication = method
                $0.users = (try? UsersFile.parse(Self.users)) ?? UsersFile()
                $0.databases = ["d": DatabaseSettings(targets: [fake.target])]
            } _: { scene in
                let wrong = try await scene.refusal(user: "plain", database: "d", password: "wrong")
                #expect(wrong?.code == "28P01")
                #expect(try await scene.refusal(user: "plain", database: "no", password: "wrong") == wrong)
                #expect(try await scene.refusal(user: "ghost", database: "no", password: "wrong")?.code == "28P01")
                let told = try await scene.refusal(user: "plain", database: "no", password: Self.password)
                #expect(told?.code == "3D000" && told?.severity == .fatal, "\(String(describing: told))")
            }
        }
    }

    @Test("users in no file are asked for where there is a database, whichever they name")
    func unknownDatabaseOfUnknownUser() async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.answer = { event in
            guard event == .message("S") else { return nil }
            let answer = FakeAnswer.make { bytes in
                bytes.writePGFrame("1")
                bytes.writePGFrame("2")
                bytes.writePGFrame("D") { frame in
                    frame.writeInteger(Int16(2))
                    for value in ["ada", Self.password] {
                        frame.writeInteger(Int32(value.utf8.count))
                        frame.writeString(value)
                    }
                }
                bytes.writeTag("SELECT 1")
                bytes.writeReady()
            }
            return [.send(answer)]
        }
        try await FakePostgres.run(behaviour) { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.authentication = .md5
                $0.authQuery = AuthQuerySettings(user: "asker", password: "x")
                $0.databases = ["d": DatabaseSettings(targets: [fake.target])]
            } _: { scene in
                #expect(try await scene.refusal(user: "ada", database: "d", password: Self.password) == nil)
                for (user, password, state) in [
                    ("ada", Self.password, "3D000"), ("ada", "wrong", "28P01"), ("eve", Self.password, "28P01"),
                ] {
                    let told = try await scene.refusal(user: user, database: "no", password: password)
                    #expect(told?.code == state, "\(user): \(String(describing: told))")
                }
            }
        }
    }

    @Test("the start-up message and the password may come in one breath")
    func pipelined() async throws {
        try await withGuard(.cleartext) { scene in
            let client = try await WireClient.connect(scene.port)
            try await client.send { $0.writePGSSLRequest() }
            #expect(try await client.byte() == "S")
            try await client.encrypt(trusting: nil, as: nil)
            try await client.send { bytes in
                bytes.writePGStartupMessage(
                    parameters: [.init(name: "user", value: "plain"), .init(name: "database", value: "d")])
                bytes.writePGPasswordMessage(Self.password.utf8)
                bytes.writePGQuery("SELECT 'a'")
            }
            let login = try await client.answer()
            #expect(login.types.hasPrefix("RR") && login.status == "I")
            #expect(try await client.answer().rows == [["a"]])
        }
    }
}
