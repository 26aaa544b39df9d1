import Decide
import Foundation
import Guard
import Logging
import Observe
import Record
import ServiceLifecycle
import UnixSignals

/// Reads the configuration again on SIGHUP. A bad file leaves the running one in force; a good one is a change in the
/// ledger, and can be suspected like any other.
struct Reload: Service {
    let path: String
    let environment: [String: String]
    let record: Record
    let settings: SettingsBox
    let scheduler: CheckScheduler
    /// Nil: no guard runs in this process.
    let proxy: Guard?
    let logger: Logger

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            for await _ in signals { await reload() }
        }
    }

    private func reload() async {
        let fresh: Configuration
        do {
            fresh = try ConfigurationLoader.load(path: path, environment: environment)
        } catch {
            for problem in error.problems { logger.error("\(problem)") }
            logger.error("the configuration is not in order; the running one stays in force")
            return
        }
        do {
            record.policy = fresh.policy
            settings.current = fresh
            await scheduler.update(fresh.checks)
            if let proxy, let settings = fresh.guardSettings { try await proxy.reload(settings) }
            try await Beginnings(record: record, configuration: fresh, environment: environment, logger: logger)
                .prepare()
            try await tell()
            logger.notice("the configuration was read again")
        } catch {
            logger.error("the new configuration could not be recorded", metadata: ["cause": "\(error)"])
        }
    }

    private func tell() async throws {
        let now = record.now()
        for service in record.policy.services.keys.sorted() {
            _ = try await record.note(
                change: Change(
                    id: "configuration:\(service)@\(now.milliseconds)", kind: .configuration, service: service,
                    feature: nil, title: "Mainstay's configuration read again", actor: .mainstay, reason: "SIGHUP",
                    at: now))
        }
    }
}
