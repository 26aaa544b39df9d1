/// What PostgreSQL stores of a password with `password_encryption = scram-sha-256`, as text
/// `SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>`, the last three in base64.
///
/// Enough to check a client's proof and to prove oneself to the client; not enough to log in anywhere.
package struct ScramVerifier: Equatable, Sendable {
    package let salt: [UInt8]
    package let iterations: Int
    let storedKey: SecretBytes
    let serverKey: SecretBytes

    static let prefix = Array("SCRAM-SHA-256$".utf8)
    static let textLimit = 1_024

    package init(_ keys: ScramKeys) {
        self.init(
            salt: keys.salt, iterations: keys.iterations, storedKey: keys.storedKey, serverKey: keys.serverKey)
    }

    init(salt: [UInt8], iterations: Int, storedKey: SecretBytes, serverKey: SecretBytes) {
        self.salt = salt
        self.iterations = iterations
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    /// Nil unless the text is whole: no piece missing, empty or of another length.
    init?(text: [UInt8]) {
        guard text.count <= Self.textLimit, text.starts(with: Self.prefix) else { return nil }
        let parts = text.dropFirst(Self.prefix.count).split(
            separator: UInt8(ascii: "$"), omittingEmptySubsequences: false)
        guard parts.count == 2, let (count, salt) = Self.pair(parts[0]), let (stored, server) = Self.pair(parts[1]),
            let iterations = ScramAttributes.number(count),
            let salt = Base64.decode(salt), (1...ScramKeys.saltLimit).contains(salt.count),
            let stored = Base64.decode(stored), stored.count == ScramKeys.length,
            let server = Base64.decode(server), server.count == ScramKeys.length
        else { return nil }
        self.init(
            salt: salt, iterations: iterations, storedKey: SecretBytes(stored), serverKey: SecretBytes(server))
    }

    /// As it is stored. A secret, as a password hash is one.
    package var text: [UInt8] {
        let colon = [UInt8(ascii: ":")]
        return Self.prefix + Array(String(iterations).utf8) + colon + Base64.encode(salt) + [UInt8(ascii: "$")]
            + Base64.encode(storedKey.bytes) + colon + Base64.encode(serverKey.bytes)
    }

    /// Whether these keys are of this verifier's password.
    func matches(_ keys: ScramKeys) -> Bool {
        let isStored = keys.storedKey == storedKey
        let isServer = keys.serverKey == serverKey
        return isStored && isServer && keys.salt == salt && keys.iterations == iterations
    }

    private static func pair(_ text: ArraySlice<UInt8>) -> (ArraySlice<UInt8>, ArraySlice<UInt8>)? {
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        return parts.count == 2 ? (parts[0], parts[1]) : nil
    }
}
