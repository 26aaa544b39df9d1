import Decide
import NIOCore
import Testing

@testable import PGWire

/// `ServerAuthentication` logging in to `ClientAuthentication`: the guard before the guard.
@Suite("Authentication, face to face")
struct AuthenticationExchangeTests {
    private typealias Scene = AuthenticationScene
    typealias Method = ClientAuthentication.Method
    typealias Credential = ServerAuthentication.Credential

    enum Stored: CaseIterable, Sendable {
        case plain, prepared, md5, scram, nothing

        func secret(_ password: String = "pässword") throws -> StoredSecret? {
            let bytes = SecretBytes(password.utf8)
            return switch self {
            case .plain: .plain(bytes)
            case .prepared: try StoredSecret.plain(bytes).prepared(for: "alice", mock: AuthenticationScene.mock)
            case .md5: .md5(MD5Secret(password: bytes, user: "alice"))
            case .scram: .scram(try AuthenticationScene.verifier(password))
            case .nothing: nil
            }
        }
    }

    static let all: [(Method, Stored)] = [Method.trust, .cleartext, .md5, .scramSHA256].flatMap { method in
        Stored.allCases.map { (method, $0) }
    }

    /// Frames of door and visitor; E is an ErrorResponse. SCRAM for a stored MD5 hash cannot work.
    static func expected(_ method: Method, _ stored: Stored, isRight: Bool) -> String {
        switch (method, stored) {
        case (.trust, _): "R"
        case (_, .nothing), (.scramSHA256, .md5): method == .scramSHA256 ? "RpRpE" : "RpE"
        case (.scramSHA256, _), (.md5, .scram): isRight ? "RpRpRR" : "RpRpE"
        default: isRight ? "RpR" : "RpE"
        }
    }

    @Test("the right password comes in by every method that its stored form allows", arguments: all)
    func right(method: Method, stored: Stored) throws {
        let meeting = try Scene.meet(
            Scene.door(method, stored.secret()), Scene.visitor(.password(Scene.secret("pässword"))))
        let spoken = Self.expected(method, stored, isRight: true)
        #expect(meeting.spoken == spoken)
        #expect(meeting.isIn == !spoken.hasSuffix("E"))
    }

    @Test("a wrong password never does, and whoever asks is told the same", arguments: all)
    func wrong(method: Method, stored: Stored) throws {
        guard method != .trust else { return }
        let meeting = try Scene.meet(
            Scene.door(method, stored.secret()), Scene.visitor(.password(Scene.secret("Pässword"))))
        #expect(meeting.spoken == Self.expected(method, stored, isRight: false))
        #expect(!meeting.isIn)
        #expect(meeting.door.error == .wrongPassword(user: "alice"))
        #expect(meeting.refusal?.sqlState == "28P01")
        #expect(meeting.refusal?.message == "password authentication failed for user \"alice\"")
        let reason: ClientAuthentication.Reason =
            switch (method, stored) {
            case (_, .nothing): .noSecret
            case (.scramSHA256, .md5): .secretDoesNotFit
            default: .wrongPassword
            }
        #expect(meeting.reason == reason)
    }

    @Test("an expired password is a wrong one, at the same questions", arguments: all)
    func expired(method: Method, stored: Stored) throws {
        guard method != .trust, stored != .nothing else { return }
        let visitor = Scene.visitor(.password(Scene.secret("pässword")))
        let late = try Scene.meet(
            Scene.door(method, stored.secret(), validUntil: Scene.now - Span(milliseconds: 1)), visitor)
        #expect(late.door.error == .wrongPassword(user: "alice"))
        #expect(late.reason == .expired)
        #expect(late.spoken == Self.expected(method, stored, isRight: false))
        let inTime = try Scene.meet(Scene.door(method, stored.secret(), validUntil: Scene.now), visitor)
        #expect(inTime.spoken == Self.expected(method, stored, isRight: true))
    }

    @Test("what was learned of the client opens a server that stores the same", arguments: all)
    func passThrough(method: Method, stored: Stored) throws {
        let visitor = Scene.visitor(.password(Scene.secret("pässword")))
        let meeting = try Scene.meet(Scene.door(method, stored.secret()), visitor)
        guard let learned = meeting.learned else { return }
        switch (method, stored) {
        case (.trust, _): #expect(learned == .none)
        case (.cleartext, _), (_, .plain), (_, .prepared): #expect(learned == .password(Scene.secret("pässword")))
        case (.md5, .md5): #expect(try .md5(learned) == stored.secret().map(Kind.init))
        default: #expect(try .scram(learned) == stored.secret().map(Kind.init))
        }
        guard method != .trust else { return }
        let server = try Scene.meet(Scene.door(method, stored.secret()), Scene.visitor(learned))
        #expect(server.isIn)
    }

    /// A stored secret and a credential are of one kind.
    enum Kind: Equatable {
        case md5, scram, other

        init(_ secret: StoredSecret) {
            self =
                switch secret {
                case .md5: .md5
                case .scram: .scram
                case .plain: .other
                }
        }

        static func md5(_ credential: Credential) -> Kind { if case .md5 = credential { .md5 } else { .other } }
        static func scram(_ credential: Credential) -> Kind { if case .scram = credential { .scram } else { .other } }
    }

    @Test("keys of one verifier do not open another, though the password is the same")
    func otherVerifier() throws {
        let door = Scene.door(.scramSHA256, .scram(try Scene.verifier("pässword")))
        let learned = try #require(
            try Scene.meet(door, Scene.visitor(.password(Scene.secret("pässword")))).learned)
        let other = Scene.door(.scramSHA256, .scram(try Scene.verifier("pässword", iterations: 4_097)))
        let meeting = try Scene.meet(other, Scene.visitor(learned))
        #expect(!meeting.isIn)
        #expect(meeting.refusal?.code == .untrustedServer)
    }

    @Test("keys of an earlier log-in are handed back, and spare the derivation")
    func keysAreKept() throws {
        let door = Scene.door(.scramSHA256, .scram(try Scene.verifier("pässword")))
        let password = Credential.password(Scene.secret("pässword"))
        let first = try Scene.meet(door, Scene.visitor(password))
        let keys = try #require(first.keys)
        let second = try Scene.meet(door, Scene.visitor(password, knownKeys: keys))
        #expect(second.keys == keys)
        // A changed verifier has another salt or count; then the password is there.
        let changed = Scene.door(.scramSHA256, .scram(try Scene.verifier("pässword", iterations: 5_000)))
        #expect(try Scene.meet(changed, Scene.visitor(password, knownKeys: keys)).isIn)
    }

    @Test("a verifier too dear to derive serves SCRAM, and refuses cleartext as a wrong password")
    func dearVerifier() throws {
        let cheap = try Scene.verifier("pässword")
        let dear = ScramVerifier(
            salt: cheap.salt, iterations: ScramKeys.iterationLimit + 1, storedKey: cheap.storedKey,
            serverKey: cheap.serverKey)
        let meeting = try Scene.meet(
            Scene.door(.cleartext, .scram(dear)), Scene.visitor(.password(Scene.secret("pässword"))))
        #expect(meeting.door.error == .wrongPassword(user: "alice"))
        #expect(meeting.reason == .secretDoesNotFit)
        // The client derives, not we; ours refuses, as a client's own limit.
        let scram = try Scene.meet(
            Scene.door(.scramSHA256, .scram(dear)), Scene.visitor(.password(Scene.secret("pässword"))))
        #expect(scram.spoken == "RpR")
        #expect(scram.refusal?.code == .unsupported)
    }

    @Test("a password that SASLprep makes equal is equal for SCRAM, and for nothing else")
    func normalised() throws {
        let decomposed = Credential.password(Scene.secret("pa\u{308}ssword\u{AD}"))
        for stored in [Stored.plain, .prepared, .scram] {
            #expect(try Scene.meet(Scene.door(.scramSHA256, stored.secret()), Scene.visitor(decomposed)).isIn)
        }
        #expect(try !Scene.meet(Scene.door(.md5, Stored.md5.secret()), Scene.visitor(decomposed)).isIn)
        #expect(try !Scene.meet(Scene.door(.cleartext, Stored.plain.secret()), Scene.visitor(decomposed)).isIn)
    }

    @Test("an unknown user is asked with the same salt each time, another with another")
    func mockSalt() throws {
        func salt(_ user: String) throws -> ArraySlice<UInt8> {
            var door = ClientAuthentication(
                method: .scramSHA256, account: .init(user: user, secret: nil), isEncrypted: true,
                chance: Scene.chance, mock: Scene.mock)
            _ = door.begin(at: Scene.now)
            let payload = try Scene.payload {
                $0.writePGSASLInitialResponse(mechanism: "SCRAM-SHA-256", data: Array("n,,n=,r=abc".utf8))
            }
            let bytes = try #require(door.receive(type: UInt8(ascii: "p"), payload: payload).bytes)
            let text = try #require(try Scene.frames(bytes).first).bytes.dropFirst(4)
            let fields = text.split(separator: UInt8(ascii: ","))
            #expect(fields.count == 3)
            #expect(fields[2].elementsEqual("i=4096".utf8))
            return fields[1]
        }
        #expect(try salt("nobody") == salt("nobody"))
        #expect(try salt("nobody") != salt("noone"))
        #expect(try salt("nobody").count == "s=".utf8.count + 24)
    }
}
