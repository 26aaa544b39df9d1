/// A text for people and for PREPARE: constants become `$n`, comments and line breaks a space, lists of constants in
/// IN and VALUES one constant or one row. Letter case and names stay as they were written.
struct NormalizedText {
    /// Longer texts are cut, with an ellipsis.
    static let limit = 4096
    /// A constant behind one of these words gets a cast instead, since the grammar allows no parameter there.
    private static let types: [StaticString] = [
        "date", "interval", "timestamp", "timestamptz", "json", "jsonb", "uuid", "inet", "bytea",
    ]

    /// Numbers in parentheses behind one of these words are a part of the type. None of the words can be a function.
    private static let sizedTypes: [StaticString] = [
        "bit", "char", "character", "varying", "varchar", "dec", "decimal", "numeric", "float", "interval", "time",
        "timestamp",
    ]

    private let base: UnsafePointer<UInt8>
    private var lexer: QueryLexer
    private var output: [UInt8] = []
    private var number: Int
    /// End of the token before, in the text; nil at the start.
    private var behind: Int?
    private var before = QueryToken(kind: .end, start: 0, end: 0)
    private var beforeThat = QueryToken(kind: .end, start: 0, end: 0)
    /// Where the token before stands in the output.
    private var outputStart = 0
    /// VALUES has been read at this depth, and its rows are to come.
    private var rowDepth: Int?
    private var depth = 0
    /// Inside of a type's parentheses of this depth.
    private var typeDepth: Int?

    /// - Parameter parameters: the largest n of `$n` in the text; constants are numbered from there.
    static func text(of query: UnsafeRawBufferPointer, parameters: Int) -> String {
        guard let base = query.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return "" }
        var normalized = NormalizedText(base: base, lexer: QueryLexer(query), parameters: parameters)
        return normalized.run()
    }

    private init(base: UnsafePointer<UInt8>, lexer: QueryLexer, parameters: Int) {
        self.base = base
        self.lexer = lexer
        number = parameters
    }

    private mutating func run() -> String {
        while output.count <= Self.limit {
            let token = lexer.next()
            if token.kind == .end { return String(decoding: output, as: UTF8.self) }
            meet(token)
        }
        var end = Self.limit - 3
        while end > 0, output[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: output[..<end], as: UTF8.self) + "…"
    }

    private mutating func meet(_ token: QueryToken) {
        if let behind, behind < token.start { output.append(ByteClass.space) }
        behind = token.end
        let start = output.count
        switch token.kind {
        case .number where typeDepth == depth: putVerbatim(token)
        case _ where token.isLiteral: putConstant(token, start)
        case .openParenthesis: open()
        case .closeParenthesis: close()
        default: putVerbatim(token)
        }
        noteRows(token)
        outputStart = start
        beforeThat = before
        before = token
    }

    private mutating func putVerbatim(_ token: QueryToken) {
        output.append(
            contentsOf: UnsafeBufferPointer(start: base + token.start, count: min(token.count, Self.limit + 1)))
    }

    private mutating func open() {
        output.append(UInt8(ascii: "("))
        depth += 1
        let word = QueryWord(before, in: base)
        if Self.sizedTypes.contains(where: { word.isKeyword($0) }) { typeDepth = depth }
    }

    private mutating func close() {
        output.append(UInt8(ascii: ")"))
        if typeDepth == depth { typeDepth = nil }
        depth = max(0, depth - 1)
        if rowDepth == depth { passRows() }
    }

    private mutating func noteRows(_ token: QueryToken) {
        if QueryWord(token, in: base).isKeyword("values") {
            rowDepth = depth
        } else if rowDepth == depth, token.kind != .closeParenthesis, token.kind != .comma {
            rowDepth = nil
        }
    }

    // MARK: Constants

    private mutating func putConstant(_ token: QueryToken, _ start: Int) {
        let type = QueryWord(before, in: base)
        let isTyped = token.kind == .string && Self.types.contains { type.isKeyword($0) } && beforeThat.kind != .dot
        var cast: [UInt8] = []
        if isTyped {
            cast = Array("::".utf8) + output[outputStart..<outputStart + before.count]
            output.removeSubrange(outputStart...)
        } else if token.kind == .number {
            dropSign()
        }
        number += 1
        output.append(ByteClass.dollar)
        output.append(contentsOf: String(number).utf8)
        output.append(contentsOf: cast)
        if isInList { passItems() }
    }

    /// `= -1` becomes `= $1`, `a - 1` stays a subtraction.
    private mutating func dropSign() {
        guard before.count == 1, base[before.start] == ByteClass.minus, isOpener(beforeThat) else { return }
        output.removeSubrange(outputStart...)
    }

    private func isOpener(_ token: QueryToken) -> Bool {
        token.kind == .openParenthesis || token.kind == .comma || token.kind == .openBracket
            || (token.kind == .symbol && !(token.count == 1 && base[token.start] == ByteClass.minus))
    }

    // MARK: Lists

    /// This constant is the first item of `IN (…)`.
    private var isInList: Bool {
        let opener = before.kind == .symbol ? beforeThat : before
        guard opener.kind == .openParenthesis else { return false }
        var offset = opener.start
        while offset > 0, ByteClass.isSpace(base[offset - 1]) { offset -= 1 }
        guard offset >= 2 else { return false }
        let isWord = base[offset - 2] | 0x20 == UInt8(ascii: "i") && base[offset - 1] | 0x20 == UInt8(ascii: "n")
        return isWord && (offset == 2 || !ByteClass.isNameByte(base[offset - 3]))
    }

    /// Passes over further constants of a list that has nothing else in it.
    private mutating func passItems() {
        var ahead = lexer
        var token = ahead.next()
        while token.kind == .comma {
            guard Self.passConstant(&ahead, base) else { return }
            token = ahead.next()
        }
        guard token.kind == .closeParenthesis else { return }
        skip(to: ahead, last: token)
        depth = max(0, depth - 1)
        if rowDepth == depth { rowDepth = nil }
        output.append(UInt8(ascii: ")"))
    }

    /// Passes over further rows of VALUES that consist of constants.
    private mutating func passRows() {
        var ahead = lexer
        while ahead.next().kind == .comma, ahead.next().kind == .openParenthesis {
            var token: QueryToken
            repeat {
                guard Self.passConstant(&ahead, base) else { return }
                token = ahead.next()
            } while token.kind == .comma
            guard token.kind == .closeParenthesis else { return }
            skip(to: ahead, last: token)
        }
    }

    private mutating func skip(to ahead: QueryLexer, last: QueryToken) {
        lexer = ahead
        behind = last.end
    }

    /// A constant, a parameter or one of the words for one, with a sign before it if need be.
    private static func passConstant(_ lexer: inout QueryLexer, _ base: UnsafePointer<UInt8>) -> Bool {
        var token = lexer.next()
        if token.kind == .symbol, token.count == 1, base[token.start] == ByteClass.minus {
            token = lexer.next()
            return token.kind == .number
        }
        guard token.kind == .word else { return token.isLiteral || token.kind == .parameter }
        let word = QueryWord(token, in: base)
        return word.isKeyword("null") || word.isKeyword("true") || word.isKeyword("false") || word.isKeyword("default")
    }
}
