import AsyncHTTPClient
import Decide
import Foundation
import Interop
import MainstayKit
import Synchronization
import Testing

@Suite("The stream of flag definitions", .timeLimit(.minutes(2)))
struct FlagStreamTests {
    private let user = UserContext(key: "u1")

    @Test("brings changes as they happen, to the service that it names, with its token")
    func updates() async throws {
        let server = FakeMainstay()
        server.prepare(Kit.set(1, favorites: "v1"))
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { mainstay in
                #expect(mainstay.variant("favorites", default: "code", for: user) == "code")
                try await eventually("first definitions") { mainstay.status.connected }
                #expect(mainstay.variant("favorites", default: "code", for: user) == "v1")
                for version in Int64(2)...20 {
                    let variant = version % 2 == 0 ? "v2" : "v1"
                    server.publish(Kit.set(version, favorites: variant))
                    try await eventually("version \(version)") { mainstay.status.version == version }
                    #expect(mainstay.variant("favorites", default: "code", for: user) == variant)
                }
                #expect(mainstay.evaluate("favorites", for: user).version == 20)
                #expect(mainstay.status.source == .stream)
            }
        }
        server.state.withLock { state in
            #expect(state.authorizations == ["Bearer token-1"])
            #expect(state.services == ["shop & co"])
            #expect(state.connections == 1)
        }
    }

    @Test("is opened again when it ends, and again when the server comes back")
    func reconnects() async throws {
        let first = FakeMainstay()
        first.prepare(Kit.set(5, favorites: "v1"))
        let second = FakeMainstay()
        second.prepare(Kit.set(6, favorites: "v2"))
        let port = try await FakeMainstay.fixedPort()
        try await Kit.run(Kit.configuration(port: port)) { mainstay in
            try await first.serve(port: port) { _ in
                try await eventually("connected") { mainstay.status.connected }
                first.dropStreams()
                try await eventually("a second connection") {
                    first.state.withLock { $0.connections } >= 2 && mainstay.status.connected
                }
            }
            try await eventually("disconnected") { !mainstay.status.connected }
            #expect(mainstay.status.lastError != nil)
            #expect(mainstay.variant("favorites", default: "code", for: user) == "v1")
            try await second.serve(port: port) { _ in
                try await eventually("the new server's definitions") { mainstay.status.version == 6 }
                #expect(mainstay.variant("favorites", default: "code", for: user) == "v2")
            }
        }
    }

    @Test("never takes an older version within a connection, but believes a server that comes back with one")
    func versions() async throws {
        let server = FakeMainstay()
        server.prepare(Kit.set(5, favorites: "v2"))
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { mainstay in
                try await eventually("connected") { mainstay.status.version == 5 }
                server.publish(Kit.set(4, favorites: "v1"))
                server.publish(Kit.set(6, favorites: "v2"))
                try await eventually("version 6") { mainstay.status.version == 6 }
                server.prepare(Kit.set(2, favorites: "v1"))
                server.dropStreams()
                try await eventually("the restored server's version") { mainstay.status.version == 2 }
                #expect(mainstay.variant("favorites", default: "code", for: user) == "v1")
            }
        }
    }

    @Test(
        "definitions that cannot be read leave the last good ones in force",
        arguments: [
            "{}", "not json",
            #"{"version":9,"flags":{"favorites":{"state":"ENABLED","variants":{"v1":1},"defaultVariant":"gone"}}}"#,
        ])
    func badDefinitions(_ text: String) async throws {
        let server = FakeMainstay()
        server.prepare(Kit.set(1, favorites: "v2"))
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { mainstay in
                try await eventually("connected") { mainstay.status.connected }
                server.publish(Array(text.utf8))
                try await eventually("the error") { mainstay.status.lastError != nil }
                #expect(mainstay.status.connected)
                #expect(mainstay.variant("favorites", default: "code", for: user) == "v2")
                server.publish(Kit.set(2, favorites: "v1"))
                try await eventually("the next good ones") { mainstay.status.version == 2 }
                #expect(mainstay.status.lastError == nil)
            }
        }
    }

    @Test("a flag that cannot be evaluated is named in the status")
    func problems() async throws {
        let server = FakeMainstay()
        server.prepare(Kit.set(1, favorites: "v1", targeting: ["nonsense": 1]))
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { mainstay in
                try await eventually("connected") { mainstay.status.connected }
                #expect(mainstay.status.flagProblems.count == 1)
                #expect(mainstay.variant("favorites", default: "code", for: user) == "code")
                #expect(mainstay.evaluate("favorites", for: user).errorCode == "PARSE_ERROR")
            }
        }
    }

    @Test("a connection that falls silent is given up and opened again")
    func silence() async throws {
        let server = FakeMainstay()
        server.prepare(Kit.set(1, favorites: "v1"))
        let clock = ManualClock()
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port), clock: clock.kitClock) { mainstay in
                try await eventually("connected") { mainstay.status.connected }
                // Less than the limit changes nothing, however often time is looked at.
                clock.advance(by: .seconds(44))
                #expect(mainstay.status.connected)
                try await eventually("a second connection") {
                    clock.advance(by: .seconds(1))
                    return server.state.withLock { $0.connections } >= 2
                }
            }
        }
    }
}

@Suite("The cache of flag definitions", .timeLimit(.minutes(2)))
struct FlagCacheTests {
    private let user = UserContext(key: "u1")

    @Test("lets a service start as it last ran, with Mainstay dead")
    func startsFromCache() async throws {
        let file = try Kit.temporaryFile()
        defer { #expect(throws: Never.self) { try Kit.removeFolder(of: file) } }
        let server = FakeMainstay()
        server.prepare(Kit.set(3, favorites: "v1"))
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port, cacheFile: file)) { mainstay in
                try await eventually("connected") { mainstay.status.connected }
                server.publish(Kit.set(4, favorites: "v2"))
                try await eventually("the change") { mainstay.status.version == 4 }
            }
        }
        // Nobody listens on port 1.
        try await Kit.run(Kit.configuration(port: 1, cacheFile: file)) { mainstay in
            #expect(mainstay.variant("favorites", default: "code", for: user) == "v2")
            #expect(mainstay.status.source == .cache)
            #expect(mainstay.status.version == 4)
            #expect(!mainstay.status.connected)
        }
        let names = try FileManager.default.contentsOfDirectory(
            atPath: URL(fileURLWithPath: file).deletingLastPathComponent().path)
        #expect(names == ["flags.json"])
    }

    @Test(
        "without one, or with a broken one, the defaults in code are served",
        arguments: [nil, "", "{", "{\"flags\":5}"])
    func noCache(_ content: String?) async throws {
        let file = try Kit.temporaryFile()
        defer { #expect(throws: Never.self) { try Kit.removeFolder(of: file) } }
        if let content {
            try FileManager.default.createDirectory(
                at: URL(fileURLWithPath: file).deletingLastPathComponent(), withIntermediateDirectories: true)
            try content.write(toFile: file, atomically: false, encoding: .utf8)
        }
        try await Kit.run(Kit.configuration(port: nil, cacheFile: file)) { mainstay in
            #expect(mainstay.variant("favorites", default: "code", for: user) == "code")
            #expect(mainstay.value("limit", default: 5, for: user) == 5)
            #expect(mainstay.status.source == .code)
            #expect((mainstay.status.cacheError != nil) == (content != nil))
        }
    }

    @Test("that cannot be written is reported and changes nothing else")
    func unwritable() async throws {
        let server = FakeMainstay()
        server.prepare(Kit.set(3, favorites: "v2"))
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port, cacheFile: "/dev/null/flags.json")) { mainstay in
                try await eventually("the error") { mainstay.status.cacheError != nil }
                try await eventually("connected") { mainstay.status.connected }
                #expect(mainstay.variant("favorites", default: "code", for: user) == "v2")
            }
        }
    }
}
