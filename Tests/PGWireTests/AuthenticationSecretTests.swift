import NIOCore
import Testing

@testable import PGWire

@Suite("Stored secrets")
struct AuthenticationSecretTests {
    private typealias Scene = AuthenticationScene

    struct Hash: Sendable {
        var user: String
        var password: String
        var salt: UInt32
        var stored: String
        var response: String
    }

    @Test(
        "MD5 hashes and answers are PostgreSQL's",
        arguments: [
            Hash(
                user: "alice", password: "secret", salt: 0x0102_0304, stored: "md54a0a68b43b6cd5cf266fa02f196e2371",
                response: "md598a0412b9c31436fc53776e863350083"),
            Hash(
                user: "md5user", password: "pa ss\"word", salt: 0, stored: "md56d83fe029488cdb30826e2a142dbfcda",
                response: "md5186d6346b9ed4288562ecc8ffe77c208"),
            Hash(
                user: "ü", password: "pässwörd", salt: 0xFFFE_FDFC, stored: "md5b1fdb3898e58528d72ce44f16612c8e6",
                response: "md5e7941a1cb8d071bcfc475422025861b4"),
        ])
    func md5(hash: Hash) throws {
        let made = MD5Secret(password: Scene.secret(hash.password), user: hash.user)
        let read = try #require(MD5Secret(text: Array(hash.stored.utf8)))
        #expect(made == read)
        #expect(Array("md5".utf8) + made.digits.bytes == Array(hash.stored.utf8))
        #expect(read.response(salt: hash.salt) == Scene.secret(hash.response))
    }

    @Test("a verifier reads as it is written")
    func verifier() throws {
        let verifier = try Scene.verifier("secret")
        #expect(verifier.text.starts(with: Array("SCRAM-SHA-256$4096:".utf8)))
        #expect(ScramVerifier(text: verifier.text) == verifier)
        #expect(StoredSecret(text: String(decoding: verifier.text, as: UTF8.self)) == .scram(verifier))
    }

    private static let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

    @Test(
        "what begins as a verifier and is none is no secret",
        arguments: [
            "SCRAM-SHA-256$", "SCRAM-SHA-256$4096", "SCRAM-SHA-256$4096:AAAA", "SCRAM-SHA-256$4096:AAAA$",
            "SCRAM-SHA-256$4096:AAAA$\(key)", "SCRAM-SHA-256$4096:AAAA$\(key):", "SCRAM-SHA-256$0:AAAA$\(key):\(key)",
            "SCRAM-SHA-256$04096:AAAA$\(key):\(key)", "SCRAM-SHA-256$-1:AAAA$\(key):\(key)",
            "SCRAM-SHA-256$4096:$\(key):\(key)", "SCRAM-SHA-256$4096:AAA$\(key):\(key)",
            "SCRAM-SHA-256$4096:AAAA$AAAA:\(key)", "SCRAM-SHA-256$4096:AAAA$\(key):AAAA",
            "SCRAM-SHA-256$4096:AAAA$\(key):\(key):\(key)", "SCRAM-SHA-256$4096:AAAA$\(key):\(key)$",
            "SCRAM-SHA-256$4096:AAAA:AAAA$\(key):\(key)", "SCRAM-SHA-256$2147483648:AAAA$\(key):\(key)",
            "SCRAM-SHA-256$4096:\(String(repeating: "AAAA", count: 250))$\(key):\(key)", "", "a\0b",
            String(repeating: "a", count: 2_049),
        ])
    func noSecret(text: String) {
        #expect(StoredSecret(text: text) == nil)
    }

    @Test(
        "what is nearly an MD5 hash is a password, as for PostgreSQL",
        arguments: [
            "md5", "md54a0a68b43b6cd5cf266fa02f196e237", "md54a0a68b43b6cd5cf266fa02f196e23711",
            "md54A0A68B43B6CD5CF266FA02F196E2371", "MD54a0a68b43b6cd5cf266fa02f196e2371", "SCRAM-SHA-1$x", "ü",
        ])
    func plain(text: String) {
        #expect(StoredSecret(text: text) == .plain(SecretBytes(text.utf8)))
    }

    @Test("a password is prepared once, with a salt that stays")
    func prepared() throws {
        let secret = try #require(StoredSecret(text: "secret"))
        let prepared = try secret.prepared(for: "alice", mock: Scene.mock)
        guard case .plain(_, let verifier?) = prepared else {
            Issue.record("not prepared")
            return
        }
        #expect(verifier.salt == Scene.mock.verifier(for: "alice").salt)
        #expect(verifier.salt != Scene.mock.verifier(for: "bob").salt)
        #expect(verifier.salt.count == 16)
        #expect(
            verifier.matches(try ScramKeys(password: Scene.secret("secret"), salt: verifier.salt, iterations: 4_096)))
        #expect(try prepared.prepared(for: "bob", mock: Scene.mock) == prepared)
        let scram = StoredSecret.scram(verifier)
        #expect(try scram.prepared(for: "alice", mock: Scene.mock) == scram)
    }

    @Test("a secret to derive from has at least 16 bytes")
    func mockSecret() {
        #expect(MockSecret(Array(repeating: 1, count: 15)) == nil)
        #expect(MockSecret(Array(repeating: 1, count: 16)) != nil)
    }

    @Test("secrets do not show")
    func descriptions() throws {
        let keys = try ScramKeys(password: Scene.secret("hunter2"), salt: [1], iterations: 1)
        let plain = StoredSecret.plain(Scene.secret("hunter2"), verifier: ScramVerifier(keys))
        let account = ClientAuthentication.Account(user: "alice", secret: plain)
        var visitor = Scene.visitor(.password(Scene.secret("hunter2")))
        let action = visitor.receive(type: UInt8(ascii: "R"), payload: ByteBuffer(bytes: [0, 0, 0, 3]))
        var dumped = ""
        dump(account, to: &dumped)
        dump(keys, to: &dumped)
        let texts = ["\(plain)", "\(account)", "\(keys)", "\(visitor)", "\(action)", String(reflecting: plain), dumped]
        // Bytes would show as a list, in decimals or hexadecimal.
        for text in texts {
            for trace in ["hunter2", "104, 117", "68756e", "68 75 6e", "[104"] {
                #expect(!text.contains(trace), "\(text)")
            }
        }
        #expect("\(action)" == "send(13 bytes)")
        #expect(texts[0].contains("(secret)"))
    }

    @Test("secrets are equal byte by byte")
    func equality() {
        #expect(Scene.secret("abc") == Scene.secret("abc"))
        #expect(Scene.secret("") == Scene.secret(""))
        for other in ["", "ab", "abcd", "abd", "Abc"] { #expect(Scene.secret("abc") != Scene.secret(other)) }
    }
}
