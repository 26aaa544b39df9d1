/// Functions whose effect outlives the transaction, and the code of DO.
extension QueryAnalyzer {
    private static let lockingFunctions: [StaticString] = [
        "pg_advisory_lock", "pg_try_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock_shared",
    ]

    /// What they change belongs to the server process, and no command takes it back.
    private static let backendFunctions: [StaticString] = [
        "setseed", "dblink_connect", "dblink_connect_u", "pg_replication_origin_session_setup",
        "pg_create_logical_replication_slot", "pg_create_physical_replication_slot", "pg_copy_logical_replication_slot",
        "pg_copy_physical_replication_slot",
    ]

    /// They run SQL that stands in a text.
    private static let runningFunctions: [StaticString] = [
        "query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "ts_stat",
    ]

    private static let writingFunctions: [StaticString] = [
        "nextval", "setval", "pg_notify", "dblink_exec", "lo_create", "lo_creat", "lo_unlink", "lo_import", "lo_put",
        "lo_from_bytea", "lowrite", "lo_truncate", "lo_truncate64", "pg_advisory_unlock", "pg_advisory_unlock_all",
        "pg_advisory_unlock_shared", "pg_logical_emit_message", "pg_terminate_backend", "pg_cancel_backend",
        "pg_reload_conf", "pg_switch_wal",
    ]

    /// - Parameter arguments: a bookmark behind the opening parenthesis.
    mutating func meetCall(_ function: QueryWord, arguments: QueryLexer) {
        if function.names("set_config") {
            meetSetConfig(arguments)
        } else if function.names("set_limit") {
            statement.taints.insert(.settings)
        } else if function.names("currval") || function.names("lastval") {
            facts.notes.insert(.readsSequence)
        } else if function.names("pg_backend_pid") {
            facts.notes.insert(.readsBackend)
        } else if Self.lockingFunctions.contains(where: { function.names($0) }) {
            statement.taints.insert(.advisoryLock)
        } else if Self.backendFunctions.contains(where: { function.names($0) }) {
            statement.taints.insert(.backend)
        } else if Self.runningFunctions.contains(where: { function.names($0) }) {
            statement.taints.insert(.unreadable)
        } else if Self.writingFunctions.contains(where: { function.names($0) }) {
            statement.writes = true
        }
    }

    // MARK: set_config(name, value, is_local)

    private struct Arguments {
        /// The tokens of each argument.
        var all: [[QueryToken]] = [[]]
        var isWhole = false
    }

    private mutating func meetSetConfig(_ lexer: QueryLexer) {
        facts.dependsOnConstants = true
        statement.writes = true
        let arguments = Self.arguments(lexer)
        if !arguments.isWhole || arguments.all.joined().contains(where: mentionsTemporary) {
            statement.keepsTemporary = true
        }
        var taints = SessionTaint.anySetting
        if let only = arguments.all[0].first, arguments.all[0].count == 1, let name = constant(only) {
            let value = arguments.all.count > 1 && arguments.all[1].count == 1 ? constant(arguments.all[1][0]) : nil
            taints = taint(of: name.lowercased(), values: value.map { [$0] })
        }
        statement.taints.formUnion(isLocal(arguments) ? taints.intersection(.unreadable) : taints)
    }

    /// Only the word itself counts: whatever else is there might turn out false.
    private func isLocal(_ arguments: Arguments) -> Bool {
        guard arguments.isWhole, arguments.all.count == 3 else { return false }
        let last = arguments.all[2]
        if last.count == 3, word(last[0]).names("is_local"), last[1].kind == .symbol {
            return word(last[2]).isKeyword("true")
        }
        return last.count == 1 && word(last[0]).isKeyword("true")
    }

    /// The arguments up to the closing parenthesis, if they are not too long.
    private static func arguments(_ start: QueryLexer) -> Arguments {
        var lexer = start
        var arguments = Arguments()
        var depth = 0
        for _ in 0..<64 {
            let token = lexer.next()
            switch token.kind {
            case .end: return arguments
            case .openParenthesis, .openBracket: depth += 1
            case .closeParenthesis, .closeBracket:
                depth -= 1
                if depth < 0 {
                    arguments.isWhole = true
                    return arguments
                }
            case .comma where depth == 0:
                arguments.all.append([])
                continue
            default: break
            }
            arguments.all[arguments.all.count - 1].append(token)
        }
        return arguments
    }

    // MARK: The code of DO

    /// Texts within texts within the code are searched too (`EXECUTE 'LISTEN x'`), down to this depth.
    private static let bodyDepth = 4

    mutating func searchBodies() {
        for token in statement.head where token.isText {
            let text = UnsafeBufferPointer(start: base + token.start, count: token.count)
            let escapes = token.kind == .escapeString || token.kind == .unicodeString
            if escapes, text.contains(ByteClass.backslash) { statement.taints.insert(.unreadable) }
            searchBody(content(of: token), depth: 1)
        }
        if statement.hasMore { statement.taints.insert(.unreadable) }
    }

    private func content(of token: QueryToken) -> Range<Int> {
        var start = token.start + 1
        if token.kind == .dollarString {
            while start < token.end, base[start] != ByteClass.dollar { start += 1 }
            let length = start + 1 - token.start
            return start + 1..<max(start + 1, token.end - length)
        }
        while start < token.end, base[start - 1] != ByteClass.quote { start += 1 }
        return start..<max(start, token.end - 1)
    }

    private mutating func searchBody(_ range: Range<Int>, depth: Int) {
        var lexer = QueryLexer(UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
        let body = BodyScan(base: base + range.lowerBound)
        var scan = body
        while true {
            let token = lexer.next()
            if token.kind == .end { break }
            if token.isText, depth < Self.bodyDepth {
                let moved = QueryToken(
                    kind: token.kind, start: token.start + range.lowerBound, end: token.end + range.lowerBound)
                searchBody(content(of: moved), depth: depth + 1)
            }
            if token.kind == .openParenthesis, scan.before.isName {
                var inner = QueryAnalyzer(base: base + range.lowerBound)
                inner.meetCall(scan.before, arguments: lexer)
                statement.taints.formUnion(inner.statement.taints)
                if inner.statement.keepsTemporary { statement.taints.insert(.temporary) }
                facts.notes.formUnion(inner.facts.notes)
            }
            scan.accept(token)
        }
        statement.taints.formUnion(scan.taints)
    }

    private init(base: UnsafePointer<UInt8>) {
        self.base = base
        lexer = QueryLexer(UnsafeRawBufferPointer(start: nil, count: 0))
    }
}

/// Looks for commands in a piece of procedural code, where statements have words like THEN before them.
private struct BodyScan {
    let base: UnsafePointer<UInt8>
    var taints: SessionTaint = []
    var before: QueryWord
    /// A command may begin here.
    private var isAtStart = true
    /// SET has been read, and not what it sets.
    private var isSetting = false

    init(base: UnsafePointer<UInt8>) {
        self.base = base
        before = QueryWord(QueryToken(kind: .end, start: 0, end: 0), in: base)
    }

    mutating func accept(_ token: QueryToken) {
        let word = QueryWord(token, in: base)
        if isSetting {
            isSetting = false
            if !word.isKeyword("local"), !word.isKeyword("transaction"), !word.isKeyword("constraints") {
                taints.formUnion([.settings, .role, .authorization])
            }
        }
        if word.names("pg_temp") || word.hasPrefix("pg_temp_") { taints.insert(.temporary) }
        if word.isKeyword("temp") || word.isKeyword("temporary") {
            let announced: [StaticString] = ["create", "local", "global", "replace", "into"]
            if announced.contains(where: { before.isKeyword($0) }) { taints.insert(.temporary) }
        }
        if isAtStart { meetCommand(word) }
        let starters: [StaticString] = ["begin", "then", "else", "loop", "do"]
        isAtStart =
            token.kind == .semicolon || token.kind == .symbol || starters.contains { word.isKeyword($0) }
        before = word
    }

    private mutating func meetCommand(_ word: QueryWord) {
        if word.isKeyword("set") {
            isSetting = true
        } else if word.isKeyword("reset") {
            taints.formUnion(.settings)
        } else if word.isKeyword("listen") {
            taints.insert(.listen)
        } else if word.isKeyword("prepare") {
            taints.insert(.prepare)
        } else if word.isKeyword("load") {
            taints.insert(.backend)
        }
    }
}
