import Crypto
import CryptoExtras

/// What RFC 5802 derives from a password, a salt and an iteration count, with SHA-256.
///
/// Enough to log in, as either side, wherever the same verifier is stored. Deriving them is meant to be slow (about a
/// millisecond for the usual 4,096 iterations); keep and reuse them where many log-ins use one password.
package struct ScramKeys: Equatable, Sendable {
    package let salt: [UInt8]
    package let iterations: Int
    let clientKey: SecretBytes
    let storedKey: SecretBytes
    let serverKey: SecretBytes

    /// Most iterations anyone derives here, measured at 20 to 35 ms. A server chooses the count, and a larger one would
    /// occupy an event loop for as long as it likes.
    package static let iterationLimit = 100_000
    package static let defaultIterations = 4_096
    static let length = 32
    static let saltLimit = 256

    /// - Parameter password: as typed; SASLprep is applied here.
    /// - Throws: when salt or iterations are out of bounds.
    package init(password: SecretBytes, salt: [UInt8], iterations: Int) throws(WireError) {
        guard (1...Self.iterationLimit).contains(iterations), (1...Self.saltLimit).contains(salt.count) else {
            throw .unsupported("SCRAM salt or iteration count out of bounds")
        }
        let salted: SymmetricKey
        do {
            // "Unchecked" means: fewer rounds than today's advice for storing passwords. The protocol sets them.
            salted = try KDF.Insecure.PBKDF2.deriveKey(
                from: SASLprep.prepare(password.bytes), salt: salt, using: .sha256, outputByteCount: Self.length,
                unsafeUncheckedRounds: iterations)
        } catch {
            throw WireError(.internalFault, sqlState: "XX000", "SCRAM key derivation failed")
        }
        let clientKey = Self.authenticate("Client Key".utf8, key: salted)
        self.init(
            clientKey: clientKey, storedKey: Self.hash(clientKey),
            serverKey: Self.authenticate("Server Key".utf8, key: salted), salt: salt, iterations: iterations)
    }

    /// - Parameter clientKey: one that hashes to the verifier's stored key.
    init(clientKey: SecretBytes, verifier: ScramVerifier) {
        self.init(
            clientKey: clientKey, storedKey: verifier.storedKey, serverKey: verifier.serverKey, salt: verifier.salt,
            iterations: verifier.iterations)
    }

    private init(
        clientKey: SecretBytes, storedKey: SecretBytes, serverKey: SecretBytes, salt: [UInt8], iterations: Int
    ) {
        self.clientKey = clientKey
        self.storedKey = storedKey
        self.serverKey = serverKey
        self.salt = salt
        self.iterations = iterations
    }

    static func authenticate(_ message: some Sequence<UInt8>, key: SecretBytes) -> SecretBytes {
        authenticate(message, key: SymmetricKey(data: key.bytes))
    }

    static func authenticate(_ message: some Sequence<UInt8>, key: SymmetricKey) -> SecretBytes {
        SecretBytes(HMAC<SHA256>.authenticationCode(for: Array(message), using: key))
    }

    static func hash(_ key: SecretBytes) -> SecretBytes {
        SecretBytes(SHA256.hash(data: key.bytes))
    }

    static func xor(_ lhs: SecretBytes, _ rhs: SecretBytes) -> SecretBytes {
        SecretBytes(zip(lhs.bytes, rhs.bytes).map { $0 ^ $1 })
    }
}
