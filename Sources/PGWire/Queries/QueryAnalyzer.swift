/// Finds out what a text does: its kind, what it leaves behind in the session, what it reads.
///
/// It goes through the tokens once and keeps only the first few of each statement, so that a text of any size takes
/// time in proportion to its length and no memory to speak of. It runs when a catalog meets a query for the first time.
struct QueryAnalyzer {
    let base: UnsafePointer<UInt8>
    var lexer: QueryLexer
    var facts = QueryFacts()
    var statement = Statement()
    var tables = TableScan()

    /// What is remembered of the statement at hand.
    struct Statement {
        /// The first tokens: enough for all commands whose words are told apart by place.
        static let headLimit = 48
        var head: [QueryToken] = []
        var hasMore = false
        var kind = QueryKind.unknown
        /// Where its first word stands, and in how many parentheses.
        var verb: QueryToken?
        var verbDepth = 0
        /// WITH has been read, and not yet the word that tells what it is for.
        var awaitsVerb = false
        var depth = 0
        var nesting = 0
        /// Inside of BEGIN ATOMIC … END, whose semicolons separate no statements.
        var atomicDepth = 0
        var before = QueryToken(kind: .end, start: 0, end: 0)
        var beforeThat = QueryToken(kind: .end, start: 0, end: 0)
        var modifies = false
        var locks = false
        var selectsInto = false
        var writes = false
        var createsTemporary = false
        var keepsTemporary = false
        var dropsOnCommit = false
        var mentionsUpdate = false
        var mentionsSettings = false
        var hasUnicodeName = false
        var taints: SessionTaint = []
        /// If it is a plain one.
        var setting: QuerySetting?
    }

    static func facts(of text: UnsafeRawBufferPointer) -> QueryFacts {
        guard let base = text.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return QueryFacts() }
        var analyzer = QueryAnalyzer(base: base, lexer: QueryLexer(text))
        analyzer.run()
        return analyzer.facts
    }

    private init(base: UnsafePointer<UInt8>, lexer: QueryLexer) {
        self.base = base
        self.lexer = lexer
    }

    func word(_ token: QueryToken) -> QueryWord {
        QueryWord(token, in: base)
    }

    private mutating func run() {
        facts.isReadOnly = true
        while true {
            let token = lexer.next()
            if token.kind == .end { break }
            if token.kind == .semicolon, statement.depth == 0, statement.atomicDepth == 0 {
                endStatement()
            } else {
                accept(token)
            }
        }
        if statement.atomicDepth > 0 { facts.taints.insert(.unreadable) }
        endStatement()
        if lexer.isBroken { facts.taints.insert(.unreadable) }
        // What is not read to its end may do anything.
        if facts.taints.contains(.unreadable) { facts.isWhole = false }
        if !facts.isWhole { facts.settings = [] }
        if facts.statementCount > 1 { facts.kind = .multi }
        if facts.statementCount == 0 || !facts.taints.isEmpty { facts.isReadOnly = false }
        facts.tables = tables.names
    }

    // MARK: Tokens

    private mutating func accept(_ token: QueryToken) {
        if statement.head.count < Statement.headLimit {
            statement.head.append(token)
        } else {
            statement.hasMore = true
        }
        if statement.verb == nil, token.kind != .openParenthesis { meetVerb(token) }
        if namesTables { tables.accept(token, before: statement.before, depth: statement.depth, base: base) }
        switch token.kind {
        case .openParenthesis:
            if word(statement.before).isName { meetCall(word(statement.before), arguments: lexer) }
            statement.depth += 1
            nest(1)
        case .closeParenthesis:
            statement.depth = max(0, statement.depth - 1)
            nest(-1)
        case .openBracket: nest(1)
        case .closeBracket: nest(-1)
        case .word, .quotedName, .unicodeName: meetName(token)
        case .parameter: meetParameter(token)
        default: break
        }
        statement.beforeThat = statement.before
        statement.before = token
    }

    /// FROM has cursors or roles behind it in some commands.
    private var namesTables: Bool {
        switch statement.kind {
        case .cursor: isKeyword(0, "declare")
        case .ddl: !isKeyword(0, "revoke")
        case .set, .show: false
        default: true
        }
    }

    private mutating func nest(_ change: Int) {
        statement.nesting = max(0, statement.nesting + change)
        facts.nesting = max(facts.nesting, statement.nesting)
    }

    private mutating func meetParameter(_ token: QueryToken) {
        var number = 0
        for offset in token.start + 1..<token.end where number < 100_000 {
            number = number * 10 + Int(base[offset] & 15)
        }
        facts.parameters = max(facts.parameters, number)
    }

    private mutating func meetName(_ token: QueryToken) {
        let name = word(token)
        if name.names("pg_temp") || name.hasPrefix("pg_temp_") { statement.keepsTemporary = true }
        if name.names("pg_settings") { statement.mentionsSettings = true }
        if token.kind == .unicodeName {
            statement.hasUnicodeName = true
            if name.contains(ByteClass.backslash) { statement.taints.insert(.unreadable) }
        }
        guard token.kind == .word else { return }
        if statement.awaitsVerb, statement.depth == statement.verbDepth { meetVerbOfWith(token) }
        meetKeyword(name)
    }

    private mutating func meetKeyword(_ name: QueryWord) {
        let before = word(statement.before)
        switch name.count {
        case 3:
            if statement.atomicDepth > 0, name.isKeyword("end") { statement.atomicDepth -= 1 }
        case 4:
            if name.isKeyword("into") {
                let isTarget = before.isKeyword("insert") || before.isKeyword("merge")
                statement.selectsInto = statement.selectsInto || !isTarget
            } else if name.isKeyword("temp") {
                meetTemporary()
            } else if name.isKeyword("hold"), before.isKeyword("with") {
                statement.taints.insert(.heldCursor)
            } else if name.isKeyword("drop"), before.isKeyword("commit"), word(statement.beforeThat).isKeyword("on") {
                statement.dropsOnCommit = true
            } else if statement.atomicDepth > 0, name.isKeyword("case") {
                statement.atomicDepth += 1
            }
        case 5:
            if name.isKeyword("merge") {
                statement.modifies = true
            } else if name.isKeyword("share"), before.isKeyword("for") || before.isKeyword("key") {
                statement.locks = true
            }
        case 6: meetWrite(name, before)
        case 7:
            if name.isKeyword("uescape"), statement.hasUnicodeName { statement.taints.insert(.unreadable) }
        case 9:
            if name.isKeyword("temporary") { meetTemporary() }
        default: break
        }
        if name.isKeyword("atomic"), before.isKeyword("begin"), createsRoutine { statement.atomicDepth = 1 }
    }

    private mutating func meetWrite(_ name: QueryWord, _ before: QueryWord) {
        if name.isKeyword("update") {
            statement.mentionsUpdate = true
            statement.modifies = true
            if before.isKeyword("for") || before.isKeyword("key") { statement.locks = true }
        } else if name.isKeyword("insert") || name.isKeyword("delete") {
            statement.modifies = true
        }
    }

    /// `temp` means something only after these words; elsewhere it is a name.
    private mutating func meetTemporary() {
        let before = word(statement.before)
        if before.isKeyword("create") || before.isKeyword("local") || before.isKeyword("global")
            || before.isKeyword("replace")
        {
            statement.createsTemporary = true
        } else if before.isKeyword("into") {
            let command = word(statement.beforeThat)
            if !command.isKeyword("insert"), !command.isKeyword("merge") { statement.keepsTemporary = true }
        }
    }

    /// Only routines have a body of statements; elsewhere `begin atomic` is a column and its alias.
    private var createsRoutine: Bool {
        guard statement.depth == 0, let first = statement.head.first, word(first).isKeyword("create") else {
            return false
        }
        return statement.head.dropFirst().prefix(3).contains {
            word($0).isKeyword("function") || word($0).isKeyword("procedure")
        }
    }

    // MARK: Statements

    private mutating func meetVerb(_ token: QueryToken) {
        statement.verb = token
        statement.verbDepth = statement.depth
        statement.kind = Self.kind(of: word(token))
        statement.awaitsVerb = word(token).isKeyword("with")
    }

    /// The first of these words behind the CTEs. A CTE's own name follows WITH, RECURSIVE or a comma.
    private mutating func meetVerbOfWith(_ token: QueryToken) {
        let before = statement.before
        guard before.kind != .comma, !word(before).isKeyword("with"), !word(before).isKeyword("recursive") else {
            return
        }
        let kind = Self.kind(of: word(token))
        guard [.select, .insert, .update, .delete, .merge].contains(kind), !word(token).isKeyword("with") else {
            return
        }
        statement.kind = kind
        statement.awaitsVerb = false
    }

    private mutating func endStatement() {
        defer {
            statement = Statement()
            tables.endStatement()
        }
        guard let verb = statement.verb else {
            if !statement.head.isEmpty { facts.isReadOnly = false }
            return
        }
        facts.statementCount += 1
        meetCommand(word(verb))
        if statement.mentionsUpdate, statement.mentionsSettings { statement.taints.formUnion(.anySetting) }
        if statement.createsTemporary, !statement.dropsOnCommit || !word(verb).isKeyword("create") {
            statement.keepsTemporary = true
        }
        if statement.keepsTemporary { statement.taints.insert(.temporary) }
        facts.taints.formUnion(statement.taints)
        facts.kind = statement.kind
        noteSetting(word(verb))
        facts.isReadOnly =
            facts.isReadOnly && statement.kind == .select && !statement.modifies && !statement.locks
            && !statement.selectsInto && !statement.writes
    }
}
