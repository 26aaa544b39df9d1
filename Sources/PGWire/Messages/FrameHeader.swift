import NIOCore

/// Type and length of a message that follows the start-up.
package struct FrameHeader: Equatable, Sendable {
    /// A type and a length.
    package static let size = 5
    /// No message of the protocol is longer: its length is a signed 32-bit number.
    package static let lengthLimit = 0x4000_0000

    package var type: UInt8
    /// Bytes of the whole frame: type, length and payload.
    package var size: Int

    /// The header at the reader index, which stays; nil while fewer than five bytes are there.
    ///
    /// - Throws: `08P01` for a length below four or above a gigabyte: the two ends no longer agree where messages
    /// begin.
    package init?(peeking buffer: ByteBuffer) throws(WireError) {
        guard let type = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self),
            let length = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self)
        else { return nil }
        guard length >= 4, length <= Self.lengthLimit else {
            throw .protocolViolation("invalid message length \(length)")
        }
        self.type = type
        size = Int(length) + 1
    }
}
