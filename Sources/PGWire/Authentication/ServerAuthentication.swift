import NIOCore

/// Logs us in to a server, from after the start-up message to AuthenticationOk.
///
/// Invariants:
/// 1. A secret leaves in clear only over TLS, or where the policy says that the way is safe.
/// 2. Only one method is tried, one that the policy accepts; a server that asks again is refused.
/// 3. Once SCRAM has begun, `done` comes only after the server proved that it knows the password too: one that skips
///    its proof is an impostor, who would otherwise be believed by asking for less.
///
/// ```
/// waiting ─┬─ AuthenticationOk ───────────────────────────────────────────────────────────────▶ done (trust)
///          ├─ CleartextPassword, MD5Password ─▶ answered ─ AuthenticationOk ─────────────────▶ done
///          └─ SASL ─▶ saslFirst ─ SASLContinue ─▶ saslFinal ─ SASLFinal ─▶ proven ─ AuthenticationOk ─▶ done
/// any ─ ErrorResponse, anything else ─▶ fail
/// ```
package struct ServerAuthentication: Sendable {
    package enum Method: Hashable, Sendable, CaseIterable {
        case trust
        case cleartext
        case md5
        case scramSHA256
    }

    package enum Credential: Equatable, Sendable {
        case none
        case password(SecretBytes)
        /// Of the same user name.
        case md5(MD5Secret)
        /// Learned from a client's proof, or from an earlier log-in.
        case scram(ScramKeys)
    }

    package struct Policy: Equatable, Sendable {
        /// What the server may ask for. Leave `trust` out where a server that asks for nothing must be a wrong one.
        package var accepted: Set<Method>
        /// For servers on the same machine, say by a Unix socket.
        package var allowsCleartextWithoutTLS: Bool

        package init(accepted: Set<Method> = Set(Method.allCases), allowsCleartextWithoutTLS: Bool = false) {
            self.accepted = accepted
            self.allowsCleartextWithoutTLS = allowsCleartextWithoutTLS
        }
    }

    package enum Action: Equatable, Sendable {
        /// Nothing to do until the next frame.
        case wait
        case send(ByteBuffer)
        /// Logged in; the next frames are the session's. Keys are there after SCRAM: hand them to the next log-in of
        /// the same user and password as `knownKeys`, which then need not be derived again.
        case done(ScramKeys?)
        /// Close. Fields are there when the server said why itself.
        case fail(WireError, ErrorFields?)
    }

    /// Most bytes of any payload before the server has let us in, for whoever takes frames apart.
    package static let payloadLimit = 30_000

    enum State: Sendable {
        case waiting
        case answered
        case saslFirst(ScramClient)
        case saslFinal(ScramClient)
        case proven(ScramKeys?)
        case finished
    }

    let user: String
    let credential: Credential
    let nonce: ScramNonce
    let isEncrypted: Bool
    let policy: Policy
    let knownKeys: ScramKeys?
    var state = State.waiting
    /// Set when the server knew less of the protocol than we asked for.
    package private(set) var negotiation: ProtocolNegotiation?

    /// - Parameters:
    ///   - user: as in the start-up message.
    ///   - isEncrypted: whether the server's connection is under TLS.
    package init(
        user: String, credential: Credential, nonce: ScramNonce, isEncrypted: Bool, policy: Policy = Policy(),
        knownKeys: ScramKeys? = nil
    ) {
        self.user = user
        self.credential = credential
        self.nonce = nonce
        self.isEncrypted = isEncrypted
        self.policy = policy
        self.knownKeys = knownKeys
    }

    /// - Parameters:
    ///   - type: of the frame.
    ///   - payload: what follows the frame's length.
    package mutating func receive(type: UInt8, payload: ByteBuffer) -> Action {
        do throws(WireError) {
            if case .finished = state { throw .protocolViolation("authentication has ended already") }
            guard payload.readableBytes <= Self.payloadLimit else {
                throw .tooLarge("server's message is too long before authentication")
            }
            switch type {
            case UInt8(ascii: "R"):
                return try authenticate(payload)
            case UInt8(ascii: "E"):
                return refused(try ErrorFields(parsing: payload))
            case UInt8(ascii: "N"):
                return .wait
            case UInt8(ascii: "v"):
                guard case .waiting = state, negotiation == nil else { throw Self.outOfTurn }
                negotiation = try ProtocolNegotiation(parsing: payload)
                return .wait
            default:
                throw .protocolViolation("expected authentication request from server, got message type \(type)")
            }
        } catch {
            state = .finished
            return .fail(error, nil)
        }
    }

    private mutating func refused(_ fields: ErrorFields) -> Action {
        state = .finished
        let error = WireError(.refusedByServer, sqlState: fields.code, fields.message)
        return .fail(error, fields)
    }

    static let outOfTurn = WireError.protocolViolation("authentication request out of turn")
}

extension ServerAuthentication.Action: CustomStringConvertible {
    /// Without bytes: they may hold a password.
    package var description: String {
        switch self {
        case .wait: "wait"
        case .send(let bytes): "send(\(bytes.readableBytes) bytes)"
        case .done: "done"
        case .fail(let error, _): "fail(\(error))"
        }
    }
}
