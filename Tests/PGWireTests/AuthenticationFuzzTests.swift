import NIOCore
import Testing

@testable import PGWire

/// Every message of a good log-in, damaged at random: nothing crashes, and nobody gets in by it.
@Suite("Damaged messages")
struct AuthenticationFuzzTests {
    private typealias Scene = AuthenticationScene
    private static let rounds = 400

    private static let packets: [[UInt8]] = [
        Scene.bytes {
            $0.writePGStartupMessage(
                minorVersion: 2,
                parameters: [
                    .init(name: "user", value: "alice"), .init(name: "database", value: "shop"),
                    .init(name: "options", value: #"-c a=1 --b=2 -cc=d\ e"#), .init(name: "_pq_.x", value: "1"),
                    .init(name: "replication", value: "database"),
                ])
        },
        Scene.bytes { $0.writePGSSLRequest() },
        Scene.bytes { $0.writePGCancelRequest(processID: 1, secret: Array(repeating: 7, count: 32)) },
    ]

    @Test(
        "a damaged start-up packet is read, refused, or waited for; never more is taken than it says", arguments: 0..<8)
    func startup(seed: UInt64) {
        var generator = Scene.Generator(seed: seed)
        for round in 0..<Self.rounds {
            for packet in Self.packets {
                let bytes = Scene.mutated(packet, &generator)
                var buffer = ByteBuffer(bytes: bytes)
                do throws(WireError) {
                    let parsed = try StartupPacket.parse(&buffer)
                    let announced = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
                    let taken = bytes.count - buffer.readableBytes
                    #expect(taken == (parsed == nil ? 0 : announced), "seed \(seed), round \(round)")
                } catch {
                    #expect(error.message.utf8.count < 500 && error.sqlState.utf8.count == 5, "seed \(seed)")
                }
            }
        }
    }

    private static func secret(for method: ClientAuthentication.Method) throws -> StoredSecret {
        method == .scramSHA256 ? .scram(try Scene.verifier("secret", iterations: 1)) : .plain(Scene.secret("secret"))
    }

    @Test(
        "a client's damaged messages never let it in",
        arguments: [ClientAuthentication.Method.cleartext, .md5, .scramSHA256], 0..<4 as Range<UInt64>)
    func client(method: ClientAuthentication.Method, seed: UInt64) throws {
        var generator = Scene.Generator(seed: seed)
        let stored = try Self.secret(for: method)
        for round in 0..<Self.rounds / 2 {
            var door = Scene.door(method, stored)
            var visitor = Scene.visitor(.password(Scene.secret("secret")))
            var action = door.begin(at: Scene.now)
            var isDamaged = false
            while case .send(let said) = action {
                let frame = try Scene.frames(said)[0]
                guard case .send(let answer) = visitor.receive(type: frame.type, payload: frame.payload) else { break }
                let payload = try Scene.frames(answer)[0].bytes
                let damages = Int.random(in: 0..<3, using: &generator) > 0
                let sent = damages ? Scene.mutated(payload, &generator) : payload
                isDamaged = isDamaged || sent != payload
                action = door.receive(type: UInt8(ascii: "p"), payload: ByteBuffer(bytes: sent))
            }
            if case .done = action { #expect(!isDamaged, "seed \(seed), round \(round)") }
            if !isDamaged {
                guard case .done = action else {
                    Issue.record("seed \(seed), round \(round): an undamaged log-in failed")
                    continue
                }
            }
        }
    }

    @Test("a server's damaged messages never pass for its proof", arguments: 0..<4 as Range<UInt64>)
    func server(seed: UInt64) throws {
        var generator = Scene.Generator(seed: seed)
        let stored = try Self.secret(for: .scramSHA256)
        for round in 0..<Self.rounds / 4 {
            var door = Scene.door(.scramSHA256, stored)
            // Trust would be a way in for a request that became AuthenticationOk.
            var visitor = Scene.visitor(
                .password(Scene.secret("secret")), policy: .init(accepted: [.scramSHA256]))
            var action = door.begin(at: Scene.now)
            var isProofDamaged = false
            var last = ServerAuthentication.Action.wait
            talk: while let said = action.bytes {
                var answer: ByteBuffer?
                for frame in try Scene.frames(said) {
                    let damages = Int.random(in: 0..<3, using: &generator) == 0
                    let sent = damages ? Scene.mutated(frame.bytes, &generator) : frame.bytes
                    // 11 and 12 are what the server signs; around them, a changed list of mechanisms does no harm.
                    let isSigned = frame.bytes.count > 3 && (11...12).contains(frame.bytes[3])
                    isProofDamaged = isProofDamaged || (sent != frame.bytes && isSigned)
                    last = visitor.receive(type: frame.type, payload: ByteBuffer(bytes: sent))
                    if case .send(let bytes) = last { answer = bytes }
                    if case .fail = last { break talk }
                }
                guard let answer, let reply = try Scene.frames(answer).first else { break }
                action = door.receive(type: reply.type, payload: reply.payload)
            }
            if case .done = last { #expect(!isProofDamaged, "seed \(seed), round \(round)") }
        }
    }

    @Test("damaged errors, negotiations, secrets and users files are read or refused", arguments: 0..<8)
    func others(seed: UInt64) throws {
        var generator = Scene.Generator(seed: seed)
        var fields = ErrorFields(severity: .error, code: "42601", message: "m", detail: "d", hint: "h")
        fields.position = 7
        let error = Array(try Scene.payload { $0.writePGErrorResponse(fields) }.readableBytesView)
        let negotiation = Array(
            try Scene.payload {
                $0.writePGNegotiateProtocolVersion(.init(minorVersion: 2, unknownOptions: ["_pq_.a", "_pq_.b"]))
            }.readableBytesView)
        let verifier = try Scene.verifier("secret", iterations: 1)
        for round in 0..<Self.rounds {
            let damaged = Scene.mutated(verifier.text, &generator)
            // Every spelling of a verifier is the canonical one.
            if let read = ScramVerifier(text: damaged) { #expect(read.text == damaged, "seed \(seed), \(round)") }
            if let read = try? ErrorFields(parsing: ByteBuffer(bytes: Scene.mutated(error, &generator))) {
                #expect(read.written.count <= ErrorFields.countLimit)
            }
            if let read = try? ProtocolNegotiation(parsing: ByteBuffer(bytes: Scene.mutated(negotiation, &generator))) {
                #expect(read.unknownOptions.count <= negotiation.count + 200)
            }
            let text = String(
                decoding: Scene.mutated(Array("\"a\" \"b\"\n;\n\"c\" \"d\"".utf8), &generator), as: UTF8.self)
            if let file = try? UsersFile.parse(text) { #expect(file.count <= 3) }
        }
    }
}
