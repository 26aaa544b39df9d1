import Decide
import NIOCore

/// Finds out whether a client is who its start-up packet says.
///
/// Invariants:
/// 1. `done` comes only after a right proof, or by the method `trust`; after `done` or `fail` nothing else comes.
/// 2. A user without a secret, or with an expired one, is asked the same questions as any other, and no answer is
///    right.
/// 3. Nothing beyond the limits below is looked at.
///
/// ```
///             begin                              receive
/// initial ─┬─ trust ────────────────────────────────────────────────────────────▶ done
///          ├─ cleartext ─▶ password ──────────────────────────────────────────▶ done or fail
///          ├─ md5 ───────▶ md5 ───────────────────────────────────────────────▶ done or fail
///          └─ scram ─────▶ saslInitial ─▶ saslFinal ──────────────────────────▶ done or fail
/// ```
///
/// As PostgreSQL does, `md5` uses SCRAM for a user whose stored secret is a SCRAM verifier.
package struct ClientAuthentication: Sendable {
    package enum Method: Hashable, Sendable {
        /// The user named is the user; whether there is one is for the caller to know.
        case trust
        /// Only over TLS.
        case cleartext
        case md5
        case scramSHA256
    }

    package struct Account: Equatable, Sendable {
        package var user: String
        /// Nil for an unknown user, or one without a password.
        package var secret: StoredSecret?
        /// PostgreSQL's VALID UNTIL: the last instant at which the password is good.
        package var validUntil: Instant?

        package init(user: String, secret: StoredSecret?, validUntil: Instant? = nil) {
            self.user = user
            self.secret = secret
            self.validUntil = validUntil
        }
    }

    /// Chance, drawn anew for each client.
    package struct Chance: Equatable, Sendable {
        package var md5Salt: UInt32
        package var nonce: ScramNonce

        package init(md5Salt: UInt32, nonce: ScramNonce) {
            self.md5Salt = md5Salt
            self.nonce = nonce
        }
    }

    /// For the log. A client is told less.
    package enum Reason: Hashable, Sendable {
        /// No such user, or one without a password.
        case noSecret
        case expired
        case wrongPassword
        /// SCRAM was asked for, and stored is an MD5 hash; or cleartext, and stored is a verifier of more iterations
        /// than are derived here.
        case secretDoesNotFit
        case notEncrypted
        case malformed
        case clientLeft
    }

    package enum Action: Equatable, Sendable {
        case send(ByteBuffer)
        /// Send, and go on with the session. The bytes end with AuthenticationOk. The credential is what was learned of
        /// the client and may be shown to a server: `none` for `trust`.
        case done(ByteBuffer, ServerAuthentication.Credential)
        /// Send, and close. The bytes are an ErrorResponse, or nothing for a client that left.
        case fail(ByteBuffer, WireError, Reason)
    }

    /// Most bytes of a password, its zero included. Tokens of cloud providers take a few thousand.
    package static let passwordLimit = 8_192
    /// Most bytes of any payload before a client is known, for whoever takes frames apart.
    package static let payloadLimit = passwordLimit

    enum State: Sendable {
        case initial
        case password
        case md5(MD5Secret)
        case saslInitial(ScramServer)
        case saslFinal(ScramServer)
        case finished
    }

    let method: Method
    let account: Account
    let isEncrypted: Bool
    let chance: Chance
    let mock: MockSecret
    var state = State.initial
    /// Set when the account cannot come in whatever it answers.
    var doom: Reason?

    /// - Parameter isEncrypted: whether the client's connection is under TLS.
    package init(method: Method, account: Account, isEncrypted: Bool, chance: Chance, mock: MockSecret) {
        self.method = method
        self.account = account
        self.isEncrypted = isEncrypted
        self.chance = chance
        self.mock = mock
    }

    /// The first question, or at once the answer. To be called once, before anything is received.
    package mutating func begin(at now: Instant) -> Action {
        guard case .initial = state else { return refuse(.protocolViolation("authentication has begun already")) }
        if account.secret == nil {
            doom = .noSecret
        } else if let limit = account.validUntil, limit < now {
            doom = .expired
        }
        do throws(WireError) {
            return try ask()
        } catch {
            return refuse(error)
        }
    }

    /// - Parameters:
    ///   - type: of the frame; every answer has `p`.
    ///   - payload: what follows the frame's length.
    package mutating func receive(type: UInt8, payload: ByteBuffer) -> Action {
        do throws(WireError) {
            if type == UInt8(ascii: "X") { return leave() }
            guard type == UInt8(ascii: "p") else {
                throw .protocolViolation("expected password response, got message type \(type)")
            }
            guard payload.readableBytes <= Self.payloadLimit else { throw .tooLarge("password message too long") }
            return try answer(payload)
        } catch {
            return refuse(error)
        }
    }

    private mutating func leave() -> Action {
        state = .finished
        return .fail(ByteBuffer(), .notAuthorized("the client left before it was authenticated"), .clientLeft)
    }

    private mutating func refuse(_ error: WireError) -> Action {
        fail(error, .malformed)
    }

    mutating func fail(_ error: WireError, _ reason: Reason) -> Action {
        state = .finished
        var bytes = ByteBuffer()
        bytes.writePGErrorResponse(error)
        return .fail(bytes, error, reason)
    }

    mutating func succeed(_ credential: ServerAuthentication.Credential, after bytes: ByteBuffer? = nil) -> Action {
        state = .finished
        var bytes = bytes ?? ByteBuffer()
        bytes.writePGAuthenticationOk()
        return .done(bytes, credential)
    }
}

extension ClientAuthentication.Action: CustomStringConvertible {
    /// Without bytes: they hold what only the client may see.
    package var description: String {
        switch self {
        case .send(let bytes): "send(\(bytes.readableBytes) bytes)"
        case .done: "done"
        case .fail(_, let error, let reason): "fail(\(reason), \(error))"
        }
    }
}
