/// MurmurHash3 x86_32, which flagd's `fractional` places users with. Not for secrets.
package enum Murmur3 {
    package static func hash32(_ bytes: UnsafeBufferPointer<UInt8>, seed: UInt32 = 0) -> UInt32 {
        var hash = seed
        let blocks = bytes.count / 4
        for block in 0..<blocks {
            let at = block * 4
            let word =
                UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
                | UInt32(bytes[at + 3]) << 24
            hash ^= scramble(word)
            hash = hash << 13 | hash >> 19
            hash = hash &* 5 &+ 0xe654_6b64
        }
        var tail: UInt32 = 0
        for index in stride(from: bytes.count - 1, through: blocks * 4, by: -1) {
            tail = tail << 8 | UInt32(bytes[index])
        }
        hash ^= scramble(tail)
        hash ^= UInt32(truncatingIfNeeded: bytes.count)
        hash ^= hash >> 16
        hash &*= 0x85eb_ca6b
        hash ^= hash >> 13
        hash &*= 0xc2b2_ae35
        return hash ^ hash >> 16
    }

    package static func hash32(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBufferPointer { hash32($0, seed: seed) }
    }

    /// Of the text's UTF-8.
    package static func hash32(_ text: String, seed: UInt32 = 0) -> UInt32 {
        var text = text
        return text.withUTF8 { hash32($0, seed: seed) }
    }

    private static func scramble(_ word: UInt32) -> UInt32 {
        let product = word &* 0xcc9e_2d51
        return (product << 15 | product >> 17) &* 0x1b87_3593
    }
}
