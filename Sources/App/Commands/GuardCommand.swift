import ArgumentParser
import Decide
import Foundation

/// `mainstay guard …`
struct GuardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guard",
        abstract: "Runs the PostgreSQL proxy, and tells what it counted.",
        discussion: "Without a subcommand it runs: mainstay guard --config guard.yaml.",
        subcommands: [
            GuardRunCommand.self, GuardDiffCommand.self, GuardQueriesCommand.self, GuardRuleCommand.self,
        ],
        defaultSubcommand: GuardRunCommand.self)
}

/// `mainstay guard diff --release 5f2c1e7`
struct GuardDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Tells what a release, or any change, did to the database's queries.",
        discussion: """
            With --fail it exits with 1 when something is different, and with 3 when there was too little to say; \
            without, with 0.
            """)

    @OptionGroup var client: ClientOptions
    @Option(help: "The release, as clients name it (shop@5f2c1e7, or 5f2c1e7 of all programs) or by its id.")
    var release: String?
    @Option(help: "A change's id in the ledger, instead of a release.") var change: String?
    @Option(help: "Only of this database.") var database: String?
    @ArgumentParser.Flag(help: "Exit with 1 for findings, so that a pipeline stops there.") var fail = false

    func validate() throws {
        guard (release == nil) != (change == nil) else {
            throw ValidationError("Give --release or --change, one of them.")
        }
    }

    var path: String {
        MainstayAPI.path(
            "/api/v1/queries/diff", [("release", release), ("change", change), ("database", database)])
    }

    func run() async throws {
        let diff = try await client.api().get(path)
        if client.json { try JSONPrinter.print(diff) } else { print(QueryText.diff(diff)) }
        guard fail else { return }
        switch diff["verdict"]?.string {
        case QueryDiff.Verdict.noDifference.rawValue: return
        case QueryDiff.Verdict.tooLittle.rawValue: throw ExitCode(3)
        default: throw ExitCode.failure
        }
    }
}

/// `mainstay guard queries`
struct GuardQueriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queries", abstract: "Lists the queries that cost most.",
        discussion: "--export writes them for 'mainstay review', one JSON object a line: --export queries.jsonl.")

    @OptionGroup var client: ClientOptions
    @Option(help: "Counted in this time: 15m, 1h, 7d; default: 1h, and 1d for --export.") var last: String?
    @Option(help: "Only of this database.") var database: String?
    @Option(help: "Only of this release, as clients name it.") var release: String?
    @Option(help: "How many.") var limit = 20
    @Option(help: "Write a file for 'mainstay review' instead.") var export: String?

    func validate() throws {
        guard (1...200).contains(limit) else { throw ValidationError("--limit is from 1 to 200.") }
        guard last.map({ Span(parsing: $0) != nil }) ?? true else {
            throw ValidationError("--last is a time like 15m, 1h or 7d.")
        }
        guard export == nil || release == nil && !client.json else {
            throw ValidationError("--export goes with --last and --database only.")
        }
    }

    func path(now: Instant) -> String {
        let since = last.flatMap { Span(parsing: $0) }.map { RFC3339.format(now - $0) }
        return export == nil
            ? MainstayAPI.path(
                "/api/v1/queries",
                [("since", since), ("database", database), ("release", release), ("limit", String(limit))])
            : MainstayAPI.path("/api/v1/queries/export", [("since", since), ("database", database)])
    }

    func run() async throws {
        let api = try client.api()
        let path = path(now: WallClock.now())
        guard let export else {
            let answer = try await api.get(path)
            if client.json { try JSONPrinter.print(answer) } else { print(QueryText.list(answer)) }
            return
        }
        let text = try await api.text(path)
        guard !text.isEmpty else { throw ValidationError("No query was counted in this time: nothing was written.") }
        try Data(text.utf8).write(to: URL(fileURLWithPath: export), options: .atomic)
        print("\(text.utf8.count { $0 == UInt8(ascii: "\n") }) queries in \(export); next: mainstay review \(export)")
    }
}
