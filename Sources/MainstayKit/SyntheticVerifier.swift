import Crypto
import Decide
import Foundation

/// Tells Mainstay's own synthetic users from anyone who writes the same header.
struct SyntheticVerifier: Sendable {
    private let key: SymmetricKey

    init(secret: String) {
        key = SymmetricKey(data: Data(secret.utf8))
    }

    /// Nil unless the signature is right and the header has not expired.
    func verify(_ text: String, now: Instant) -> SyntheticHeader? {
        guard let (header, payload, hex) = SyntheticHeader.parse(text), let signature = Self.bytes(hex) else {
            return nil
        }
        // Compares in constant time.
        let isValid = HMAC<SHA256>.isValidAuthenticationCode(
            signature, authenticating: Data(payload.utf8), using: key)
        return isValid && header.expires > now ? header : nil
    }

    private static func bytes(_ hex: String) -> Data? {
        let digits = hex.compactMap(\.hexDigitValue)
        guard digits.count == hex.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return Data(stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) })
    }
}
