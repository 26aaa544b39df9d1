/// Splits a query's text into tokens by PostgreSQL's lexical rules, with `standard_conforming_strings` on.
///
/// It allocates nothing, never reads outside of the text, and takes time in proportion to the text's length whatever
/// stands in it. A copy of it is a bookmark: reading on with the copy looks ahead. The text must outlive it.
///
/// Comments and white space are passed over. Where releases of PostgreSQL differ (`1abc`, `0x1F`, `1_000`), letters
/// after a number are a word of their own, so that no keyword can hide in a number.
package struct QueryLexer {
    private let base: UnsafePointer<UInt8>
    let count: Int
    private(set) var position = 0
    /// Up to here each sign is known to be a token of its own, so that a long run of signs is not measured at each.
    private var signsEnd = 0
    /// A quote or a comment was still open at the end of the text.
    package private(set) var isBroken = false

    package init(_ text: UnsafeRawBufferPointer) {
        base = text.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? StaticString("").utf8Start
        count = text.count
    }

    /// The next token; `.end` for ever once the text is over.
    @inline(__always)
    package mutating func next() -> QueryToken {
        skipSpace()
        let start = position
        guard start < count else { return QueryToken(kind: .end, start: count, end: count) }
        let first = base[start]
        let kind: QueryToken.Kind
        if ByteClass.isNameStart(first) {
            position = start + 1
            while position < count, ByteClass.isNameByte(base[position]) { position += 1 }
            kind = position - start == 1 && position < count ? prefixed(by: first) : .word
        } else if ByteClass.isDigit(first) {
            kind = number()
        } else {
            kind = punctuation(first)
        }
        return QueryToken(kind: kind, start: start, end: position)
    }

    @inline(__always)
    func byte(at offset: Int) -> UInt8? {
        offset < count ? base[offset] : nil
    }

    // MARK: Space

    @inline(__always)
    private mutating func skipSpace() {
        while position < count {
            let byte = base[position]
            if ByteClass.isSpace(byte) {
                position += 1
            } else if byte == ByteClass.minus || byte == ByteClass.slash {
                guard skipComment(byte) else { return }
            } else {
                return
            }
        }
    }

    /// Steps over a comment, if one begins here.
    private mutating func skipComment(_ first: UInt8) -> Bool {
        guard let second = byte(at: position + 1) else { return false }
        if first == ByteClass.minus, second == ByteClass.minus {
            position = endOfLine(from: position + 2)
            return true
        }
        guard first == ByteClass.slash, second == ByteClass.star else { return false }
        skipBlockComment()
        return true
    }

    private func endOfLine(from start: Int) -> Int {
        var offset = start
        while offset < count, base[offset] != ByteClass.newline, base[offset] != ByteClass.carriageReturn {
            offset += 1
        }
        return offset
    }

    /// Block comments nest.
    private mutating func skipBlockComment() {
        var depth = 1
        position += 2
        while position + 1 < count {
            let byte = base[position]
            let following = base[position + 1]
            if byte == ByteClass.star, following == ByteClass.slash {
                position += 2
                depth -= 1
                if depth == 0 { return }
            } else if byte == ByteClass.slash, following == ByteClass.star {
                position += 2
                depth += 1
            } else {
                position += 1
            }
        }
        position = count
        isBroken = true
    }

    // MARK: Quotes

    /// A single letter that may announce a constant: `E'`, `B'`, `X'`, `N'`, `U&'`, `U&"`.
    private mutating func prefixed(by letter: UInt8) -> QueryToken.Kind {
        let following = base[position]
        if following == ByteClass.quote {
            switch letter | 0x20 {
            case UInt8(ascii: "e"): return string(.escapeString)
            case UInt8(ascii: "b"), UInt8(ascii: "x"): return string(.bitString)
            case UInt8(ascii: "n"): return string(.nationalString)
            default: return .word
            }
        }
        guard following == UInt8(ascii: "&"), letter | 0x20 == UInt8(ascii: "u"), let quote = byte(at: position + 1)
        else { return .word }
        if quote == ByteClass.quote {
            position += 1
            return string(.unicodeString)
        }
        guard quote == ByteClass.doubleQuote else { return .word }
        position += 1
        return quotedName(.unicodeName)
    }

    /// A constant whose opening quote stands here, and its continuations: `'a'`, then a new line, then `'b'`.
    private mutating func string(_ kind: QueryToken.Kind) -> QueryToken.Kind {
        position += 1
        while closeString(kind) {
            guard let next = continuation() else { return kind }
            position = next
        }
        position = count
        isBroken = true
        return kind
    }

    /// Moves behind the closing quote; false if there is none. Two quotes are one of the text's, but not among bits.
    private mutating func closeString(_ kind: QueryToken.Kind) -> Bool {
        while position < count {
            let byte = base[position]
            position += 1
            if byte == ByteClass.quote {
                guard kind != .bitString, position < count, base[position] == ByteClass.quote else { return true }
                position += 1
            } else if kind == .escapeString, byte == ByteClass.backslash {
                position += 1
            }
        }
        return false
    }

    /// Where a constant that was just closed goes on: behind a quote that only space with a line break (and line
    /// comments) keeps from it.
    private func continuation() -> Int? {
        var offset = position
        var hasBreak = false
        while offset < count {
            let byte = base[offset]
            if byte == ByteClass.newline || byte == ByteClass.carriageReturn {
                hasBreak = true
                offset += 1
            } else if ByteClass.isSpace(byte) {
                offset += 1
            } else if byte == ByteClass.minus, self.byte(at: offset + 1) == ByteClass.minus {
                offset = endOfLine(from: offset + 2)
            } else {
                return byte == ByteClass.quote && hasBreak ? offset + 1 : nil
            }
        }
        return nil
    }

    /// A name whose opening quote stands here.
    private mutating func quotedName(_ kind: QueryToken.Kind) -> QueryToken.Kind {
        position += 1
        while position < count {
            let byte = base[position]
            position += 1
            guard byte == ByteClass.doubleQuote else { continue }
            guard position < count, base[position] == ByteClass.doubleQuote else { return kind }
            position += 1
        }
        isBroken = true
        return kind
    }

    /// `$1`, `$$text$$`, `$tag$text$tag$`, or a stray dollar sign.
    private mutating func dollar() -> QueryToken.Kind {
        let start = position
        position += 1
        guard position < count else { return .other }
        if ByteClass.isDigit(base[position]) {
            while position < count, ByteClass.isDigit(base[position]) { position += 1 }
            return .parameter
        }
        var end = position
        if ByteClass.isNameStart(base[end]) {
            while end < count, base[end] != ByteClass.dollar, ByteClass.isNameByte(base[end]) { end += 1 }
        }
        guard end < count, base[end] == ByteClass.dollar else { return .other }
        position = end + 1
        closeDollar(tag: start..<end + 1)
        return .dollarString
    }

    /// A tag has dollar signs only at its ends, so that candidates cannot overlap and the search stays linear.
    private mutating func closeDollar(tag: Range<Int>) {
        while position + tag.count <= count {
            guard base[position] == ByteClass.dollar else {
                position += 1
                continue
            }
            var matched = 1
            while matched < tag.count, base[position + matched] == base[tag.lowerBound + matched] { matched += 1 }
            if matched == tag.count {
                position += matched
                return
            }
            position += matched
        }
        position = count
        isBroken = true
    }

    // MARK: Numbers and signs

    /// A number that begins here with a digit, or with a point before one.
    private mutating func number() -> QueryToken.Kind {
        if base[position] == UInt8(ascii: "0"), let letter = byte(at: position + 1), ByteClass.isBase(letter | 0x20),
            let digit = byte(at: position + 2), ByteClass.isHexDigit(digit)
        {
            position += 3
            while position < count, ByteClass.isHexDigit(base[position]) || base[position] == 0x5F { position += 1 }
            return .number
        }
        digits()
        if position < count, base[position] == ByteClass.dot, byte(at: position + 1) != ByteClass.dot {
            position += 1
            digits()
        }
        exponent()
        return .number
    }

    @inline(__always)
    private mutating func digits() {
        while position < count {
            let byte = base[position]
            if byte == 0x5F {
                guard let following = self.byte(at: position + 1), ByteClass.isDigit(following) else { return }
            } else if !ByteClass.isDigit(byte) {
                return
            }
            position += 1
        }
    }

    private mutating func exponent() {
        guard position < count, base[position] | 0x20 == UInt8(ascii: "e") else { return }
        var end = position + 1
        if let sign = byte(at: end), sign == ByteClass.plus || sign == ByteClass.minus { end += 1 }
        guard let digit = byte(at: end), ByteClass.isDigit(digit) else { return }
        position = end
        digits()
    }

    @inline(__always)
    private mutating func punctuation(_ first: UInt8) -> QueryToken.Kind {
        switch first {
        case ByteClass.quote: return string(.string)
        case ByteClass.doubleQuote: return quotedName(.quotedName)
        case ByteClass.dollar: return dollar()
        case UInt8(ascii: ","): return single(.comma)
        case UInt8(ascii: "("): return single(.openParenthesis)
        case UInt8(ascii: ")"): return single(.closeParenthesis)
        case UInt8(ascii: "["): return single(.openBracket)
        case UInt8(ascii: "]"): return single(.closeBracket)
        case UInt8(ascii: ";"): return single(.semicolon)
        case ByteClass.dot: return dots()
        case UInt8(ascii: ":"): return colon()
        default:
            guard ByteClass.isOperator(first) else { return single(.other) }
            symbol()
            return .symbol
        }
    }

    @inline(__always)
    private mutating func single(_ kind: QueryToken.Kind) -> QueryToken.Kind {
        position += 1
        return kind
    }

    private mutating func dots() -> QueryToken.Kind {
        guard let following = byte(at: position + 1) else { return single(.dot) }
        if ByteClass.isDigit(following) { return number() }
        guard following == ByteClass.dot else { return single(.dot) }
        position += 2
        return .symbol
    }

    private mutating func colon() -> QueryToken.Kind {
        let following = byte(at: position + 1)
        guard following == UInt8(ascii: ":") || following == UInt8(ascii: "=") else { return single(.other) }
        position += 2
        return following == UInt8(ascii: ":") ? .cast : .symbol
    }

    /// The longest run of operator bytes, less a comment that begins in it, less `+` and `-` at its end where the SQL
    /// standard would take those for signs: `a=-1` is `=` and `-`, `a@-1` is `@-`.
    @inline(__always)
    private mutating func symbol() {
        let start = position
        guard start >= signsEnd else {
            position += 1
            return
        }
        var hasExtra = false
        while position < count, ByteClass.isOperator(base[position]) {
            if position > start, beginsComment(at: position) { break }
            position += 1
        }
        var last = position - 1
        guard last > start, base[last] == ByteClass.plus || base[last] == ByteClass.minus else { return }
        for offset in start..<last where ByteClass.isExtraOperator(base[offset]) { hasExtra = true }
        guard !hasExtra else { return }
        signsEnd = position
        while last > start, base[last] == ByteClass.plus || base[last] == ByteClass.minus { last -= 1 }
        position = last + 1
    }

    private func beginsComment(at offset: Int) -> Bool {
        let byte = base[offset]
        return byte == ByteClass.minus && self.byte(at: offset + 1) == ByteClass.minus
            || byte == ByteClass.slash && self.byte(at: offset + 1) == ByteClass.star
    }
}
