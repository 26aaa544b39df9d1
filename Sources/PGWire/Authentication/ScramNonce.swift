/// One side's share of a SCRAM exchange's nonce: printable bytes without a comma.
package struct ScramNonce: Equatable, Sendable {
    let text: [UInt8]

    /// 24 random bytes, from a generator fit for secrets; a type that cannot be made of fewer.
    package init(_ first: UInt64, _ second: UInt64, _ third: UInt64) {
        text = Base64.encode(
            [first, second, third].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) } })
    }

    /// For the examples of RFCs only.
    init(example: String) {
        text = Array(example.utf8)
    }

    static func isPrintable(_ bytes: some Sequence<UInt8>) -> Bool {
        bytes.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ",") }
    }
}
