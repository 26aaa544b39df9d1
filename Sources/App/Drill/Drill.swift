import Decide
import Foundation
import Synchronization

/// Replays an outage from beginning to end: sets the stage, lets the crowd in, releases, watches, and measures.
package struct Drill: Sendable {
    private let plan: DrillPlan
    private let console: DrillConsole
    private let keepsDirectory: Bool

    init(plan: DrillPlan, console: DrillConsole, keepsDirectory: Bool) {
        self.plan = plan
        self.console = console
        self.keepsDirectory = keepsDirectory
    }

    package func run() async throws -> DrillReport {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("mainstay-drill-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        console.title(plan)
        do {
            let report = try await perform(in: directory)
            console.summary(plan, report)
            try cleanUp(directory, keep: keepsDirectory)
            return report
        } catch {
            try cleanUp(directory, keep: true)
            throw error
        }
    }

    private func cleanUp(_ directory: String, keep: Bool) throws {
        if keep {
            console.say("  The drill's logs and databases are in \(directory)")
        } else {
            try FileManager.default.removeItem(atPath: directory)
        }
    }

    /// Everything the drill starts lives in this group and ends with it, however it ends.
    private func perform(in directory: String) async throws -> DrillReport {
        let mail = MailSink()
        return try await withThrowingTaskGroup(of: DrillReport?.self) { group in
            let port = Mutex<Int?>(nil)
            let (ready, isReady) = AsyncStream.makeStream(of: Int.self)
            group.addTask {
                try await mail.run { isReady.yield($0) }
                return nil
            }
            for await found in ready {
                port.withLock { $0 = found }
                break
            }
            guard let mailPort = port.withLock({ $0 }) else { throw DrillPlanError(description: "no mail server") }
            let stage = try DrillStage(plan: plan, directory: directory, mailPort: mailPort)
            for process in stage.processes {
                group.addTask {
                    try await process.run()
                    return nil
                }
            }
            let crowd = Crowd(plan: plan, url: stage.storefront, products: DrillStage.products)
            group.addTask {
                let scenario = DrillScenario(plan: plan, stage: stage, crowd: crowd, mail: mail, console: console)
                return try await scenario.run()
            }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let report = outcome { return report }
            }
            throw DrillPlanError(description: "the drill ended without a result")
        }
    }
}
