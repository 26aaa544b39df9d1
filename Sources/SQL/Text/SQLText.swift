/// The text of one SQL statement, split into what stands as it is and what are parameters.
///
/// Quoted strings, quoted identifiers, comments and PostgreSQL's dollar quotes are never looked into, so that a `?` or
/// a `:name` in them stays what it is.
struct SQLText {
    enum Piece: Equatable {
        case verbatim(Range<Int>)
        case question
        /// `:name`, without its colon.
        case name(Range<Int>)
    }

    let bytes: [UInt8]
    let dialect: SQLDialect

    init(_ sql: String, dialect: SQLDialect) {
        bytes = Array(sql.utf8)
        self.dialect = dialect
    }

    func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    func pieces() -> [Piece] {
        var pieces: [Piece] = []
        var start = 0
        var position = 0
        func add(_ piece: Piece, from: Int, upTo end: Int) {
            if start < from { pieces.append(.verbatim(start..<from)) }
            pieces.append(piece)
            start = end
            position = end
        }
        while position < bytes.count {
            if let end = endOfOpaque(from: position) {
                position = end
            } else if bytes[position] == UInt8(ascii: "?") {
                add(.question, from: position, upTo: position + 1)
            } else if let name = parameterName(at: position) {
                add(.name(name), from: position, upTo: name.upperBound)
            } else if bytes[position] == UInt8(ascii: ":"), byte(position + 1) == UInt8(ascii: ":") {
                position += 2
            } else {
                position += 1
            }
        }
        if start < bytes.count { pieces.append(.verbatim(start..<bytes.count)) }
        return pieces
    }

    /// The first word, in upper case: `SELECT`, `INSERT`, … Comments and opening brackets before it are skipped.
    func leadingKeyword() -> String {
        var position = 0
        while position < bytes.count {
            if Self.isSpace(bytes[position]) || bytes[position] == UInt8(ascii: "(") {
                position += 1
            } else if let end = endOfComment(from: position) {
                position = end
            } else {
                break
            }
        }
        return string(position..<endOfWord(from: position)).uppercased()
    }

    /// Whether what follows is `IS NULL` or `IS NOT NULL`.
    func isNullTestFollows(from position: Int) -> Bool {
        var at = position
        func word() -> String {
            while let byte = byte(at), Self.isSpace(byte) { at += 1 }
            let end = endOfWord(from: at)
            defer { at = end }
            return string(at..<end).uppercased()
        }
        guard word() == "IS" else { return false }
        let next = word()
        return next == "NULL" || (next == "NOT" && word() == "NULL")
    }

    func byte(_ position: Int) -> UInt8? { position < bytes.count ? bytes[position] : nil }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    static func startsWord(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    static func continuesWord(_ byte: UInt8) -> Bool {
        startsWord(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    func endOfWord(from position: Int) -> Int {
        var at = position
        while let byte = byte(at), Self.continuesWord(byte) { at += 1 }
        return at
    }

    /// `:name`; not `::cast`, and not the `:` of an array slice `[1:n]`, which follows a word or a bracket.
    private func parameterName(at position: Int) -> Range<Int>? {
        guard bytes[position] == UInt8(ascii: ":"), let first = byte(position + 1), Self.startsWord(first) else {
            return nil
        }
        if position > 0 {
            let before = bytes[position - 1]
            let isSlice = Self.continuesWord(before) || before == UInt8(ascii: "]") || before == UInt8(ascii: ")")
            if isSlice || before == UInt8(ascii: ":") { return nil }
        }
        return position + 1..<endOfWord(from: position + 1)
    }
}
