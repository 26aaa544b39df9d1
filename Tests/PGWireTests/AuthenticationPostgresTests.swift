import Foundation
import NIOCore
import Testing

@testable import PGWire

/// Against the real thing: our client logs in to PostgreSQL, and PostgreSQL's client logs in to us.
@Suite("Authentication with PostgreSQL", .enabled(if: AuthenticationPostgres.isPossible))
struct AuthenticationPostgresTests {
    private typealias Scene = AuthenticationScene
    private typealias Credential = ServerAuthentication.Credential

    /// Passwords, and another way to type each that SASLprep makes the same.
    private static let passwords = [
        ("plain", "plain"), ("p\u{E4}ss", "pa\u{308}ss"), ("x²½ﬁ", "x21⁄2fi"), ("a b\u{3000}c", "a\u{A0}b c"),
        ("soft", "so\u{AD}ft"), ("\u{AC01}", "\u{1100}\u{1161}\u{11A8}"), ("שלום", "שלום"),
        // Not to be prepared: taken as they are.
        ("smile e\u{301}\u{1F600}", "smile e\u{301}\u{1F600}"), ("\u{627}1e\u{301}", "\u{627}1e\u{301}"),
    ]

    private static func code(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch let error as WireError {
            return error.sqlState
        } catch {
            return "\(error)"
        }
    }

    @Test("our client comes in by every method, with the right secret only")
    func client() async throws {
        try await AuthenticationSocket.blocking {
            try AuthenticationPostgres.run { postgres in
                _ = try postgres.ask([
                    "SET password_encryption = 'md5'", "CREATE ROLE md5_user LOGIN PASSWORD 'secret'",
                    "SET password_encryption = 'scram-sha-256'", "CREATE ROLE clear_user LOGIN PASSWORD 'secret'",
                    "CREATE ROLE scram_user LOGIN PASSWORD 'secret'",
                    "CREATE ROLE late_user LOGIN PASSWORD 'secret' VALID UNTIL '2001-01-01'",
                ])
                try Self.methods(postgres)
                try Self.texts(postgres)
                try Self.keys(postgres)
                try Self.verifiers(postgres)
            }
        }
    }

    private static func methods(_ postgres: AuthenticationPostgres) throws {
        let (right, wrong) = (Credential.password(Scene.secret("secret")), Credential.password(Scene.secret("Secret")))
        let clear = ServerAuthentication.Policy(allowsCleartextWithoutTLS: true)
        for user in ["md5_user", "clear_user", "scram_user"] {
            let settings = ["SELECT current_user", "SHOW application_name", "SHOW work_mem"]
            #expect(try postgres.ask(settings, as: user, right, policy: clear).answers == [user, "a b", "77kB"])
            #expect(code { _ = try postgres.ask([], as: user, wrong, policy: clear) } == "28P01")
        }
        #expect(code { _ = try postgres.ask([], as: "nobody", right) } == "28P01")
        #expect(code { _ = try postgres.ask([], as: "late_user", right) } == "28P01")
        #expect(code { _ = try postgres.ask([], as: "clear_user", right) } == "28000")
        let hash = Credential.md5(MD5Secret(password: Scene.secret("secret"), user: "md5_user"))
        #expect(try postgres.ask(["SELECT 1"], as: "md5_user", hash).answers == ["1"])
        let strict = ServerAuthentication.Policy(accepted: [.scramSHA256])
        #expect(code { _ = try postgres.ask([], as: "md5_user", right, policy: strict) } == "28000")
        #expect(code { _ = try postgres.ask([], as: "postgres", right, policy: strict) } == "28000")
        #expect(try postgres.ask(["SELECT 1"], as: "scram_user", right, policy: strict).answers == ["1"])
        let negotiated = try postgres.ask(["SELECT 1"], as: "scram_user", right, minorVersion: 9_999)
        #expect((negotiated.negotiation?.minorVersion ?? 9_999) < 9_999)
    }

    private static func texts(_ postgres: AuthenticationPostgres) throws {
        for (index, (stored, typed)) in passwords.enumerated() {
            let user = "text_\(index)"
            _ = try postgres.ask(["CREATE ROLE \(user) LOGIN PASSWORD '\(stored)'"])
            for password in [stored, typed] {
                let answers = try postgres.ask(["SELECT 1"], as: user, .password(Scene.secret(password))).answers
                #expect(answers == ["1"], "\(password.debugDescription)")
            }
        }
    }

    private static func keys(_ postgres: AuthenticationPostgres) throws {
        let password = Credential.password(Scene.secret("secret"))
        let keys = try #require(try postgres.ask([], as: "scram_user", password).keys)
        #expect(try postgres.ask(["SELECT 1"], as: "scram_user", .scram(keys)).answers == ["1"])
        #expect(try postgres.ask([], as: "scram_user", password, knownKeys: keys).keys == keys)
        #expect(code { _ = try postgres.ask([], as: "clear_user", .scram(keys)) } == "28000")
        _ = try postgres.ask(["ALTER ROLE scram_user PASSWORD 'secret'"])
        #expect(code { _ = try postgres.ask([], as: "scram_user", .scram(keys)) } == "28000")
        #expect(try postgres.ask(["SELECT 1"], as: "scram_user", password, knownKeys: keys).answers == ["1"])
    }

    /// What PostgreSQL stores is read, and what we write it takes.
    private static func verifiers(_ postgres: AuthenticationPostgres) throws {
        let secret = "SELECT rolpassword FROM pg_authid WHERE rolname = "
        let stored = try postgres.ask([secret + "'scram_user'", secret + "'md5_user'"]).answers
        guard case .scram(let verifier) = StoredSecret(text: stored[0]) else {
            Issue.record("\(stored[0].prefix(20))… is not read")
            return
        }
        let keys = try ScramKeys(
            password: Scene.secret("secret"), salt: verifier.salt, iterations: verifier.iterations)
        #expect(verifier.matches(keys))
        #expect(verifier.text == Array(stored[0].utf8))
        #expect(
            StoredSecret(text: stored[1]) == .md5(MD5Secret(password: Scene.secret("secret"), user: "md5_user")))
        let ours = String(decoding: try Scene.verifier("ours").text, as: UTF8.self)
        _ = try postgres.ask(["CREATE ROLE ours LOGIN PASSWORD '\(ours)'"])
        #expect(try postgres.ask(["SELECT 1"], as: "ours", .password(Scene.secret("ours"))).answers == ["1"])
    }

    // MARK: psql logs in to us

    /// Serves one connection as `alice` of this secret: lets it in or not, and answers every query with nothing.
    private static func serve(
        _ listener: AuthenticationSocket, _ method: ClientAuthentication.Method, _ secret: StoredSecret?
    ) throws -> Credential? {
        let wire = try listener.accept()
        var packet = try wire.startup()
        while packet == .sslRequest || packet == .gssEncRequest {
            try wire.send(ByteBuffer(string: "N"))
            packet = try wire.startup()
        }
        guard case .startup(let startup) = packet else { throw Scene.Complaint("no start-up: \(packet)") }
        #expect(startup.user == "alice" && startup.database == "shop" && startup.applicationName == "psql")
        #expect(startup.sessionSettings.first == .init(name: "search_path", value: "a"))
        var door = ClientAuthentication(
            method: method, account: .init(user: startup.user, secret: secret), isEncrypted: true,
            chance: Scene.chance, mock: Scene.mock)
        var action = door.begin(at: Scene.now)
        while case .send(let bytes) = action {
            try wire.send(bytes)
            let frame = try wire.frame()
            action = door.receive(type: frame.type, payload: frame.payload)
        }
        if let bytes = action.bytes { try wire.send(bytes) }
        guard case .done(_, let credential) = action else { return nil }
        var ready = ByteBuffer()
        ready.writePGParameterStatus(name: "server_version", value: "15.0")
        ready.writePGParameterStatus(name: "client_encoding", value: "UTF8")
        ready.writePGBackendKeyData(processID: 1, secret: [1, 2, 3, 4])
        ready.writePGReadyForQuery(status: UInt8(ascii: "I"))
        try wire.send(ready)
        while try wire.frame().type == UInt8(ascii: "Q") {
            var answer = ByteBuffer()
            answer.writePGNoticeResponse(ErrorFields(severity: .notice, code: "00000", message: "heard"))
            answer.writePGFrame("I")
            answer.writePGReadyForQuery(status: UInt8(ascii: "I"))
            try wire.send(answer)
        }
        return credential
    }

    private static func visit(
        _ method: ClientAuthentication.Method, _ secret: StoredSecret?, password: String
    ) async throws -> (code: Int32, said: String, learned: Credential?) {
        let folder = FileManager.default.temporaryDirectory.path + "/pgwire-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        async let psql = AuthenticationSocket.blocking { [folder] in
            let listener = try AuthenticationSocket.listen(at: folder + "/.s.PGSQL.5432")
            let client = Client()
            client.start(folder: folder, password: password)
            let learned = try serve(listener, method, secret)
            let said = try client.wait()
            return (said.code, said.said, learned)
        }
        return try await psql
    }

    /// psql on a thread of its own, beside the one that serves it.
    private final class Client: @unchecked Sendable {
        private let lock = NSCondition()
        private var outcome: Result<(code: Int32, said: String), any Error>?

        func start(folder: String, password: String) {
            Thread.detachNewThread { [self] in
                let outcome = Result {
                    try AuthenticationPostgres.psql(folder: folder, user: "alice", password: password, "select 1")
                }
                lock.withLock {
                    self.outcome = outcome
                    lock.broadcast()
                }
            }
        }

        func wait() throws -> (code: Int32, said: String) {
            try lock.withLock {
                while outcome == nil { lock.wait() }
                return try outcome!.get()
            }
        }
    }

    @Test("psql comes in by every method, with the right password only", arguments: AuthenticationExchangeTests.all)
    func libpq(method: ClientAuthentication.Method, stored: AuthenticationExchangeTests.Stored) async throws {
        let secret = try stored.secret()
        let comesIn = AuthenticationExchangeTests.expected(method, stored, isRight: true).hasSuffix("R")
        let right = try await Self.visit(
            method, secret, password: "pa\u{308}ssword".precomposedStringWithCanonicalMapping)
        #expect((right.code == 0) == comesIn, "\(right.said)")
        #expect(right.said.contains(comesIn ? "NOTICE:  heard" : "FATAL:  password authentication failed for user"))
        #expect((right.learned != nil) == comesIn)
        guard method != .trust else { return }
        let wrong = try await Self.visit(method, secret, password: "wrong")
        #expect(wrong.code == 2)
        #expect(wrong.said.contains("FATAL:  password authentication failed for user \"alice\""), "\(wrong.said)")
        #expect(wrong.learned == nil)
    }

    @Test("what psql proved to us opens PostgreSQL: the same verifier on both sides, the password on neither")
    func passThrough() async throws {
        let verifier = try Scene.verifier("pässword")
        let learned = try #require(try await Self.visit(.scramSHA256, .scram(verifier), password: "pässword").learned)
        guard case .scram = learned else {
            Issue.record("no keys were learned")
            return
        }
        try await AuthenticationSocket.blocking {
            try AuthenticationPostgres.run { postgres in
                let text = String(decoding: verifier.text, as: UTF8.self)
                _ = try postgres.ask(["CREATE ROLE alice LOGIN PASSWORD '\(text)'"])
                #expect(try postgres.ask(["SELECT current_user"], as: "alice", learned).answers == ["alice"])
            }
        }
    }
}
