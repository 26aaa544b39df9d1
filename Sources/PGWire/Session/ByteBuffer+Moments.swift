import NIOCore

extension ByteBuffer {
    private static let moments = ["now", "today", "tomorrow", "yesterday"].map { Array($0.utf8) }

    /// Whether it may have a constant such as 'now' or '12:00 today', which PostgreSQL takes for a time that depends on
    /// when it reads the text. (Such a word elsewhere counts too, unless it is a call such as now(): that costs a Parse,
    /// and nothing else.)
    var namesMoment: Bool {
        withUnsafeReadableBytes { bytes in
            var index = 0
            while index < bytes.count {
                guard Self.isLetter(bytes[index]) else {
                    index += 1
                    continue
                }
                let start = index
                while index < bytes.count, Self.isLetter(bytes[index]) { index += 1 }
                let word = bytes[start..<index]
                guard (3...9).contains(word.count), Self.moments.contains(where: { Self.equals(word, $0) }) else {
                    continue
                }
                var next = index
                while next < bytes.count, bytes[next] <= 0x20, bytes[next] != 0 { next += 1 }
                if next == bytes.count || bytes[next] != UInt8(ascii: "(") { return true }
            }
            return false
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x41...0x5A, 0x61...0x7A, 0x30...0x39, 0x5F, 0x80...: true
        default: false
        }
    }

    private static func equals(_ word: Slice<UnsafeRawBufferPointer>, _ moment: [UInt8]) -> Bool {
        word.count == moment.count && zip(word, moment).allSatisfy { $0 | 0x20 == $1 }
    }
}
