import NIOCore

/// Messages that a server sends, each a whole frame.
extension ByteBuffer {
    package mutating func writePGAuthenticationOk() {
        writePGAuthentication(0)
    }

    package mutating func writePGAuthenticationCleartextPassword() {
        writePGAuthentication(3)
    }

    /// - Parameter salt: four random bytes, most significant first.
    package mutating func writePGAuthenticationMD5Password(salt: UInt32) {
        writePGAuthentication(5) { $0.writeInteger(salt) }
    }

    /// - Parameter mechanisms: the preferred one first.
    package mutating func writePGAuthenticationSASL(mechanisms: [String]) {
        writePGAuthentication(10) { body in
            for mechanism in mechanisms { body.writePGString(mechanism) }
            body.writeInteger(UInt8(0))
        }
    }

    package mutating func writePGAuthenticationSASLContinue(_ data: some Sequence<UInt8>) {
        writePGAuthentication(11) { $0.writeBytes(data) }
    }

    package mutating func writePGAuthenticationSASLFinal(_ data: some Sequence<UInt8>) {
        writePGAuthentication(12) { $0.writeBytes(data) }
    }

    package mutating func writePGNegotiateProtocolVersion(_ negotiation: ProtocolNegotiation) {
        writePGFrame("v") { body in
            body.writeInteger(UInt32(3) << 16 | UInt32(negotiation.minorVersion))
            body.writeInteger(Int32(clamping: negotiation.unknownOptions.count))
            for name in negotiation.unknownOptions { body.writePGString(name) }
        }
    }

    package mutating func writePGParameterStatus(name: String, value: String) {
        writePGFrame("S") { body in
            body.writePGString(name)
            body.writePGString(value)
        }
    }

    /// - Parameter secret: 4 bytes for protocol 3.0, up to 256 from 3.2 on.
    package mutating func writePGBackendKeyData(processID: Int32, secret: some Sequence<UInt8>) {
        writePGFrame("K") { body in
            body.writeInteger(processID)
            body.writeBytes(secret)
        }
    }

    /// - Parameter status: `TransactionStatus` as its byte: `I` idle, `T` in a transaction, `E` in a failed one.
    package mutating func writePGReadyForQuery(status: UInt8) {
        writePGFrame("Z") { $0.writeInteger(status) }
    }

    package mutating func writePGErrorResponse(_ fields: ErrorFields) {
        writePGFrame("E") { $0.writePGErrorFields(fields) }
    }

    package mutating func writePGErrorResponse(_ error: WireError, severity: ErrorFields.Severity = .fatal) {
        writePGErrorResponse(
            error.fields ?? ErrorFields(severity: severity, code: error.sqlState, message: error.message))
    }

    package mutating func writePGNoticeResponse(_ fields: ErrorFields) {
        writePGFrame("N") { $0.writePGErrorFields(fields) }
    }

    private mutating func writePGAuthentication(_ kind: Int32, _ body: (inout ByteBuffer) -> Void = { _ in }) {
        writePGFrame("R") { frame in
            frame.writeInteger(kind)
            body(&frame)
        }
    }

    private mutating func writePGErrorFields(_ fields: ErrorFields) {
        for (key, value) in fields.written {
            writeInteger(UInt8(ascii: key))
            writePGString(value)
        }
        writeInteger(UInt8(0))
    }
}
