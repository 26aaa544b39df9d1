/// A piece of a query's text: what it is, and where it stands.
package struct QueryToken: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        /// The text is over.
        case end
        /// An unquoted name or a keyword.
        case word
        /// `"name"`.
        case quotedName
        /// `U&"name"`.
        case unicodeName
        /// `'text'`, with its continuations on further lines.
        case string
        /// `E'text'`, in which a backslash escapes.
        case escapeString
        /// `U&'text'`.
        case unicodeString
        /// `N'text'`.
        case nationalString
        /// `B'01'` or `X'1F'`.
        case bitString
        /// `$$text$$` or `$tag$text$tag$`.
        case dollarString
        case number
        /// `$1`.
        case parameter
        /// An operator, `:=` and `=>` among them.
        case symbol
        /// `::`.
        case cast
        case comma, semicolon, dot
        case openParenthesis, closeParenthesis
        case openBracket, closeBracket
        /// A byte that begins nothing.
        case other
    }

    package var kind: Kind
    /// Offset of the first byte.
    package var start: Int
    /// Offset after the last byte.
    package var end: Int

    package init(kind: Kind, start: Int, end: Int) {
        self.kind = kind
        self.start = start
        self.end = end
    }

    package var count: Int { end - start }

    /// A constant of any kind.
    package var isLiteral: Bool { kind == .number || isText }

    /// A constant in quotes of any kind.
    package var isText: Bool {
        switch kind {
        case .string, .escapeString, .unicodeString, .nationalString, .bitString, .dollarString: true
        default: false
        }
    }
}
