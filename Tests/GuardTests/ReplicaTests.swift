import Decide
import EndToEndSupport
import Guard
import PGWire
import Testing

/// What goes to servers that only read.
@Suite("Guard: replicas")
struct ReplicaTests {
    private static func named(_ name: String) -> FakePostgres.Behaviour {
        var behaviour = FakePostgres.Behaviour()
        behaviour.answer = { event in
            switch event {
            case .query("BEGIN"): return [.send(FakeAnswer.done("BEGIN", status: "T"))]
            case .query("COMMIT"): return [.send(FakeAnswer.done("COMMIT"))]
            case .query(let text) where text.hasPrefix("SELECT where"): return [.send(FakeAnswer.whole([name]))]
            case .query(let text) where text.hasPrefix("INSERT"): return [.send(FakeAnswer.done(name))]
            default: return nil
            }
        }
        return behaviour
    }

    private static func scene(
        _ body: (GuardScene, _ primary: FakePostgres, _ replica: FakePostgres) async throws -> Void
    ) async throws {
        try await FakePostgres.run(named("primary")) { primary in
            try await FakePostgres.run(named("replica")) { replica in
                try await GuardScene.run(before: [primary.target]) { settings in
                    settings.databases[GuardSettings.anyDatabase]?.replicas = ReplicaSettings(
                        targets: [replica.target], poolSize: 1,
                        rules: [
                            (ClientPattern(application: "reports"), .always),
                            (ClientPattern(application: "web"), .reads),
                        ])
                } _: { scene in
                    try await body(scene, primary, replica)
                }
            }
        }
    }

    @Test(
        "the first rule that matches the client says where its statements go",
        arguments: [
            ("reports", "SELECT where", "replica"), ("reports", "INSERT INTO t VALUES (1)", "replica"),
            ("web", "SELECT where", "replica"), ("web", "INSERT INTO t VALUES (1)", "primary"),
            ("web", "SELECT where FOR UPDATE", "primary"), ("web", "SELECT where; DELETE FROM t", "primary"),
            ("web", "SELECT where, nextval('s')", "primary"), ("other", "SELECT where", "primary"),
        ])
    func routes(_ application: String, _ text: String, _ place: String) async throws {
        try await Self.scene { scene, _, _ in
            let client = try await scene.client(["application_name": application])
            let answer = try await client.query(text)
            #expect(answer.rows.first?.first ?? answer.tags.first == place)
        }
    }

    @Test("reads inside a transaction stay with what it has written")
    func transactions() async throws {
        try await Self.scene { scene, _, _ in
            let client = try await scene.client(["application_name": "web"])
            #expect(try await client.query("SELECT where").rows == [["replica"]])
            #expect(try await client.query("BEGIN").status == "T")
            #expect(try await client.query("SELECT where").rows == [["primary"]])
            #expect(try await client.query("COMMIT").status == "I")
            #expect(try await client.query("SELECT where").rows == [["replica"]])
        }
    }

    @Test("when no replica answers, the primary does, and nobody is told an error")
    func down() async throws {
        try await Self.scene { scene, _, replica in
            let client = try await scene.client(["application_name": "web"])
            #expect(try await client.query("SELECT where").rows == [["replica"]])
            try await replica.close()
            try await eventually("its server is gone", every: .milliseconds(2)) {
                try await scene.proxy.overview().pools.allSatisfy { !$0.isReplica || $0.serversIdle == 0 } ? true : nil
            }
            for _ in 0..<3 { #expect(try await client.query("SELECT where").rows == [["primary"]]) }
            #expect(scene.log.text.contains("no replica answers"))
        }
    }
}
