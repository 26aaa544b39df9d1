/// Writes the canonical form of one text.
struct CanonicalWriter {
    private let base: UnsafePointer<UInt8>
    private(set) var lexer: QueryLexer
    /// With room for all that can be written.
    private let bytes: UnsafeMutablePointer<UInt8>
    private let collapsesAll: Bool
    private var lists: ListStack
    private(set) var count = 0
    private var previous = Previous.start
    /// Where the word before, if it was one, stands in the output.
    private var wordStart = 0
    private var wordFollowsDot = false
    /// The statement at hand is one whose constants do not matter.
    private var collapses = true
    private var isAtHead = true
    private var isUnderMinus = false
    private var depth = 0
    private var float = FloatType.none

    /// What stood before the token at hand.
    private enum Previous: UInt8 {
        case start, opener, symbol, minus, dot, word, operand
    }

    /// How far `float ( n )` has been read.
    private enum FloatType: UInt8 {
        case none, word, parenthesis
    }

    init(
        base: UnsafePointer<UInt8>, lexer: QueryLexer, bytes: UnsafeMutablePointer<UInt8>, collapsesAll: Bool,
        lists: ListStack
    ) {
        self.base = base
        self.lexer = lexer
        self.bytes = bytes
        self.collapsesAll = collapsesAll
        self.lists = lists
    }

    mutating func run() {
        while true {
            let token = lexer.next()
            if token.kind == .end { return }
            if isAtHead { meetHead(token) }
            if collapses {
                collapse(token)
            } else {
                copy(token)
            }
            if token.kind == .semicolon, depth == 0 { isAtHead = true }
        }
    }

    /// The first word of a statement decides whether its constants matter.
    private mutating func meetHead(_ token: QueryToken) {
        guard token.kind != .openParenthesis, token.kind != .semicolon else { return }
        isAtHead = false
        previous = .start
        collapses = collapsesAll || Self.worksOnRows(QueryWord(token, in: base))
    }

    private static func worksOnRows(_ head: QueryWord) -> Bool {
        head.isKeyword("select") || head.isKeyword("insert") || head.isKeyword("update") || head.isKeyword("delete")
            || head.isKeyword("with") || head.isKeyword("values") || head.isKeyword("merge") || head.isKeyword("table")
            || head.isKeyword("execute") || head.isKeyword("call")
    }

    // MARK: Writing

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        bytes[count] = byte
        bytes[count + 1] = ByteClass.space
        count += 2
    }

    @inline(__always)
    private mutating func putPlaceholder() {
        bytes[count] = ByteClass.dollar
        bytes[count + 1] = UInt8(ascii: "1")
        bytes[count + 2] = ByteClass.space
        count += 3
    }

    @inline(__always)
    private mutating func putWord(_ token: QueryToken) {
        let target = bytes + count
        let source = base + token.start
        let length = token.count
        for index in 0..<length { target[index] = ByteClass.lowercased(source[index]) }
        target[length] = ByteClass.space
        count += length + 1
    }

    @inline(__always)
    private mutating func putVerbatim(_ token: QueryToken) {
        (bytes + count).update(from: base + token.start, count: token.count)
        count += token.count
        bytes[count] = ByteClass.space
        count += 1
    }

    private mutating func copy(_ token: QueryToken) {
        switch token.kind {
        case .word: putWord(token)
        case .openParenthesis:
            depth += 1
            put(UInt8(ascii: "("))
        case .closeParenthesis:
            depth = max(0, depth - 1)
            put(UInt8(ascii: ")"))
        default: putVerbatim(token)
        }
    }

    /// Whether what was written from an offset on is this.
    @inline(__always)
    private func wrote(_ text: StaticString, at offset: Int, count length: Int) -> Bool {
        guard length == text.utf8CodeUnitCount else { return false }
        for index in 0..<length where bytes[offset + index] != text.utf8Start[index] { return false }
        return true
    }

    // MARK: Statements whose constants do not matter

    @inline(__always)
    mutating func collapse(_ token: QueryToken) {
        switch token.kind {
        case .word: collapseWord(token)
        case .number: collapseNumber(token)
        case .parameter, .string, .escapeString, .unicodeString, .bitString, .dollarString:
            putPlaceholder()
            endToken(.operand)
        case .comma:
            lists.endItem(at: depth, in: bytes, count: &count)
            put(UInt8(ascii: ","))
            lists.beginItem(at: depth, offset: count)
            endToken(.opener)
        case .openParenthesis: open()
        case .closeParenthesis: close()
        case .dot:
            put(ByteClass.dot)
            endToken(.dot)
        case .symbol: collapseSymbol(token)
        default: collapseRest(token)
        }
    }

    @inline(__always)
    private mutating func endToken(_ kind: Previous) {
        previous = kind
        isUnderMinus = false
        float = .none
    }

    private mutating func collapseRest(_ token: QueryToken) {
        switch token.kind {
        case .nationalString:
            bytes[count] = UInt8(ascii: "n")
            bytes[count + 1] = ByteClass.quote
            bytes[count + 2] = ByteClass.space
            count += 3
            putPlaceholder()
            endToken(.operand)
        case .openBracket:
            put(UInt8(ascii: "["))
            endToken(.opener)
        case .semicolon:
            if depth == 0 { lists.removeAll() }
            put(UInt8(ascii: ";"))
            endToken(.start)
        default:
            putVerbatim(token)
            endToken(.operand)
        }
    }

    @inline(__always)
    private mutating func collapseWord(_ token: QueryToken) {
        lists.endRows(at: depth)
        let start = count
        let followsDot = previous == .dot
        putWord(token)
        if token.count == 4 || token.count == 5 {
            if previous == .opener || previous == .symbol, isConstant(from: start, count: token.count) {
                count = start
                putPlaceholder()
                endToken(.operand)
                return
            }
        }
        if !lists.isEmpty, isOfQuery(from: start, count: token.count) { lists.notAList(at: depth) }
        if token.count == 6, !followsDot, wrote("values", at: start, count: 6) {
            lists.expectRows(at: depth, offset: count)
        }
        let isFloat = token.count == 5 && wrote("float", at: start, count: 5)
        endToken(.word)
        if isFloat { float = .word }
        wordStart = start
        wordFollowsDot = followsDot
    }

    /// Whether a word says that the parentheses hold a query: only there `IN (…)` has commas that separate no items, in
    /// ORDER BY, FOR UPDATE OF and behind SELECT.
    private func isOfQuery(from start: Int, count length: Int) -> Bool {
        switch length {
        case 2: wrote("by", at: start, count: 2)
        case 3: wrote("for", at: start, count: 3)
        case 4: wrote("with", at: start, count: 4)
        case 5: wrote("table", at: start, count: 5)
        case 6: wrote("select", at: start, count: 6) || wrote("values", at: start, count: 6)
        default: false
        }
    }

    /// After an opening parenthesis, a comma or an operator these reserved words can only be constants.
    private func isConstant(from start: Int, count length: Int) -> Bool {
        wrote("null", at: start, count: length) || wrote("true", at: start, count: length)
            || wrote("false", at: start, count: length)
    }

    @inline(__always)
    private mutating func collapseNumber(_ token: QueryToken) {
        if float == .parenthesis {
            putVerbatim(token)
        } else if isUnderMinus {
            put(UInt8(ascii: "0"))
        } else {
            putPlaceholder()
        }
        endToken(.operand)
    }

    @inline(__always)
    private mutating func open() {
        put(UInt8(ascii: "("))
        let beginsList =
            previous == .word && !wordFollowsDot && wrote("in", at: wordStart, count: count - 3 - wordStart)
        if !lists.isEmpty { lists.beginRow(at: depth, offset: count - 2, in: bytes) }
        depth += 1
        if beginsList { lists.push(depth: depth, offset: count) }
        previous = .opener
        float = float == .word ? .parenthesis : .none
    }

    @inline(__always)
    private mutating func close() {
        if !lists.isEmpty {
            lists.endItem(at: depth, in: bytes, count: &count)
            lists.removeLists(deeperThan: depth - 1)
        }
        put(UInt8(ascii: ")"))
        depth = max(0, depth - 1)
        if !lists.isEmpty { lists.endRow(at: depth, in: bytes, count: &count) }
        endToken(.operand)
    }

    @inline(__always)
    private mutating func collapseSymbol(_ token: QueryToken) {
        guard token.count == 1, base[token.start] == ByteClass.minus else {
            putVerbatim(token)
            endToken(.symbol)
            return
        }
        if takesSign, let behind = signed {
            lexer = behind
            let isUnder = isUnderMinus
            if isUnder { put(UInt8(ascii: "0")) } else { putPlaceholder() }
            endToken(.operand)
            return
        }
        put(ByteClass.minus)
        endToken(.minus)
        isUnderMinus = true
    }

    /// Whether a minus here can only be a sign.
    private var takesSign: Bool {
        switch previous {
        case .opener, .symbol: true
        case .word: !wordFollowsDot && isReservedBeforeExpression
        default: false
        }
    }

    /// Reserved words only: another word might be a column, and the minus a subtraction.
    private var isReservedBeforeExpression: Bool {
        let length = count - 1 - wordStart
        let words: [StaticString]
        switch length {
        case 2: words = ["on", "or"]
        case 3: words = ["and", "not", "for"]
        case 4: words = ["when", "then", "else", "case", "from"]
        case 5: words = ["where", "limit"]
        case 6: words = ["select", "having", "offset"]
        case 8: words = ["distinct"]
        case 9: words = ["returning"]
        default: return false
        }
        return words.contains { wrote($0, at: wordStart, count: length) }
    }

    /// The place behind a number that follows, if nothing binds that number tighter than its sign does.
    private var signed: QueryLexer? {
        var ahead = lexer
        guard ahead.next().kind == .number else { return nil }
        let behind = ahead
        return ahead.next().kind == .cast ? nil : behind
    }
}
