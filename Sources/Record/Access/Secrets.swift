import Crypto
import CryptoExtras
import Dispatch
import Foundation
import SQL

/// Random secrets, their digests, and passwords.
package enum Secrets {
    /// 32 random bytes, base64url without padding: 43 characters.
    package static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return Data(bytes).base64EncodedString()
            .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }

    /// SHA-256, hexadecimal. For secrets with 256 bits of their own, which need no stretching.
    package static func digest(_ text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).map { hex($0) }.joined()
    }

    static func hex(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16)
        return byte < 16 ? "0" + text : text
    }
}

/// scrypt (RFC 7914) with N = 2^15, r = 8, p = 1: about 32 MB and a tenth of a second a guess.
package enum Passwords {
    private static let queue = DispatchQueue(label: "passwords")
    private static let rounds = 1 << 15

    /// `scrypt$N$r$p$salt$key`, base64.
    package static func hash(_ password: String) async throws -> String {
        var generator = SystemRandomNumberGenerator()
        let salt = Data((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        let key = try await derive(password, salt: salt, rounds: rounds)
        return "scrypt$\(rounds)$8$1$\(salt.base64EncodedString())$\(key.base64EncodedString())"
    }

    /// Takes the same time whether or not the password is right, and also when `stored` is nil (no such account).
    package static func verify(_ password: String, against stored: String?) async throws -> Bool {
        let parts = (stored ?? "").split(separator: "$").map(String.init)
        guard parts.count == 6, parts[0] == "scrypt", let rounds = Int(parts[1]), (1 << 10...1 << 20).contains(rounds),
            let salt = Data(base64Encoded: parts[4]), let expected = Data(base64Encoded: parts[5])
        else {
            _ = try await derive(password, salt: Data(count: 16), rounds: self.rounds)
            return false
        }
        let key = try await derive(password, salt: salt, rounds: rounds)
        guard key.count == expected.count else { return false }
        return zip(key, expected).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// On a serial queue of its own: guesses wait for one another and never hold up the cooperative pool.
    private static func derive(_ password: String, salt: Data, rounds: Int) async throws -> Data {
        try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(
                    with: Result {
                        try KDF.Scrypt.deriveKey(
                            from: Data(password.utf8), salt: salt, outputByteCount: 32, rounds: rounds, blockSize: 8,
                            parallelism: 1
                        ).withUnsafeBytes { Data($0) }
                    })
            }
        }
    }
}
