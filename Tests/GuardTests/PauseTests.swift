import Decide
import EndToEndSupport
import Guard
import NIOCore
import PGWire
import Testing

/// PAUSE, RESUME and SWITCH: clients only see a wait.
@Suite("Guard: pause and switch")
struct PauseTests {
    private static func named(_ name: String, standby: Bool = false) -> FakePostgres.Behaviour {
        var behaviour = FakePostgres.Behaviour()
        behaviour.parameters["in_hot_standby"] = standby ? "on" : "off"
        behaviour.answer = { event in
            switch event {
            case .query("SELECT where"): [.send(FakeAnswer.whole([name]))]
            case .query("BEGIN"): [.send(FakeAnswer.done("BEGIN", status: "T"))]
            case .query("SELECT inside"): [.send(FakeAnswer.done("SELECT 0", status: "T"))]
            case .query("COMMIT"), .query("ROLLBACK"): [.send(FakeAnswer.done("COMMIT"))]
            default: nil
            }
        }
        return behaviour
    }

    /// Before the first of two servers; both are there.
    private static func scene(
        other: FakePostgres.Behaviour = named("b"), _ configure: (inout GuardSettings) -> Void = { _ in },
        _ body: (GuardScene, FakePostgres, FakePostgres) async throws -> Void
    ) async throws {
        try await FakePostgres.run(named("a")) { first in
            try await FakePostgres.run(other) { second in
                try await GuardScene.run(before: [first.target]) { settings in
                    settings.adminUsers = ["postgres"]
                    configure(&settings)
                } _: { scene in
                    try await body(scene, first, second)
                }
            }
        }
    }

    private static func waits(_ scene: GuardScene, _ count: Int = 1) async throws {
        try await eventually("\(count) wait", every: .milliseconds(2)) {
            try await scene.proxy.snapshot().pools.reduce(0) { $0 + $1.clientsWaiting } == count ? true : nil
        }
    }

    @Test("while a database is paused its clients wait; then they go on, and nobody is told anything")
    func pauses() async throws {
        try await Self.scene { scene, first, _ in
            let (one, other, pinned) = (
                try await scene.client(), try await scene.client(), try await scene.client()
            )
            #expect(try await one.query("SELECT 'x'").rows == [["x"]])
            #expect(try await pinned.query("LISTEN a").status == "I")
            try await scene.proxy.pause(database: "postgres", deadline: .seconds(2))
            let asked = first.heard.count
            for client in [one, other, pinned] { try await client.send { $0.writePGQuery("SELECT 'y'") } }
            try await Self.waits(scene, 3)
            #expect(first.heard.count == asked)
            try await scene.proxy.resume(database: "postgres")
            for client in [one, other, pinned] { #expect(try await client.answer().rows == [["y"]]) }
        }
    }

    @Test("a pause waits for the transactions that run, and holds the next ones")
    func waitsForTransactions() async throws {
        try await Self.scene { scene, first, _ in
            let (busy, next) = (try await scene.client(), try await scene.client())
            #expect(try await busy.query("BEGIN").status == "T")
            async let paused: Void = scene.proxy.pause(database: nil, deadline: .seconds(60))
            try await eventually("it is paused", every: .milliseconds(2)) {
                try await scene.proxy.overview().pools.allSatisfy(\.isPaused) ? true : nil
            }
            try await next.send { $0.writePGQuery("SELECT 'n'") }
            try await Self.waits(scene)
            #expect(try await busy.query("SELECT inside").status == "T")
            #expect(try await busy.query("COMMIT").status == "I")
            try await paused
            #expect(!first.heard.contains(.query("SELECT 'n'")))
            try await scene.proxy.resume(database: nil)
            #expect(try await next.answer().rows == [["n"]])
        }
    }

    @Test("a pause that a transaction outlasts is taken back, says so, and those who waited go on")
    func deadline() async throws {
        try await Self.scene { scene, _, _ in
            let (busy, next) = (try await scene.client(), try await scene.client())
            #expect(try await busy.query("BEGIN").status == "T")
            await #expect {
                try await scene.proxy.pause(database: "postgres", deadline: .milliseconds(50))
            } throws: { error in
                "\(error)".contains("1 transaction still ran after 50 ms")
            }
            #expect(try await next.query("SELECT 'n'").rows == [["n"]])
            #expect(try await busy.query("COMMIT").status == "I")
        }
    }

    @Test("a pause that nobody ends is over after its time, and is told in the log")
    func forgotten() async throws {
        try await Self.scene({ $0.timeouts.pause = GuardSettings.Timeouts.second / 5 }) { scene, _, _ in
            let client = try await scene.client()
            try await scene.proxy.pause(database: "postgres", deadline: .seconds(2))
            #expect(try await client.query("SELECT 'x'").rows == [["x"]])
            #expect(scene.log.text.contains("a pause has lasted too long"))
        }
    }

    @Test("those who wait too long, or are too many, are told so and stay connected")
    func bounds() async throws {
        try await Self.scene({
            $0.limits.waiting = 1
            $0.timeouts.queue = GuardSettings.Timeouts.second / 5
        }) { scene, _, _ in
            let (one, other) = (try await scene.client(), try await scene.client())
            #expect(try await one.query("SELECT 'x'").rows == [["x"]])
            try await scene.proxy.pause(database: "postgres", deadline: .seconds(2))
            try await one.send { $0.writePGQuery("SELECT 'y'") }
            try await Self.waits(scene)
            let tooMany = try await other.query("SELECT 'z'")
            #expect(tooMany.states == ["53000"] && tooMany.status == "I")
            let late = try await one.answer()
            #expect(late.states == ["53000"] && late.errors[0].message.contains("is paused"))
            try await scene.proxy.resume(database: "postgres")
            #expect(try await one.query("SELECT 'x'").rows == [["x"]])
        }
    }

    @Test("a switch moves a database: its clients wait, then are on the other server")
    func switches() async throws {
        try await Self.scene { scene, first, second in
            let (one, busy) = (try await scene.client(), try await scene.client())
            #expect(try await one.query("SELECT where").rows == [["a"]])
            #expect(try await busy.query("BEGIN").status == "T")
            async let moved: Void = scene.proxy.switchTarget(
                database: "postgres", to: "127.0.0.1:\(second.target.port)", deadline: .seconds(60))
            try await eventually("it is paused", every: .milliseconds(2)) {
                try await scene.proxy.overview().pools.allSatisfy(\.isPaused) ? true : nil
            }
            try await one.send { $0.writePGQuery("SELECT where") }
            #expect(try await busy.query("COMMIT").status == "I")
            try await moved
            #expect(try await one.answer().rows == [["b"]])
            #expect(try await busy.query("SELECT where").rows == [["b"]])
            try await eventually("the old server is left", every: .milliseconds(2)) {
                first.sessions.isEmpty ? true : nil
            }
            #expect(try await scene.counters.switches == 1)
        }
    }

    @Test("a client whose session cannot move is ended, and told why")
    func pinned() async throws {
        try await Self.scene { scene, _, second in
            let client = try await scene.client()
            #expect(try await client.query("LISTEN a").status == "I")
            try await scene.proxy.switchTarget(
                database: "postgres", to: "127.0.0.1:\(second.target.port)", deadline: .seconds(5))
            let told = try await client.answer()
            #expect(told.states == ["57P01"] && told.status == nil)
            #expect(told.errors[0].message.contains("connect again"))
        }
    }

    @Test("a server that cannot be reached, or only reads, does not take over")
    func refusals() async throws {
        try await Self.scene(other: Self.named("b", standby: true)) { scene, _, second in
            let client = try await scene.client()
            #expect(try await client.query("SELECT where").rows == [["a"]])
            for (target, words) in [
                ("127.0.0.1:\(second.target.port)", "is a standby"), ("127.0.0.1:1", "connection refused"),
                ("nowhere", "write host:port"), ("127.0.0.1:99999", "write host:port"),
            ] {
                await #expect {
                    try await scene.proxy.switchTarget(database: "postgres", to: target, deadline: .seconds(5))
                } throws: { error in
                    "\(error)".contains(words)
                }
            }
            #expect(try await client.query("SELECT where").rows == [["a"]])
        }
    }

    @Test("before anybody has come, a server that takes no connections does not take over either")
    func unreachable() async throws {
        try await Self.scene { scene, _, second in
            await #expect {
                try await scene.proxy.switchTarget(database: "postgres", to: "127.0.0.1:1", deadline: .seconds(5))
            } throws: { error in
                "\(error)".contains("connection refused")
            }
            try await scene.proxy.switchTarget(
                database: "postgres", to: "127.0.0.1:\(second.target.port)", deadline: .seconds(5))
            #expect(try await scene.client().query("SELECT where").rows == [["b"]])
        }
    }

    @Test("the console does the same, and answers when it is done")
    func console() async throws {
        try await Self.scene { scene, _, second in
            let (admin, client) = (try await scene.client(database: "mainstay"), try await scene.client())
            #expect(try await client.query("SELECT where").rows == [["a"]])
            #expect(try await admin.query("PAUSE postgres WITHIN 5s").tags == ["PAUSE"])
            #expect(try await admin.query("PAUSE postgres").states == ["55000"])
            #expect(try await admin.query("PAUSE elsewhere").tags == ["PAUSE"])
            #expect(try await admin.query("RESUME").tags == ["RESUME"])
            let place = "127.0.0.1:\(second.target.port)"
            #expect(try await admin.query("SWITCH postgres TO \(place)").rows == [["postgres", place, "0"]])
            #expect(try await client.query("SELECT where").rows == [["b"]])
            let databases = try await admin.query("SHOW DATABASES").rows
            #expect(databases.count == 1)
        }
    }
}
