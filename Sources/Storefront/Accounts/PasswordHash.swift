import CryptoExtras
import Foundation

/// A password's scrypt hash as text: `scrypt$16384$8$1$<salt>$<key>`, both in base64.
enum PasswordHash {
    /// N, r and p: 16 MiB and tens of milliseconds for each guess.
    static let parameters = "16384$8$1"

    static func make(_ password: String, salt: [UInt8]) throws -> String {
        let key = try derive(password, salt: Data(salt))
        return "scrypt$\(parameters)$\(Data(salt).base64EncodedString())$\(key.base64EncodedString())"
    }

    /// False for another password, and for a hash that this version cannot read.
    static func verify(_ password: String, _ hash: String) throws -> Bool {
        let parts = hash.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "scrypt", parts[1...3].joined(separator: "$") == parameters,
            let salt = Data(base64Encoded: String(parts[4]))
        else { return false }
        return Token.equal(try derive(password, salt: salt).base64EncodedString(), String(parts[5]))
    }

    /// A hash that no password has: checking against it takes as long as checking a real one, so that the time of an
    /// answer does not tell whether an address has an account.
    static let ofNobody = "scrypt$\(parameters)$AAAAAAAAAAAAAAAAAAAAAA==$"

    private static func derive(_ password: String, salt: Data) throws -> Data {
        let key = try KDF.Scrypt.deriveKey(
            from: Data(password.utf8), salt: salt, outputByteCount: 32, rounds: 16_384, blockSize: 8, parallelism: 1)
        return key.withUnsafeBytes { Data($0) }
    }
}
