import Decide
import NIOCore

@testable import PGWire

/// What tests of start-up and authentication share: frames, chance that repeats, and both machines put face to face.
enum AuthenticationScene {
    struct Frame: Equatable, CustomStringConvertible {
        var type: UInt8
        var payload: ByteBuffer

        var bytes: [UInt8] { Array(payload.readableBytesView) }
        var description: String { "\(Character(Unicode.Scalar(type)))\(bytes)" }
    }

    struct Complaint: Error, CustomStringConvertible {
        var description: String

        init(_ description: String) { self.description = description }
    }

    /// SplitMix64.
    struct Generator: RandomNumberGenerator {
        private var state: UInt64

        init(seed: UInt64) { state = seed }

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    static func bytes(_ write: (inout ByteBuffer) -> Void) -> [UInt8] {
        var buffer = ByteBuffer()
        write(&buffer)
        return Array(buffer.readableBytesView)
    }

    /// Takes whole frames apart; throws for half a frame.
    static func frames(_ buffer: ByteBuffer) throws -> [Frame] {
        var (buffer, frames) = (buffer, [Frame]())
        while let type = buffer.readInteger(as: UInt8.self) {
            guard let length = buffer.readInteger(as: Int32.self), length >= 4,
                let payload = buffer.readSlice(length: Int(length) - 4)
            else { throw Complaint("half a frame") }
            frames.append(Frame(type: type, payload: payload))
        }
        return frames
    }

    static func payload(_ write: (inout ByteBuffer) -> Void) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        write(&buffer)
        guard let frame = try frames(buffer).first else { throw Complaint("no frame") }
        return frame.payload
    }

    /// A few bytes changed, cut, added or doubled.
    static func mutated(_ bytes: [UInt8], _ generator: inout Generator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let at = Int.random(in: 0...bytes.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0 where at < bytes.count: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &generator)
            case 2: bytes.removeSubrange(at...)
            case 3: bytes.insert([0, 0x2C, 0x3D, 0xFF, 0x7F][Int.random(in: 0..<5, using: &generator)], at: at)
            case 4: bytes.insert(contentsOf: bytes[at...].prefix(Int.random(in: 0...40, using: &generator)), at: at)
            default: bytes.removeSubrange(at..<min(bytes.count, at + 3))
            }
        }
        return bytes
    }

    static let mock = MockSecret(Array("a secret of this installation".utf8))!
    static let now = Instant(milliseconds: 1_800_000_000_000)
    static let chance = ClientAuthentication.Chance(md5Salt: 0x0102_0304, nonce: ScramNonce(1, 2, 3))
    static let serverNonce = ScramNonce(4, 5, 6)

    static func secret(_ password: String) -> SecretBytes { SecretBytes(password.utf8) }

    static func verifier(_ password: String, iterations: Int = 4_096) throws -> ScramVerifier {
        ScramVerifier(
            try ScramKeys(password: secret(password), salt: Array("sixteen bytes ok".utf8), iterations: iterations))
    }

    static func door(
        _ method: ClientAuthentication.Method, _ secret: StoredSecret?, validUntil: Instant? = nil,
        isEncrypted: Bool = true
    ) -> ClientAuthentication {
        ClientAuthentication(
            method: method, account: .init(user: "alice", secret: secret, validUntil: validUntil),
            isEncrypted: isEncrypted, chance: chance, mock: mock)
    }

    static func visitor(
        _ credential: ServerAuthentication.Credential, policy: ServerAuthentication.Policy = .init(),
        isEncrypted: Bool = true, knownKeys: ScramKeys? = nil
    ) -> ServerAuthentication {
        ServerAuthentication(
            user: "alice", credential: credential, nonce: serverNonce, isEncrypted: isEncrypted, policy: policy,
            knownKeys: knownKeys)
    }

    struct Meeting {
        var door: ClientAuthentication.Action
        var visitor: ServerAuthentication.Action
        /// Types of all frames, the door's and the visitor's, as they were sent.
        var spoken = ""

        var isIn: Bool {
            if case .done = door, case .done = visitor { true } else { false }
        }
        var learned: ServerAuthentication.Credential? {
            if case .done(_, let credential) = door { credential } else { nil }
        }
        var keys: ScramKeys? {
            if case .done(let keys) = visitor { keys } else { nil }
        }
        var reason: ClientAuthentication.Reason? {
            if case .fail(_, _, let reason) = door { reason } else { nil }
        }
        var refusal: WireError? {
            if case .fail(let error, _) = visitor { error } else { nil }
        }
    }

    /// Lets the two machines talk until both are silent.
    static func meet(_ door: ClientAuthentication, _ visitor: ServerAuthentication) throws -> Meeting {
        var (door, visitor) = (door, visitor)
        var meeting = Meeting(door: door.begin(at: now), visitor: .wait)
        for _ in 0..<8 {
            guard let said = meeting.door.bytes, said.readableBytes > 0 else { break }
            var answer: ByteBuffer?
            for frame in try frames(said) {
                meeting.spoken.unicodeScalars.append(Unicode.Scalar(frame.type))
                meeting.visitor = visitor.receive(type: frame.type, payload: frame.payload)
                if case .send(let bytes) = meeting.visitor { answer = bytes }
            }
            guard case .send = meeting.door, let answer, let reply = try frames(answer).first else { break }
            meeting.spoken.unicodeScalars.append(Unicode.Scalar(reply.type))
            meeting.door = door.receive(type: reply.type, payload: reply.payload)
        }
        return meeting
    }
}

extension ClientAuthentication.Action {
    var bytes: ByteBuffer? {
        switch self {
        case .send(let bytes), .done(let bytes, _), .fail(let bytes, _, _): bytes
        }
    }

    var error: WireError? {
        if case .fail(_, let error, _) = self { error } else { nil }
    }
}

extension ServerAuthentication.Action {
    var error: WireError? {
        if case .fail(let error, _) = self { error } else { nil }
    }
}
