import ArgumentParser
import Decide
import Foundation
import Interop
import SQL

/// `mainstay review FILE… --database URL`
struct ReviewCommand: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, sarif
    }

    static let configuration = CommandConfiguration(
        commandName: "review",
        abstract: "Reviews SQL before release: plans every statement on a copy of the database, and runs none.",
        discussion:
            "Files hold statements and migrations (.sql), or what the guard exports (.jsonl); folders and - for "
            + "standard input work, too. Use a restored copy of production: a plan over few rows proves nothing.\n\n"
            + "Exits with 0 when nothing blocks, 1 when something does, 2 when the review could not be made.")

    @Argument(help: "Files and folders of .sql and .jsonl; - is standard input.") var files: [String]
    @Option(help: "postgres://… of the copy; default: the environment's MAINSTAY_REVIEW_DATABASE, out of sight of ps.")
    var database: String?
    @Option(help: "Plan as this role, as the application does.") var role: String?
    @Option(help: "Plan with this search_path.") var searchPath: String?
    @Option(help: "text, json or sarif.") var format = Format.text
    @Option(help: "Write the report to this file; the text then still goes to standard output.") var output: String?
    @Option(help: "An earlier review's JSON; statements that cost 3 or 10 times as much are found.")
    var against: String?
    @Option(help: "Server connections that may work at the same time.") var slots = ReviewAssumptions.standardSlots
    @Option(help: "Milliseconds for one unit of the planner's cost; default: learned from mean_ms, else 0.007.")
    var msPerCost: Double?
    @Option(help: "Seconds for planning one statement.") var timeout = 10
    @Option(help: "Seconds for running one statement, with --run-rolled-back.") var runTimeout = 30
    @ArgumentParser.Flag(help: "? is a parameter (JDBC, SQLite), not jsonb's operator.") var questionMarks = false
    @ArgumentParser.Flag(
        help: ArgumentHelp(
            "Apply migrations and run statements without parameters, in one transaction that is rolled back.",
            discussion: "Sequences, and what functions do outside the database, stay changed: only on a copy."))
    var runRolledBack = false

    func run() async throws {
        do {
            let environment = ProcessInfo.processInfo.environment
            let review = try await review(environment)
            try report(review, environment)
            if review.verdict == .block { throw ExitCode(1) }
        } catch let code as ExitCode {
            throw code
        } catch {
            ReviewConsole.complain(Self.message(error))
            throw ExitCode(2)
        }
    }

    private func review(_ environment: [String: String]) async throws -> QueryReview {
        guard let url = database ?? environment["MAINSTAY_REVIEW_DATABASE"], !url.isEmpty else {
            throw ReviewUsageError("give the database to review on: --database postgres://…")
        }
        guard (1...10_000).contains(slots) else { throw ReviewUsageError("--slots is from 1 to 10000") }
        guard (1...3_600).contains(timeout), (1...3_600).contains(runTimeout) else {
            throw ReviewUsageError("timeouts are from 1 to 3600 seconds")
        }
        if let msPerCost, !(msPerCost > 0 && msPerCost < 1_000) {
            throw ReviewUsageError("--ms-per-cost is above 0 and below 1000")
        }
        let statements = try ReviewInputs.read(files, questionMarks: questionMarks)
        guard !statements.isEmpty else {
            throw ReviewUsageError("there is no statement in \(files.joined(separator: ", "))")
        }
        var options = QueryReviewer.Options(url: url)
        options.session.role = role
        options.session.searchPath = searchPath
        options.session.timeoutMilliseconds = Int64(timeout) * 1_000
        options.session.runTimeoutMilliseconds = Int64(runTimeout) * 1_000
        options.slots = slots
        options.millisecondsPerCost = msPerCost
        options.isRehearsed = runRolledBack
        if let against { options.earlierCosts = try QueryReview.costs(in: try ReviewInputs.source(against)) }
        let progress = ReviewProgress()
        return try await QueryReviewer(options: options) { progress.say($0, of: $1) }.review(statements)
    }

    private func report(_ review: QueryReview, _ environment: [String: String]) throws {
        let document =
            switch format {
            case .text: ReviewText(isColoured: false).render(review)
            case .json: try Self.pretty(review.json)
            case .sarif: try Self.pretty(Sarif.document(review, toolVersion: Version.current))
            }
        if let output {
            do {
                try Data(document.utf8).write(to: URL(fileURLWithPath: output), options: .atomic)
            } catch {
                throw ReviewUsageError("\(output) cannot be written")
            }
        }
        if format == .text || output != nil {
            let text = ReviewText(isColoured: ReviewConsole.isColoured(environment)).render(review)
            FileHandle.standardOutput.write(Data(text.utf8))
        } else {
            FileHandle.standardOutput.write(Data(document.utf8))
        }
    }

    private static func pretty(_ value: JSONValue) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }

    private static func message(_ error: any Error) -> String {
        switch error {
        case let error as SQLError: error.message
        case let error as ReviewInputError: error.description
        case let error as ReviewUsageError: error.message
        default: "\(error)"
        }
    }
}

/// Something that whoever calls the command has to change.
struct ReviewUsageError: Error {
    let message: String
    init(_ message: String) { self.message = message }
}
