/// A user as exposures name them: 64 bits of their key, the same in every process, version and platform.
///
/// FNV-1a (64 bit, offset basis 14695981039346656037, prime 1099511628211) over the key's UTF-8, finished with
/// MurmurHash3's `fmix64` so that every bit is usable by sketches. It keeps bodies small and keys out of them; it is
/// no anonymisation: who knows a key can compute its hash.
package struct UserHash: Hashable, Sendable {
    package var value: UInt64

    package init(value: UInt64) {
        self.value = value
    }

    package init(key: String) {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in key.utf8 {
            hash ^= UInt64(byte)
            hash &*= 1_099_511_628_211
        }
        hash ^= hash >> 33
        hash &*= 0xff51_afd7_ed55_8ccd
        hash ^= hash >> 33
        hash &*= 0xc4ce_b9fe_1a85_ec53
        hash ^= hash >> 33
        value = hash
    }

    /// Reads what `hex` writes: exactly 16 hexadecimal digits.
    package init?(hex: some StringProtocol) {
        let digits = hex.utf8
        guard digits.count == 16, digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let value = UInt64(hex, radix: 16)
        else { return nil }
        self.value = value
    }

    /// 16 lower-case hexadecimal digits, most significant first.
    package var hex: String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}
