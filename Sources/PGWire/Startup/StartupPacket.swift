import NIOCore

/// The first thing a client says: the one message of the protocol without a type byte.
///
/// Shape: length (Int32, itself included), code (Int32), rest. The code is the protocol's version or one of the
/// requests below, which were given versions that will never exist.
package enum StartupPacket: Equatable, Sendable {
    /// To be answered with `S` or `N`. Bytes that came after it before the answer are an attack (a man in the middle
    /// puts his words before the encrypted ones) and end the connection.
    case sslRequest
    /// As `sslRequest`, for GSSAPI; either may come first.
    case gssEncRequest
    /// Comes alone on its connection, and is never answered.
    case cancel(processID: Int32, secret: [UInt8])
    case startup(StartupParameters)

    /// What PostgreSQL accepts, the length field not counted.
    package static let lengthLimit = 10_000
    /// A key is 4 bytes until protocol 3.0 and up to 256 from 3.2 on.
    package static let cancelSecretLengths = 4...256

    private static let cancelCode: UInt32 = 80_877_102
    private static let sslCode: UInt32 = 80_877_103
    private static let gssEncCode: UInt32 = 80_877_104

    /// Takes one packet off the front of the buffer.
    ///
    /// - Parameter limit: most bytes after the length field.
    /// - Returns: nil, and the buffer as it was, when more bytes are needed. A length that cannot be is refused at its
    ///   fourth byte, before anything is collected.
    /// - Throws: `08P01` for a malformed packet, `0A000` for another major version, `28000` without a user, `22023`
    ///   and `42601` for parameters that make no sense, `22021` for text that is not UTF-8.
    package static func parse(
        _ buffer: inout ByteBuffer, limit: Int = lengthLimit
    ) throws(WireError) -> StartupPacket? {
        guard let announced = buffer.getInteger(at: buffer.readerIndex, as: Int32.self) else { return nil }
        let length = Int(announced)
        guard length >= 8, length - 4 <= limit else { throw .tooLarge("invalid length of startup packet") }
        guard var packet = buffer.readSlice(length: length) else { return nil }
        packet.moveReaderIndex(forwardBy: 4)
        let code = packet.readInteger(as: UInt32.self) ?? 0
        switch code {
        case sslCode, gssEncCode:
            guard packet.readableBytes == 0 else { throw .protocolViolation("invalid length of encryption request") }
            return code == sslCode ? .sslRequest : .gssEncRequest
        case cancelCode:
            return try cancel(&packet)
        default:
            return .startup(try startup(version: code, &packet))
        }
    }

    private static func cancel(_ packet: inout ByteBuffer) throws(WireError) -> StartupPacket {
        guard let processID = packet.readInteger(as: Int32.self), cancelSecretLengths.contains(packet.readableBytes)
        else { throw .protocolViolation("invalid length of cancel request packet") }
        return .cancel(processID: processID, secret: Array(packet.readableBytesView))
    }

    private static func startup(version: UInt32, _ packet: inout ByteBuffer) throws(WireError) -> StartupParameters {
        let (major, minor) = (version >> 16, UInt16(truncatingIfNeeded: version))
        guard major == 3 else {
            throw .unsupported("unsupported frontend protocol \(major).\(minor): server supports 3.0 and above")
        }
        var parameters: [StartupParameters.Parameter] = []
        while true {
            let name = try text(&packet)
            if name.isEmpty { break }
            parameters.append(.init(name: name, value: try text(&packet)))
        }
        guard packet.readableBytes == 0 else { throw terminatorMissing }
        return try StartupParameters(minorVersion: minor, parameters: parameters)
    }

    private static func text(_ packet: inout ByteBuffer) throws(WireError) -> String {
        let bytes = packet.readableBytesView
        guard let end = bytes.firstIndex(of: 0) else { throw terminatorMissing }
        guard let text = String(validating: bytes[..<end], as: UTF8.self) else {
            // Names that differ only in broken bytes must not become one name.
            throw WireError(
                .invalidParameter, sqlState: "22021", "invalid byte sequence for encoding \"UTF8\" in startup packet")
        }
        packet.moveReaderIndex(forwardBy: end - bytes.startIndex + 1)
        return text
    }

    private static let terminatorMissing = WireError.protocolViolation(
        "invalid startup packet layout: expected terminator as last byte")
}
