import Decide
import NIOCore
import Testing

@testable import PGWire

@Suite("Authentication that goes wrong")
struct AuthenticationRefusalTests {
    private typealias Scene = AuthenticationScene
    private static let response = UInt8(ascii: "p")
    private static let request = UInt8(ascii: "R")

    // MARK: A client that misbehaves

    /// A door of this method, its first question asked.
    private static func open(
        _ method: ClientAuthentication.Method, isEncrypted: Bool = true
    ) -> ClientAuthentication {
        var door = Scene.door(method, .plain(Scene.secret("secret")), isEncrypted: isEncrypted)
        _ = door.begin(at: Scene.now)
        return door
    }

    @Test("cleartext is not asked for without TLS")
    func cleartextWithoutTLS() throws {
        var door = Scene.door(.cleartext, .plain(Scene.secret("secret")), isEncrypted: false)
        guard case .fail(let bytes, let error, .notEncrypted) = door.begin(at: Scene.now) else {
            Issue.record("asked")
            return
        }
        #expect(error.sqlState == "28000")
        #expect(try Scene.frames(bytes).map(\.type) == [UInt8(ascii: "E")])
        let fields = try ErrorFields(parsing: Scene.frames(bytes)[0].payload)
        #expect(fields == ErrorFields(severity: .fatal, code: "28000", message: error.message))
    }

    @Test(
        "a password message that is none is refused",
        arguments: [
            ([], "08P01"), ([97], "08P01"), ([0], "28P01"), ([97, 0, 97, 0], "08P01"), ([97, 0, 0], "08P01"),
            (Array(repeating: 97, count: 8_192), "08P01"), (Array(repeating: 97, count: 8_193), "08P01"),
            (Array(repeating: 97, count: 8_191) + [0], "28P01"),
        ] as [([UInt8], String)])
    func passwords(bytes: [UInt8], sqlState: String) {
        for method in [ClientAuthentication.Method.cleartext, .md5] {
            var door = Self.open(method)
            let action = door.receive(type: Self.response, payload: ByteBuffer(bytes: bytes))
            #expect(action.error?.sqlState == sqlState)
        }
    }

    @Test(
        "an initial SASL response that is none is refused",
        arguments: [
            [], Array("SCRAM-SHA-256".utf8), Array("SCRAM-SHA-256\0".utf8), Array("SCRAM-SHA-256-PLUS\0".utf8),
            Array("SCRAM-SHA-256\0".utf8) + [0xFF, 0xFF, 0xFF, 0xFF],
            Array("SCRAM-SHA-256\0".utf8) + [0, 0, 0, 12] + Array("n,,n=,r=abc".utf8),
            Array("SCRAM-SHA-256\0".utf8) + [0, 0, 0, 10] + Array("n,,n=,r=abc".utf8),
            Array("scram-sha-256\0".utf8) + [0, 0, 0, 11] + Array("n,,n=,r=abc".utf8),
            Array("\0".utf8) + [0, 0, 0, 11] + Array("n,,n=,r=abc".utf8),
            Array("SCRAM-SHA-256\0".utf8) + [0, 0, 4, 0] + Array(repeating: 97, count: 1_024),
        ] as [[UInt8]])
    func initialResponses(bytes: [UInt8]) {
        var door = Self.open(.scramSHA256)
        let action = door.receive(type: Self.response, payload: ByteBuffer(bytes: bytes))
        #expect(action.error?.sqlState == "08P01")
    }

    @Test("any other message ends it", arguments: Array("QSPBEXFdcHC".unicodeScalars))
    func otherMessages(type: Unicode.Scalar) {
        for method in [ClientAuthentication.Method.cleartext, .md5, .scramSHA256] {
            var door = Self.open(method)
            guard case .fail(let bytes, _, let reason) = door.receive(type: UInt8(ascii: type), payload: ByteBuffer())
            else {
                Issue.record("went on")
                return
            }
            #expect(reason == (type == "X" ? .clientLeft : .malformed))
            #expect((bytes.readableBytes == 0) == (type == "X"))
        }
    }

    @Test("nothing comes after the end, and nothing before the beginning")
    func outOfTurn() throws {
        let password = try Scene.payload { $0.writePGPasswordMessage("secret".utf8) }
        var door = Scene.door(.cleartext, .plain(Scene.secret("secret")))
        #expect(door.receive(type: Self.response, payload: password).error?.code == .protocolViolation)
        #expect(door.begin(at: Scene.now).error != nil)
        door = Self.open(.cleartext)
        guard case .done = door.receive(type: Self.response, payload: password) else {
            Issue.record("the right password was refused")
            return
        }
        #expect(door.receive(type: Self.response, payload: password).error?.code == .protocolViolation)
        door = Self.open(.cleartext)
        _ = door.receive(type: Self.response, payload: try Scene.payload { $0.writePGPasswordMessage("x".utf8) })
        #expect(door.receive(type: Self.response, payload: password).error?.code == .protocolViolation)
    }

    @Test("a long name is cut as PostgreSQL cuts it")
    func longNames() {
        let name = String(repeating: "ü", count: 100)
        let message = WireError.wrongPassword(user: name).message
        #expect(message == "password authentication failed for user \"\(String(repeating: "ü", count: 31))\"")
    }

    // MARK: A server that misbehaves

    private static func password(_ kind: UInt8, _ rest: [UInt8] = []) -> ByteBuffer {
        ByteBuffer(bytes: [0, 0, 0, kind] + rest)
    }

    private static let sasl = password(10, Array("SCRAM-SHA-256\0\0".utf8))

    @Test("the password is not sent in clear, but over TLS or by leave")
    func cleartextToServer() {
        let credential = ServerAuthentication.Credential.password(Scene.secret("secret"))
        var visitor = Scene.visitor(credential, isEncrypted: false)
        #expect(visitor.receive(type: Self.request, payload: Self.password(3)).error?.code == .untrustedServer)
        visitor = Scene.visitor(credential, policy: .init(allowsCleartextWithoutTLS: true), isEncrypted: false)
        guard case .send = visitor.receive(type: Self.request, payload: Self.password(3)) else {
            Issue.record("not sent")
            return
        }
    }

    @Test(
        "methods that are not accepted are refused",
        arguments: [(0, []), (3, []), (5, [1, 2, 3, 4])] as [(UInt8, [UInt8])])
    func policy(kind: UInt8, rest: [UInt8]) {
        var visitor = Scene.visitor(
            .password(Scene.secret("secret")), policy: .init(accepted: [.scramSHA256]))
        let action = visitor.receive(type: Self.request, payload: Self.password(kind, rest))
        #expect(action.error?.code == .untrustedServer)
    }

    @Test("a credential that does not fit the request is not tried")
    func lacking() throws {
        let keys = try ScramKeys(password: Scene.secret("a"), salt: [1], iterations: 1)
        let md5 = MD5Secret(password: Scene.secret("a"), user: "alice")
        let table: [(ServerAuthentication.Credential, ByteBuffer)] = [
            (.none, Self.password(3)), (.none, Self.password(5, [0, 0, 0, 0])), (.none, Self.sasl),
            (.md5(md5), Self.password(3)), (.md5(md5), Self.sasl), (.scram(keys), Self.password(3)),
            (.scram(keys), Self.password(5, [0, 0, 0, 0])), (.password(Scene.secret("")), Self.password(3)),
            (.password(Scene.secret("a\0b")), Self.password(3)),
        ]
        for (credential, payload) in table {
            var visitor = Scene.visitor(credential)
            #expect(visitor.receive(type: Self.request, payload: payload).error?.code == .notAuthorized)
        }
    }

    @Test("a server may not skip its proof, nor parts of it, nor ask twice")
    func skipped() throws {
        let ok = Self.password(0)
        let credential = ServerAuthentication.Credential.password(Scene.secret("secret"))
        func visitor(after requests: ByteBuffer...) -> ServerAuthentication {
            var visitor = Scene.visitor(credential)
            for request in requests { _ = visitor.receive(type: Self.request, payload: request) }
            return visitor
        }
        let whole = Array(Scene.serverNonce.text) + Array("x".utf8)
        let next = Self.password(11, Array("r=".utf8) + whole + Array(",s=AAAA,i=1".utf8))
        var machine = visitor(after: Self.sasl)
        #expect(machine.receive(type: Self.request, payload: ok).error?.code == .untrustedServer)
        machine = visitor(after: Self.sasl, next)
        #expect(machine.receive(type: Self.request, payload: ok).error?.code == .untrustedServer)
        machine = visitor(after: Self.sasl, next)
        let badProof = Self.password(12, Array("v=AAAA".utf8))
        #expect(machine.receive(type: Self.request, payload: badProof).error?.code == .untrustedServer)
        #expect(machine.receive(type: Self.request, payload: ok).error != nil)
        let outOfTurn: [([ByteBuffer], ByteBuffer)] = [
            ([], next), ([], badProof), ([Self.sasl], Self.sasl), ([Self.sasl], Self.password(3)),
            ([Self.sasl], badProof), ([Self.sasl, next], next), ([Self.password(3)], Self.password(5, [1, 2, 3, 4])),
            ([Self.password(3)], Self.password(3)), ([Self.password(5, [1, 2, 3, 4])], Self.sasl), ([ok], ok),
        ]
        for (before, request) in outOfTurn {
            var machine = Scene.visitor(credential)
            for payload in before { _ = machine.receive(type: Self.request, payload: payload) }
            #expect(machine.receive(type: Self.request, payload: request).error?.code == .protocolViolation)
        }
    }

    @Test(
        "requests that are malformed or not supported are refused",
        arguments: [
            ([], WireError.Code.protocolViolation), ([0, 0, 0], .protocolViolation),
            ([0, 0, 0, 0, 0], .protocolViolation), ([0, 0, 0, 5], .protocolViolation),
            ([0, 0, 0, 5, 1, 2, 3], .protocolViolation), ([0, 0, 0, 5, 1, 2, 3, 4, 5], .protocolViolation),
            ([0, 0, 0, 2], .unsupported), ([0, 0, 0, 7], .unsupported), ([0, 0, 0, 9], .unsupported),
            ([0xFF, 0, 0, 0], .unsupported), ([0, 0, 0, 10], .unsupported), ([0, 0, 0, 10, 0], .unsupported),
            ([0, 0, 0, 10] + Array("SCRAM-SHA-256-PLUS\0\0".utf8), .unsupported),
            (Array(repeating: 0, count: 30_001), .tooLarge),
        ] as [([UInt8], WireError.Code)])
    func requests(bytes: [UInt8], code: WireError.Code) {
        var visitor = Scene.visitor(.password(Scene.secret("secret")))
        #expect(visitor.receive(type: Self.request, payload: ByteBuffer(bytes: bytes)).error?.code == code)
    }

    @Test("the server's own words are passed on, notices are not answered, anything else ends it")
    func otherFrames() throws {
        let fields = ErrorFields(severity: .fatal, code: "53300", message: "too many clients", hint: "wait")
        var visitor = Scene.visitor(.none)
        #expect(visitor.receive(type: UInt8(ascii: "N"), payload: ByteBuffer()) == .wait)
        let action = visitor.receive(
            type: UInt8(ascii: "E"), payload: try Scene.payload { $0.writePGErrorResponse(fields) })
        #expect(action == .fail(WireError(.refusedByServer, sqlState: "53300", "too many clients"), fields))
        #expect(visitor.receive(type: Self.request, payload: Self.password(0)).error?.code == .protocolViolation)
        for type in "SKZTDCA".unicodeScalars {
            var visitor = Scene.visitor(.none)
            #expect(visitor.receive(type: UInt8(ascii: type), payload: ByteBuffer()).error?.code == .protocolViolation)
        }
    }

    @Test("a server that knows less of the protocol says so first, and once")
    func negotiation() throws {
        let negotiation = ProtocolNegotiation(minorVersion: 0, unknownOptions: ["_pq_.a"])
        let payload = try Scene.payload { $0.writePGNegotiateProtocolVersion(negotiation) }
        var visitor = Scene.visitor(.none)
        #expect(visitor.receive(type: UInt8(ascii: "v"), payload: payload) == .wait)
        #expect(visitor.negotiation == negotiation)
        #expect(visitor.receive(type: UInt8(ascii: "v"), payload: payload).error?.code == .protocolViolation)
    }
}
