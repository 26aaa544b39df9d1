import Logging
import SQL
import ServiceLifecycle
import Synchronization
import Testing

@testable import App

/// One run a line: how it ends, and what becomes of it.
@Suite("Mainstay behind its guard")
struct HouseBehindGuardTests {
    enum End: Sendable {
        case unavailable, broken
        /// Fails after it has served.
        case servedThenBroken
        case stopped
    }

    struct Broken: Error {}

    private static func house(
        _ ends: [End], pause: Duration = .milliseconds(1), onRun: @escaping @Sendable (Int) -> Void = { _ in }
    ) -> (house: HouseBehindGuard, runs: @Sendable () -> Int) {
        let runs = Count()
        let progress = HouseBehindGuard.Progress()
        let house = HouseBehindGuard(
            progress: progress, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, firstPause: pause,
            longestPause: pause
        ) {
            let run = runs.value.withLock { run in
                run += 1
                return run
            }
            onRun(run)
            switch ends[min(run, ends.count) - 1] {
            case .unavailable: throw SQLError(.unavailable, "nobody listens")
            case .broken: throw Broken()
            case .servedThenBroken:
                progress.serves()
                throw Broken()
            case .stopped: return
            }
        }
        return (house, { runs.value.withLock { $0 } })
    }

    private final class Count: Sendable {
        let value = Mutex(0)
    }

    @Test(
        "the record may be away at the start, and everything may fail once it has served",
        arguments: [
            ([End.stopped], 1), ([.unavailable, .unavailable, .stopped], 3), ([.servedThenBroken, .stopped], 2),
            ([.unavailable, .servedThenBroken, .broken, .unavailable, .stopped], 5),
        ])
    func goesOn(_ ends: [End], runs expected: Int) async throws {
        let (house, runs) = Self.house(ends)
        try await house.run()
        #expect(runs() == expected)
    }

    @Test(
        "what is wrong before it has ever served ends the process", arguments: [[End.broken], [.unavailable, .broken]])
    func ends(_ ends: [End]) async {
        let (house, runs) = Self.house(ends)
        await #expect(throws: Broken.self) { try await house.run() }
        #expect(runs() == ends.count)
    }

    @Test("it is told to stop while it waits for the record")
    func stops() async throws {
        let (hasRun, ran) = AsyncStream<Void>.makeStream()
        let (house, runs) = Self.house([.unavailable], pause: .seconds(3_600)) { _ in ran.yield() }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: house, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await _ in hasRun { break }
            await group.triggerGracefulShutdown()
            try await tasks.next()
        }
        #expect(runs() == 1)
    }
}
