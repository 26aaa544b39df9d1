import NIOCore

extension ByteBuffer {
    /// Whether it may have a constant such as 'now' or '12:00 today', which PostgreSQL takes for a time that depends
    /// on when it reads the text. (Such a word elsewhere counts too, unless it is a call such as now(): that costs a
    /// Parse, and nothing else.)
    var namesMoment: Bool {
        withUnsafeReadableBytes { bytes in
            var scan = MomentScan(bytes: bytes)
            return scan.findsOne()
        }
    }
}

/// Tells calls from constants; where it is in doubt, for constants.
private struct MomentScan {
    private static let moments = ["now", "today", "tomorrow", "yesterday"].map { Array($0.utf8) }

    let bytes: UnsafeRawBufferPointer
    private var index = 0
    /// The quote that is open; 0: none.
    private var quote: UInt8 = 0
    /// From a backslash, a dollar's quote or a comment on, what is quoted is not known.
    private var isLost = false

    init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func findsOne() -> Bool {
        while index < bytes.count {
            let byte = bytes[index]
            if Self.isLetter(byte) {
                if readsMoment() { return true }
                continue
            }
            note(byte)
            index += 1
        }
        return false
    }

    private mutating func note(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            if quote == 0 { quote = byte } else if quote == byte { quote = 0 }
        case UInt8(ascii: "\\"): isLost = true
        case UInt8(ascii: "$"):
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            if quote == 0, !(0x30...0x39).contains(next) { isLost = true }
        case UInt8(ascii: "-"), UInt8(ascii: "*"):
            // The beginning of a comment is two of the one, or a slash before the other.
            let before = index > 0 ? bytes[index - 1] : 0
            let first = byte == UInt8(ascii: "-") ? byte : UInt8(ascii: "/")
            if quote == 0, before == first { isLost = true }
        default: break
        }
    }

    private mutating func readsMoment() -> Bool {
        let start = index
        while index < bytes.count, Self.isLetter(bytes[index]) { index += 1 }
        let word = bytes[start..<index]
        guard (3...9).contains(word.count), Self.moments.contains(where: { Self.equals(word, $0) }) else {
            return false
        }
        var next = index
        while next < bytes.count, bytes[next] <= 0x20, bytes[next] != 0 { next += 1 }
        let isCall = next < bytes.count && bytes[next] == UInt8(ascii: "(") && quote == 0 && !isLost
        return !isCall
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
