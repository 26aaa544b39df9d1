import NIOCore

extension ByteBuffer {
    /// Writes type, length and whatever `body` writes.
    package mutating func writePGFrame(_ type: Unicode.Scalar, _ body: (inout ByteBuffer) -> Void = { _ in }) {
        writeInteger(UInt8(ascii: type))
        writePGLength(body)
    }

    /// Writes a length, itself included, and whatever `body` writes.
    mutating func writePGLength(_ body: (inout ByteBuffer) -> Void) {
        let start = writerIndex
        writeInteger(Int32(0))
        body(&self)
        setInteger(Int32(clamping: writerIndex - start), at: start)
    }

    /// Writes text and a zero. Text with a zero in it ends there, as it would for every reader: written whole, its rest
    /// would be read as further fields.
    package mutating func writePGString(_ text: String) {
        if text.utf8.contains(0) {
            writeBytes(text.utf8.prefix { $0 != 0 })
        } else {
            writeString(text)
        }
        writeInteger(UInt8(0))
    }
}
