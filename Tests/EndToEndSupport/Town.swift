import Foundation
import Synchronization
import TestSupport
import Testing

/// A Mainstay and a Storefront, not yet started, with everything they need: a directory of their own, free ports,
/// secrets, and a mailbox. All processes end with `run`.
package final class Town: Sendable {
    package let directory: String
    package let mail = MailServer()
    package let mainstay: TownProcess
    package let storefront: TownProcess
    /// Mainstay as its administrator.
    package let api: Door
    package let shop: Door
    package let serviceToken: String
    package let administratorPassword = Town.secret()
    package let configurationPath: String

    private let environment: [String: String]
    private let queue: AsyncStream<TownProcess>.Continuation
    private let processes = Mutex<[TownProcess]>([])

    private init(_ directory: String, _ queue: AsyncStream<TownProcess>.Continuation) throws {
        self.directory = directory
        self.queue = queue
        let (mainstayPort, storefrontPort) = (try FreePort.take(), try FreePort.take())
        serviceToken = Self.secret()
        let administratorToken = Self.secret()
        configurationPath = directory + "/mainstay.yaml"
        api = Door(url: "http://127.0.0.1:\(mainstayPort)", token: administratorToken)
        shop = Door(url: "http://127.0.0.1:\(storefrontPort)", token: nil)
        environment = [
            "MAINSTAY_LISTEN": "127.0.0.1:\(mainstayPort)", "MAINSTAY_URL": api.url,
            "MAINSTAY_DATA": directory + "/mainstay", "STOREFRONT_URL": shop.url,
            "STOREFRONT_DATABASE": directory + "/storefront.sqlite", "STOREFRONT_TOKEN": serviceToken,
            "MAINSTAY_TOKEN": serviceToken, "MAINSTAY_SYNTHETIC_SECRET": Self.secret(),
            "STOREFRONT_SYNTHETIC_PASSWORD": Self.secret(), "MAINSTAY_ADMIN_TOKEN": administratorToken,
            "MAINSTAY_ADMIN_PASSWORD": administratorPassword,
        ]
        mainstay = TownProcess(
            "mainstay", Binaries.mainstay, ["serve", "--config", configurationPath], environment: environment,
            log: directory + "/mainstay.log", queue: queue)
        storefront = TownProcess(
            "storefront", Binaries.storefront,
            [
                "serve", "--port", "\(storefrontPort)", "--database", directory + "/storefront.sqlite", "--mainstay",
                api.url, "--flag-cache", directory + "/flags.json", "--seed", "small",
            ], environment: environment, log: directory + "/storefront.log", queue: queue)
        processes.withLock { $0 = [mainstay, storefront] }
    }

    private static func secret() -> String {
        (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
    }

    /// One more process of the town.
    package func process(
        _ name: String, _ executable: String, _ arguments: [String], environment more: [String: String] = [:]
    ) -> TownProcess {
        let process = TownProcess(
            name, executable, arguments, environment: environment.merging(more) { $1 },
            log: "\(directory)/\(name).log", queue: queue)
        processes.withLock { $0.append(process) }
        return process
    }

    /// Writes the configuration that Mainstay reads at its next start or SIGHUP.
    package func configure(_ text: String) throws {
        try text.write(toFile: configurationPath, atomically: true, encoding: .utf8)
    }

    package func configure(_ plan: TownPlan = TownPlan()) throws {
        try configure(plan.configuration(mailPort: mail.port))
    }

    package func startMainstay() async throws { try await start(mainstay, api) }
    package func startStorefront() async throws { try await start(storefront, shop) }

    /// Starts a server and waits until it is healthy.
    package func start(_ process: TownProcess, _ door: Door) async throws {
        try await process.start()
        try await eventually("\(process.name) is healthy") { () -> Bool? in
            if process.ending != nil { return false }
            return try await door.isHealthy() ? true : nil
        }
        if let ending = process.ending { throw Complaint("\(process.name) ended by itself: \(ending)") }
    }

    private static func tail(_ process: TownProcess) -> String {
        process.output.split(separator: "\n").suffix(25).joined(separator: "\n")
    }

    /// The environment of the town's Mainstay, for commands.
    package var variables: [String: String] { environment }

    // MARK: From founding to end

    package static func run(_ body: @escaping @Sendable (Town) async throws -> Void) async throws {
        try await withTemporaryDirectory("town") { directory in
            let (queue, continuation) = AsyncStream.makeStream(of: TownProcess.self)
            let town = try Town(directory, continuation)
            do {
                try await town.live(queue, body)
            } catch {
                town.tell()
                throw error
            }
        }
    }

    private func live(
        _ starts: AsyncStream<TownProcess>, _ body: @escaping @Sendable (Town) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
            group.addTask { [mail] in
                do {
                    try await mail.run { isReady.finish() }
                } catch is CancellationError {}
                return false
            }
            for await _ in ready {}
            group.addTask {
                await withDiscardingTaskGroup { processes in
                    for await process in starts { processes.addTask { await process.run() } }
                    processes.cancelAll()
                }
                return false
            }
            group.addTask {
                try await body(self)
                return true
            }
            defer {
                queue.finish()
                group.cancelAll()
            }
            while let isOver = try await group.next() {
                if isOver { return }
            }
        }
    }

    /// What the processes said, when a test fails.
    private func tell() {
        for process in processes.withLock({ $0 }) where !process.output.isEmpty {
            Issue.record("the end of \(process.log):\n\(Self.tail(process))")
        }
    }
}
