/// RFC 8949 §4.2.1 core deterministic encoding of JSON values: one value, one sequence of bytes in every language.
///
/// Whole numbers in [−2⁶³, 2⁶⁴−1] become integers whether written `1` or `1.0`, −0.0 becomes 0, other numbers the
/// shortest float that holds them exactly. Map keys are sorted by their encoded bytes.
package enum DeterministicCBOR {
    package static func encode(_ value: JSONValue) -> [UInt8] {
        var bytes: [UInt8] = []
        append(value, to: &bytes)
        return bytes
    }

    private static func append(_ value: JSONValue, to bytes: inout [UInt8]) {
        switch value {
        case .null: bytes.append(0xf6)
        case .bool(let flag): bytes.append(flag ? 0xf5 : 0xf4)
        case .integer(let number): append(integer: number, to: &bytes)
        case .double(let number): append(double: number, to: &bytes)
        case .string(let text): append(text: text, to: &bytes)
        case .array(let items):
            append(major: 4, UInt64(items.count), to: &bytes)
            for item in items { append(item, to: &bytes) }
        case .object(let members):
            append(major: 5, UInt64(members.count), to: &bytes)
            let sorted = members.map { (key: encode(.string($0.key)), value: $0.value) }
                .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            for member in sorted {
                bytes += member.key
                append(member.value, to: &bytes)
            }
        }
    }

    private static func append(major: UInt8, _ argument: UInt64, to bytes: inout [UInt8]) {
        let type = major << 5
        switch argument {
        case 0..<24: bytes.append(type | UInt8(argument))
        case 24...0xff: bytes += [type | 24, UInt8(argument)]
        case 0x100...0xffff: bytes.append(type | 25, bigEndian: argument, count: 2)
        case 0x1_0000...0xffff_ffff: bytes.append(type | 26, bigEndian: argument, count: 4)
        default: bytes.append(type | 27, bigEndian: argument, count: 8)
        }
    }

    private static func append(text: String, to bytes: inout [UInt8]) {
        append(major: 3, UInt64(text.utf8.count), to: &bytes)
        bytes += text.utf8
    }

    private static func append(integer: Int64, to bytes: inout [UInt8]) {
        if integer >= 0 {
            append(major: 0, UInt64(integer), to: &bytes)
        } else {
            append(major: 1, UInt64(-1 - integer), to: &bytes)
        }
    }

    private static func append(double: Double, to bytes: inout [UInt8]) {
        if let whole = Int64(exactly: double) { return append(integer: whole, to: &bytes) }
        if let whole = UInt64(exactly: double) { return append(major: 0, whole, to: &bytes) }
        if double.isNaN {
            bytes += [0xf9, 0x7e, 0x00]
        } else if let half = half(double) {
            bytes.append(0xf9, bigEndian: UInt64(half), count: 2)
        } else if Double(Float(double)) == double {
            bytes.append(0xfa, bigEndian: UInt64(Float(double).bitPattern), count: 4)
        } else {
            bytes.append(0xfb, bigEndian: double.bitPattern, count: 8)
        }
    }

    /// The bits of IEEE 754 binary16, if it holds the number exactly. By hand, because `Float16` is not there on
    /// every platform that Swift runs on.
    private static func half(_ double: Double) -> UInt16? {
        let sign: UInt16 = double.sign == .minus ? 0x8000 : 0
        if double.isInfinite { return sign | 0x7c00 }
        let magnitude = double.magnitude
        guard magnitude <= 65_504 else { return nil }
        let exponent = max(Int(magnitude.exponent), -14)
        // In units of the last place: normal numbers need 1024..<2048 of them, subnormal ones fewer.
        let units = Double(sign: .plus, exponent: 10 - exponent, significand: magnitude)
        guard let whole = UInt16(exactly: units) else { return nil }
        return whole < 1_024 ? sign | whole : sign | UInt16(exponent + 15) << 10 | (whole - 1_024)
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ head: UInt8, bigEndian value: UInt64, count: Int) {
        append(head)
        for shift in stride(from: (count - 1) * 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
        }
    }
}
