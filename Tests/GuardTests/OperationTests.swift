import Decide
import EndToEndSupport
import Guard
import NIOCore
import PGWire
import TestSupport
import Testing

/// What is done to a guard while its clients are at work: time limits, reloading, stopping.
@Suite("Guard: operations")
struct OperationTests {
    private static func fake(_ body: (FakePostgres) async throws -> Void) async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.answer = { event in
            switch event {
            case .query("BEGIN"): [.send(FakeAnswer.done("BEGIN", status: "T"))]
            case .query("SELECT in"): [.send(FakeAnswer.done("SELECT 0", status: "T"))]
            // Until it is cancelled.
            case .query("hold"): []
            case .query("COMMIT"), .query("ROLLBACK"): [.send(FakeAnswer.done("COMMIT"))]
            default: nil
            }
        }
        try await FakePostgres.run(behaviour, body)
    }

    // MARK: Idle in a transaction

    @Test("a transaction that nobody goes on with ends with 25P03, and its server is rolled back for others")
    func idleTransaction() async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
                $0.timeouts.idleTransaction = GuardSettings.Timeouts.second / 5
            } _: { scene in
                let (client, other) = (try await scene.client(), try await scene.client())
                #expect(try await client.query("BEGIN").status == "T")
                #expect(try await other.query("SELECT 'b'").rows == [["b"]])
                let told = try await client.answer()
                #expect(told.states == ["25P03"] && told.status == nil)
                #expect(fake.heard.contains(.query("ROLLBACK")))
                #expect(fake.heard.count { $0 == .connected } == 1)
                #expect(try await scene.counters.idleTransactions == 1)
            }
        }
    }

    @Test("who is idle outside of a transaction stays, pinned or not", arguments: GuardSettings.Mode.allCases)
    func idle(_ mode: GuardSettings.Mode) async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.mode = mode
                $0.timeouts.idleTransaction = GuardSettings.Timeouts.second / 10
            } _: { scene in
                let (quiet, bad) = (try await scene.client(), try await scene.client())
                #expect(try await quiet.query("LISTEN a").status == "I")
                #expect(try await bad.query("BEGIN").status == "T")
                // When one who is in a transaction has gone, the other has waited for longer.
                #expect(try await bad.answer().states == ["25P03"])
                #expect(try await quiet.query("SELECT 'a'").rows == [["a"]])
            }
        }
    }

    @Test("a client that does nothing is ended with 57P05, and one in a transaction is not")
    func clientIdle() async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.timeouts.clientIdle = GuardSettings.Timeouts.second / 5
            } _: { scene in
                // It has to begin in time, also on a slow machine.
                let busy = try await eventually("one begins", every: .milliseconds(5)) { () -> WireClient? in
                    let client = try await scene.client()
                    await client.trySending { $0.writePGQuery("BEGIN") }
                    return try await client.answer().status == "T" ? client : nil
                }
                let quiet = try await scene.client()
                let told = try await quiet.answer()
                #expect(told.states == ["57P05"] && told.status == nil)
                #expect(try await scene.counters.idleClients > 0)
                #expect(try await busy.query("COMMIT").status == "I")
            }
        }
    }

    @Test("who waits for the end of a pause is not idle")
    func heldIsNotIdle() async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.adminUsers = ["postgres"]
            } _: { scene in
                let (client, admin) = (try await scene.client(), try await scene.client(database: "mainstay"))
                #expect(try await client.query("LISTEN a").status == "I")
                #expect(try await admin.query("PAUSE postgres").tags == ["PAUSE"])
                try await client.send { $0.writePGQuery("SELECT 'held'") }
                try await eventually("it is held", every: .milliseconds(5)) {
                    try await scene.waitingClients == 1 ? true : nil
                }
                var settings = scene.settings
                settings.timeouts.clientIdle = GuardSettings.Timeouts.second / 5
                try await scene.proxy.reload(settings)
                // It has done nothing for longer than this one.
                #expect(try await admin.answer().states == ["57P05"])
                settings.timeouts.clientIdle = 0
                try await scene.proxy.reload(settings)
                let again = try await scene.client(database: "mainstay")
                #expect(try await again.query("RESUME postgres").tags == ["RESUME"])
                #expect(try await client.answer().rows == [["held"]])
            }
        }
    }

    @Test(
        "short transactions may go on for ever, in whatever way they are sent",
        .enabled(if: TestDriver.isPostgresAvailable), arguments: GuardSettings.Mode.allCases)
    func shortTransactions(_ mode: GuardSettings.Mode) async throws {
        try await GuardScene.runBeforePostgres {
            $0.mode = mode
            $0.timeouts.transaction = 2 * GuardSettings.Timeouts.second
        } _: { scene in
            let (named, piped) = (try await scene.client(), try await scene.client())
            #expect(try await named.execute("SELECT 'named'", statement: "s").rows == [["named"]])
            let end = ContinuousClock.now + .milliseconds(2_300)
            // There is always one that is not answered yet.
            try await piped.send { $0.writePGQuery("SELECT 'piped'") }
            while ContinuousClock.now < end {
                try await piped.send { $0.writePGQuery("SELECT 'piped'") }
                #expect(try await piped.answer().rows == [["piped"]])
                #expect(try await named.executePrepared("s").rows == [["named"]])
            }
            #expect(try await piped.answer().rows == [["piped"]])
            #expect(try await scene.counters.longTransactions == 0)
        }
    }

    @Test(
        "a transaction that takes too long is ended with 25P04 and rolled back, whatever is done in it",
        arguments: ["SELECT in", "hold"])
    func transaction(_ last: String) async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
                $0.timeouts.transaction = GuardSettings.Timeouts.second / 5
            } _: { scene in
                let client = try await scene.client()
                try await client.send { bytes in
                    bytes.writePGQuery("BEGIN")
                    bytes.writePGQuery(last)
                }
                var told = try await client.answer()
                while told.status == "T" { told = try await client.answer() }
                #expect(told.states == ["25P04"] && told.status == nil, "\(told)")
                #expect(try await scene.counters.longTransactions > 0)
                // On a slow machine its own may take too long as well.
                try await eventually("the server is another's", every: .milliseconds(5)) { () -> Bool? in
                    let other = try await scene.client()
                    await other.trySending { $0.writePGQuery("SELECT 'b'") }
                    return try await other.answer().rows == [["b"]] ? true : nil
                }
            }
        }
    }

    // MARK: Stopping

    @Test("SIGTERM lets a transaction finish, tells everybody, and takes nobody new")
    func drain() async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                let (busy, idle) = (try await scene.client(), try await scene.client())
                #expect(try await busy.query("BEGIN").status == "T")
                await scene.stopGracefully()
                let told = try await idle.answer()
                #expect(told.states == ["57P01"] && told.status == nil)
                await #expect(throws: (any Error).self) { _ = try await scene.client() }
                #expect(try await busy.query("SELECT in").status == "T")
                #expect(try await busy.query("COMMIT").status == "I")
                let end = try await busy.answer()
                #expect(end.states == ["57P01"] && end.status == nil, "\(end)")
                try await eventually("its servers are left politely", every: .milliseconds(5)) {
                    fake.heard.contains(.message("X")) ? true : nil
                }
            }
        }
    }

    @Test("a transaction that does not finish in time is ended, with words")
    func drainTimeout() async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.timeouts.drain = GuardSettings.Timeouts.second / 5
            } _: { scene in
                let busy = try await scene.client()
                #expect(try await busy.query("BEGIN").status == "T")
                await scene.stopGracefully()
                let end = try await busy.answer()
                #expect(end.states == ["57P01"] && end.status == nil)
            }
        }
    }

    @Test("who waits for a server when the guard stops still gets its turn")
    func drainQueue() async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
            } _: { scene in
                let (busy, waiter) = (try await scene.client(), try await scene.client())
                #expect(try await busy.query("BEGIN").status == "T")
                try await waiter.send { $0.writePGQuery("SELECT 'b'") }
                try await eventually("it waits", every: .milliseconds(5)) {
                    try await scene.waitingClients == 1 ? true : nil
                }
                await scene.stopGracefully()
                #expect(try await busy.query("COMMIT").status == "I")
                #expect(try await waiter.answer().rows == [["b"]])
                #expect(try await waiter.answer().states == ["57P01"])
            }
        }
    }

    // MARK: Reloading

    @Test(
        "a reload drops no client: open transactions go on, idle servers move to the new target",
        arguments: [false, true])
    func reload(isInside: Bool) async throws {
        try await Self.fake { old in
            try await Self.fake { new in
                try await GuardScene.run(before: [old.target]) { scene in
                    let client = try await scene.client()
                    #expect(try await client.query(isInside ? "BEGIN" : "SELECT 'a'").errors.isEmpty)
                    var settings = scene.settings
                    settings.databases = [GuardSettings.anyDatabase: DatabaseSettings(targets: [new.target])]
                    try await scene.proxy.reload(settings)
                    if isInside {
                        #expect(try await client.query("SELECT in").status == "T")
                        #expect(try await client.query("COMMIT").status == "I")
                        #expect(old.heard.contains(.query("COMMIT")) && !new.heard.contains(.connected))
                    }
                    #expect(try await client.query("SELECT 'b'").rows == [["b"]])
                    #expect(new.heard.contains(.query("SELECT 'b'")) && !old.heard.contains(.query("SELECT 'b'")))
                    try await eventually("the old server is left", every: .milliseconds(5)) {
                        old.sessions.isEmpty ? true : nil
                    }
                    #expect(try await scene.counters.reloads == 1)
                }
            }
        }
    }

    @Test("a reload changes how the next clients log in, and a bad one changes nothing")
    func reloadUsers() async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                let client = try await scene.client()
                var settings = scene.settings
                settings.authentication = .scram
                settings.users = try UsersFile.parse("\"postgres\" \"right\"")
                try await scene.proxy.reload(settings)
                #expect(try await scene.refusal(password: "wrong")?.code == "28P01")
                #expect(try await scene.refusal(password: "right") == nil)
                #expect(try await client.query("SELECT 'a'").rows == [["a"]])
                var bad = scene.settings
                bad.tls = .files(certificate: "/none.pem", key: "/none.key", isRequired: true)
                await #expect(throws: (any Error).self) { try await scene.proxy.reload(bad) }
                #expect(try await scene.refusal(password: "wrong")?.code == "28P01")
                #expect(try await scene.refusal(password: "right") == nil)
            }
        }
    }

    @Test("a larger pool takes those who wait; a smaller one lets transactions end")
    func reloadPool() async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
            } _: { scene in
                let (one, two) = (try await scene.client(), try await scene.client())
                #expect(try await one.query("BEGIN").status == "T")
                try await two.send { $0.writePGQuery("BEGIN") }
                try await eventually("it waits", every: .milliseconds(5)) {
                    try await scene.waitingClients == 1 ? true : nil
                }
                var settings = scene.settings
                settings.limits.poolSize = 2
                try await scene.proxy.reload(settings)
                #expect(try await two.answer().status == "T")
                settings.limits.poolSize = 1
                try await scene.proxy.reload(settings)
                for client in [one, two] {
                    #expect(try await client.query("SELECT in").status == "T")
                    #expect(try await client.query("COMMIT").status == "I")
                }
                for client in [one, two] { #expect(try await client.query("SELECT 'a'").rows == [["a"]]) }
                try await scene.comesToRest()
            }
        }
    }

    @Test("who waits is told first, and how long the longest has")
    func waits() async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.answer = { $0 == .query("SELECT hold") ? [] : nil }
        try await FakePostgres.run(behaviour) { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
            } _: { scene in
                let (holder, waiter) = (try await scene.client(), try await scene.client())
                try await holder.send { $0.writePGQuery("SELECT hold") }
                try await fake.hears(.query("SELECT hold"))
                try await waiter.send { $0.writePGQuery("SELECT 'b'") }
                try await eventually("it has waited") {
                    try await scene.proxy.overview().pools.contains {
                        $0.clientsWaiting == 1 && $0.waitMilliseconds > 0
                    }
                }
                let connections = try await scene.proxy.connections()
                #expect(connections.clients.map(\.state) == ["waiting", "active"])
                #expect(connections.servers.map(\.state) == ["active"] && connections.serverCount == 1)
                #expect(connections.clients.allSatisfy { $0.address.hasPrefix("127.0.0.1:") && $0.pinnedBy.isEmpty })
            }
        }
    }
}
