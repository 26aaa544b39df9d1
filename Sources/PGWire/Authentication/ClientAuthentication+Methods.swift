import NIOCore

/// What is asked, and what is made of the answers.
extension ClientAuthentication {
    mutating func ask() throws(WireError) -> Action {
        switch method {
        case .trust:
            return succeed(.none)
        case .cleartext:
            guard isEncrypted else {
                return fail(.notAuthorized("cleartext passwords are taken over TLS only"), .notEncrypted)
            }
            state = .password
            return send { $0.writePGAuthenticationCleartextPassword() }
        case .md5:
            return try askMD5()
        case .scramSHA256:
            return try askSCRAM()
        }
    }

    private mutating func askMD5() throws(WireError) -> Action {
        let secret: MD5Secret
        switch account.secret {
        case .scram: return try askSCRAM()
        case .md5(let stored): secret = stored
        case .plain(let password, _): secret = MD5Secret(password: password, user: account.user)
        case nil: secret = mock.md5(for: account.user)
        }
        state = .md5(secret)
        let salt = chance.md5Salt
        return send { $0.writePGAuthenticationMD5Password(salt: salt) }
    }

    private mutating func askSCRAM() throws(WireError) -> Action {
        let verifier: ScramVerifier
        switch account.secret {
        case .scram(let stored): verifier = stored
        case .plain(_, verifier: let prepared?): verifier = prepared
        case .plain(let password, verifier: nil): verifier = try mock.verifier(of: password, for: account.user)
        case .md5:
            doom = doom ?? .secretDoesNotFit
            verifier = mock.verifier(for: account.user)
        case nil: verifier = mock.verifier(for: account.user)
        }
        state = .saslInitial(ScramServer(verifier: verifier, nonce: chance.nonce, isDoomed: doom != nil))
        return send { $0.writePGAuthenticationSASL(mechanisms: [ScramServer.mechanism]) }
    }

    mutating func answer(_ payload: ByteBuffer) throws(WireError) -> Action {
        switch state {
        case .initial, .finished:
            throw .protocolViolation("password response without a request")
        case .password:
            return try judge(cleartext: password(in: payload))
        case .md5(let secret):
            let isRight = try password(in: payload) == secret.response(salt: chance.md5Salt)
            return isRight && doom == nil ? succeed(credential(md5: secret)) : wrongPassword()
        case .saslInitial(var server):
            let first = try server.first(Self.initialResponse(payload))
            state = .saslFinal(server)
            return send { $0.writePGAuthenticationSASLContinue(first) }
        case .saslFinal(let server):
            guard let proven = try server.final(Array(payload.readableBytesView)) else { return wrongPassword() }
            var bytes = ByteBuffer()
            bytes.writePGAuthenticationSASLFinal(proven.serverFinal)
            return succeed(credential(scram: proven.keys), after: bytes)
        }
    }

    private mutating func judge(cleartext password: SecretBytes) throws(WireError) -> Action {
        var isRight = false
        var hasDerived = false
        switch account.secret {
        case .plain(let stored, _): isRight = stored == password
        case .md5(let stored): isRight = stored == MD5Secret(password: password, user: account.user)
        case .scram(let verifier) where verifier.iterations <= ScramKeys.iterationLimit:
            isRight = verifier.matches(try keys(of: password, for: verifier))
            hasDerived = true
        case .scram: doom = doom ?? .secretDoesNotFit
        case nil: break
        }
        if isRight, doom == nil { return succeed(.password(password)) }
        // Refusing costs the same for everyone, so that its duration does not tell who has which secret.
        if !hasDerived { _ = try mock.verifier(of: password, for: account.user) }
        return wrongPassword()
    }

    private func keys(of password: SecretBytes, for verifier: ScramVerifier) throws(WireError) -> ScramKeys {
        try ScramKeys(password: password, salt: verifier.salt, iterations: verifier.iterations)
    }

    /// A password is better than the hash of it: the server behind may ask for either.
    private func credential(md5 secret: MD5Secret) -> ServerAuthentication.Credential {
        if case .plain(let password, _) = account.secret { .password(password) } else { .md5(secret) }
    }

    private func credential(scram keys: ScramKeys) -> ServerAuthentication.Credential {
        if case .plain(let password, _) = account.secret { .password(password) } else { .scram(keys) }
    }

    private mutating func wrongPassword() -> Action {
        fail(.wrongPassword(user: account.user), doom ?? .wrongPassword)
    }

    private func send(_ write: (inout ByteBuffer) -> Void) -> Action {
        var bytes = ByteBuffer()
        write(&bytes)
        return .send(bytes)
    }

    private func password(in payload: ByteBuffer) throws(WireError) -> SecretBytes {
        let bytes = payload.readableBytesView
        guard let end = bytes.firstIndex(of: 0), end == bytes.endIndex - 1 else {
            throw .protocolViolation("invalid password packet size")
        }
        guard end > bytes.startIndex else {
            throw WireError(.notAuthorized, sqlState: "28P01", "empty password returned by client")
        }
        return SecretBytes(bytes[..<end])
    }

    private static func initialResponse(_ payload: ByteBuffer) throws(WireError) -> [UInt8] {
        let bytes = payload.readableBytesView
        guard bytes.count <= ScramAttributes.messageLimit else { throw .tooLarge("SASL message too long") }
        guard let end = bytes.firstIndex(of: 0) else { throw .protocolViolation("malformed SASLInitialResponse") }
        guard bytes[..<end].elementsEqual(ScramServer.mechanism.utf8) else {
            throw .protocolViolation("client selected an invalid SASL authentication mechanism")
        }
        var rest = ByteBuffer(bytes[(end + 1)...])
        guard let length = rest.readInteger(as: Int32.self), Int(length) == rest.readableBytes else {
            // -1, no response yet, is for mechanisms in which the server speaks first.
            throw .protocolViolation("malformed SASLInitialResponse")
        }
        return Array(rest.readableBytesView)
    }
}
