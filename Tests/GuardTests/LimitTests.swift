import EndToEndSupport
import Guard
import NIOCore
import PGWire
import TestSupport
import Testing

/// More clients than there is room for, and targets that do not answer.
@Suite("Guard: limits")
struct LimitTests {
    private static func held(_ body: (FakePostgres) async throws -> Void) async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.answer = { event in
            switch event {
            case .query("BEGIN"): [.send(FakeAnswer.done("BEGIN", status: "T"))]
            case .query("COMMIT"): [.send(FakeAnswer.done("COMMIT"))]
            default: nil
            }
        }
        try await FakePostgres.run(behaviour, body)
    }

    @Test("who waits too long for a server is told why, and its session goes on")
    func queueTimeout() async throws {
        try await Self.held { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
                $0.timeouts.queue = GuardSettings.Timeouts.second / 5
            } _: { scene in
                let (holder, waiter) = (try await scene.client(), try await scene.client())
                #expect(try await holder.query("BEGIN").status == "T")
                for _ in 0..<2 {
                    let refused = try await waiter.query("SELECT 'a'")
                    #expect(refused.states == ["53000"] && refused.status == "I", "\(refused)")
                    #expect(refused.errors.first?.severity == .error)
                    #expect(refused.errors.first?.message.contains("no server connection came free") == true)
                }
                #expect(try await holder.query("COMMIT").status == "I")
                #expect(try await waiter.query("SELECT 'a'").rows == [["a"]])
                try await scene.comesToRest()
            }
        }
    }

    @Test("an extended batch that is refused is answered once, at its Sync")
    func refusedBatch() async throws {
        try await Self.held { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
                $0.timeouts.queue = GuardSettings.Timeouts.second / 5
            } _: { scene in
                let (holder, waiter) = (try await scene.client(), try await scene.client())
                #expect(try await holder.query("BEGIN").status == "T")
                try await waiter.send { bytes in
                    bytes.writePGFrame("P") { $0.writeString("\0SELECT 1\0\0\0") }
                    bytes.writePGFrame("B") { $0.writeString("\0\0\0\0\0\0\0\0") }
                    bytes.writePGFrame("E") { $0.writeString("\0\0\0\0\0") }
                    bytes.writePGSync()
                }
                #expect(try await waiter.answer().types == "EZ")
                #expect(try await holder.query("COMMIT").status == "I")
                #expect(try await waiter.query("SELECT 'a'").rows == [["a"]])
            }
        }
    }

    @Test("when the queue is full, one more is refused at once; those before keep their turn")
    func fullQueue() async throws {
        try await Self.held { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
                $0.limits.waiting = 2
            } _: { scene in
                let holder = try await scene.client()
                #expect(try await holder.query("BEGIN").status == "T")
                var waiters: [WireClient] = []
                for n in 1...2 {
                    let waiter = try await scene.client()
                    try await waiter.send { $0.writePGQuery("SELECT '\(n)'") }
                    try await eventually("\(n) wait", every: .milliseconds(5)) {
                        try await scene.waitingClients == n ? true : nil
                    }
                    waiters.append(waiter)
                }
                let refused = try await (try await scene.client()).query("SELECT 'a'")
                #expect(refused.states == ["53000"] && refused.status == "I", "\(refused)")
                #expect(refused.errors.first?.message.hasPrefix("[mainstay]") == true, "\(refused)")
                #expect(try await holder.query("COMMIT").status == "I")
                for (n, waiter) in waiters.enumerated() {
                    #expect(try await waiter.answer().rows == [["\(n + 1)"]])
                }
            }
        }
    }

    @Test("a waiting client that leaves loses its turn, and nobody waits for it")
    func waiterLeaves() async throws {
        try await Self.held { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
            } _: { scene in
                let (holder, other) = (try await scene.client(), try await scene.client())
                #expect(try await holder.query("BEGIN").status == "T")
                for isPolite in [true, false] {
                    let waiter = try await scene.client()
                    try await waiter.send { $0.writePGQuery("SELECT 'lost'") }
                    if isPolite { try await waiter.send { $0.writePGTerminate() } }
                    await waiter.close()
                }
                try await eventually("both are gone", every: .milliseconds(5)) {
                    try await scene.proxy.snapshot().clients == 2 ? true : nil
                }
                try await other.send { $0.writePGQuery("SELECT 'b'") }
                #expect(try await holder.query("COMMIT").status == "I")
                #expect(try await other.answer().rows == [["b"]])
                try await scene.comesToRest()
            }
        }
    }

    @Test("beyond max-clients the next one is told 53300; a cancel request still passes")
    func tooMany() async throws {
        try await Self.held { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.clients = 2
            } _: { scene in
                let (one, two) = (try await WireClient.connect(scene.port), try await scene.client())
                let session = try await one.logIn()
                let refusal = try #require(try await scene.refusal())
                #expect(refusal.code == "53300" && refusal.message.contains("too many clients"))
                let canceller = try await WireClient.connect(scene.port)
                try await canceller.send {
                    $0.writePGCancelRequest(processID: session.processID, secret: session.secret)
                }
                #expect(try await canceller.next() == nil)
                #expect(try await scene.counters.strangeCancels == 0)
                #expect(try await two.query("SELECT 'a'").rows == [["a"]])
                await two.close()
                try await eventually("there is room", every: .milliseconds(5)) {
                    try await scene.refusal() == nil ? true : nil
                }
                #expect(try await one.query("SELECT 'a'").rows == [["a"]])
            }
        }
    }

    @Test("a database that is not configured is told by name; one that the server does not know, by the server")
    func unknownDatabase() async throws {
        let words = ErrorFields(severity: .fatal, code: "3D000", message: "database \"x\" does not exist")
        var behaviour = FakePostgres.Behaviour()
        behaviour.refusal = words
        try await FakePostgres.run(behaviour) { broken in
            try await FakePostgres.run { fake in
                try await GuardScene.run(before: [fake.target]) {
                    $0.databases = [
                        "postgres": DatabaseSettings(targets: [fake.target]),
                        "x": DatabaseSettings(targets: [broken.target]),
                    ]
                } _: { scene in
                    try await scene.unnoticed {
                        let unknown = try await scene.refusal(database: "y")
                        #expect(unknown?.code == "3D000")
                        #expect(unknown?.message == "database \"y\" is not configured in the guard")
                        #expect(try await scene.refusal(database: "x") == words)
                        #expect(try await scene.refusal(database: "x") == words, "it is asked again")
                    }
                }
            }
        }
    }

    @Test("PostgreSQL's own refusal of a database comes through", .enabled(if: TestDriver.isPostgresAvailable))
    func unknownToPostgres() async throws {
        try await GuardScene.runBeforePostgres { scene in
            try await scene.unnoticed {
                let refusal = try await scene.refusal(database: "no such")
                #expect(refusal?.code == "3D000" && refusal?.message == "database \"no such\" does not exist")
                #expect(try await scene.refusal(user: "no such")?.code == "28000")
            }
        }
    }

    @Test("where no target answers, the client is told which and why; the first that does is used")
    func targets() async throws {
        try await FakePostgres.run { dead in
            try await dead.close()
            try await GuardScene.run(before: [dead.target]) { scene in
                let refusal = try await scene.refusal()
                #expect(refusal?.code == "08006")
                #expect(refusal?.message.hasPrefix("cannot connect to \(dead.target)") == true, "\(refusal)")
            }
            try await FakePostgres.run { alive in
                try await GuardScene.run(before: [dead.target, alive.target]) { scene in
                    let client = try await scene.client()
                    #expect(try await client.query("SELECT 'a'").rows == [["a"]])
                }
            }
        }
    }

    @Test("when the second target fails too, the first is tried again before anybody is told")
    func targetsAgain() async throws {
        try await FakePostgres.run { dead in
            try await FakePostgres.run { alive in
                try await dead.close()
                try await GuardScene.run(before: [dead.target, alive.target]) {
                    $0.mode = .transaction
                } _: { scene in
                    let client = try await scene.client()
                    #expect(try await client.query("SELECT 'a'").rows == [["a"]])
                    try await alive.close()
                    try await dead.reopen()
                    try await eventually("the idle server is gone", every: .milliseconds(5)) {
                        try await scene.idleServers == 0 ? true : nil
                    }
                    #expect(try await client.query("SELECT 'b'").rows == [["b"]])
                }
            }
        }
    }
}
