/// The client's side of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677), without channel binding.
///
/// The server proves itself too: an exchange whose last message `verify` did not accept is no log-in, whatever else the
/// server says.
struct ScramClient: Sendable {
    enum Credential: Sendable {
        /// - Parameter known: keys of this password derived before, used if the server's salt and iterations are
        /// theirs.
        case password(SecretBytes, known: ScramKeys?)
        case keys(ScramKeys)
    }

    /// What a server sends first is longer than a client's words by its salt.
    static let serverMessageLimit = 2_048
    private static let header = Array("n,,".utf8)

    private let credential: Credential
    private let nonce: ScramNonce
    private let bare: [UInt8]
    private var expectedSignature: SecretBytes?
    private(set) var keys: ScramKeys?

    /// - Parameter user: empty for PostgreSQL, which takes the name from the start-up packet; without `,` and `=`.
    init(credential: Credential, nonce: ScramNonce, user: String = "") {
        self.credential = credential
        self.nonce = nonce
        bare = Array("n=\(user),r=".utf8) + nonce.text
    }

    var first: [UInt8] { Self.header + bare }

    /// - Returns: client-final.
    /// - Throws: when the server's nonce does not continue ours, its salt or iteration count is out of bounds or not
    ///   that of our keys, or its message is malformed.
    mutating func final(_ serverFirst: [UInt8]) throws(WireError) -> [UInt8] {
        guard serverFirst.count <= Self.serverMessageLimit else { throw .tooLarge("SCRAM message too long") }
        var attributes = ScramAttributes(serverFirst[...])
        let wholeNonce = try attributes.value(of: "r")
        guard wholeNonce.starts(with: nonce.text), wholeNonce.count > nonce.text.count,
            ScramNonce.isPrintable(wholeNonce)
        else { throw .untrustedServer("SCRAM: the server's nonce does not continue ours") }
        guard let salt = Base64.decode(try attributes.value(of: "s")),
            let iterations = ScramAttributes.number(try attributes.value(of: "i"))
        else { throw ScramAttributes.malformed }
        while !attributes.isAtEnd { _ = try attributes.next() }
        let keys = try derive(salt: salt, iterations: iterations)
        let unproven = Array("c=".utf8) + Base64.encode(Self.header) + Array(",r=".utf8) + wholeNonce
        let comma = [UInt8(ascii: ",")]
        let signed = bare + comma + serverFirst + comma + unproven
        let proof = ScramKeys.xor(keys.clientKey, ScramKeys.authenticate(signed, key: keys.storedKey))
        expectedSignature = ScramKeys.authenticate(signed, key: keys.serverKey)
        self.keys = keys
        return unproven + Array(",p=".utf8) + Base64.encode(proof.bytes)
    }

    /// - Throws: when the server does not know the password's verifier itself, or says so.
    func verify(_ serverFinal: [UInt8]) throws(WireError) {
        guard serverFinal.count <= Self.serverMessageLimit else { throw .tooLarge("SCRAM message too long") }
        var attributes = ScramAttributes(serverFinal[...])
        let attribute = try attributes.next()
        while !attributes.isAtEnd { _ = try attributes.next() }
        guard attribute.name == UInt8(ascii: "v"), let signature = Base64.decode(attribute.value),
            let expectedSignature, SecretBytes(signature) == expectedSignature
        else { throw .untrustedServer("SCRAM: the server did not prove that it knows the password") }
    }

    private func derive(salt: [UInt8], iterations: Int) throws(WireError) -> ScramKeys {
        switch credential {
        case .password(let password, let known):
            if let known, known.salt == salt, known.iterations == iterations { return known }
            return try ScramKeys(password: password, salt: salt, iterations: iterations)
        case .keys(let keys):
            guard keys.salt == salt, keys.iterations == iterations else {
                throw .untrustedServer(
                    "SCRAM: the server's verifier of this user is not the one the client logged in by")
            }
            return keys
        }
    }
}
