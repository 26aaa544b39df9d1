import ArgumentParser
import Foundation
import Guard
import Logging
import ServiceLifecycle
import UnixSignals

/// `mainstay guard run`, and `mainstay guard` without more.
struct GuardRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs the PostgreSQL proxy alone, until it is told to stop.",
        discussion: """
            SIGTERM lets transactions end before it stops. SIGHUP, or RELOAD on the console, reads the configuration \
            again; a bad file leaves the running one in force. The console is database 'mainstay': \
            psql -p PORT -d mainstay -c 'SHOW POOLS'.
            """)

    @Option(help: "Configuration file with a key 'guard'.")
    var config = "guard.yaml"

    @Option(help: "How much to log: trace, debug, info, notice, warning, error or critical.")
    var logLevel = Logger.Level.info

    func run() async throws {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "mainstay.guard")
        logger.logLevel = logLevel
        let (path, environment) = (config, ProcessInfo.processInfo.environment)
        let settings: GuardSettings
        do {
            settings = try ConfigurationLoader.loadGuard(path: path, environment: environment)
        } catch {
            for problem in error.problems { FileHandle.standardError.write(Data("\(problem)\n".utf8)) }
            throw ExitCode.failure
        }
        let proxy = try Guard(
            settings: settings, logger: logger, wallClock: WallClock.now,
            reading: { try ConfigurationLoader.loadGuard(path: path, environment: environment) },
            memory: settings.stateFile.map { GuardMemory.at($0, logger: logger) },
            onReady: { port in
                FileHandle.standardOutput.say("mainstay guard listening on \(settings.host):\(port)")
            })
        try await ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: proxy, successTerminationBehavior: .gracefullyShutdownGroup),
                    .init(service: GuardReload(proxy: proxy)),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        ).run()
    }
}

/// SIGHUP.
struct GuardReload: Service {
    let proxy: Guard

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) { try await proxy.reloadFromFile() }
        }
    }
}
