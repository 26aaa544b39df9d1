import Decide
import PGWire

/// What one text on the console asks for.
enum AdminCommand: Equatable {
    case nothing
    case show(String)
    case pause(database: String?, within: Span)
    case resume(database: String?)
    case switchTarget(database: String, to: String, within: Span)
    case reconnect(database: String?)
    case reload
    case addRule(BudgetRule)
    case dropRule(String)
    /// Lifts a query's limit.
    case letIn(QueryKey)

    static let textLimit = 4_096
    /// For the transactions that run when a pause begins.
    static let deadline = Span.seconds(2)
    static let longestRule = Span.days(30)

    static let help: [(String, String)] = [
        ("SHOW POOLS", "clients and servers by database and user"),
        ("SHOW QUERIES", "the 200 queries that cost most"),
        ("SHOW LIMITED", "queries that are held to less than they ask for"),
        ("SHOW RULES", "rules by hand"), ("SHOW CLIENTS", ""), ("SHOW SERVERS", ""), ("SHOW STATS", ""),
        ("SHOW DATABASES", "where each is"), ("SHOW VERSION", ""),
        ("PAUSE [database] [WITHIN 2s]", "new transactions wait; ends when the others have ended"),
        ("RESUME [database]", ""),
        ("SWITCH database TO host:port [WITHIN 2s]", "pauses, moves, resumes"),
        ("RECONNECT [database]", "replaces servers as they come to rest"), ("RELOAD", "reads the configuration again"),
        ("LIMIT who TO n FOR 10m [BECAUSE 'why']", "who: QUERY fingerprint, USER u, APPLICATION a, DATABASE d"),
        ("BLOCK who FOR 10m [BECAUSE 'why']", "turns it away"), ("ALLOW who FOR 10m [BECAUSE 'why']", "never limited"),
        ("DROP RULE id", ""), ("LETIN fingerprint", "lifts the budgets' limit of a query now"),
    ]

    static func parse(_ text: String) throws(WireError) -> AdminCommand {
        guard text.utf8.count <= textLimit else { throw .tooLarge("a command of \(text.utf8.count) bytes") }
        var words = try AdminWords(text)
        guard let verb = words.keyword() else { return .nothing }
        let command: AdminCommand
        switch verb {
        case "SHOW": command = .show(words.keyword() ?? "HELP")
        case "PAUSE": command = .pause(database: words.optional("WITHIN"), within: try words.span("WITHIN") ?? deadline)
        case "RESUME": command = .resume(database: words.next())
        case "RECONNECT": command = .reconnect(database: words.next())
        case "RELOAD": command = .reload
        case "SWITCH":
            let database = try words.required("the name of a database")
            try words.expect("TO")
            command = .switchTarget(
                database: database, to: try words.required("host:port"), within: try words.span("WITHIN") ?? deadline)
        case "LIMIT", "BLOCK", "ALLOW": command = .addRule(try rule(verb, &words))
        case "DROP":
            try words.expect("RULE")
            command = .dropRule(try words.required("the id of a rule, from SHOW RULES"))
        case "LETIN": command = .letIn(try fingerprint(try words.required("a fingerprint, from SHOW LIMITED")))
        default: throw unknown(text)
        }
        guard words.isAtEnd else { throw unknown(text) }
        return command
    }

    private static func rule(_ verb: String, _ words: inout AdminWords) throws(WireError) -> BudgetRule {
        var pattern = ClientPattern()
        var action = verb == "BLOCK" ? BudgetRule.Action.block : .allow
        var reason = ""
        var lasts: Span?
        while let key = words.keyword() {
            switch key {
            case "QUERY": pattern.query = try fingerprint(try words.required("a fingerprint, from SHOW QUERIES"))
            case "USER": pattern.user = try words.required("a user")
            case "APPLICATION": pattern.application = try words.required("an application's name")
            case "DATABASE": pattern.database = try words.required("a database")
            case "TO" where verb == "LIMIT":
                guard let limit = Int(try words.required("a number of servers")), (0...10_000).contains(limit) else {
                    throw problem("LIMIT … TO takes a number of servers")
                }
                action = .limit(limit)
            case "FOR": lasts = try words.span()
            case "BECAUSE": reason = try words.required("a reason in quotes")
            default:
                throw problem(
                    "'\(key.prefix(40))' is not known in a rule: QUERY, USER, APPLICATION, DATABASE, TO, FOR, BECAUSE")
            }
        }
        guard pattern != ClientPattern() else {
            throw problem("say whom the rule is for: QUERY fingerprint, USER u, APPLICATION a or DATABASE d")
        }
        if verb == "LIMIT", case .allow = action { throw problem("say how many servers: LIMIT … TO 2 …") }
        guard let lasts, lasts > .zero, lasts <= longestRule else {
            throw problem("a rule ends by itself: say when, at most in 30 days, as in FOR 10m")
        }
        return BudgetRule(action, pattern, reason: reason.isEmpty ? "by hand" : reason, lasts: lasts)
    }

    private static func fingerprint(_ text: String) throws(WireError) -> QueryKey {
        guard text.utf8.count <= 16, let number = UInt64(text, radix: 16) else {
            throw problem("'\(text.prefix(40))' is no fingerprint: 16 hexadecimal digits, as SHOW QUERIES has them")
        }
        return QueryKey(fingerprint: number)
    }

    static func problem(_ message: String) -> WireError {
        WireError(.unsupported, sqlState: "42601", message)
    }

    static func unknown(_ text: String) -> WireError {
        problem("unknown command '\(text.prefix(80))': SHOW HELP lists what there is")
    }
}

/// The words of a command: separated by space, or in quotes of either kind, doubled inside to stand for themselves.
private struct AdminWords {
    private var words: [(text: String, isQuoted: Bool)] = []
    private var at = 0

    init(_ text: String) throws(WireError) {
        var rest = text[...]
        while let first = rest.first {
            if first.isWhitespace || first == ";" {
                rest.removeFirst()
            } else if first == "'" || first == "\"" {
                words.append((try Self.quoted(&rest, first), true))
            } else {
                let word = rest.prefix { !$0.isWhitespace && $0 != ";" }
                words.append((String(word), false))
                rest = rest[word.endIndex...]
            }
        }
    }

    private static func quoted(_ rest: inout Substring, _ quote: Character) throws(WireError) -> String {
        var text = ""
        rest.removeFirst()
        while let next = rest.popFirst() {
            if next != quote {
                text.append(next)
            } else if rest.first == quote {
                text.append(next)
                rest.removeFirst()
            } else {
                return text
            }
        }
        throw AdminCommand.problem("a quote is not closed")
    }

    var isAtEnd: Bool { at >= words.count }

    mutating func next() -> String? {
        guard !isAtEnd else { return nil }
        at += 1
        return words[at - 1].text
    }

    mutating func keyword() -> String? { next()?.uppercased() }

    /// A word that is not the keyword.
    mutating func optional(_ keyword: String) -> String? {
        guard !isAtEnd, words[at].isQuoted || words[at].text.uppercased() != keyword else { return nil }
        return next()
    }

    mutating func required(_ what: String) throws(WireError) -> String {
        guard let word = next(), !word.isEmpty else { throw AdminCommand.problem("\(what) is missing") }
        return word
    }

    mutating func expect(_ keyword: String) throws(WireError) {
        guard self.keyword() == keyword else { throw AdminCommand.problem("\(keyword) is missing") }
    }

    /// After the keyword, if it is there.
    mutating func span(_ keyword: String) throws(WireError) -> Span? {
        guard !isAtEnd else { return nil }
        try expect(keyword)
        return try span()
    }

    mutating func span() throws(WireError) -> Span {
        let word = try required("a length of time such as 10m")
        guard let span = Span(parsing: word), span > .zero, span <= .days(365) else {
            throw AdminCommand.problem("'\(word.prefix(40))' is no length of time, such as 500ms, 2s, 10m or 1h")
        }
        return span
    }
}
