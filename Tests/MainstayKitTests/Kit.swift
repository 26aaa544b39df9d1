import AsyncHTTPClient
import Decide
import Foundation
import Logging
import MainstayKit
import ServiceLifecycle

/// What the tests of the kit share.
enum Kit {
    static let logger: Logger = {
        var logger = Logger(label: "kit-tests")
        logger.logLevel = .critical
        return logger
    }()

    static let flag = FlagDefinition(variants: ["v1": "v1", "v2": "v2"], defaultVariant: "v1")

    static func set(_ version: Int64, favorites variant: String, targeting: JSONValue? = nil) -> FlagSet {
        var definition = flag
        definition.defaultVariant = variant
        definition.targeting = targeting
        return FlagSet(version: version, flags: ["favorites": definition], versions: ["favorites": version])
    }

    static func configuration(port: Int?, cacheFile: String? = nil) -> MainstayConfiguration {
        var configuration = MainstayConfiguration(
            url: port.map { "http://127.0.0.1:\($0)/" }, service: "shop & co", token: "token-1", cacheFile: cacheFile,
            syntheticSecret: "secret-1")
        configuration.exposureInterval = .milliseconds(10)
        configuration.reconnectDelay = .milliseconds(5)...(.milliseconds(50))
        return configuration
    }

    /// Runs a kit while `body` runs, then shuts it down gracefully and waits for it.
    static func run(
        _ configuration: MainstayConfiguration, clock: KitClock = .system,
        _ body: @escaping @Sendable (Mainstay) async throws -> Void
    ) async throws {
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: Mainstay.httpClientConfiguration)
        let mainstay = Mainstay(configuration: configuration, httpClient: client, logger: logger, clock: clock)
        let group = ServiceGroup(services: [mainstay], logger: logger)
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                do {
                    try await body(mainstay)
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    static func temporaryFile() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kit-\(UUID().uuidString)/deeper")
        return folder.appending(path: "flags.json").path
    }

    static func removeFolder(of file: String) throws {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
        if FileManager.default.fileExists(atPath: folder.path) { try FileManager.default.removeItem(at: folder) }
    }
}
