/// A fast hash of bytes with secret keys, for tables whose keys other people choose.
///
/// Multiply-and-fold as in wyhash: 16 bytes are xored with two keys, multiplied to 128 bits, and both halves folded
/// into one. The keys come from the seed, so that who does not know it cannot aim for collisions. It is no
/// cryptographic hash: where a collision would do harm, the bytes themselves are compared too.
package struct TextHasher: Sendable {
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// - Parameter seed: random per process for tables; a constant for hashes that must outlive the process.
    package init(seed: UInt64) {
        var state = seed
        first = Self.key(&state)
        second = Self.key(&state)
        third = Self.key(&state)
        fourth = Self.key(&state)
    }

    /// The next of a series of well-mixed keys (splitmix64).
    private static func key(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    package func hash(_ text: UnsafeRawBufferPointer) -> UInt64 {
        guard let base = text.baseAddress else { return fold(first ^ second, third) }
        return hash(base, count: text.count)
    }

    @inline(__always)
    func hash(_ base: UnsafeRawPointer, count: Int) -> UInt64 {
        var left = first ^ UInt64(truncatingIfNeeded: count) &* fourth
        guard count > 16 else {
            let (low, high) = short(base, count: count)
            return fold(fold(low ^ second, high ^ left), third ^ left)
        }
        var right = left ^ third
        var offset = 0
        while count - offset > 32 {
            left = fold(word(base, offset) ^ second, word(base, offset + 8) ^ left)
            right = fold(word(base, offset + 16) ^ third, word(base, offset + 24) ^ right)
            offset += 32
        }
        if count - offset > 16 {
            left = fold(word(base, offset) ^ second, word(base, offset + 8) ^ left)
        }
        let last = fold(word(base, count - 16) ^ fourth, word(base, count - 8) ^ right)
        return fold(left ^ first, last ^ third)
    }

    /// Up to 16 bytes as two words; each byte is in one of them.
    @inline(__always)
    private func short(_ base: UnsafeRawPointer, count: Int) -> (UInt64, UInt64) {
        if count >= 8 { return (word(base, 0), word(base, count - 8)) }
        if count >= 4 { return (half(base, 0), half(base, count - 4)) }
        guard count > 0 else { return (0, 0) }
        let middle = base.load(fromByteOffset: count >> 1, as: UInt8.self)
        let last = base.load(fromByteOffset: count - 1, as: UInt8.self)
        return (UInt64(base.load(as: UInt8.self)) << 16 | UInt64(middle) << 8 | UInt64(last), 0)
    }

    @inline(__always)
    private func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    private func half(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }

    @inline(__always)
    private func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
