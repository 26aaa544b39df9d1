import Crypto

/// What PostgreSQL stores of a password with `password_encryption = md5`: the hash of password and user name.
///
/// Who has it can log in as that user wherever the same hash is stored, without the password.
package struct MD5Secret: Equatable, Sendable {
    /// 32 hexadecimal digits in lower case.
    let digits: SecretBytes

    static let prefix = Array("md5".utf8)

    init(password: SecretBytes, user: String) {
        digits = SecretBytes(Self.hexadecimal(password.bytes + Array(user.utf8)))
    }

    /// Stands in for the secret of a user that has none.
    init(standIn bytes: [UInt8]) {
        digits = SecretBytes(Self.hexadecimal(bytes))
    }

    /// Reads `md5` and 32 hexadecimal digits in lower case.
    init?(text: [UInt8]) {
        guard text.count == 35, text.starts(with: Self.prefix),
            text.dropFirst(3).allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        digits = SecretBytes(text.dropFirst(3))
    }

    /// What a client answers to `salt`: `md5` and 32 digits, without a zero.
    func response(salt: UInt32) -> SecretBytes {
        let salt = (0..<4).map { UInt8(truncatingIfNeeded: salt >> (24 - 8 * $0)) }
        return SecretBytes(Self.prefix + Self.hexadecimal(digits.bytes + salt))
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return Insecure.MD5.hash(data: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
