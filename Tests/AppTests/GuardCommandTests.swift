import Act
import ArgumentParser
import Decide
import Foundation
import Logging
import Record
import SQL
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import Web

@testable import App

@Suite("mainstay guard")
struct GuardCommandTests {
    private static let token = "token-of-a-viewer-with-more-than-32-bytes"

    @Test("without a subcommand it runs the proxy, as before")
    func runs() throws {
        let command = try MainstayCommand.parseAsRoot(["guard", "--config", "shop.yaml"])
        #expect((command as? GuardRunCommand)?.config == "shop.yaml")
        #expect(try MainstayCommand.parseAsRoot(["guard", "run", "--config", "x"]) is GuardRunCommand)
        #expect(try MainstayCommand.parseAsRoot(["guard", "diff", "--release", "v2"]) is GuardDiffCommand)
        #expect(try MainstayCommand.parseAsRoot(["guard", "queries"]) is GuardQueriesCommand)
    }

    @Test(
        "what does not fit together is said before anything is asked",
        arguments: [
            ["diff"], ["diff", "--release", "a", "--change", "b"], ["queries", "--limit", "0"],
            ["queries", "--last", "soon"], ["queries", "--export", "f", "--json"],
        ])
    func misuse(arguments: [String]) {
        #expect(throws: (any Error).self) { try MainstayCommand.parseAsRoot(["guard"] + arguments) }
    }

    @Test("names go into the address escaped")
    func paths() throws {
        let command = try GuardDiffCommand.parse(["--release", "shop@1&x=ä", "--database", "a b"])
        #expect(command.path == "/api/v1/queries/diff?release=shop%401%26x%3D%C3%A4&database=a%20b")
        let queries = try GuardQueriesCommand.parse(["--last", "1d"])
        #expect(
            queries.path(now: Instant(milliseconds: 86_400_000))
                == "/api/v1/queries?since=1970-01-01T00%3A00%3A00.000Z&limit=20")
    }

    // MARK: Against a Mainstay

    private static func sample(_ query: UInt64, _ calls: Int, release: String, empty: Int = 0) -> QuerySample {
        var figures = QueryFigures()
        figures.calls = calls
        figures.nanoseconds = 2_000_000 * Int64(calls)
        figures.rows = calls - empty
        if query == 2 { (figures.writes, figures.emptyWrites) = (calls, empty) }
        figures.latency = LatencyCounts([LatencyCounts.Pair(microseconds: 2_000, count: calls)])
        return QuerySample(
            database: "shop", query: QueryKey(fingerprint: query), release: release,
            text: query == 2 ? "INSERT INTO favorites VALUES ($1)\u{1B}[2J" : "SELECT $1", figures: figures)
    }

    /// Three hours of release v1, then v2, which stores nothing.
    private static func fill(_ record: Record, _ clock: @Sendable (Span) -> Void) async throws {
        for _ in 0..<18 {
            try await record.sample(queries: [sample(1, 500, release: "v1"), sample(2, 50, release: "v1")])
            clock(.minutes(10))
        }
        try await record.sample(queries: [sample(1, 200, release: "v2"), sample(2, 20, release: "v2", empty: 20)])
        clock(.minutes(1))
    }

    /// - Parameter body: is given `--url … --token-file …`, and a directory.
    private func withMainstay(
        _ body: @escaping @Sendable ([String], String) async throws -> Void
    ) async throws {
        try await withDatabase { database, place in
            let time = Mutex(WallClock.now() - .hours(4))
            let record = Record(database: database, policy: Policy(), now: { time.withLock { $0 } })
            try await record.migrate()
            try await record.database.write { connection in
                try connection.execute(
                    "INSERT INTO accounts (name, role, password, created_at) VALUES ('v', 'viewer', 'none', 0)")
            }
            try await record.adoptToken(Self.token, name: "v", account: "v", scopes: [.read])
            try await Self.fill(record) { span in time.withLock { $0 = $0 + span } }
            let file = place.directory.appending(path: "token").path
            try Data(Self.token.utf8).write(to: URL(fileURLWithPath: file))
            try await serve(record) { port in
                try await body(
                    ["--url", "http://127.0.0.1:\(port)", "--token-file", file], place.directory.path)
            }
        }
    }

    private func serve(_ record: Record, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let settings = WebSettings(publicURL: "http://127.0.0.1")
        let services = WebServices(
            record: record, settings: settings,
            linkSigner: LinkSigner(key: [UInt8](repeating: 7, count: 32), base: settings.publicURL), version: "test",
            logger: logger)
        let (ports, ready) = AsyncStream.makeStream(of: Int.self)
        let application = buildApplication(services, host: "127.0.0.1", port: 0, onReady: { ready.yield($0) })
        let group = ServiceGroup(services: [application], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                for await port in ports {
                    try await body(port)
                    break
                }
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func code(_ command: GuardDiffCommand) async throws -> Int32 {
        do {
            try await command.run()
            return 0
        } catch let exit as ExitCode {
            return exit.rawValue
        }
    }

    @Test("a diff is told in words, and stops a pipeline when asked to")
    func diff() async throws {
        try await withMainstay { client, _ async throws in
            let command = try GuardDiffCommand.parse(client + ["--release", "v2"])
            let answer = try await command.client.api().get(command.path)
            let text = QueryText.diff(answer)
            #expect(text.contains("critical  zeroRowWrites  shop 0000000000000002"))
            #expect(text.contains("None of 20 calls changed a row; before, 100 % did."))
            #expect(text.contains("20 of 20 writes changed nothing"))
            #expect(text.hasSuffix("1 difference."))
            #expect(!text.contains("\u{1B}"))
            #expect(try await code(command) == 0)
            #expect(try await code(try GuardDiffCommand.parse(client + ["--release", "v2", "--fail", "--json"])) == 1)
            // There is nothing before the first release.
            #expect(try await code(try GuardDiffCommand.parse(client + ["--release", "v1", "--fail"])) == 3)
            let unknown = try GuardDiffCommand.parse(client + ["--release", "v9"])
            await #expect(throws: MainstayAPI.Failure.self) { try await unknown.run() }
        }
    }

    @Test("the list names the most expensive first; the export is what the review reads")
    func queries() async throws {
        try await withMainstay { client, folder async throws in
            let list = try GuardQueriesCommand.parse(client + ["--last", "7d", "--database", "shop"])
            let text = QueryText.list(try await list.client.api().get(list.path(now: WallClock.now())))
            #expect(text.contains("91 %  9,200 calls, mean 2 ms"))
            #expect(text.contains("(v1: 9,000 calls, v2: 200 calls)"))
            let file = folder + "/queries.jsonl"
            try await GuardQueriesCommand.parse(client + ["--last", "7d", "--export", file]).run()
            let data = try #require(FileManager.default.contents(atPath: file))
            let read = try ExportedQueries.read(SourceText(file: file, bytes: Array(data)))
            #expect(read.map(\.notes.meanMilliseconds) == [2, 2])
            let none = try GuardQueriesCommand.parse(client + ["--database", "none", "--export", folder + "/none"])
            await #expect(throws: ValidationError.self) { try await none.run() }
            #expect(!FileManager.default.fileExists(atPath: folder + "/none"))
        }
    }
}
