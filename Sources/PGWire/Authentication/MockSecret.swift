import Crypto

/// Makes what users without a secret are asked for, so that they look like users with a wrong password.
///
/// Everything is derived from a secret of this installation and the user's name: asked twice, an unknown user has the
/// same salt, as a known one has. So the secret must live as long as the users file does, and processes that serve the
/// same users must share it.
package struct MockSecret: Sendable {
    private let key: SecretBytes

    package static let minimumLength = 16
    private static let saltLength = 16

    /// - Parameter bytes: random; nil for fewer than 16.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.minimumLength else { return nil }
        key = SecretBytes(bytes)
    }

    /// A verifier that no password has.
    func verifier(for user: String) -> ScramVerifier {
        ScramVerifier(
            salt: salt(for: user), iterations: ScramKeys.defaultIterations, storedKey: derive("stored key", user),
            serverKey: derive("server key", user))
    }

    func verifier(of password: SecretBytes, for user: String) throws(WireError) -> ScramVerifier {
        let keys = try ScramKeys(
            password: password, salt: salt(for: user), iterations: ScramKeys.defaultIterations)
        return ScramVerifier(keys)
    }

    func md5(for user: String) -> MD5Secret {
        MD5Secret(standIn: derive("md5", user).bytes)
    }

    private func salt(for user: String) -> [UInt8] {
        Array(derive("salt", user).bytes.prefix(Self.saltLength))
    }

    private func derive(_ purpose: String, _ user: String) -> SecretBytes {
        // The zero keeps purpose and name apart: names come from start-up packets, where zeros end them.
        ScramKeys.authenticate(Array("\(purpose)\0\(user)".utf8), key: key)
    }
}
