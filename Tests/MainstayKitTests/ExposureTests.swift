import Decide
import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import MainstayKit

/// A value that several tasks may touch.
final class Box<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) {
        mutex = Mutex(value)
    }

    var value: Value {
        get { mutex.withLock { $0 } }
        set { mutex.withLock { $0 = newValue } }
    }
}

@Suite("Exposures", .timeLimit(.minutes(2)))
struct ExposureTests {
    private func users(_ batches: [JSONValue], _ variant: String) -> [String] {
        batches.flatMap { $0["exposures"]?.array ?? [] }
            .filter { $0["variant"]?.string == variant }
            .flatMap { $0["users"]?.array ?? [] }
            .compactMap(\.string)
    }

    @Test("arrive once each, with who was active")
    func arrive() async throws {
        let server = FakeMainstay()
        server.prepare(Kit.set(7, favorites: "v1"))
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { mainstay in
                try await eventually("connected") { mainstay.status.connected }
                for number in 0..<50 {
                    let user = UserContext(key: "u\(number)")
                    mainstay.sawActive(user)
                    if number < 10 {
                        #expect(mainstay.variant("favorites", default: "code", for: user) == "v1")
                    }
                }
            }
        }
        let accepted = server.state.withLock { $0.accepted }
        #expect(Set(users(accepted, "v1")) == Set((0..<10).map { UserHash(key: "u\($0)").hex }))
        #expect(users(accepted, "v1").count == 10)
        let active = accepted.flatMap { batch in batch["active"]?.array ?? [] }
        #expect(Set(active).count == 50)
        let exposures = accepted.flatMap { batch in batch["exposures"]?.array ?? [] }
        let exposure = try #require(exposures.first)
        #expect(exposure["flag"] == "favorites")
        #expect(exposure["version"] == 7)
        #expect(accepted.allSatisfy { $0["service"] == "shop & co" && $0["batch"]?.string?.utf8.count == 36 })
    }

    @Test("are sent again under the same id until they are accepted")
    func retried() async throws {
        let server = FakeMainstay()
        server.prepare(Kit.set(7, favorites: "v1"))
        server.state.withLock { $0.exposureStatuses = [.serviceUnavailable, .tooManyRequests, .unauthorized] }
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { mainstay in
                try await eventually("connected") { mainstay.status.connected }
                _ = mainstay.variant("favorites", default: "code", for: UserContext(key: "u1"))
                try await eventually("the first try") { !server.state.withLock { $0.batches }.isEmpty }
                _ = mainstay.variant("favorites", default: "code", for: UserContext(key: "u2"))
                try await eventually("both accepted") { mainstay.status.batchesAccepted >= 2 }
                #expect(mainstay.status.exposuresPending == 0)
            }
        }
        let (batches, accepted) = server.state.withLock { ($0.batches, $0.accepted) }
        let firstFour = Set(batches.prefix(4).map(\.compactText))
        #expect(firstFour.count == 1)
        #expect(users(accepted, "v1") == ["u1", "u2"].map { UserHash(key: $0).hex })
        #expect(Set(accepted.map { $0["batch"] }).count == accepted.count)
    }

    @Test("that Mainstay refuses for good are dropped and counted")
    func refused() async throws {
        let server = FakeMainstay()
        server.state.withLock { $0.exposureStatuses = [.badRequest] }
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { mainstay in
                _ = mainstay.variant("favorites", default: "code", for: UserContext(key: "u1"))
                try await eventually("refused") { mainstay.status.batchesRefused == 1 }
                _ = mainstay.variant("favorites", default: "code", for: UserContext(key: "u2"))
                try await eventually("accepted") { mainstay.status.batchesAccepted == 1 }
            }
        }
        #expect(users(server.state.withLock { $0.accepted }, "code") == [UserHash(key: "u2").hex])
    }

    @Test("the last ones are sent while the service shuts down")
    func finalFlush() async throws {
        let server = FakeMainstay()
        try await server.serve { port in
            var configuration = Kit.configuration(port: port)
            configuration.exposureInterval = .seconds(3_600)
            try await Kit.run(configuration) { mainstay in
                _ = mainstay.value("limit", default: 5, for: UserContext(key: "u1"))
            }
        }
        #expect(users(server.state.withLock { $0.accepted }, "default") == [UserHash(key: "u1").hex])
    }

    @Test("synthetic users, and users without a key, leave none")
    func synthetic() async throws {
        let server = FakeMainstay()
        server.prepare(Kit.set(7, favorites: "v1"))
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { mainstay in
                try await eventually("connected") { mainstay.status.connected }
                for user in [UserContext(key: "s1", isSynthetic: true), UserContext(key: nil)] {
                    mainstay.sawActive(user)
                    #expect(mainstay.variant("favorites", default: "code", for: user) == "v1")
                    #expect(mainstay.value("favorites", default: "code", for: user) == "v1")
                }
            }
        }
        #expect(server.state.withLock { $0.batches }.isEmpty)
    }

    @Test("evaluating without serving leaves none")
    func evaluateOnly() async throws {
        let server = FakeMainstay()
        try await server.serve { port in
            try await Kit.run(Kit.configuration(port: port)) { mainstay in
                _ = mainstay.evaluate("favorites", for: UserContext(key: "u1"))
            }
        }
        #expect(server.state.withLock { $0.batches }.isEmpty)
    }
}

@Suite("The log of exposures")
struct ExposureLogTests {
    private static let start = Instant(milliseconds: 1_000)

    @Test("counts a user once for each flag, variant and version")
    func deduplicates() throws {
        var log = ExposureLog(limit: 100)
        for second in 0..<3 {
            log.record("f", "a", 1, UserHash(key: "u"), at: Self.start + .seconds(Int64(second)))
        }
        log.record("f", "b", 1, UserHash(key: "u"), at: Self.start)
        log.record("f", "a", 2, UserHash(key: "u"), at: Self.start)
        log.recordActive(UserHash(key: "u"), at: Self.start)
        log.recordActive(UserHash(key: "u"), at: Self.start)
        #expect(log.size == 4)
        let batch = try #require(log.take(at: Self.start + .seconds(9), batchLimit: 100).first)
        let first = try #require(batch.exposures.first { $0.key.variant == "a" && $0.key.version == 1 })
        #expect(first.count == 3)
        #expect(first.users == [UserHash(key: "u")])
        #expect(first.first == Self.start)
        #expect(first.last == Self.start + .seconds(2))
        #expect(batch.from == Self.start)
        #expect(batch.to == Self.start + .seconds(9))
        #expect(batch.active == [UserHash(key: "u")])
        #expect(batch.exposures.count == 3)
        #expect(log.take(at: Self.start, batchLimit: 100).isEmpty)
    }

    @Test("holds no more than its limit, and says how many it dropped")
    func limit() {
        var log = ExposureLog(limit: 10)
        for number in 0..<15 { log.record("f", "a", 1, UserHash(value: UInt64(number)), at: Self.start) }
        log.recordActive(UserHash(value: 99), at: Self.start)
        log.record("f", "a", 1, UserHash(value: 3), at: Self.start)
        #expect(log.size == 10)
        #expect(log.dropped == 6)
        #expect(log.take(at: Self.start, batchLimit: 100).flatMap(\.exposures).map(\.count) == [11])
        log.record("f", "a", 1, UserHash(value: 50), at: Self.start)
        #expect(log.size == 1)
    }

    @Test("leaves out names that the server would not take, and says so")
    func names() {
        var log = ExposureLog(limit: 10)
        log.record("", "a", 1, UserHash(value: 1), at: Self.start)
        log.record("f", String(repeating: "v", count: 201), 1, UserHash(value: 1), at: Self.start)
        log.record(String(repeating: "f", count: 200), "", 1, UserHash(value: 1), at: Self.start)
        #expect(log.size == 1)
        #expect(log.dropped == 2)
    }

    @Test("no batch holds more exposures than the server takes")
    func manyExposures() {
        var log = ExposureLog(limit: 10_000)
        for number in 0..<2_500 { log.record("f\(number)", "a", 1, UserHash(value: 1), at: Self.start) }
        #expect(log.take(at: Self.start, batchLimit: 20_000).map(\.exposures.count) == [1_000, 1_000, 500])
    }

    @Test("is cut into batches that add up", arguments: [1, 7, 10, 1_000])
    func batches(_ batchLimit: Int) {
        var log = ExposureLog(limit: 1_000)
        for number in 0..<25 {
            for flag in ["f", "g"] {
                log.record(flag, "a", 1, UserHash(value: UInt64(number)), at: Self.start)
                log.record(flag, "a", 1, UserHash(value: UInt64(number)), at: Self.start)
            }
            log.recordActive(UserHash(value: UInt64(number)), at: Self.start)
        }
        let batches = log.take(at: Self.start, batchLimit: batchLimit)
        let exposures = batches.flatMap(\.exposures)
        for flag in ["f", "g"] {
            let own = exposures.filter { $0.key.flag == flag }
            #expect(own.reduce(0) { $0 + $1.count } == 50)
            #expect(Set(own.flatMap(\.users)).count == 25)
            #expect(own.reduce(0) { $0 + $1.users.count } == 25)
        }
        #expect(Set(batches.flatMap(\.active)).count == 25)
        #expect(
            batches.allSatisfy { batch in
                batch.exposures.reduce(batch.active.count) { $0 + $1.users.count } <= batchLimit
            })
    }
}
