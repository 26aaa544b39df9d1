import NIOCore

/// Messages that a client sends, each a whole frame.
extension ByteBuffer {
    /// - Parameter parameters: `user` among them; in the order they are to be applied.
    package mutating func writePGStartupMessage(
        minorVersion: UInt16 = 0, parameters: [StartupParameters.Parameter]
    ) {
        writePGLength { body in
            body.writeInteger(UInt32(3) << 16 | UInt32(minorVersion))
            // A parameter without a name would be read as the end of the list.
            for parameter in parameters where !parameter.name.isEmpty {
                body.writePGString(parameter.name)
                body.writePGString(parameter.value)
            }
            body.writeInteger(UInt8(0))
        }
    }

    package mutating func writePGSSLRequest() {
        writePGLength { $0.writeInteger(UInt32(80_877_103)) }
    }

    package mutating func writePGCancelRequest(processID: Int32, secret: some Sequence<UInt8>) {
        writePGLength { body in
            body.writeInteger(UInt32(80_877_102))
            body.writeInteger(processID)
            body.writeBytes(secret)
        }
    }

    /// - Parameter password: without zeros, which end it.
    package mutating func writePGPasswordMessage(_ password: some Sequence<UInt8>) {
        writePGFrame("p") { body in
            body.writeBytes(password)
            body.writeInteger(UInt8(0))
        }
    }

    package mutating func writePGSASLInitialResponse(mechanism: String, data: [UInt8]) {
        writePGFrame("p") { body in
            body.writePGString(mechanism)
            body.writeInteger(Int32(clamping: data.count))
            body.writeBytes(data)
        }
    }

    package mutating func writePGSASLResponse(_ data: some Sequence<UInt8>) {
        writePGFrame("p") { $0.writeBytes(data) }
    }

    package mutating func writePGQuery(_ text: String) {
        writePGFrame("Q") { $0.writePGString(text) }
    }

    package mutating func writePGSync() {
        writePGFrame("S")
    }

    package mutating func writePGTerminate() {
        writePGFrame("X")
    }
}
