import NIOCore

/// What is answered to each request of the server.
extension ServerAuthentication {
    mutating func authenticate(_ payload: ByteBuffer) throws(WireError) -> Action {
        var payload = payload
        guard let kind = payload.readInteger(as: Int32.self) else {
            throw .protocolViolation("malformed authentication request")
        }
        switch kind {
        case 0:
            guard payload.readableBytes == 0 else { throw .protocolViolation("malformed authentication request") }
            return try finish()
        case 3:
            try accept(.cleartext)
            return try answerCleartext()
        case 5:
            try accept(.md5)
            return try answerMD5(&payload)
        case 10:
            try accept(.scramSHA256)
            return try answerSASL(&payload)
        case 11:
            guard case .saslFirst(var client) = state else { throw Self.outOfTurn }
            let final = try client.final(Array(payload.readableBytesView))
            state = .saslFinal(client)
            return send { $0.writePGSASLResponse(final) }
        case 12:
            guard case .saslFinal(let client) = state else { throw Self.outOfTurn }
            try client.verify(Array(payload.readableBytesView))
            state = .proven(client.keys)
            return .wait
        default:
            throw .unsupported("the server asks for authentication method \(kind), which is not supported")
        }
    }

    private mutating func finish() throws(WireError) -> Action {
        switch state {
        case .waiting:
            try accept(.trust)
            state = .finished
            return .done(nil)
        case .answered:
            state = .finished
            return .done(nil)
        case .proven(let keys):
            state = .finished
            return .done(keys)
        case .saslFirst, .saslFinal, .finished:
            throw .untrustedServer("SCRAM: the server let us in without proving that it knows the password")
        }
    }

    private func accept(_ method: Method) throws(WireError) {
        guard case .waiting = state else { throw Self.outOfTurn }
        guard policy.accepted.contains(method) else {
            throw .untrustedServer("the server's authentication method \(method) is not accepted")
        }
    }

    private mutating func answerCleartext() throws(WireError) -> Action {
        guard isEncrypted || policy.allowsCleartextWithoutTLS else {
            throw .untrustedServer("the server asks for the password in clear, without TLS")
        }
        guard case .password(let password) = credential else { throw Self.lacking("a password") }
        state = .answered
        return try send(password)
    }

    private mutating func answerMD5(_ payload: inout ByteBuffer) throws(WireError) -> Action {
        guard payload.readableBytes == 4, let salt = payload.readInteger(as: UInt32.self) else {
            throw .protocolViolation("malformed authentication request")
        }
        let secret: MD5Secret
        switch credential {
        case .password(let password): secret = MD5Secret(password: password, user: user)
        case .md5(let hash): secret = hash
        case .none, .scram: throw Self.lacking("a password or its MD5 hash")
        }
        state = .answered
        return try send(secret.response(salt: salt))
    }

    private mutating func answerSASL(_ payload: inout ByteBuffer) throws(WireError) -> Action {
        var isOffered = false
        while let mechanism = payload.readNullTerminatedString(), !mechanism.isEmpty {
            isOffered = isOffered || mechanism == ScramServer.mechanism
        }
        guard isOffered else { throw .unsupported("the server offers no SASL mechanism but ones not supported") }
        let scram: ScramClient.Credential
        switch credential {
        case .password(let password): scram = .password(password, known: knownKeys)
        case .scram(let keys): scram = .keys(keys)
        case .none, .md5: throw Self.lacking("a password or SCRAM keys")
        }
        let client = ScramClient(credential: scram, nonce: nonce)
        state = .saslFirst(client)
        return send { $0.writePGSASLInitialResponse(mechanism: ScramServer.mechanism, data: client.first) }
    }

    private func send(_ password: SecretBytes) throws(WireError) -> Action {
        guard !password.bytes.isEmpty, !password.bytes.contains(0) else { throw Self.lacking("a usable password") }
        return send { $0.writePGPasswordMessage(password.bytes) }
    }

    private func send(_ write: (inout ByteBuffer) -> Void) -> Action {
        var bytes = ByteBuffer()
        write(&bytes)
        return .send(bytes)
    }

    private static func lacking(_ what: String) -> WireError {
        .notAuthorized("the server asks for a password, and there is not \(what) to answer with")
    }
}
