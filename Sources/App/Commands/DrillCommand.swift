import ArgumentParser

/// `mainstay drill FILE`
struct DrillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract: "Replays an outage with real processes and a simulated crowd, and checks what came of it.",
        discussion: "Starts everything itself on free ports and in a temporary directory, and cleans up. "
            + "Exits with 1 when an expectation of the file is not met.")

    @Argument(help: "The drill's file, like drills/favorites.yaml.")
    var file: String

    @Flag(help: "Print one JSON object on standard output; the live timeline goes to standard error.")
    var json = false

    @Flag(help: "Keep the drill's directory, with logs and databases, and say where it is.")
    var keep = false

    func run() async throws {
        let plan: DrillPlan
        do {
            plan = try DrillPlan.load(path: file)
        } catch let error as DrillPlanError {
            throw ValidationError(error.description)
        }
        let report = try await Drill(plan: plan, console: DrillConsole(isJSON: json), keepsDirectory: keep).run()
        if json { try JSONPrinter.print(report) }
        if !report.passed { throw ExitCode.failure }
    }
}
