/// A name or keyword of a text, as PostgreSQL compares it: unquoted in lower case, quoted as it stands.
struct QueryWord {
    private let base: UnsafePointer<UInt8>
    let count: Int
    let kind: QueryToken.Kind

    init(_ token: QueryToken, in base: UnsafePointer<UInt8>) {
        kind = token.kind
        switch token.kind {
        case .quotedName:
            self.base = base + token.start + 1
            count = max(0, token.count - 2)
        case .unicodeName:
            self.base = base + token.start + 3
            count = max(0, token.count - 4)
        default:
            self.base = base + token.start
            count = token.count
        }
    }

    var isName: Bool { kind == .word || kind == .quotedName || kind == .unicodeName }

    /// Whether this is the keyword, which is given in lower case. Quoted names are no keywords.
    @inline(__always)
    func isKeyword(_ keyword: StaticString) -> Bool {
        kind == .word && matches(keyword)
    }

    /// Whether this names what is called so, quoted or not. The name is given in lower case.
    @inline(__always)
    func names(_ name: StaticString) -> Bool {
        isName && matches(name)
    }

    @inline(__always)
    private func matches(_ name: StaticString) -> Bool {
        guard count == name.utf8CodeUnitCount else { return false }
        let expected = name.utf8Start
        if kind == .word {
            for index in 0..<count where ByteClass.lowercased(base[index]) != expected[index] { return false }
        } else {
            for index in 0..<count where base[index] != expected[index] { return false }
        }
        return true
    }

    func hasPrefix(_ prefix: StaticString) -> Bool {
        guard count >= prefix.utf8CodeUnitCount else { return false }
        for index in 0..<prefix.utf8CodeUnitCount {
            let byte = kind == .word ? ByteClass.lowercased(base[index]) : base[index]
            if byte != prefix.utf8Start[index] { return false }
        }
        return true
    }

    var isASCII: Bool { UnsafeBufferPointer(start: base, count: count).allSatisfy { $0 < 0x80 } }

    func contains(_ byte: UInt8) -> Bool {
        UnsafeBufferPointer(start: base, count: count).contains(byte)
    }

    /// The name as text: in lower case if it is not quoted, without its quotes if it is.
    var text: String {
        let bytes = UnsafeBufferPointer(start: base, count: count)
        guard kind != .word else { return String(decoding: bytes.map(ByteClass.lowercased), as: UTF8.self) }
        var unquoted: [UInt8] = []
        var index = 0
        while index < count {
            unquoted.append(base[index])
            index += base[index] == ByteClass.doubleQuote ? 2 : 1
        }
        return String(decoding: unquoted, as: UTF8.self)
    }
}
