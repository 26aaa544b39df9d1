import NIOCore

extension ByteBuffer {
    private static let moments = ["now", "today", "tomorrow", "yesterday"].map { Array($0.utf8) }

    /// Whether it may have a constant such as 'now', which PostgreSQL takes for the time at which it reads the text.
    /// (A name in a comment or in a longer word counts too: that costs a Parse, and nothing else.)
    var namesMoment: Bool {
        withUnsafeReadableBytes { bytes in
            var index = 0
            while let quote = bytes[index...].firstIndex(of: UInt8(ascii: "'")) {
                index = quote + 1
                while index < bytes.count, bytes[index] <= 0x20, bytes[index] != 0 { index += 1 }
                for moment in Self.moments where index + moment.count <= bytes.count {
                    if moment.indices.allSatisfy({ bytes[index + $0] | 0x20 == moment[$0] }) { return true }
                }
            }
            return false
        }
    }
}
