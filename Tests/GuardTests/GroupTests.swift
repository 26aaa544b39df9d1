import Decide
import EndToEndSupport
import Guard
import NIOCore
import PGWire
import Testing

/// Names of databases and users that clients choose: what is kept for them goes away, and is bounded.
@Suite("Guard: databases and users come and go")
struct GroupTests {
    private func settles(_ scene: GuardScene, groups: Int) async throws {
        try await eventually("what is kept is for \(groups)", every: .milliseconds(10)) { () -> Bool? in
            let snapshot = try await scene.proxy.snapshot()
            guard snapshot.groups == groups else { throw Complaint("\(snapshot.groups) \(snapshot.pools)") }
            return true
        }
    }

    @Test("what was kept for databases and users that nobody uses any more goes; what they usually take stays")
    func forgotten() async throws {
        let usual = BaselineRecord(
            query: QueryKey(fingerprint: 1), days: [.init(age: 0, buckets: [5], counts: [100])], usualService: 0,
            usualCalls: 0)
        var restored = GuardState()
        restored.baselines = ["random 1/postgres": [usual]]
        let memory = Guard.Memory(restored: restored, keep: { _ in })
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target], memory: memory) {
                $0.timeouts.serverIdle = GuardSettings.Timeouts.second / 10
                $0.timeouts.poolIdle = GuardSettings.Timeouts.second / 10
            } _: { scene in
                let stays = try await scene.client()
                for n in 1...5 {
                    let client = try await scene.client(database: "random \(n)", ["geqo": "off"])
                    #expect(try await client.query("SELECT 'a'").rows == [["a"]])
                    await client.close()
                }
                try await settles(scene, groups: 1)
                let kept = try await scene.proxy.state().baselines["random 1/postgres"]
                #expect(kept?.contains { $0.query == usual.query } == true, "beside what was called meanwhile")
                let client = try await scene.client(database: "random 1")
                #expect(try await client.query("SELECT 'a'").rows == [["a"]])
                #expect(try await stays.query("SELECT 'a'").rows == [["a"]])
            }
        }
    }

    @Test("a query that is limited by hand stays so, whoever is forgotten meanwhile")
    func rules() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.adminUsers = ["postgres"]
                $0.timeouts.serverIdle = GuardSettings.Timeouts.second / 10
                $0.timeouts.poolIdle = GuardSettings.Timeouts.second / 10
            } _: { scene in
                let admin = try await scene.client(database: "mainstay")
                #expect(try await admin.query("BLOCK DATABASE d FOR 1h").errors.isEmpty)
                for _ in 0..<2 {
                    let client = try await scene.client(database: "d")
                    #expect(try await client.query("SELECT 'a'").states == ["53000"])
                    await client.close()
                    try await settles(scene, groups: 0)
                }
            }
        }
    }

    @Test("there are at most max-pools at once: one more is told 53300 after its log-in, and those in use stay")
    func bound() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.pools = 2
            } _: { scene in
                let (one, two) = (try await scene.client(database: "a"), try await scene.client(database: "b"))
                for n in 1...5 {
                    let refusal = try #require(try await scene.refusal(database: "c \(n)"))
                    #expect(refusal.code == "53300" && refusal.severity == .fatal, "\(refusal)")
                    #expect(refusal.message.contains("max-pools"), "\(refusal)")
                }
                #expect(try await scene.refusal(database: "a") == nil)
                #expect(try await scene.proxy.snapshot().groups == 2)
                for client in [one, two] { #expect(try await client.query("SELECT 'a'").rows == [["a"]]) }
                await one.close()
                try await eventually("its place is free at once", every: .milliseconds(10)) {
                    try await scene.refusal(database: "d") == nil ? true : nil
                }
                #expect(try await two.query("SELECT 'b'").rows == [["b"]])
                #expect(try await scene.proxy.snapshot().groups == 2)
                try await scene.comesToRest()
            }
        }
    }

    @Test("names that the server does not know take nobody's place")
    func unknownToServer() async throws {
        var behaviour = FakePostgres.Behaviour()
        behaviour.refusal = ErrorFields(severity: .fatal, code: "3D000", message: "there is no such database")
        try await FakePostgres.run(behaviour) { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.limits.pools = 2
            } _: { scene in
                for n in 1...10 {
                    let refusal = try await scene.refusal(database: "no \(n)")
                    #expect(refusal?.code == "3D000", "\(String(describing: refusal))")
                }
                let groups = try await scene.proxy.snapshot().groups
                #expect(groups <= 2)
            }
        }
    }

    @Test("who has not proven anything leaves nothing behind, whatever names it sends")
    func strangers() async throws {
        var behaviour = FakePostgres.Behaviour()
        // To the question for a secret: there is no such user.
        behaviour.answer = { event in
            guard event == .message("S") else { return nil }
            let answer = FakeAnswer.make { bytes in
                bytes.writePGFrame("1")
                bytes.writePGFrame("2")
                bytes.writeTag("SELECT 0")
                bytes.writeReady()
            }
            return [.send(answer)]
        }
        try await FakePostgres.run(behaviour) { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.authentication = .scram
                $0.authQuery = AuthQuerySettings(user: "asker", password: "x")
            } _: { scene in
                for n in 1...5 {
                    let refusal = try await scene.refusal(user: "u\(n)", database: "d\(n)", password: "x")
                    #expect(refusal?.code == "28P01", "\(String(describing: refusal))")
                }
                #expect(fake.heard.count { $0 == .connected } == 1, "one question's connection for all")
                #expect(try await scene.proxy.snapshot().groups == 0)
            }
        }
    }
}
