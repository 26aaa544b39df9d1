import Decide
import EndToEndSupport
import Foundation
import Guard
import Logging
import PGWire
import ServiceLifecycle
import TestSupport
import Testing

/// A guard in this process, before a real server or a false one, with everything that it logs.
struct GuardScene: Sendable {
    let port: Int
    let proxy: Guard
    let log: LogRecorder
    let settings: GuardSettings
    private let services: ServiceGroup

    /// Runs `body`; afterwards the guard is gone, whatever is still connected.
    static func run(
        before targets: [Target], memory: Guard.Memory? = nil, at now: Instant = Instant(milliseconds: 0),
        _ configure: (inout GuardSettings) -> Void = { _ in },
        _ body: (GuardScene) async throws -> Void
    ) async throws {
        var settings = GuardSettings()
        settings.port = 0
        settings.authentication = .trust
        settings.limits.poolSize = 2
        settings.databases = [GuardSettings.anyDatabase: DatabaseSettings(targets: targets)]
        configure(&settings)
        let (taken, log) = (settings, LogRecorder())
        let (ports, port) = AsyncStream<Int>.makeStream()
        let proxy = try Guard(
            settings: settings, logger: log.logger, wallClock: { now }, reading: { taken },
            memory: memory, onReady: { port.yield($0) })
        let services = ServiceGroup(
            configuration: .init(
                services: [.init(service: proxy)],
                logger: Logger(label: "services") { _ in
                    SwiftLogNoOpLogHandler()
                }))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { port.finish() }
                try await services.run()
            }
            var iterator = ports.makeAsyncIterator()
            let number = try #require(await iterator.next(), "the guard did not start")
            try await body(
                GuardScene(port: number, proxy: proxy, log: log, settings: settings, services: services))
            group.cancelAll()
            // Only the body's errors count: the guard is cut off.
            while let result = await group.nextResult() { _ = result }
        }
    }

    /// Before the server of `MAINSTAY_TEST_POSTGRES`.
    static func runBeforePostgres(
        _ configure: (inout GuardSettings) -> Void = { _ in }, _ body: (GuardScene) async throws -> Void
    ) async throws {
        try await run(before: [try postgres()], configure, body)
    }

    static func postgres() throws -> Target {
        let url = try #require(URLComponents(string: TestDriver.serverURL))
        var target = Target(host: url.host ?? "127.0.0.1", port: url.port ?? 5_432)
        target.tls = .disable
        return target
    }

    /// As `SIGTERM`.
    func stopGracefully() async { await services.triggerGracefulShutdown() }

    var counters: GuardCounters {
        get async throws { try await proxy.snapshot().counters }
    }

    var waitingClients: Int {
        get async throws { try await proxy.snapshot().pools.reduce(0) { $0 + $1.clientsWaiting } }
    }

    var idleServers: Int {
        get async throws { try await proxy.snapshot().pools.reduce(0) { $0 + $1.serversIdle } }
    }

    // MARK: Clients

    /// Logged in as `postgres`, without a password.
    func client(database: String = "postgres", _ more: [String: String] = [:]) async throws -> WireClient {
        let client = try await WireClient.connect(port)
        try await client.logIn(database: database, more)
        return client
    }

    /// What a client is told that is not let in; nil: it is.
    func refusal(
        user: String = "postgres", database: String = "postgres", password: String? = nil
    ) async throws -> ErrorFields? {
        let client = try await WireClient.connect(port)
        do {
            try await client.logIn(user: user, database: database, password: password)
            await client.close()
            return nil
        } catch let refusal as WireClient.Refusal {
            #expect(try await client.next() == nil, "the connection ends with the refusal")
            return refusal.fields
        }
    }

    /// Another client asks all the while and sees every answer: its own and no other.
    func unnoticed(_ body: () async throws -> Void) async throws {
        let client = try await client(["application_name": "witness"])
        try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask {
                var count = 0
                while !Task.isCancelled {
                    count += 1
                    let answer = try await client.query("SELECT 'witness \(count)'")
                    #expect(answer.types == "TDCZ" && answer.rows == [["witness \(count)"]], "\(answer)")
                    if answer.types != "TDCZ" { break }
                    // Enough to be there all the time, and not so much that nobody else is.
                    try? await Task.sleep(for: .milliseconds(2))
                }
                return count
            }
            try await body()
            group.cancelAll()
            #expect(try await group.next() ?? 0 > 0)
        }
        await client.close()
    }

    /// No client is left, and no server is busy: nothing leaked.
    func comesToRest() async throws {
        try await eventually("everything is given back", every: .milliseconds(10)) { () -> Bool? in
            let pools = try await proxy.snapshot().pools
            let isAtRest = pools.allSatisfy { $0.clientsActive == 0 && $0.clientsWaiting == 0 && $0.serversBusy == 0 }
            guard isAtRest else { throw Complaint("\(pools)") }
            return true
        }
    }
}
