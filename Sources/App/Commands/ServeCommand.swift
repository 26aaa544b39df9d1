import ArgumentParser
import Foundation
import Logging

/// `mainstay serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs Mainstay until it is told to stop.",
        discussion: """
            SIGHUP reads the configuration again; a bad file leaves the running one in force. At the first start an \
            account 'admin' is made: its password is MAINSTAY_ADMIN_PASSWORD or a random one, which is written to \
            first-administrator.txt in the data directory. MAINSTAY_ADMIN_TOKEN, if set, is a token for it.
            """)

    @Option(help: "Configuration file, or a folder of them.")
    var config = "mainstay.yaml"

    @Option(help: "How much to log: trace, debug, info, notice, warning, error or critical.")
    var logLevel = Logger.Level.info

    func run() async throws {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "mainstay")
        logger.logLevel = logLevel
        let environment = ProcessInfo.processInfo.environment
        let configuration = try Configurations.load(config, environment: environment)
        try await MainstayServer(
            configurationPath: config, configuration: configuration, environment: environment, logger: logger
        ).run()
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
