import EndToEndSupport
import NIOCore
import PGWire
import Testing

@testable import Guard

/// Releases that have started and not proven themselves: what was usual before them is what they are measured by.
@Suite("Guard: releases that are watched")
struct ReleaseWatchTests {
    /// By `database/user`, whether what is usual there is learned no more.
    private static func frozen(_ scene: GuardScene) async throws -> [String: Bool] {
        let core = scene.proxy.core
        return try await scene.proxy.loop.submit {
            var frozen: [String: Bool] = [:]
            for group in core.value?.groups.values.map({ $0 }) ?? [] { frozen[group.name] = group.isFrozen }
            return frozen
        }.get()
    }

    @Test("users who come after the start of a release are measured by what was usual before, too, until it is proven")
    func laterUsers() async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                let early = try await scene.client(database: "shop")
                try await scene.proxy.releaseStarted("r1", database: GuardSettings.anyDatabase)
                let late = try await scene.client(database: "reports")
                #expect(try await Self.frozen(scene) == ["shop/postgres": true, "reports/postgres": true])
                try await scene.proxy.releaseProven(database: GuardSettings.anyDatabase)
                let last = try await scene.client(database: "jobs")
                #expect(
                    try await Self.frozen(scene) == [
                        "shop/postgres": false, "reports/postgres": false, "jobs/postgres": false,
                    ])
                for client in [early, late, last] { await client.close() }
            }
        }
    }
}
