/// The server's side of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677), without channel binding: TLS ends here, and
/// what the client would bind to is not what the server behind us has.
///
/// ```
/// client-first ─▶ first(_:) ─▶ server-first       client-final ─▶ final(_:) ─▶ server-final, or nil: wrong password
/// ```
///
/// `final` must follow `first`, once; `ClientAuthentication` sees to it.
struct ScramServer: Sendable {
    static let mechanism = "SCRAM-SHA-256"

    struct Proven: Equatable, Sendable {
        var serverFinal: [UInt8]
        /// With the client's own key, learned from its proof: good for logging in to a server with the same verifier.
        var keys: ScramKeys
    }

    private let verifier: ScramVerifier
    private let nonce: ScramNonce
    /// The exchange is a show for a user who cannot come in; no proof is good enough.
    private let isDoomed: Bool
    private var binding: [UInt8] = []
    private var wholeNonce: [UInt8] = []
    /// `client-first-message-bare,server-first-message,`
    private var transcript: [UInt8] = []

    init(verifier: ScramVerifier, nonce: ScramNonce, isDoomed: Bool) {
        self.verifier = verifier
        self.nonce = nonce
        self.isDoomed = isDoomed
    }

    /// - Throws: `08P01` for malformed messages; `0A000` for channel binding, an authorization identity, or an
    ///   extension that must not be ignored.
    mutating func first(_ message: [UInt8]) throws(WireError) -> [UInt8] {
        let bare = try header(message)
        if bare.first == UInt8(ascii: "m") { throw .unsupported("client requires an unsupported SCRAM extension") }
        var attributes = ScramAttributes(bare)
        // The name is in the start-up packet already; clients may send any here, and libpq sends none.
        _ = try attributes.value(of: "n")
        let clientNonce = try attributes.value(of: "r")
        guard !clientNonce.isEmpty, ScramNonce.isPrintable(clientNonce) else { throw ScramAttributes.malformed }
        while !attributes.isAtEnd { _ = try attributes.next() }
        wholeNonce = Array(clientNonce) + nonce.text
        let serverFirst =
            Array("r=".utf8) + wholeNonce + Array(",s=".utf8) + Base64.encode(verifier.salt)
            + Array(",i=\(verifier.iterations)".utf8)
        transcript = Array(bare) + [UInt8(ascii: ",")] + serverFirst + [UInt8(ascii: ",")]
        return serverFirst
    }

    /// - Returns: nil when the proof is wrong.
    /// - Throws: `08P01` for malformed messages, another nonce, or another channel-binding header than at first.
    func final(_ message: [UInt8]) throws(WireError) -> Proven? {
        guard message.count <= ScramAttributes.messageLimit else { throw .tooLarge("SASL message too long") }
        var attributes = ScramAttributes(message[...])
        guard try attributes.value(of: "c").elementsEqual(Base64.encode(binding)) else {
            throw .protocolViolation("unexpected SCRAM channel-binding attribute in client-final-message")
        }
        guard try attributes.value(of: "r").elementsEqual(wholeNonce) else {
            throw .protocolViolation("invalid SCRAM response: nonce does not match")
        }
        var start = attributes.index
        var attribute = try attributes.next()
        while attribute.name != UInt8(ascii: "p") {
            start = attributes.index
            attribute = try attributes.next()
        }
        guard attributes.isAtEnd, let proof = Base64.decode(attribute.value), proof.count == ScramKeys.length else {
            throw ScramAttributes.malformed
        }
        return prove(SecretBytes(proof), signed: transcript + message[..<(start - 1)])
    }

    /// Checks `n,,` or `y,,` and returns what follows it.
    private mutating func header(_ message: [UInt8]) throws(WireError) -> ArraySlice<UInt8> {
        guard message.count <= ScramAttributes.messageLimit else { throw .tooLarge("SASL message too long") }
        guard message.count > 3, !message.contains(0) else { throw ScramAttributes.malformed }
        switch message[0] {
        // "y" says: I could bind, but you did not offer it. We did not.
        case UInt8(ascii: "n"), UInt8(ascii: "y"): break
        case UInt8(ascii: "p"): throw .unsupported("client requires SCRAM channel binding, but it is not supported")
        default: throw ScramAttributes.malformed
        }
        guard message[1] == UInt8(ascii: ",") else { throw ScramAttributes.malformed }
        if message[2] == UInt8(ascii: "a") {
            throw .unsupported("client uses authorization identity, but it is not supported")
        }
        guard message[2] == UInt8(ascii: ",") else { throw ScramAttributes.malformed }
        binding = Array(message[..<3])
        return message[3...]
    }

    private func prove(_ proof: SecretBytes, signed message: [UInt8]) -> Proven? {
        let signature = ScramKeys.authenticate(message, key: verifier.storedKey)
        let clientKey = ScramKeys.xor(proof, signature)
        // Computed for everyone, so that a doomed exchange takes as long as another.
        let isRight = ScramKeys.hash(clientKey) == verifier.storedKey
        guard isRight, !isDoomed else { return nil }
        let serverSignature = ScramKeys.authenticate(message, key: verifier.serverKey)
        return Proven(
            serverFinal: Array("v=".utf8) + Base64.encode(serverSignature.bytes),
            keys: ScramKeys(clientKey: clientKey, verifier: verifier))
    }
}
