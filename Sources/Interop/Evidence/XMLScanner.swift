/// Reads the XML that tools write reports in, one token at a time.
///
/// It knows elements, attributes, text, CDATA, comments and processing instructions in UTF-8. Document types are
/// refused and entities are those of XML itself, so nothing outside the bytes is ever read and nothing can grow. It is
/// written by hand because FoundationXML would bring libxml2 into every service that imports MainstayKit.
struct XMLScanner {
    enum Token: Hashable {
        case start(Element)
        /// Empty elements have one too.
        case end(String)
        /// At most `textLimit` bytes of it.
        case text(String)
    }

    struct Element: Hashable {
        /// Without a namespace prefix.
        var name: String
        var attributes: [String: String]
    }

    /// What is wrong, and the byte at which it was seen.
    struct Failure: Error {
        var message: String
        var offset: Int
    }

    static let depthLimit = 64
    static let attributeLimit = 64
    static let nameLimit = 200
    static let textLimit = 4_096

    private let bytes: [UInt8]
    private var index = 0
    private var open: [String] = []
    private var endsAtOnce = false
    private var hadRoot = false

    init(_ bytes: [UInt8]) throws(Failure) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
        guard !bytes.starts(with: [0xFE, 0xFF]), !bytes.starts(with: [0xFF, 0xFE]) else {
            throw Failure(message: "the file is UTF-16, only UTF-8 is read", offset: 0)
        }
        if let offset = Self.firstInvalid(bytes) { throw Failure(message: "this is not UTF-8", offset: offset) }
    }

    /// Where the token that comes next begins.
    var offset: Int { index }

    /// Nil at the end of a complete document.
    mutating func next() throws(Failure) -> Token? {
        if endsAtOnce {
            endsAtOnce = false
            return .end(open.removeLast())
        }
        while index < bytes.count {
            let token = bytes[index] == UInt8(ascii: "<") ? try markup() : try text()
            if let token { return token }
        }
        if let name = open.last { throw failure("the file ends inside <\(name)>") }
        guard hadRoot else { throw failure("there is no XML element in it") }
        return nil
    }

    private mutating func markup() throws(Failure) -> Token? {
        if follows("<!--") {
            index = try end(of: "-->", after: index + 4, "comment")
            return nil
        }
        if follows("<?") {
            try instruction()
            return nil
        }
        if follows("<![CDATA[") {
            guard !open.isEmpty else { throw failure("text outside of the document's element") }
            let start = index + 9
            index = try end(of: "]]>", after: start, "CDATA section")
            return .text(Self.string(bytes[start..<min(index - 3, start + Self.textLimit)]))
        }
        if follows("<!") { throw failure("document types and entities of one's own are not read") }
        return follows("</") ? try endTag() : try startTag()
    }

    private mutating func instruction() throws(Failure) {
        let start = index
        index = try end(of: "?>", after: start + 2, "processing instruction")
        let text = Self.string(bytes[start..<min(index, start + 200)]).lowercased()
        guard text.hasPrefix("<?xml "), let range = text.firstRange(of: "encoding") else { return }
        let value = text[range.upperBound...].drop { " =".contains($0) }.dropFirst().prefix { !"\"'".contains($0) }
        guard ["utf-8", "utf8", "us-ascii", "ascii"].contains(value) else {
            throw Failure(message: "the encoding '\(value)' is not read, only UTF-8 is", offset: start)
        }
    }

    private mutating func endTag() throws(Failure) -> Token {
        let start = index
        index += 2
        let name = try self.name()
        skipSpace()
        guard take(">") else { throw failure("'>' is missing after </\(name)") }
        guard let expected = open.popLast() else {
            throw Failure(message: "</\(name)> closes nothing", offset: start)
        }
        guard expected == name else {
            throw Failure(message: "</\(name)> where </\(expected)> is expected", offset: start)
        }
        return .end(name)
    }

    private mutating func startTag() throws(Failure) -> Token {
        let start = index
        guard !open.isEmpty || !hadRoot else { throw failure("a second element beside the document's first") }
        index += 1
        let name = try self.name()
        var element = Element(name: name, attributes: [:])
        while true {
            let hadSpace = skipSpace()
            if take(">") { break }
            if follows("/>") {
                index += 2
                endsAtOnce = true
                break
            }
            guard hadSpace else { throw failure("<\(name)> is not well-formed here") }
            let at = index
            let key = try self.name()
            let value = try attributeValue(key)
            guard element.attributes.updateValue(value, forKey: key) == nil else {
                throw Failure(message: "the attribute '\(key)' appears twice", offset: at)
            }
            guard element.attributes.count <= Self.attributeLimit else {
                throw Failure(message: "<\(name)> has more than \(Self.attributeLimit) attributes", offset: at)
            }
        }
        open.append(name)
        guard open.count <= Self.depthLimit else {
            throw Failure(message: "elements are nested more than \(Self.depthLimit) deep", offset: start)
        }
        hadRoot = true
        return .start(element)
    }

    private mutating func attributeValue(_ key: String) throws(Failure) -> String {
        skipSpace()
        guard take("=") else { throw failure("'=' is missing after the attribute '\(key)'") }
        skipSpace()
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "'") else {
            throw failure("the value of the attribute '\(key)' is not in quotes")
        }
        let quote = bytes[index]
        index += 1
        let value = try characters { $0 == quote || $0 == UInt8(ascii: "<") }
        guard index < bytes.count, bytes[index] == quote else {
            throw failure("the value of the attribute '\(key)' does not end")
        }
        index += 1
        return value
    }

    private mutating func text() throws(Failure) -> Token? {
        let start = index
        let text = try characters { $0 == UInt8(ascii: "<") }
        if open.isEmpty {
            guard bytes[start..<index].allSatisfy(Self.isSpace) else {
                throw Failure(message: hadRoot ? "text after the document's element" : "this is not XML", offset: start)
            }
            return nil
        }
        return .text(text)
    }

    /// Text up to a byte, with references resolved.
    private mutating func characters(until isEnd: (UInt8) -> Bool) throws(Failure) -> String {
        var found: [UInt8] = []
        while index < bytes.count, !isEnd(bytes[index]) {
            if bytes[index] == UInt8(ascii: "&") {
                let resolved = try reference()
                if found.count < Self.textLimit { found += resolved }
            } else {
                if found.count < Self.textLimit { found.append(bytes[index]) }
                index += 1
            }
        }
        return Self.string(found[...])
    }

    private mutating func reference() throws(Failure) -> [UInt8] {
        let start = index
        guard let end = bytes[index...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
            throw failure("'&' does not begin a reference such as &amp;")
        }
        let name = Self.string(bytes[(start + 1)..<end])
        index = end + 1
        switch name {
        case "lt": return [UInt8(ascii: "<")]
        case "gt": return [UInt8(ascii: ">")]
        case "amp": return [UInt8(ascii: "&")]
        case "quot": return [UInt8(ascii: "\"")]
        case "apos": return [UInt8(ascii: "'")]
        default: break
        }
        let number: UInt32? =
            name.hasPrefix("#x")
            ? UInt32(name.dropFirst(2), radix: 16) : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
        guard let number else { throw Failure(message: "the entity &\(name); is not known", offset: start) }
        // Characters that XML forbids say nothing about a test: they are shown as unreadable.
        let scalar = Unicode.Scalar(number).flatMap { $0.value < 0x20 && ![9, 10, 13].contains($0.value) ? nil : $0 }
        return Array(String(scalar ?? "\u{FFFD}").utf8)
    }

    /// Of an element or an attribute; the namespace prefix is left out.
    private mutating func name() throws(Failure) -> String {
        let start = index
        while index < bytes.count, Self.isNameByte(bytes[index]) { index += 1 }
        guard index > start, !(UInt8(ascii: "-")...UInt8(ascii: "9")).contains(bytes[start]) else {
            throw Failure(message: "a name is expected here", offset: start)
        }
        guard index - start <= Self.nameLimit else { throw Failure(message: "this name is too long", offset: start) }
        let name = Self.string(bytes[start..<index])
        return name.split(separator: ":").last.map(String.init) ?? name
    }

    private func end(of mark: StaticString, after start: Int, _ what: String) throws(Failure) -> Int {
        let wanted = Array("\(mark)".utf8)
        var position = start
        while position + wanted.count <= bytes.count {
            if bytes[position] == wanted[0], bytes[position..<position + wanted.count].elementsEqual(wanted) {
                return position + wanted.count
            }
            position += 1
        }
        throw failure("a \(what) does not end")
    }

    private func follows(_ mark: StaticString) -> Bool {
        mark.withUTF8Buffer { bytes[index...].starts(with: $0) }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    @discardableResult
    private mutating func skipSpace() -> Bool {
        let start = index
        while index < bytes.count, Self.isSpace(bytes[index]) { index += 1 }
        return index > start
    }

    private func failure(_ message: String) -> Failure { Failure(message: message, offset: index) }
}

extension XMLScanner {
    /// Both count from 1; columns are characters as editors count them (Unicode scalars).
    static func position(of offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for byte in bytes.prefix(offset) {
            if byte == 10 {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 10 || byte == 9 || byte == 13 }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "-"),
            UInt8(ascii: "."), 0x80...0xFF:
            true
        default: false
        }
    }

    private static func string(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func firstInvalid(_ bytes: [UInt8]) -> Int? {
        guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
        var decoder = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var offset = 0
        while true {
            switch decoder.parseScalar(from: &iterator) {
            case .valid(let scalar): offset += scalar.count
            case .error, .emptyInput: return offset
            }
        }
    }
}
