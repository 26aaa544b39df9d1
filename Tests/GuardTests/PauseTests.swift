import Decide
import EndToEndSupport
import Foundation
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

    /// Databases with paused pools.
    private static func paused(_ scene: GuardScene) async throws -> [String] {
        try await scene.proxy.overview().pools.filter(\.isPaused).map(\.database)
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

    @Test("a pause of everything that is taken back leaves another's pause in force")
    func takenBack() async throws {
        try await Self.scene { scene, _, _ in
            let (busy, held) = (try await scene.client(database: "busy"), try await scene.client())
            #expect(try await held.query("SELECT 'x'").rows == [["x"]])
            #expect(try await busy.query("BEGIN").status == "T")
            try await scene.proxy.pause(database: "postgres", deadline: .seconds(2))
            await #expect {
                try await scene.proxy.pause(database: nil, deadline: .milliseconds(50))
            } throws: { error in
                "\(error)".contains("1 transaction still ran after 50 ms")
            }
            #expect(try await Self.paused(scene) == ["postgres"])
            try await scene.proxy.resume(database: "postgres")
            #expect(try await held.query("SELECT 'y'").rows == [["y"]])
            #expect(try await busy.query("COMMIT").status == "I")
        }
    }

    @Test("a pause of everything that runs out leaves another's pause in force")
    func runsOut() async throws {
        try await Self.scene { scene, _, _ in
            let (free, held) = (try await scene.client(database: "free"), try await scene.client())
            try await scene.proxy.pause(database: "postgres", deadline: .seconds(2))
            var settings = scene.settings
            settings.timeouts.pause = GuardSettings.Timeouts.second / 5
            try await scene.proxy.reload(settings)
            try await scene.proxy.pause(database: nil, deadline: .seconds(2))
            try await eventually("it is over", every: .milliseconds(2)) {
                scene.log.text.contains("a pause has lasted too long") ? true : nil
            }
            #expect(try await Self.paused(scene) == ["postgres"])
            #expect(try await free.query("SELECT 'x'").rows == [["x"]])
            try await scene.proxy.resume(database: "postgres")
            #expect(try await held.query("SELECT 'y'").rows == [["y"]])
        }
    }

    @Test("while everything is paused one database cannot be resumed, and whoever tries is told what to do")
    func resumesAll() async throws {
        try await Self.scene { scene, _, _ in
            let (admin, client) = (try await scene.client(database: "mainstay"), try await scene.client())
            try await scene.proxy.pause(database: nil, deadline: .seconds(2))
            await #expect {
                try await scene.proxy.resume(database: "postgres")
            } throws: { error in
                "\(error)".contains("everything is paused: resume all databases")
            }
            let told = try await admin.query("RESUME postgres")
            #expect(told.states == ["55000"])
            #expect(told.errors.map(\.message) == ["everything is paused: resume all databases"])
            #expect(try await Self.paused(scene) == ["postgres"])
            #expect(try await admin.query("RESUME").tags == ["RESUME"])
            #expect(try await client.query("SELECT 'x'").rows == [["x"]])
            // `*` is what the settings call all that they do not name, and no database.
            #expect(try await admin.query("PAUSE *").states == ["3D000"])
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

    @Test(
        "what may hold a password is refused, and not said again",
        arguments: [
            "postgres://app:geheim@db.test:5432", "postgres://app:geheim@db.test:5432/shop",
            "app:geheim@127.0.0.1:1", "host=127.0.0.1 port=1 password=geheim", "password=geheim:1",
        ])
    func secrets(place: String) async throws {
        try await Self.scene { scene, _, _ in
            await #expect {
                try await scene.proxy.switchTarget(database: "postgres", to: place, deadline: .seconds(5))
            } throws: { error in
                "\(error)".contains("write host:port") && !"\(error)".contains("geheim")
            }
            let told = try await scene.client(database: "mainstay").query("SWITCH postgres TO '\(place)'")
            #expect(told.states == ["22023"])
            #expect(told.errors.allSatisfy { !$0.message.contains("geheim") })
            #expect(!scene.log.text.contains("geheim"))
        }
    }

    @Test("a switch outlives a restart, unless the configuration has other targets by then")
    func restarts() async throws {
        try await Self.scene { scene, first, second in
            let (old, new) = ("127.0.0.1:\(first.target.port)", "127.0.0.1:\(second.target.port)")
            try await scene.proxy.switchTarget(database: "postgres", to: new, deadline: .seconds(5))
            let kept = try await scene.proxy.state()
            #expect(kept.switched == ["postgres": new])
            #expect(kept.switchedFrom == ["postgres": [old]])
            var older = kept
            older.switchedFrom = nil
            let restarts: [(state: GuardState, targets: [Target], place: String)] = [
                (kept, [first.target], "b"), (older, [first.target], "b"),
                (kept, [first.target, second.target], "a"),
            ]
            for (state, targets, place) in restarts {
                let read = try JSONDecoder().decode(GuardState.self, from: try JSONEncoder().encode(state))
                #expect(read == state)
                let memory = Guard.Memory(restored: read, keep: { _ in })
                try await GuardScene.run(before: targets, memory: memory) { restarted in
                    let client = try await restarted.client()
                    #expect(try await client.query("SELECT where").rows == [[place]])
                    let isOver = restarted.log.text.contains("a switch by hand is over")
                    #expect(isOver == (place == "a"))
                }
            }
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
