/// Reads `a=value,b=value…`, the shape of every SCRAM message.
struct ScramAttributes {
    typealias Attribute = (name: UInt8, value: ArraySlice<UInt8>)

    /// PostgreSQL's own limit of a SASL message.
    static let messageLimit = 1_024

    private var rest: ArraySlice<UInt8>
    /// A comma was read, so that another attribute has to follow.
    private var owesAttribute = true

    init(_ message: ArraySlice<UInt8>) {
        rest = message
    }

    var isAtEnd: Bool { rest.isEmpty && !owesAttribute }
    /// Where the next attribute begins.
    var index: Int { rest.startIndex }

    mutating func next() throws(WireError) -> Attribute {
        guard let name = rest.first, (65...90).contains(name) || (97...122).contains(name),
            rest.dropFirst().first == UInt8(ascii: "=")
        else { throw Self.malformed }
        let end = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
        let value = rest[(rest.startIndex + 2)..<max(end, rest.startIndex + 2)]
        owesAttribute = end < rest.endIndex
        rest = rest[(owesAttribute ? end + 1 : end)...]
        return (name, value)
    }

    /// The value of the next attribute, which must have this name.
    mutating func value(of name: Unicode.Scalar) throws(WireError) -> ArraySlice<UInt8> {
        let attribute = try next()
        guard attribute.name == UInt8(ascii: name) else { throw Self.malformed }
        return attribute.value
    }

    /// A positive decimal number within Int32, without a sign or leading zeros.
    static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...10).contains(digits.count), digits.first != 48, digits.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        let value = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
        return value <= Int(Int32.max) ? value : nil
    }

    static let malformed = WireError.protocolViolation("malformed SCRAM message")
}
