/// Finds the pieces of PostgreSQL's SQL that matter when statements are taken apart: comments, quoted text, parameters,
/// semicolons and words. It never fails: what is not closed reaches to the end, and the server says what is wrong.
///
/// Assumes `standard_conforming_strings = on`, which the reviewing session sets.
struct SQLScanner {
    enum Kind: Equatable {
        case comment
        /// Quoted text or a quoted identifier.
        case quoted
        /// Keywords and identifiers without quotes.
        case word
        /// `$3`.
        case parameter(Int)
        /// `:name`, with its colon.
        case name
        case question
        case semicolon
        case openParenthesis
        case closeParenthesis
        case space
        case other
    }

    let bytes: [UInt8]

    /// The piece that begins at `position`, which is before the end.
    func piece(at position: Int) -> (kind: Kind, end: Int) {
        let first = bytes[position]
        switch first {
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            return (.quoted, endOfQuoted(from: position, escapes: false))
        case UInt8(ascii: "$"):
            return dollar(at: position)
        case UInt8(ascii: "-"), UInt8(ascii: "/"):
            return endOfComment(from: position).map { (.comment, $0) } ?? (.other, position + 1)
        case UInt8(ascii: ":"):
            return colon(at: position)
        case UInt8(ascii: ";"): return (.semicolon, position + 1)
        case UInt8(ascii: "?"): return (.question, position + 1)
        case UInt8(ascii: "("): return (.openParenthesis, position + 1)
        case UInt8(ascii: ")"): return (.closeParenthesis, position + 1)
        case _ where Self.isSpace(first): return (.space, position + 1)
        case _ where Self.startsWord(first): return word(at: position)
        case _ where Self.isDigit(first): return (.other, endOfNumber(from: position))
        default: return (.other, position + 1)
        }
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    func byte(_ position: Int) -> UInt8? { position >= 0 && position < bytes.count ? bytes[position] : nil }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    static func startsWord(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_") || byte >= 0x80
    }
    static func continuesWord(_ byte: UInt8) -> Bool {
        startsWord(byte) || isDigit(byte) || byte == UInt8(ascii: "$")
    }

    private func word(at position: Int) -> (Kind, Int) {
        let end = endOfRun(from: position, while: Self.continuesWord)
        // E'…' knows backslashes; B'…', N'…', X'…' and U&'…' are found as a word and a quoted text, which is enough.
        let isEscape = end == position + 1 && bytes[position] | 0x20 == UInt8(ascii: "e")
        if isEscape, byte(end) == UInt8(ascii: "'") { return (.quoted, endOfQuoted(from: end, escapes: true)) }
        return (.word, end)
    }

    /// A doubled quote stands for itself.
    private func endOfQuoted(from position: Int, escapes: Bool) -> Int {
        let quote = bytes[position]
        var at = position + 1
        while at < bytes.count {
            if escapes, bytes[at] == UInt8(ascii: "\\") {
                at += 2
            } else if bytes[at] != quote {
                at += 1
            } else if byte(at + 1) == quote {
                at += 2
            } else {
                return at + 1
            }
        }
        return bytes.count
    }

    /// `$3`, or the dollar quote `$tag$…$tag$`.
    private func dollar(at position: Int) -> (Kind, Int) {
        let digits = endOfRun(from: position + 1, while: Self.isDigit)
        if digits > position + 1 {
            return (.parameter(Int(text(position + 1..<digits)) ?? 0), digits)
        }
        var end = position + 1
        if let first = byte(end), Self.startsWord(first) {
            end = endOfRun(from: end) { Self.startsWord($0) || Self.isDigit($0) }
        }
        guard byte(end) == UInt8(ascii: "$") else { return (.other, position + 1) }
        let tag = bytes[position...end]
        var at = end + 1
        while at + tag.count <= bytes.count {
            if bytes[at..<at + tag.count] == tag { return (.quoted, at + tag.count) }
            at += 1
        }
        return (.quoted, bytes.count)
    }

    /// `:name`; not `::type`, not `:=`, and not the `:` of an array slice, which follows a word or a bracket.
    private func colon(at position: Int) -> (Kind, Int) {
        if byte(position + 1) == UInt8(ascii: ":") { return (.other, position + 2) }
        guard let first = byte(position + 1), Self.startsWord(first) else { return (.other, position + 1) }
        if let before = byte(position - 1) {
            let closers = [UInt8(ascii: "]"), UInt8(ascii: ")"), UInt8(ascii: "\"")]
            if Self.continuesWord(before) || closers.contains(before) { return (.other, position + 1) }
        }
        return (.name, endOfRun(from: position + 1) { Self.startsWord($0) || Self.isDigit($0) })
    }

    /// PostgreSQL's block comments nest.
    private func endOfComment(from position: Int) -> Int? {
        if bytes[position] == UInt8(ascii: "-") {
            guard byte(position + 1) == UInt8(ascii: "-") else { return nil }
            return endOfRun(from: position) { $0 != UInt8(ascii: "\n") }
        }
        guard byte(position + 1) == UInt8(ascii: "*") else { return nil }
        var at = position + 2
        var depth = 1
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "*"), byte(at + 1) == UInt8(ascii: "/") {
                depth -= 1
                at += 2
                if depth == 0 { return at }
            } else if bytes[at] == UInt8(ascii: "/"), byte(at + 1) == UInt8(ascii: "*") {
                depth += 1
                at += 2
            } else {
                at += 1
            }
        }
        return bytes.count
    }

    private func endOfNumber(from position: Int) -> Int {
        endOfRun(from: position) { Self.isDigit($0) || $0 == UInt8(ascii: ".") }
    }

    private func endOfRun(from position: Int, while holds: (UInt8) -> Bool) -> Int {
        var at = position
        while at < bytes.count, holds(bytes[at]) { at += 1 }
        return at
    }
}
