import NIOCore
import Testing

@testable import PGWire

/// The exchange of RFC 7677, section 3, and what differs from it.
@Suite("SCRAM-SHA-256")
struct AuthenticationScramTests {
    private static let salt = Base64.decode("W22ZaJ0SNY7soEsUEjb6gQ==".utf8)!
    private static let clientNonce = ScramNonce(example: "rOprNGfwEbeRWgbNEkqO")
    private static let serverNonce = ScramNonce(example: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
    private static let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    private static let clientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    private static let serverFirst = "r=\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    private static let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    private static let clientFinal = "c=biws,r=\(nonce),p=\(proof)"
    private static let serverFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

    private static func keys() throws -> ScramKeys {
        try ScramKeys(password: SecretBytes("pencil".utf8), salt: salt, iterations: 4_096)
    }

    private static func server(isDoomed: Bool = false) throws -> ScramServer {
        ScramServer(verifier: ScramVerifier(try keys()), nonce: serverNonce, isDoomed: isDoomed)
    }

    private static func client(_ credential: ScramClient.Credential? = nil) -> ScramClient {
        ScramClient(
            credential: credential ?? .password(SecretBytes("pencil".utf8), known: nil), nonce: clientNonce,
            user: "user")
    }

    @Test("the client says what the RFC's client says")
    func client() throws {
        var client = Self.client()
        #expect(client.first == Array(Self.clientFirst.utf8))
        #expect(try client.final(Array(Self.serverFirst.utf8)) == Array(Self.clientFinal.utf8))
        #expect(throws: Never.self) { try client.verify(Array(Self.serverFinal.utf8)) }
        #expect(try client.keys == Self.keys())
    }

    @Test("the server says what the RFC's server says, and learns the client's key")
    func server() throws {
        var server = try Self.server()
        #expect(try server.first(Array(Self.clientFirst.utf8)) == Array(Self.serverFirst.utf8))
        let proven = try #require(try server.final(Array(Self.clientFinal.utf8)))
        #expect(proven.serverFinal == Array(Self.serverFinal.utf8))
        #expect(try proven.keys == Self.keys())
    }

    @Test("learned keys serve as well as the password")
    func keysInstead() throws {
        var client = Self.client(.keys(try Self.keys()))
        #expect(try client.final(Array(Self.serverFirst.utf8)) == Array(Self.clientFinal.utf8))
    }

    @Test("keys known from before are used for their own salt and count only")
    func knownKeys() throws {
        let wrong = try ScramKeys(password: SecretBytes("other".utf8), salt: Self.salt, iterations: 4_096)
        var client = Self.client(.password(SecretBytes("pencil".utf8), known: wrong))
        // They are taken at their word: no derivation took place.
        #expect(try client.final(Array(Self.serverFirst.utf8)) != Array(Self.clientFinal.utf8))
        let elsewhere = try ScramKeys(password: SecretBytes("pencil".utf8), salt: Self.salt, iterations: 4_095)
        client = Self.client(.password(SecretBytes("pencil".utf8), known: elsewhere))
        #expect(try client.final(Array(Self.serverFirst.utf8)) == Array(Self.clientFinal.utf8))
        client = Self.client(.keys(elsewhere))
        #expect(throws: WireError.self) { try client.final(Array(Self.serverFirst.utf8)) }
    }

    @Test("a doomed exchange looks like any other, and ends as a wrong password does")
    func doomed() throws {
        var server = try Self.server(isDoomed: true)
        #expect(try server.first(Array(Self.clientFirst.utf8)) == Array(Self.serverFirst.utf8))
        #expect(try server.final(Array(Self.clientFinal.utf8)) == nil)
    }

    @Test(
        "a client's first message may bind nothing and name anyone",
        arguments: ["n,,n=,r=x", "y,,n=,r=x", "n,,n=someone else,r=x", "n,,n=,r=x,a=1,b=2", "n,,n=,r=!~+/"])
    func goodFirst(text: String) throws {
        var server = try Self.server()
        #expect(throws: Never.self) { try server.first(Array(text.utf8)) }
    }

    @Test(
        "other first messages are refused",
        arguments: [
            ("", "08P01"), ("n", "08P01"), ("n,,", "08P01"), ("n,,n=", "08P01"), ("n,,n=,", "08P01"),
            ("n,,n=,r=", "08P01"), ("n,,r=x,n=", "08P01"), ("n,,n=,r=x,", "08P01"), ("n,,n=,r=x,=1", "08P01"),
            ("n,,n=,r=x,1=1", "08P01"), ("n,,n=,r=a b", "08P01"), ("n,,n=,r=ä", "08P01"), ("n,,n=,r=x\0", "08P01"),
            ("N,,n=,r=x", "08P01"), ("nx,n=,r=x", "08P01"), ("n,xn=,r=x", "08P01"), ("n;,n=,r=x", "08P01"),
            ("n,a=root,n=,r=x", "0A000"), ("p=tls-server-end-point,,n=,r=x", "0A000"), ("n,,m=1,n=,r=x", "0A000"),
            ("n,,n=,r=" + String(repeating: "x", count: 1_100), "08P01"),
        ])
    func badFirst(text: String, sqlState: String) throws {
        var server = try Self.server()
        let error = #expect(throws: WireError.self) { try server.first(Array(text.utf8)) }
        #expect(error?.sqlState == sqlState)
    }

    @Test(
        "other final messages are refused",
        arguments: [
            "", "c=biws", "c=biws,", "c=biws,r=\(nonce)", "c=biws,r=\(nonce),", "c=biws,r=\(nonce),p=",
            "c=eSws,r=\(nonce),p=\(proof)", "c=,r=\(nonce),p=\(proof)", "c=cD0s,r=\(nonce),p=\(proof)",
            "c=biws,r=\(nonce)x,p=\(proof)", "c=biws,r=\(nonce.dropLast()),p=\(proof)",
            "c=biws,r=%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=\(proof)", "c=biws,r=,p=\(proof)",
            "c=biws,r=\(nonce),p=\(proof),x=1", "c=biws,r=\(nonce),p=\(proof.dropLast())",
            "c=biws,r=\(nonce),p=\(proof),", "c=biws,r=\(nonce),p=AAAA", "c=biws,r=\(nonce),p=\(proof)\(proof)",
            "r=\(nonce),c=biws,p=\(proof)", "c=biws,r=\(nonce),x=" + String(repeating: "y", count: 1_000),
            // The last digit's filling bits are not zero: another spelling of the same bytes.
            "c=biws,r=\(nonce),p=\(proof.dropLast(2))R=",
        ])
    func badFinal(text: String) throws {
        var server = try Self.server()
        _ = try server.first(Array(Self.clientFirst.utf8))
        let error = #expect(throws: WireError.self) { _ = try server.final(Array(text.utf8)) }
        #expect(error?.sqlState == "08P01")
    }

    @Test("extensions before the proof are signed, so they need another proof")
    func extensions() throws {
        var server = try Self.server()
        _ = try server.first(Array(Self.clientFirst.utf8))
        #expect(try server.final(Array("c=biws,r=\(Self.nonce),x=1,p=\(Self.proof)".utf8)) == nil)
    }

    @Test("y is answered by eSws, and nothing else")
    func couldBind() throws {
        var server = try Self.server()
        _ = try server.first(Array("y,,n=user,r=rOprNGfwEbeRWgbNEkqO".utf8))
        #expect(throws: WireError.self) { _ = try server.final(Array(Self.clientFinal.utf8)) }
        #expect(try server.final(Array("c=eSws,r=\(Self.nonce),p=\(Self.proof)".utf8)) == nil)
    }

    @Test(
        "the client refuses what a server must not say first",
        arguments: [
            "", "r=\(nonce)", "r=\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==", "r=rOprNGfwEbeRWgbNEkqO,s=AAAA,i=1",
            "r=other%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=AAAA,i=1", "r=\(nonce) x,s=AAAA,i=1", "r=\(nonce),s=,i=1",
            "r=\(nonce),s=AAA,i=1", "r=\(nonce),s=AAAA,i=0", "r=\(nonce),s=AAAA,i=-1", "r=\(nonce),s=AAAA,i=1x",
            "r=\(nonce),s=AAAA,i=", "r=\(nonce),s=AAAA,i=100001", "r=\(nonce),s=AAAA,i=2147483648",
            "r=\(nonce),s=AAAA,i=99999999999999999999", "m=x,r=\(nonce),s=AAAA,i=1", "e=other-error",
            "r=\(nonce),s=AAAA,i=1,", "r=\(nonce),s=\(String(repeating: "AAAA", count: 90)),i=1",
            "r=\(nonce),s=\(String(repeating: "AAAA", count: 600)),i=1",
        ])
    func badServerFirst(text: String) {
        var client = Self.client()
        #expect(throws: WireError.self) { _ = try client.final(Array(text.utf8)) }
    }

    @Test(
        "the client believes no other proof",
        arguments: [
            "", "v=", "v=AAAA", "e=invalid-proof", "x=\(serverFinal.dropFirst(2))", "\(serverFinal),",
            "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=",
            "x=1,\(serverFinal)", serverFinal + String(repeating: " ", count: 3_000),
        ])
    func badServerFinal(text: String) throws {
        var client = Self.client()
        _ = try client.final(Array(Self.serverFirst.utf8))
        #expect(throws: WireError.self) { try client.verify(Array(text.utf8)) }
    }

    @Test("a proof before its time is none")
    func earlyProof() {
        #expect(throws: WireError.self) { try Self.client().verify(Array(Self.serverFinal.utf8)) }
    }

    @Test("nonces are 24 bytes in base64")
    func nonces() {
        #expect(ScramNonce(0, 0, 0).text == Array(String(repeating: "A", count: 32).utf8))
        #expect(ScramNonce(0x0001_0203_0405_0607, .max, 0).text == Array("AAECAwQFBgf//////////wAAAAAAAAAA".utf8))
    }

    @Test(
        "base64 has one spelling",
        arguments: [
            ("", []), ("AA==", [0]), ("AAA=", [0, 0]), ("AAAA", [0, 0, 0]), ("+/+/", [251, 255, 191]),
            ("Zm9vYmE=", Array("fooba".utf8)),
        ] as [(String, [UInt8])])
    func base64(text: String, bytes: [UInt8]) {
        #expect(Base64.decode(text.utf8) == bytes)
        #expect(Base64.encode(bytes) == Array(text.utf8))
    }

    @Test(
        "base64 in any other spelling is none",
        arguments: ["A", "AA", "AAA", "A===", "====", "AB==", "AAB=", "AA=A", "AAAA=", "AA\n==", "AA--", "AA==AA=="])
    func noBase64(text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }
}
