import ArgumentParser
import Foundation
import Logging

/// `storefront serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves the shop until it is told to stop.",
        discussion: """
            Secrets come from files, or from the environment, so that no list of processes shows them: MAINSTAY_TOKEN, \
            MAINSTAY_SYNTHETIC_SECRET, STOREFRONT_SYNTHETIC_PASSWORD.
            """)

    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "Port to listen on; 0 takes a free one.")
    var port = 8090

    @Option(help: "A path for SQLite, or postgres://…")
    var database = "storefront.sqlite"

    @Option(help: "URL of Mainstay. Without one, flags have their defaults and reports cannot be delivered.")
    var mainstay: String?

    @Option(help: "File with the access token for Mainstay.")
    var mainstayTokenFile: String?

    @Option(help: "File with the secret that proves Mainstay's synthetic users.")
    var syntheticSecretFile: String?

    @Option(help: "File with the password of \(Server.syntheticEmail), which is made when there is one.")
    var syntheticPasswordFile: String?

    @Option(help: "File that keeps the last known flags.")
    var flagCache: String?

    @Option(help: "What to fill an empty shop with: small, demo or none.")
    var seed = DemoData.Size.none

    @Flag(help: "Let browsers send the cookies over TLS only.")
    var secureCookies = false

    mutating func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port is from 0 to 65535.") }
        if let mainstay, !mainstay.hasPrefix("http://"), !mainstay.hasPrefix("https://") {
            throw ValidationError("--mainstay is a URL like http://127.0.0.1:8600.")
        }
    }

    func run() async throws {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "storefront")
        let environment = ProcessInfo.processInfo.environment
        if let level = environment["LOG_LEVEL"].flatMap(Logger.Level.init(rawValue:)) { logger.logLevel = level }
        let settings = Server.Settings(
            host: host, port: port, database: database, mainstay: mainstay,
            mainstayToken: try Secret.read(
                file: mainstayTokenFile, variable: "MAINSTAY_TOKEN", environment: environment),
            syntheticSecret: try Secret.read(
                file: syntheticSecretFile, variable: "MAINSTAY_SYNTHETIC_SECRET", environment: environment),
            syntheticPassword: try Secret.read(
                file: syntheticPasswordFile, variable: "STOREFRONT_SYNTHETIC_PASSWORD", environment: environment),
            flagCache: flagCache, seed: seed, secureCookies: secureCookies)
        try await Server(settings: settings, logger: logger).run()
    }
}

extension DemoData.Size: ExpressibleByArgument {}
