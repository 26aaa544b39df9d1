import Decide
import EndToEndSupport
import Guard
import NIOCore
import PGWire
import TestSupport
import Testing

/// Cancel requests: by the guard's own keys, and to nobody else.
@Suite("Guard: cancel")
struct CancelTests {
    private static let hold = "SELECT hold"

    /// A server that runs `SELECT hold` until it is cancelled by the test.
    private static func fake(
        holdsCancels: Bool = false, _ body: (FakePostgres) async throws -> Void
    ) async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.holdsCancels = holdsCancels
        behaviour.answer = { $0 == .query(hold) ? [] : nil }
        try await FakePostgres.run(behaviour, body)
    }

    private static func endHold(_ fake: FakePostgres) async throws {
        try await fake.say { bytes in
            bytes.writePGErrorResponse(
                ErrorFields(severity: .error, code: "57014", message: "canceling statement due to user request"))
            bytes.writeReady()
        }
    }

    /// Sends a cancel request, and is done when the guard is.
    private func cancel(_ scene: GuardScene, _ processID: Int32, _ secret: [UInt8]) async throws {
        let client = try await WireClient.connect(scene.port)
        try await client.send { $0.writePGCancelRequest(processID: processID, secret: secret) }
        #expect(try await client.next() == nil, "a cancel request is never answered")
    }

    @Test(
        "a running statement is cancelled by the key that its client was given", arguments: GuardSettings.Mode.allCases)
    func own(_ mode: GuardSettings.Mode) async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.mode = mode
            } _: { scene in
                let client = try await WireClient.connect(scene.port)
                let session = try await client.logIn()
                #expect(session.secret != [1, 2, 3, 4], "a server's own key is not shown")
                try await client.send { $0.writePGQuery(Self.hold) }
                try await fake.hears(.query(Self.hold))
                try await cancel(scene, session.processID, session.secret)
                try await fake.hears(.cancel(1))
                try await Self.endHold(fake)
                #expect(try await client.answer().states == ["57014"])
                #expect(try await client.query("SELECT 'a'").rows == [["a"]])
            }
        }
    }

    @Test("a wrong key does nothing, and is counted")
    func strange() async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                let client = try await WireClient.connect(scene.port)
                let session = try await client.logIn()
                try await client.send { $0.writePGQuery(Self.hold) }
                try await fake.hears(.query(Self.hold))
                let wrong = session.secret.map { $0 ^ 1 }
                for (processID, secret) in [
                    (session.processID, wrong), (session.processID ^ 1, session.secret),
                    (session.processID, session.secret + [0]), (1, [1, 2, 3, 4]),
                ] {
                    try await cancel(scene, processID, secret)
                }
                #expect(try await scene.counters.strangeCancels == 4)
                #expect(!fake.heard.contains(.cancel(1)))
                try await Self.endHold(fake)
                #expect(try await client.answer().states == ["57014"])
            }
        }
    }

    @Test("a client that waits for a server can be cancelled, and waits no more")
    func queued() async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
            } _: { scene in
                let (holder, waiter) = (try await scene.client(), try await WireClient.connect(scene.port))
                let session = try await waiter.logIn()
                try await holder.send { $0.writePGQuery(Self.hold) }
                try await fake.hears(.query(Self.hold))
                try await waiter.send { $0.writePGQuery("SELECT 'lost'") }
                try await eventually("it waits", every: .milliseconds(5)) {
                    try await scene.waitingClients == 1 ? true : nil
                }
                try await cancel(scene, session.processID, session.secret)
                let answer = try await waiter.answer()
                #expect(answer.states == ["57014"] && answer.status == "I")
                try await Self.endHold(fake)
                #expect(try await holder.answer().states == ["57014"])
                #expect(try await waiter.query("SELECT 'a'").rows == [["a"]])
                #expect(!fake.heard.contains(.query("SELECT 'lost'")))
                #expect(!fake.heard.contains(.cancel(1)))
            }
        }
    }

    @Test("a cancel for a client that runs nothing reaches no server")
    func nothing() async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                let client = try await WireClient.connect(scene.port)
                let session = try await client.logIn()
                #expect(try await client.query("SELECT 'a'").rows == [["a"]])
                try await cancel(scene, session.processID, session.secret)
                #expect(!fake.heard.contains(.cancel(1)))
                #expect(try await client.query("SELECT 'b'").rows == [["b"]])
            }
        }
    }

    @Test("a server gets nothing new before its cancel has ended: the signal would hit somebody else")
    func underWay() async throws {
        try await Self.fake(holdsCancels: true) { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
            } _: { scene in
                let (client, other) = (try await WireClient.connect(scene.port), try await scene.client())
                let session = try await client.logIn()
                try await client.send { $0.writePGQuery(Self.hold) }
                try await fake.hears(.query(Self.hold))
                let canceller = try await WireClient.connect(scene.port)
                try await canceller.send {
                    $0.writePGCancelRequest(processID: session.processID, secret: session.secret)
                }
                try await fake.hears(.cancel(1))
                // The statement ends by itself, while the signal is still on its way.
                try await Self.endHold(fake)
                #expect(try await client.answer().states == ["57014"])
                try await other.send { $0.writePGQuery("SELECT 'b'") }
                try await client.send { $0.writePGQuery("SELECT 'a'") }
                // What reaches the guard later is answered, so what came before was read.
                #expect(try await scene.refusal() == nil)
                #expect(!fake.heard.contains(.query("SELECT 'b'")) && !fake.heard.contains(.query("SELECT 'a'")))
                try await fake.endCancels()
                #expect(try await canceller.next() == nil)
                #expect(try await client.answer().rows == [["a"]])
                #expect(try await other.answer().rows == [["b"]])
            }
        }
    }

    @Test("a cancel that never ends costs its server; the client whose statement had ended goes on with another")
    func endless() async throws {
        try await Self.fake(holdsCancels: true) { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
                $0.timeouts.cleanup = 5 * GuardSettings.Timeouts.second
            } _: { scene in
                let (client, other) = (try await WireClient.connect(scene.port), try await scene.client())
                let session = try await client.logIn()
                try await client.send { $0.writePGQuery(Self.hold) }
                try await fake.hears(.query(Self.hold))
                let canceller = try await WireClient.connect(scene.port)
                try await canceller.send {
                    $0.writePGCancelRequest(processID: session.processID, secret: session.secret)
                }
                try await fake.hears(.cancel(1))
                try await Self.endHold(fake)
                #expect(try await client.answer().states == ["57014"])
                try await client.send { $0.writePGQuery("SELECT 'a'") }
                #expect(try await other.query("SELECT 'b'").rows == [["b"]])
                let answer = try await client.answer()
                #expect(answer.rows == [["a"]], "its session holds nothing: \(answer)")
                #expect(try await canceller.next() == nil)
                #expect(fake.heard.count { $0 == .connected } == 2, "a server of its own")
                try await scene.comesToRest()
            }
        }
    }

    @Test(
        "a client whose cancel is not confirmed is told what happened, and nothing that invites to try again",
        arguments: GuardSettings.Mode.allCases)
    func unconfirmed(_ mode: GuardSettings.Mode) async throws {
        try await Self.fake(holdsCancels: true) { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.mode = mode
                $0.limits.poolSize = 1
                $0.timeouts.cleanup = GuardSettings.Timeouts.second / 5
            } _: { scene in
                let client = try await WireClient.connect(scene.port)
                let session = try await client.logIn()
                try await client.send { $0.writePGQuery(Self.hold) }
                try await fake.hears(.query(Self.hold))
                let canceller = try await WireClient.connect(scene.port)
                try await canceller.send {
                    $0.writePGCancelRequest(processID: session.processID, secret: session.secret)
                }
                let answer = try await client.answer()
                #expect(answer.states == ["57014"] && answer.status == nil, "\(answer)")
                #expect(answer.errors.first?.severity == .fatal)
                #expect(answer.errors.first?.message.contains("not known") == true, "\(answer)")
                #expect(try await canceller.next() == nil)
                try await scene.comesToRest()
                let next = try await scene.client()
                #expect(try await next.query("SELECT 'b'").rows == [["b"]])
                #expect(fake.heard.count { $0 == .connected } == 2, "the server is not used again")
            }
        }
    }

    @Test(
        "a query that its clients cancel is not kept out; one that the server cancels is", arguments: [true, false])
    func breaker(isByClient: Bool) async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
                $0.budgets.mode = .enforce
                $0.budgets.breakerCalls = 3
                // However slow this machine is.
                $0.budgets.breakerOpen = .minutes(5)
                $0.budgets.breakerLongestOpen = .minutes(5)
            } _: { scene in
                let client = try await WireClient.connect(scene.port)
                let session = try await client.logIn()
                for n in 1...3 {
                    try await client.send { $0.writePGQuery(Self.hold) }
                    try await fake.hears(.query(Self.hold), times: n)
                    if isByClient { try await cancel(scene, session.processID, session.secret) }
                    try await Self.endHold(fake)
                    #expect(try await client.answer().states == ["57014"])
                }
                try await client.send { $0.writePGQuery(Self.hold) }
                if isByClient {
                    try await fake.hears(.query(Self.hold), times: 4)
                    try await Self.endHold(fake)
                }
                #expect(try await client.answer().states == [isByClient ? "57014" : "53000"])
            }
        }
    }

    @Test("a cancel counts for the statement that it was for, and for none after it")
    func oneStatement() async throws {
        try await Self.fake { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.mode = .session
                $0.budgets.mode = .enforce
                $0.budgets.breakerCalls = 3
            } _: { scene in
                let client = try await WireClient.connect(scene.port)
                let session = try await client.logIn()
                for n in 1...3 {
                    try await client.send { $0.writePGQuery(Self.hold) }
                    try await fake.hears(.query(Self.hold), times: n)
                    if n == 1 { try await cancel(scene, session.processID, session.secret) }
                    try await Self.endHold(fake)
                    #expect(try await client.answer().states == ["57014"])
                }
                try await eventually("the other two are half of the three", every: .milliseconds(10)) {
                    try await scene.counters.decisions["breakerOpened"] == 1 ? true : nil
                }
            }
        }
    }

    /// A client has gone while the only server runs its statement; `other` is there still.
    private static func afterVanishing(
        _ change: (inout GuardSettings) -> Void = { _ in },
        _ body: (FakePostgres, GuardScene, _ other: WireClient) async throws -> Void
    ) async throws {
        try await fake { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.poolSize = 1
                change(&$0)
            } _: { scene in
                let (client, other) = (try await scene.client(), try await scene.client())
                try await client.send { $0.writePGQuery(hold) }
                try await fake.hears(.query(hold))
                await client.close()
                try await body(fake, scene, other)
            }
        }
    }

    @Test("the statement of a client that vanishes is cancelled, and its server serves others")
    func vanished() async throws {
        try await Self.afterVanishing { fake, _, other in
            try await fake.hears(.cancel(1))
            try await other.send { $0.writePGQuery("SELECT 'b'") }
            try await Self.endHold(fake)
            #expect(try await other.answer().rows == [["b"]])
            #expect(fake.heard.count { $0 == .connected } == 1, "the same server")
        }
    }

    @Test("a cancel that came before the statement it was for is sent again when its client has vanished")
    func overtaken() async throws {
        try await Self.afterVanishing { fake, _, other in
            try await eventually("it is cancelled twice") { fake.heard.count { $0 == .cancel(1) } >= 2 }
            try await Self.endHold(fake)
            #expect(try await other.query("SELECT 'b'").rows == [["b"]])
            #expect(fake.heard.count { $0 == .connected } == 1, "the same server")
        }
    }

    @Test("a server that does not end the statement of a vanished client is given up")
    func stubborn() async throws {
        try await Self.afterVanishing({ $0.timeouts.cleanup = GuardSettings.Timeouts.second }) { fake, scene, other in
            let answer = try await other.query("SELECT 'b'")
            #expect(answer.rows == [["b"]])
            #expect(try await scene.counters.cleanupTimeouts == 1)
            #expect(fake.heard.count { $0 == .connected } == 2, "another server")
        }
    }
}
