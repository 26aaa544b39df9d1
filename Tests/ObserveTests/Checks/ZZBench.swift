import AsyncHTTPClient
import Decide
import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import Observe
import SQL
import Testing

@Suite("ZZBench") struct ZZBench {
    @Test("bench", .enabled(if: ProcessInfo.processInfo.environment["ZZBENCH"] != nil))
    func bench() async throws {
        let url = ProcessInfo.processInfo.environment["ZZBENCH"]!
        let client = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: CheckRunner.clientConfiguration())
        let clock: @Sendable () -> Instant = { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
        let runner = CheckRunner(client: client, probe: SQLProbe(), secret: { _ in "s" }, clock: clock)
        let checks = (0..<1000).map { CheckDefinition(service: "s", name: "c\($0)", every: .seconds(10), timeout: .seconds(5), kind: .http(HTTPCheck(url: url))) }
        let failures = Counter()
        let scheduler = CheckScheduler(definitions: checks, clock: clock, sink: { if !$0.passed { await failures.add($0) } }, run: { await runner.run($0, forcing: $1) })
        await withThrowingTaskGroup { group in
            group.addTask { try await scheduler.run() }
            try? await Task.sleep(for: .seconds(32))
            let s = await scheduler.statistics
            var usage = rusage()
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            print("BENCH", s.started, s.overlapped, s.missed, "p50", s.lateness.percentile(0.5), "p99", s.lateness.percentile(0.99), "max", s.lateness.max, "fail", await failures.n, await failures.first as Any, "cpu", usage.ru_utime, usage.ru_stime, "rss", usage.ru_maxrss)
            group.cancelAll()
        }
        try await client.shutdown()
    }
}
actor Counter { var n = 0; var first: CheckResult?; func add(_ r: CheckResult) { n += 1; first = first ?? r } }
