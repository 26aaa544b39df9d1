import Foundation
import Synchronization
import Testing

/// A Mainstay and a Storefront, not yet started, with everything they need: a directory of their own, free ports,
/// secrets, and a mailbox. All processes end with `run`.
final class Town: Sendable {
    let directory: String
    let mail = MailServer()
    let mainstay: TownProcess
    let storefront: TownProcess
    /// Mainstay as its administrator.
    let api: Door
    let shop: Door
    let serviceToken: String
    let administratorPassword = Town.secret()
    let configurationPath: String

    private let environment: [String: String]
    private let queue: AsyncStream<TownProcess>.Continuation
    private let processes = Mutex<[TownProcess]>([])

    static let productCount = 200

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
    func process(
        _ name: String, _ executable: String, _ arguments: [String], environment more: [String: String] = [:]
    ) -> TownProcess {
        let process = TownProcess(
            name, executable, arguments, environment: environment.merging(more) { $1 },
            log: "\(directory)/\(name).log", queue: queue)
        processes.withLock { $0.append(process) }
        return process
    }

    /// Writes the configuration that Mainstay reads at its next start or SIGHUP.
    func configure(_ text: String) throws {
        try text.write(toFile: configurationPath, atomically: true, encoding: .utf8)
    }

    func configure(_ plan: TownPlan = TownPlan()) throws { try configure(plan.configuration(mailPort: mail.port)) }

    func startMainstay() async throws { try await start(mainstay, api) }
    func startStorefront() async throws { try await start(storefront, shop) }

    /// Starts a server and waits until it is healthy.
    func start(_ process: TownProcess, _ door: Door) async throws {
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
    var variables: [String: String] { environment }

    // MARK: From founding to end

    static func run(_ body: @escaping @Sendable (Town) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("mainstay-town-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let (queue, continuation) = AsyncStream.makeStream(of: TownProcess.self)
        let town = try Town(directory, continuation)
        do {
            try await town.live(queue, body)
        } catch {
            town.tell()
            throw error
        }
        try FileManager.default.removeItem(atPath: directory)
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
