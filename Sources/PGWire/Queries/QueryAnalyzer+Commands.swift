/// What the first words of a statement tell.
extension QueryAnalyzer {
    /// Commands by their first word.
    static func kind(of verb: QueryWord) -> QueryKind {
        guard verb.kind == .word else { return .unknown }
        return commands.first { $0.words.contains { verb.isKeyword($0) } }?.kind ?? .unknown
    }

    private static let commands: [(kind: QueryKind, words: [StaticString])] = [
        (.select, ["select", "with", "values", "table"]),
        (.insert, ["insert"]), (.update, ["update"]), (.delete, ["delete"]), (.merge, ["merge"]), (.copy, ["copy"]),
        (.begin, ["begin", "start"]), (.commit, ["commit", "end"]), (.rollback, ["rollback", "abort"]),
        (.savepoint, ["savepoint", "release"]), (.set, ["set", "reset"]), (.show, ["show"]),
        (.prepare, ["prepare", "deallocate"]), (.execute, ["execute"]),
        (.cursor, ["declare", "fetch", "move", "close"]), (.call, ["call", "do"]), (.explain, ["explain"]),
        (
            .ddl,
            [
                "create", "alter", "drop", "truncate", "comment", "grant", "revoke", "refresh", "reindex", "security",
                "import", "reassign",
            ]
        ),
        (
            .utility,
            [
                "vacuum", "analyze", "analyse", "cluster", "checkpoint", "lock", "notify", "listen", "unlisten",
                "discard", "load",
            ]
        ),
    ]

    /// A word of the statement's head as a keyword.
    func isKeyword(_ index: Int, _ keyword: StaticString) -> Bool {
        index < statement.head.count && word(statement.head[index]).isKeyword(keyword)
    }

    func isSymbol(_ index: Int, _ symbol: UInt8) -> Bool {
        guard index < statement.head.count else { return false }
        let token = statement.head[index]
        return token.count == 1 && base[token.start] == symbol
    }

    /// What a statement does by being that command.
    mutating func meetCommand(_ verb: QueryWord) {
        switch statement.kind {
        case .set: verb.isKeyword("set") ? meetSet() : meetReset()
        case .prepare: meetPrepare(verb)
        case .cursor:
            if verb.isKeyword("close"), isKeyword(1, "all"), statement.head.count == 2 {
                facts.clears.insert(.heldCursor)
            }
        case .call:
            facts.notes.insert(.callsCode)
            if verb.isKeyword("do") { searchBodies() }
        case .execute: facts.notes.insert(.usesPrepared)
        case .ddl: meetDefinition(verb)
        case .commit, .rollback: meetEnd()
        case .select: meetUnlock()
        case .utility: meetUtility(verb)
        case .unknown: statement.taints.insert(.unreadable)
        default: break
        }
    }

    private mutating func meetDefinition(_ verb: QueryWord) {
        let changes: [StaticString] = ["create", "alter", "drop", "import"]
        if changes.contains(where: { verb.isKeyword($0) }) { facts.notes.insert(.changesSchema) }
    }

    private mutating func meetPrepare(_ verb: QueryWord) {
        if verb.isKeyword("deallocate") {
            let name = isKeyword(1, "prepare") && statement.head.count == 3 ? 2 : 1
            if isKeyword(name, "all"), statement.head.count == name + 1 { facts.clears.insert(.prepare) }
        } else if isKeyword(1, "transaction"), statement.head.count == 3, statement.head[2].isText {
            statement.kind = .utility
        } else {
            statement.taints.insert(.prepare)
        }
    }

    /// COMMIT PREPARED and ROLLBACK PREPARED end another transaction; ROLLBACK … TO ends none.
    private mutating func meetEnd() {
        if isKeyword(1, "prepared") {
            statement.kind = .utility
            if isKeyword(0, "commit") { facts.notes.insert(.changesSchema) }
        } else if isKeyword(1, "to") || isKeyword(2, "to") {
            statement.kind = .savepoint
        }
    }

    /// Within a larger query the call might not be reached.
    private mutating func meetUnlock() {
        var index = 1
        if index + 1 < statement.head.count, word(statement.head[1]).names("pg_catalog"),
            isSymbol(2, ByteClass.dot)
        {
            index = 3
        }
        guard statement.head.count == index + 3, isKeyword(0, "select"),
            word(statement.head[index]).names("pg_advisory_unlock_all"), isSymbol(index + 1, UInt8(ascii: "(")),
            isSymbol(index + 2, UInt8(ascii: ")"))
        else { return }
        facts.clears.insert(.advisoryLock)
        statement.writes = true
    }

    private mutating func meetUtility(_ verb: QueryWord) {
        if verb.isKeyword("listen") {
            statement.taints.insert(.listen)
        } else if verb.isKeyword("load") {
            statement.taints.insert(.backend)
        } else if verb.isKeyword("notify") {
            facts.hasPayload = true
        } else if verb.isKeyword("unlisten") {
            if isSymbol(1, ByteClass.star) { facts.clears.insert(.listen) }
        } else if verb.isKeyword("discard"), statement.head.count == 2 {
            if isKeyword(1, "all") {
                facts.clears.formUnion(.discardable)
            } else if isKeyword(1, "temp") || isKeyword(1, "temporary") {
                facts.clears.insert(.temporary)
            }
        }
    }
}
