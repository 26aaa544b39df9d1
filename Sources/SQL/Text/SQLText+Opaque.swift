extension SQLText {
    /// The end of the quoted string, quoted identifier, comment or plain word that begins here; nil when none does.
    /// One that is never closed reaches to the end of the text: the database then says what is wrong with it.
    func endOfOpaque(from position: Int) -> Int? {
        switch bytes[position] {
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            return endOfQuoted(from: position, by: bytes[position])
        case UInt8(ascii: "`") where dialect == .sqlite:
            return endOfQuoted(from: position, by: UInt8(ascii: "`"))
        case UInt8(ascii: "[") where dialect == .sqlite:
            return indexAfter(UInt8(ascii: "]"), from: position + 1)
        case UInt8(ascii: "$") where dialect == .postgres:
            return endOfDollarQuoted(from: position)
        case UInt8(ascii: "-"), UInt8(ascii: "/"):
            return endOfComment(from: position)
        case let byte where Self.startsWord(byte):
            return endOfWordOrEscapeString(from: position)
        default:
            return nil
        }
    }

    func endOfComment(from position: Int) -> Int? {
        if bytes[position] == UInt8(ascii: "-"), byte(position + 1) == UInt8(ascii: "-") {
            return indexAfter(UInt8(ascii: "\n"), from: position + 2)
        }
        guard bytes[position] == UInt8(ascii: "/"), byte(position + 1) == UInt8(ascii: "*") else { return nil }
        var at = position + 2
        var depth = 1
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "*"), byte(at + 1) == UInt8(ascii: "/") {
                depth -= 1
                at += 2
                if depth == 0 { return at }
            } else if dialect == .postgres, bytes[at] == UInt8(ascii: "/"), byte(at + 1) == UInt8(ascii: "*") {
                depth += 1
                at += 2
            } else {
                at += 1
            }
        }
        return bytes.count
    }

    /// A doubled quote stands for itself; a backslash hides the next byte in PostgreSQL's `E'…'`.
    private func endOfQuoted(from position: Int, by quote: UInt8, backslashEscapes: Bool = false) -> Int {
        var at = position + 1
        while at < bytes.count {
            if backslashEscapes, bytes[at] == UInt8(ascii: "\\") {
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

    /// A whole word is skipped at once: a `$` inside one begins no dollar quote, and `E` may begin an escape string.
    private func endOfWordOrEscapeString(from position: Int) -> Int {
        var end = endOfWord(from: position)
        while dialect == .postgres, byte(end) == UInt8(ascii: "$") { end = endOfWord(from: end + 1) }
        let isEscapePrefix = end == position + 1 && (bytes[position] | 0x20) == UInt8(ascii: "e")
        if dialect == .postgres, isEscapePrefix, byte(end) == UInt8(ascii: "'") {
            return endOfQuoted(from: end, by: UInt8(ascii: "'"), backslashEscapes: true)
        }
        return end
    }

    private func endOfDollarQuoted(from position: Int) -> Int? {
        var end = position + 1
        if let first = byte(end), Self.startsWord(first) { end = endOfWord(from: end) }
        guard byte(end) == UInt8(ascii: "$") else { return nil }
        let tag = bytes[position...end]
        var at = end + 1
        while at + tag.count <= bytes.count {
            if bytes[at..<at + tag.count] == tag { return at + tag.count }
            at += 1
        }
        return bytes.count
    }

    private func indexAfter(_ byte: UInt8, from position: Int) -> Int {
        var at = position
        while at < bytes.count {
            if bytes[at] == byte { return at + 1 }
            at += 1
        }
        return bytes.count
    }
}
