import NIOCore

extension Reply.Kind {
    /// The answer that a server would give.
    func writeSynthetic(to buffer: inout ByteBuffer) {
        buffer.writeInteger(self == .close ? ServerMessage.closeComplete : ServerMessage.parseComplete)
        buffer.writeInteger(UInt32(4))
    }
}

extension ErrorFields {
    /// The SQLSTATE of an ErrorResponse's payload, without reading the rest; nil when there is none.
    static func sqlState(in payload: ByteBuffer) -> SQLState? {
        value(of: "C", in: payload).flatMap { $0.count == 5 ? SQLState($0) : nil }
    }

    private static func value(of key: Unicode.Scalar, in payload: ByteBuffer) -> ByteBufferView? {
        let bytes = payload.readableBytesView
        var index = bytes.startIndex
        while index < bytes.endIndex, bytes[index] != 0 {
            guard let end = bytes[index...].firstIndex(of: 0) else { return nil }
            if bytes[index] == UInt8(ascii: key) { return bytes[(index + 1)..<end] }
            index = end + 1
        }
        return nil
    }
}

extension ErrorFields {
    /// The server closes after this.
    static func isFatal(_ payload: ByteBuffer) -> Bool {
        // Not just anywhere: a client can have its errors say what it likes.
        guard let severity = value(of: "V", in: payload) else { return false }
        return severity.elementsEqual("FATAL".utf8) || severity.elementsEqual("PANIC".utf8)
    }

    /// PostgreSQL has one code for all that it does not support; only its routine or message tells this one.
    static func mentionsCachedPlan(_ payload: ByteBuffer) -> Bool {
        payload.contains("RevalidateCachedQuery") || payload.contains("cached plan must not change result type")
    }
}

extension ByteBuffer {
    func contains(_ text: String) -> Bool { readableBytesView.firstRange(of: text.utf8) != nil }

    /// Text up to a zero, which is read too; nil when there is no zero.
    package mutating func readZeroTerminatedText() -> String? { readZeroTerminated() }

    mutating func readZeroTerminated() -> String? {
        let bytes = readableBytesView
        guard let end = bytes.firstIndex(of: 0) else { return nil }
        let text = String(decoding: bytes[..<end], as: UTF8.self)
        moveReaderIndex(forwardBy: end - bytes.startIndex + 1)
        return text
    }
}
