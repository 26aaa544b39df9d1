import ArgumentParser
import Decide

/// `mainstay guard rule …`
struct GuardRuleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rule", abstract: "Lists, makes and removes rules by hand for the guard.",
        subcommands: [List.self, Add.self, Remove.self])

    private static let path = "/api/v1/guard/rules"

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the rules in force.")

        @OptionGroup var client: ClientOptions

        func run() async throws {
            let answer = try await client.api().get("\(path)?limit=200")
            if client.json { return try JSONPrinter.print(answer) }
            let rules = answer["items"]?.array ?? []
            if rules.isEmpty { print("No rules.") }
            for rule in rules { print(GuardRuleCommand.line(rule)) }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a rule for the queries that fit everything that is given.")

        @OptionGroup var client: ClientOptions
        @Option(help: "At most this many at a time.") var limit: Int?
        @ArgumentParser.Flag(help: "Turn them away.") var block = false
        @ArgumentParser.Flag(help: "Never hold them back.") var allow = false
        @Option(help: "The query's fingerprint: 16 hexadecimal digits.") var query: String?
        @Option(help: "The database user that sends it.") var user: String?
        @Option(help: "The application_name of the client that sends it.") var application: String?
        @Option(help: "The database.") var database: String?
        @Option(name: .customLong("for"), help: "How long it holds: 30m, 2h, at most 30d.") var lasts: String
        @Option(help: "Why; it is recorded.") var reason: String

        func validate() throws {
            guard [limit != nil, block, allow].count(where: { $0 }) == 1 else {
                throw ValidationError("Give one of --limit, --block and --allow.")
            }
            guard [query, user, application, database].contains(where: { $0 != nil }) else {
                throw ValidationError("Say for whom: --query, --user, --application or --database.")
            }
            guard let span = Span(parsing: lasts), span > .zero, span <= GuardRules.longest else {
                throw ValidationError("'\(lasts)' is not a length of time such as 30m or 2h, at most 30d.")
            }
        }

        /// What is sent.
        var body: JSONValue {
            var members: [String: JSONValue] = [
                "action": .string(block ? "block" : allow ? "allow" : "limit"), "reason": .string(reason),
                "lastsMs": .integer(Span(parsing: lasts)?.milliseconds ?? 0),
            ]
            members["limit"] = limit.map { .integer(Int64($0)) }
            for (name, value) in [
                ("query", query), ("user", user), ("application", application), ("database", database),
            ] {
                members[name] = value.map(JSONValue.string)
            }
            return .object(members)
        }

        func run() async throws {
            let made = try await client.api().post(path, body)
            if client.json { return try JSONPrinter.print(made) }
            print(GuardRuleCommand.line(made))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Takes a rule back.")

        @OptionGroup var client: ClientOptions
        @Argument(help: "The rule's id.") var id: String

        func run() async throws {
            try await client.api().delete("\(path)/\(MainstayAPI.segment(id))")
            print("\(id) is removed.")
        }
    }

    /// `rule-3  limit 2  query 00ab…  user app  until 2026-11-22T04:51:49.000Z  ada: the sale`
    static func line(_ rule: JSONValue) -> String {
        let limit = rule["limit"]?.integer.map { " \($0)" } ?? ""
        var parts = [rule["id"]?.string ?? "?", (rule["action"]?.string ?? "?") + limit]
        for name in ["query", "user", "application", "database", "until"] {
            if let value = rule[name]?.string { parts.append("\(name) \(value)") }
        }
        parts.append("\(rule["createdBy"]?.string ?? "?"): \(rule["reason"]?.string ?? "")")
        return parts.joined(separator: "  ")
    }
}
