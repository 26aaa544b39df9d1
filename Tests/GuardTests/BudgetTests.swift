import Decide
import EndToEndSupport
import Guard
import NIOCore
import PGWire
import TestSupport
import Testing

/// What the budgets decide is done, to real statements.
@Suite("Guard: budgets")
struct BudgetTests {
    private static func scene(
        _ configure: (inout GuardSettings) -> Void = { _ in }, _ body: (GuardScene) async throws -> Void
    ) async throws {
        try await GuardScene.runBeforePostgres(
            {
                $0.mode = .transaction
                $0.adminUsers = ["postgres"]
                $0.limits.poolSize = 4
                $0.budgets.mode = .enforce
                $0.budgets.learningTime = .zero
                $0.budgets.pressureTime = .milliseconds(300)
                $0.budgets.cancelAge = .milliseconds(300)
                configure(&$0)
            }, body)
    }

    @Test(
        "a runaway is cancelled down to its limit and turned away beyond it, the others go on, and all of it is told",
        .enabled(if: TestDriver.isPostgresAvailable))
    func runaway() async throws {
        try await Self.scene { scene in
            var bad: [WireClient] = []
            for _ in 0..<5 {
                let client = try await scene.client(["application_name": "shop@v2"])
                try await client.send { $0.writePGQuery("SELECT pg_sleep(600)") }
                bad.append(client)
            }
            try await eventually("the pool is taken", every: .milliseconds(5)) {
                try await scene.waitingClients == 1 ? true : nil
            }
            // Ten minutes, if nobody makes room.
            var good: [WireClient] = []
            for _ in 0..<3 { good.append(try await scene.client()) }
            for client in good { try await client.send { $0.writePGQuery("SELECT 'good'") } }
            for client in good { #expect(try await client.answer().rows == [["good"]]) }
            let ends = try await withThrowingTaskGroup(of: [String].self) { group in
                for client in bad { group.addTask { try await client.answer().states } }
                var ends: [[String]] = []
                while ends.count < 4, let states = try await group.next() { ends.append(states) }
                for client in bad { await client.close() }
                return ends
            }
            #expect(ends.count { $0 == ["57014"] } == 3 && ends.count { $0 == ["53000"] } == 1, "\(ends)")
            #expect(try await scene.counters.decisions["tripped"] == 1)
            let log = scene.log.text
            for word in ["decision=tripped", "release shop@v2", "SELECT pg_sleep($1)", "3 running statements"] {
                #expect(log.contains(word), "\(word) in \(log)")
            }
            let admin = try await scene.client(database: "mainstay")
            let limited = try #require(try await admin.query("SHOW LIMITED").rows.first)
            #expect(limited[3] == "shop@v2" && limited[4] == "1" && limited[11] == "runaway", "\(limited)")
            #expect(try await admin.query("LETIN \(limited[2] ?? "")").tags == ["LETIN"])
            #expect(try await admin.query("SHOW LIMITED").rows.isEmpty)
            try await scene.comesToRest()
        }
    }

    @Test("budgets that only observe tell the same, and cancel nothing", .enabled(if: TestDriver.isPostgresAvailable))
    func observed() async throws {
        try await Self.scene({ $0.budgets.mode = .observe }) { scene in
            var clients: [WireClient] = []
            for text in Array(repeating: "SELECT pg_sleep(600)", count: 4) + Array(repeating: "SELECT 'good'", count: 3)
            {
                clients.append(try await scene.client())
                try await clients.last?.send { $0.writePGQuery(text) }
            }
            try await eventually("it would be limited", every: .milliseconds(10)) {
                try await scene.counters.decisions["wouldTrip"] == 1 ? true : nil
            }
            #expect(try await scene.counters.cancels == 0)
            #expect(try await scene.waitingClients == 3)
            for client in clients { await client.close() }
            try await scene.comesToRest()
        }
    }

    @Test(
        "results that are large by their rows or by their bytes are told", .enabled(if: TestDriver.isPostgresAvailable))
    func large() async throws {
        try await Self.scene({
            $0.budgets.rowsCap = 10
            $0.budgets.bytesCap = 10_000
        }) { scene in
            let client = try await scene.client()
            _ = try await client.query("SELECT generate_series(1, 10)")
            _ = try await client.query("SELECT repeat('x', 9000)")
            for (n, text) in ["SELECT n FROM generate_series(1, 11) n", "SELECT repeat('x', 11000), 1"].enumerated() {
                _ = try await client.query(text)
                try await eventually("it is told", every: .milliseconds(10)) {
                    try await scene.counters.decisions["largeResult"] == n + 1 ? true : nil
                }
            }
        }
    }

    @Test(
        "a transaction may be idle for as long as the configuration says, also where budgets enforce",
        .enabled(if: TestDriver.isPostgresAvailable))
    func idle() async throws {
        try await Self.scene({
            $0.budgets.idleCap = .milliseconds(100)
            $0.timeouts.idleTransaction = 3_600 * GuardSettings.Timeouts.second
        }) { scene in
            let (client, other) = (try await scene.client(), try await scene.client())
            #expect(try await client.query("BEGIN").status == "T")
            _ = try await other.query("SELECT pg_sleep(0.5)")
            #expect(try await client.query("COMMIT").status == "I")
        }
    }

    @Test("a batch that runs nothing has not failed as the one before it did")
    func outcomes() async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.answer = { event in
            switch event {
            case .query("BEGIN"): [.send(FakeAnswer.done("BEGIN", status: "T"))]
            case .query("fail"):
                [
                    .send(
                        FakeAnswer.make { bytes in
                            bytes.writePGErrorResponse(
                                ErrorFields(severity: .error, code: "53200", message: "out of memory"))
                            bytes.writeReady("T")
                        })
                ]
            case .message("S"):
                [
                    .send(
                        FakeAnswer.make { bytes in
                            bytes.writePGFrame("1")
                            bytes.writeReady("T")
                        })
                ]
            default: nil
            }
        }
        try await FakePostgres.run(behaviour) { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.budgets.mode = .enforce
                $0.budgets.breakerCalls = 4
                $0.budgets.breakerOpen = .minutes(5)
                $0.budgets.breakerLongestOpen = .minutes(5)
            } _: { scene in
                let (client, other) = (try await scene.client(), try await scene.client())
                #expect(try await client.query("BEGIN").status == "T")
                #expect(try await client.query("fail").states == ["53200"])
                for _ in 0..<6 {
                    try await client.send { bytes in
                        bytes.writePGFrame("P") { $0.writeString("\0fail\0\0\0") }
                        bytes.writePGSync()
                    }
                    #expect(try await client.answer().types == "1Z")
                }
                #expect(try await other.query("fail").states == ["53200"])
            }
        }
    }
}
