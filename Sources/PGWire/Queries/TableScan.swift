/// Collects the names of tables from a text, roughly: what follows FROM, JOIN, INTO, UPDATE, TABLE and COPY.
struct TableScan {
    private static let limit = 8
    /// Words that may stand between such a keyword and the name.
    private static let passed: [StaticString] = ["only", "if", "not", "exists", "lateral", "concurrently"]
    /// Words that no table's name and no alias can be, or that name something else.
    private static let stops: [StaticString] = [
        "where", "join", "left", "right", "inner", "full", "cross", "natural", "on", "using", "group", "order", "limit",
        "set", "values", "select", "for", "union", "returning", "having", "window", "offset", "fetch", "tablesample",
        "except", "intersect", "default", "stdin", "stdout", "program", "with", "of", "nowait", "skip", "temp",
        "temporary", "unlogged", "rows",
    ]
    /// Their FROM is no clause.
    private static let functions: [StaticString] = ["extract", "substring", "trim", "overlay", "position"]

    private enum State: Equatable {
        case idle
        case expecting
        /// A name that may go on with a dot; true behind a dot.
        case naming(Bool)
        /// An alias may follow, and then a comma and a further table.
        case named
    }

    private(set) var names: [String] = []
    private var state = State.idle
    private var parts: [String] = []
    private var isAfterInto = false
    private var isList = false
    /// Depths of parentheses that belong to one of the functions.
    private var functionDepths: UInt64 = 0

    mutating func endStatement() {
        commit()
        state = .idle
        functionDepths = 0
    }

    mutating func accept(_ token: QueryToken, before: QueryToken, depth: Int, base: UnsafePointer<UInt8>) {
        guard names.count < Self.limit else { return }
        let word = QueryWord(token, in: base)
        let last = QueryWord(before, in: base)
        if token.kind == .openParenthesis, depth < 64 {
            let isFunction = Self.functions.contains { last.isKeyword($0) }
            functionDepths = isFunction ? functionDepths | 1 << UInt64(depth) : functionDepths & ~(1 << UInt64(depth))
        }
        switch state {
        case .expecting: expect(token, word)
        case .naming(let isAfterDot): name(token, word, isAfterDot)
        case .named: follow(token, word)
        case .idle: break
        }
        if state == .idle || state == .named { meetKeyword(word, last, depth: depth) }
    }

    private mutating func expect(_ token: QueryToken, _ word: QueryWord) {
        guard word.isName, !Self.stops.contains(where: { word.isKeyword($0) }) else {
            state = .idle
            return
        }
        guard !Self.passed.contains(where: { word.isKeyword($0) }) else { return }
        parts = [word.text]
        state = .naming(false)
    }

    private mutating func name(_ token: QueryToken, _ word: QueryWord, _ isAfterDot: Bool) {
        if isAfterDot, word.isName {
            parts.append(word.text)
            state = .naming(false)
        } else if token.kind == .dot {
            state = .naming(true)
        } else if token.kind == .openParenthesis, !isAfterInto {
            parts = []
            state = .idle
        } else {
            commit()
            state = .named
            follow(token, word)
        }
    }

    private mutating func follow(_ token: QueryToken, _ word: QueryWord) {
        if token.kind == .comma, isList {
            state = .expecting
        } else if !word.isName || Self.stops.contains(where: { word.isKeyword($0) }) {
            state = .idle
        }
    }

    private mutating func meetKeyword(_ word: QueryWord, _ last: QueryWord, depth: Int) {
        guard word.kind == .word else { return }
        let isFrom = word.isKeyword("from")
        if isFrom {
            let isInFunction = depth > 0 && depth <= 64 && functionDepths >> UInt64(depth - 1) & 1 == 1
            guard !isInFunction, !last.isKeyword("distinct") else { return }
        } else if word.isKeyword("update") {
            guard !last.isKeyword("for"), !last.isKeyword("key") else { return }
        } else if !word.isKeyword("join"), !word.isKeyword("into"), !word.isKeyword("table"), !word.isKeyword("copy") {
            return
        }
        isList = isFrom
        isAfterInto = !isFrom && !word.isKeyword("join")
        state = .expecting
    }

    private mutating func commit() {
        guard !parts.isEmpty else { return }
        let name = parts.joined(separator: ".")
        parts = []
        if name.utf8.count <= 128, !names.contains(name) { names.append(name) }
    }
}
