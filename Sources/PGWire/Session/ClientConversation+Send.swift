import NIOCore

extension ClientConversation {
    /// Sends one whole message. False: it has to wait for the server's answers.
    func send(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ server: ServerConversation,
        _ toServer: inout ForwardBuffer, _ client: inout ForwardBuffer, _ now: Int64
    ) throws(WireError) -> Bool {
        switch header.type {
        case ClientMessage.query:
            return sendQuery(header, &input, server, &toServer, &client, now)
        case ClientMessage.parse:
            return try sendParse(header, &input, server, &toServer, &client)
        case ClientMessage.bind:
            return try sendBind(header, &input, server, &toServer)
        case ClientMessage.describe:
            return try sendDescribe(header, &input, server, &toServer)
        case ClientMessage.close:
            return try sendClose(header, &input, server, &toServer, &client)
        case ClientMessage.execute:
            return sendExecute(header, &input, server, &toServer, now)
        case ClientMessage.sync:
            sendSync(header, &input, server, &toServer)
        case ClientMessage.flush:
            toServer.pass(&input, header.size)
        case ClientMessage.copyDone, ClientMessage.copyFail:
            endCopy(header, &input, server, &toServer)
        default:
            throw Self.unknown(header.type)
        }
        return true
    }

    private func sendExecute(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ server: ServerConversation,
        _ toServer: inout ForwardBuffer, _ now: Int64
    ) -> Bool {
        let isUnnamed = input.getInteger(at: input.readerIndex + FrameHeader.size, as: UInt8.self) == 0
        // Which text it has is not known: it may end the transaction that the session is made ready in.
        if !isUnnamed, server.isSettingUp { return false }
        let facts = isUnnamed || !sharesStatements ? boundQuery : namedPortalQuery
        if let facts {
            if mustWait(for: server, facts.query) { return false }
            note(facts.query, server, isKnown: isUnnamed)
        } else if !isUnnamed, changes.carried.isPending {
            loseSettings()
        }
        server.began(RunningStatement(query: facts?.query, sentAt: now, release: facts?.release ?? 0))
        server.sent(Reply(kind: .execute))
        toServer.pass(&input, header.size)
        return true
    }

    private func sendQuery(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ server: ServerConversation,
        _ toServer: inout ForwardBuffer, _ client: inout ForwardBuffer, _ now: Int64
    ) -> Bool {
        let payload = input.payload(header)
        if sharesStatements, let name = deallocated(payload) {
            guard server.isQuiet else { return false }
            if changes[name] != nil, server.status != .failed {
                if server.hasOpenBatch {
                    endOpenBatch(server, input, &toServer)
                    return false
                }
                input.moveReaderIndex(forwardBy: header.size)
                deallocate(name, server.status, &client)
                return true
            }
        }
        let facts = lookOnce(payload)
        if let facts {
            if mustWait(for: server, facts.query) { return false }
            note(facts.query, server, isKnown: true)
            newest = facts.query
        }
        server.began(RunningStatement(query: facts?.query, sentAt: now, release: facts?.release ?? 0))
        server.sent(Reply(kind: .query))
        // A simple query ends the unnamed statement.
        server.unnamedSerial = 0
        unnamedSerial = 0
        toServer.pass(&input, header.size)
        batch += 1
        return true
    }

    /// A simple query commits what came before it; one that we answer ourselves does not.
    private func endOpenBatch(_ server: ServerConversation, _ input: ByteBuffer, _ toServer: inout ForwardBuffer) {
        server.sent(Reply(kind: .sync, audience: .us))
        toServer.insert(after: input) { $0.writePGSync() }
    }

    private func sendSync(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ server: ServerConversation, _ toServer: inout ForwardBuffer
    ) {
        batch += 1
        if server.isCopyingIn {
            // The server reads over it.
            input.moveReaderIndex(forwardBy: header.size)
            return
        }
        server.sent(Reply(kind: .sync))
        toServer.pass(&input, header.size)
    }

    private func endCopy(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ server: ServerConversation, _ toServer: inout ForwardBuffer
    ) {
        if server.isCopyingIn {
            server.isCopyingIn = false
        } else if server.owes {
            server.sent(Reply(kind: .copyEnd))
        } else {
            input.moveReaderIndex(forwardBy: header.size)
            return
        }
        toServer.pass(&input, header.size)
    }

    // MARK: Statements

    private func sendParse(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ server: ServerConversation,
        _ toServer: inout ForwardBuffer, _ client: inout ForwardBuffer
    ) throws(WireError) -> Bool {
        var payload = input.payload(header)
        guard let name = payload.readZeroTerminated().map(Self.name) else { throw Self.malformed("Parse") }
        if name.isEmpty || !sharesStatements {
            return try sendUnnamedParse(header, &input, server, &toServer, payload, isUnnamed: name.isEmpty)
        }
        if isUncertain(name) { return false }
        if let known = changes[name] {
            // The server says it best: the name exists.
            let known = here(known, name, server)
            if server.isUncertain(known.id) { return false }
            prepare(known, server, input, &toServer)
            input.moveReaderIndex(forwardBy: header.size)
            // A change that is none: the answer knows by it which name was meant.
            changes.set(name, to: known, batch: batch)
            server.sent(Reply(kind: .parse, settlesChange: true))
            toServer.insert(after: input) { known.writeParse(to: &$0) }
            return true
        }
        guard let query = lookOnce(payload) else { throw Self.malformed("Parse") }
        newest = query.query
        guard changes.count < Self.namedLimit, changes.bytes + payload.readableBytes <= Self.namedBytesLimit else {
            throw WireError(
                .unsupported, sqlState: "53400",
                "one connection may keep \(Self.namedLimit) prepared statements, of \(Self.namedBytesLimit >> 20) MB")
        }
        let statement = registry.intern(payload, space: space, isPrivate: literalsChange, query)
        if server.isUncertain(statement.id) { return false }
        changes.set(name, to: statement, batch: batch)
        input.moveReaderIndex(forwardBy: header.size)
        if server.prepared[statement.id] != nil {
            server.use(statement.id)
            answer(.parse, server, &client)
        } else {
            makeRoom(server, input, &toServer)
            server.use(statement.id)
            server.sent(Reply(kind: .parse, settlesChange: true, statement: statement.id))
            toServer.insert(after: input) { statement.writeParse(to: &$0) }
        }
        return true
    }

    private func sendUnnamedParse(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ server: ServerConversation,
        _ toServer: inout ForwardBuffer, _ payload: ByteBuffer, isUnnamed: Bool
    ) throws(WireError) -> Bool {
        guard let query = lookOnce(payload) else { throw Self.malformed("Parse") }
        newest = query.query
        if isUnnamed, sharesStatements {
            if let name = deallocated(payload) {
                if isUncertain(name) { return false }
                if changes[name] != nil {
                    sendDeallocate(name, header, &input, server, &toServer)
                    return true
                }
            }
            unnamed.clear()
            if let frame = input.getSlice(at: input.readerIndex, length: header.size) {
                unnamed.writeImmutableBuffer(frame)
            }
            unnamedSerial = registry.nextSerial()
            server.unnamedSerial = unnamedSerial
            unnamedQuery = query
            unnamedDeallocates = false
        }
        if !sharesStatements { boundQuery = query }
        server.sent(Reply(kind: .parse, unnamedSerial: isUnnamed && sharesStatements ? unnamedSerial : 0))
        toServer.pass(&input, header.size)
        return true
    }

    /// Whether it has to wait for the server to know what a name means.
    private func isUncertain(_ name: String) -> Bool {
        awaitsDeallocation || changes.isUncertain(name, batch: batch)
    }

    /// `DEALLOCATE name` through the extended protocol: of a statement that is made for it. The real one is others',
    /// too, and nobody knows whether it will ever be executed.
    private func sendDeallocate(
        _ name: String, _ header: FrameHeader, _ input: inout ByteBuffer, _ server: ServerConversation,
        _ toServer: inout ForwardBuffer
    ) {
        input.moveReaderIndex(forwardBy: header.size)
        makeDoomed(server, input, &toServer)
        changes.set(name, to: nil, batch: batch)
        unnamed.clear()
        unnamed.writePGFrame("P") { frame in
            frame.writePGString("")
            frame.writePGString("DEALLOCATE \(PreparedStatement.doomed)")
            frame.writeInteger(UInt16(0))
        }
        unnamedSerial = registry.nextSerial()
        server.unnamedSerial = unnamedSerial
        unnamedQuery = nil
        unnamedDeallocates = true
        server.sent(Reply(kind: .parse, settlesChange: true, unnamedSerial: unnamedSerial))
        toServer.insert(after: input) { $0.writeImmutableBuffer(unnamed) }
    }

    private func makeDoomed(_ server: ServerConversation, _ input: ByteBuffer, _ toServer: inout ForwardBuffer) {
        server.sent(Reply(kind: .close, audience: .us))
        server.sent(Reply(kind: .parse, audience: .us))
        toServer.insert(after: input) { out in
            out.writePGClose(statement: PreparedStatement.doomed)
            out.writePGFrame("P") { frame in
                frame.writePGString(PreparedStatement.doomed)
                frame.writePGString("")
                frame.writeInteger(UInt16(0))
            }
        }
    }

    private func sendBind(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ server: ServerConversation, _ toServer: inout ForwardBuffer
    ) throws(WireError) -> Bool {
        guard sharesStatements else {
            server.sent(Reply(kind: .bind))
            toServer.pass(&input, header.size)
            return true
        }
        let payload = input.payload(header)
        let bytes = payload.readableBytesView
        guard let portalEnd = bytes.firstIndex(of: 0), let nameEnd = bytes[(portalEnd + 1)...].firstIndex(of: 0) else {
            throw Self.malformed("Bind")
        }
        let isUnnamedPortal = portalEnd == bytes.startIndex
        if nameEnd == portalEnd + 1 {
            if server.isUncertain(0) { return false }
            bound(unnamedQuery, isUnnamedPortal, server)
            prepareUnnamed(server, input, &toServer)
            server.sent(Reply(kind: .bind))
            toServer.pass(&input, header.size)
            return true
        }
        let name = Self.name(String(decoding: bytes[(portalEnd + 1)..<nameEnd], as: UTF8.self))
        if isUncertain(name) { return false }
        let statement = changes[name].map { here($0, name, server) }
        if let statement, server.isUncertain(statement.id) { return false }
        bound(statement.map(TextFacts.init), isUnnamedPortal, server)
        if let statement { prepare(statement, server, input, &toServer) }
        server.sent(Reply(kind: .bind, statement: statement?.id ?? 0))
        if statement == nil, !name.hasPrefix(PreparedStatement.prefix) {
            // The server says it best: there is no such name.
            toServer.pass(&input, header.size)
            return true
        }
        input.moveReaderIndex(forwardBy: header.size)
        toServer.insert(after: input) { out in
            out.writePGFrame("B") { frame in
                frame.writeBytes(bytes[bytes.startIndex...portalEnd])
                // A client that calls it by our names must not find another's.
                frame.writePGString(statement?.name ?? PreparedStatement.missing)
                frame.writeBytes(bytes[(nameEnd + 1)...])
            }
        }
        return true
    }

    private func sendDescribe(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ server: ServerConversation, _ toServer: inout ForwardBuffer
    ) throws(WireError) -> Bool {
        var payload = input.payload(header)
        guard let kind = payload.readInteger(as: UInt8.self), let name = payload.readZeroTerminated().map(Self.name)
        else {
            throw Self.malformed("Describe")
        }
        guard kind == UInt8(ascii: "S") else {
            server.sent(Reply(kind: .describePortal))
            toServer.pass(&input, header.size)
            return true
        }
        if sharesStatements, !name.isEmpty, isUncertain(name) { return false }
        let statement = sharesStatements && !name.isEmpty ? changes[name].map { here($0, name, server) } : nil
        if sharesStatements, server.isUncertain(statement?.id ?? 0) { return false }
        if sharesStatements, name.isEmpty { prepareUnnamed(server, input, &toServer) }
        if let statement { prepare(statement, server, input, &toServer) }
        server.sent(Reply(kind: .describeStatement, statement: statement?.id ?? 0))
        if statement == nil, !sharesStatements || !name.hasPrefix(PreparedStatement.prefix) {
            toServer.pass(&input, header.size)
            return true
        }
        input.moveReaderIndex(forwardBy: header.size)
        toServer.insert(after: input) { out in
            out.writePGFrame("D") { frame in
                frame.writeInteger(UInt8(ascii: "S"))
                frame.writePGString(statement?.name ?? PreparedStatement.missing)
            }
        }
        return true
    }

    private func sendClose(
        _ header: FrameHeader, _ input: inout ByteBuffer, _ server: ServerConversation,
        _ toServer: inout ForwardBuffer, _ client: inout ForwardBuffer
    ) throws(WireError) -> Bool {
        var payload = input.payload(header)
        guard let kind = payload.readInteger(as: UInt8.self), let name = payload.readZeroTerminated().map(Self.name)
        else {
            throw Self.malformed("Close")
        }
        guard kind == UInt8(ascii: "S"), sharesStatements, !name.isEmpty else {
            if kind == UInt8(ascii: "S"), name.isEmpty { (unnamedSerial, server.unnamedSerial) = (0, 0) }
            server.sent(Reply(kind: .close))
            toServer.pass(&input, header.size)
            return true
        }
        if isUncertain(name) { return false }
        // Others may use it on the server; and closing what does not exist is no error.
        changes.set(name, to: nil, batch: batch)
        input.moveReaderIndex(forwardBy: header.size)
        answer(.close, server, &client)
        return true
    }

    // MARK: What a server has to hold first

    /// Answers in the server's stead when all earlier answers were given; at once, if they were.
    private func answer(_ kind: Reply.Kind, _ server: ServerConversation, _ client: inout ForwardBuffer) {
        if server.owes {
            server.sent(Reply(kind: kind, audience: .synthetic, settlesChange: true))
        } else {
            changes.settleOldest()
            client.append { kind.writeSynthetic(to: &$0) }
        }
    }

    /// The client may have changed its search path or its time zone since it prepared the statement: others still use
    /// it as it was.
    private func here(
        _ statement: PreparedStatement, _ name: String, _ server: ServerConversation
    ) -> PreparedStatement {
        // What it would be prepared as now is its own only.
        let isPrivate = literalsChange && server.prepared[statement.id] == nil
        guard statement.space != space || isPrivate else { return statement }
        let moved = registry.intern(statement.body, space: space, isPrivate: isPrivate, TextFacts(statement))
        changes.remember(moved, as: name)
        return moved
    }

    private func prepare(
        _ statement: PreparedStatement, _ server: ServerConversation, _ input: ByteBuffer,
        _ toServer: inout ForwardBuffer
    ) {
        if server.prepared[statement.id] == nil {
            makeRoom(server, input, &toServer)
            server.sent(Reply(kind: .parse, audience: .us, statement: statement.id))
            toServer.insert(after: input) { statement.writeParse(to: &$0) }
        }
        server.use(statement.id)
    }

    private func makeRoom(_ server: ServerConversation, _ input: ByteBuffer, _ toServer: inout ForwardBuffer) {
        while server.prepared.count >= preparedLimit,
            let oldest = server.prepared.min(by: { $0.value < $1.value })
        {
            server.prepared[oldest.key] = nil
            server.sent(Reply(kind: .close, audience: .us, statement: oldest.key))
            toServer.insert(after: input) { $0.writePGClose(statement: "\(PreparedStatement.prefix)\(oldest.key)") }
        }
    }

    private func prepareUnnamed(_ server: ServerConversation, _ input: ByteBuffer, _ toServer: inout ForwardBuffer) {
        if changes.lostUnnamed == unnamedSerial { unnamedSerial = 0 }
        guard server.unnamedSerial != unnamedSerial || unnamedSerial == 0 else { return }
        if unnamedSerial == 0 {
            // Another's must not be found; that there is none is for the server to say.
            server.sent(Reply(kind: .close, audience: .us))
            toServer.insert(after: input) { $0.writePGClose(statement: "") }
        } else {
            if unnamedDeallocates { makeDoomed(server, input, &toServer) }
            server.sent(Reply(kind: .parse, audience: .us, unnamedSerial: unnamedSerial))
            toServer.insert(after: input) { $0.writeImmutableBuffer(unnamed) }
        }
        server.unnamedSerial = unnamedSerial
    }

    /// As the server keeps it: names are cut at 63 bytes.
    static func name(_ text: String) -> String {
        guard text.utf8.count > 63 else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: 63)
        // Between characters; not one by one from the end of what may be megabytes.
        while text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }

    static func malformed(_ message: String) -> WireError {
        .protocolViolation("invalid \(message) message")
    }
}

extension ServerConversation {
    func use(_ statement: UInt32) {
        useCount &+= 1
        prepared[statement] = useCount
    }
}

extension ByteBuffer {
    /// The payload of the frame at the reader index, all of which has to be there.
    func payload(_ header: FrameHeader) -> ByteBuffer {
        getSlice(at: readerIndex + FrameHeader.size, length: header.size - FrameHeader.size) ?? ByteBuffer()
    }

    mutating func writePGClose(statement name: String) {
        writePGFrame("C") { frame in
            frame.writeInteger(UInt8(ascii: "S"))
            frame.writePGString(name)
        }
    }

    mutating func skipZeroTerminated() -> Bool {
        guard let end = readableBytesView.firstIndex(of: 0) else { return false }
        moveReaderIndex(to: end + 1)
        return true
    }
}
