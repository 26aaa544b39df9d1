/// `DEALLOCATE [PREPARE] name`, in SQL's spelling.
enum Deallocate {
    /// The name, folded as the server would; nil when the text is anything else, `DEALLOCATE ALL` too.
    static func name(_ text: String) -> String? {
        var rest = Substring(text)
        guard takeWord("deallocate", &rest) else { return nil }
        if takeWord("prepare", &rest) {
            // `DEALLOCATE PREPARE` without more is a statement of that name.
            if trimmed(rest).isEmpty { return "prepare" }
        }
        rest = trimmed(rest)
        if rest.first == "\"" {
            let inner = rest.dropFirst()
            guard inner.last == "\"" else { return nil }
            let name = inner.dropLast()
            guard !name.isEmpty, !name.replacing("\"\"", with: "").contains("\"") else { return nil }
            return String(name.replacing("\"\"", with: "\""))
        }
        guard let first = rest.unicodeScalars.first, isNameStart(first),
            rest.unicodeScalars.allSatisfy({ isNameStart($0) || ("0"..."9").contains($0) || $0 == "$" })
        else { return nil }
        let name = String(String.UnicodeScalarView(rest.unicodeScalars.map(folded)))
        return name == "all" ? nil : name
    }

    private static func takeWord(_ word: String, _ rest: inout Substring) -> Bool {
        let text = rest.drop { $0.isWhitespace }
        guard text.count > word.count || text.count == word.count,
            text.prefix(word.count).lowercased() == word
        else { return false }
        let after = text.dropFirst(word.count)
        guard after.first.map({ $0.isWhitespace || $0 == "\"" }) ?? true else { return false }
        rest = after
        return true
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0.isWhitespace }
        while let last = text.last, last.isWhitespace || last == ";" { text.removeLast() }
        return text
    }

    private static func isNameStart(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_" || scalar.value >= 0x80
    }

    private static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        ("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar
    }
}
