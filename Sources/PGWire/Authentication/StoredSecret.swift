/// What is on file about a user's password.
package enum StoredSecret: Equatable, Sendable {
    /// - Parameter verifier: derived beforehand by `prepared`, so that no log-in has to wait for it.
    case plain(SecretBytes, verifier: ScramVerifier? = nil)
    case md5(MD5Secret)
    case scram(ScramVerifier)

    package static let lengthLimit = 2_048

    /// Reads PostgreSQL's forms: `md5…`, `SCRAM-SHA-256$…`, anything else is a password.
    ///
    /// Nil for empty text (such a user cannot log in by a password), zeros, text beyond the limit, and text that begins
    /// as a SCRAM verifier and is none: taken as a password, whoever reads the file could log in with it.
    package init?(text: String) {
        let bytes = Array(text.utf8)
        guard (1...Self.lengthLimit).contains(bytes.count), !bytes.contains(0) else { return nil }
        if let secret = MD5Secret(text: bytes) {
            self = .md5(secret)
        } else if bytes.starts(with: ScramVerifier.prefix) {
            guard let verifier = ScramVerifier(text: bytes) else { return nil }
            self = .scram(verifier)
        } else {
            self = .plain(SecretBytes(bytes))
        }
    }

    /// The same secret, with what SCRAM needs of a password derived now rather than at each log-in. It takes about a
    /// millisecond: call it when users are loaded, not on an event loop. A user's salt stays the same, as it does where
    /// verifiers are stored and for users that do not exist.
    package func prepared(for user: String, mock: MockSecret) throws(WireError) -> StoredSecret {
        guard case .plain(let password, verifier: nil) = self else { return self }
        return .plain(password, verifier: try mock.verifier(of: password, for: user))
    }
}
