import AsyncHTTPClient
import Decide
import Hummingbird
import HummingbirdTesting
import Interop
import NIOCore
import NIOHTTP1
import Record
import SQL
import TestSupport
import Testing

@testable import Web

/// Streams need a real connection: in memory an answer is only seen when it ends.
@Suite("API: streams", .timeLimit(.minutes(10)))
struct APIStreamTests {
    /// Events of one stream, as they come.
    private final class Events {
        private var parser = EventStreamParser(limit: 4 << 20)
        private var body: HTTPClientResponse.Body.AsyncIterator
        private var ready: [EventStreamParser.Event] = []
        private(set) var comments = 0

        init(_ response: HTTPClientResponse) {
            body = response.body.makeAsyncIterator()
        }

        /// Nil when the stream has ended.
        func nextRaw() async throws -> EventStreamParser.Event? {
            while ready.isEmpty {
                guard let buffer = try await body.next() else { return nil }
                if buffer.readableBytesView.first == UInt8(ascii: ":") { comments += 1 }
                ready += try parser.feed(buffer.readableBytesView)
            }
            return ready.removeFirst()
        }

        func next() async throws -> (name: String, id: String, data: JSONValue)? {
            guard let event = try await nextRaw() else { return nil }
            return (event.name, event.id, try JSONValue(parsing: event.data))
        }

        func waitForComment() async throws {
            let before = comments
            while comments == before, let buffer = try await body.next() {
                if buffer.readableBytesView.first == UInt8(ascii: ":") { comments += 1 }
            }
        }
    }

    private typealias Open = @Sendable (String) async throws -> HTTPClientResponse

    private func withServer(
        adjust: @Sendable (inout APIHouse) -> Void = { _ in },
        _ body:
            @Sendable @escaping (APIHouse, @escaping Open) async throws -> Void
    ) async throws {
        var options = SQLiteOptions()
        // Nobody is turned away because the database's readers are behind: it would be a 503 after 10 s.
        options.waitTimeoutMilliseconds = 3_600_000
        try await withDatabase(sqlite: options) { database, _ in
            var house = try await APIHouse.make(database)
            adjust(&house)
            let ready = house
            try await ready.declareFavorites()
            var configuration = HTTPClient.Configuration()
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 300
            // A busy machine may take its time, and the client's own limit is 10 s. What hangs is ended by the suite's
            // time limit.
            configuration.timeout.connect = .hours(1)
            let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            do {
                try await ready.application.test(.live) { client in
                    let port = try #require(client.port)
                    try await body(ready) { path in
                        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
                        request.headers.add(name: "Authorization", value: "Bearer \(APIHouse.Who.read.token)")
                        return try await http.execute(request, timeout: .hours(1))
                    }
                }
            } catch {
                try await http.shutdown()
                throw error
            }
            try await http.shutdown()
        }
    }

    private static let flags = "/api/v1/flags/stream?service=storefront"

    private func change(_ house: APIHouse, to variant: String) async throws {
        let definition = FlagDefinition(variants: ["v1": "v1", "v2": "v2"], defaultVariant: variant)
        try await house.record.apply(
            Subject(.flag, "storefront/favorites"), .flag(.changed(definition, reason: "test")),
            by: Actor(.person, "ada"))
    }

    @Test("a client gets the whole set at once, each change, and signs of life between")
    func flagStream() async throws {
        try await withServer { house, open async throws in
            let response = try await open(Self.flags)
            #expect(response.status == .ok)
            #expect(response.headers.first(name: "Content-Type") == "text/event-stream")
            let events = Events(response)
            let first = try #require(try await events.next())
            #expect(first.name == "flags")
            #expect(first.id == "1")
            #expect(first.data["flags"]?["favorites"]?["defaultVariant"] == "v1")
            #expect(first.data["versions"]?["favorites"] == 1)
            try await events.waitForComment()
            try await change(house, to: "v2")
            let second = try #require(try await events.next())
            #expect(second.data["version"] == 2)
            #expect(second.data["flags"]?["favorites"]?["defaultVariant"] == "v2")
        }
    }

    @Test("a change made by another process over the same database arrives too")
    func otherProcess() async throws {
        try await withServer { house, open async throws in
            let events = Events(try await open(Self.flags))
            _ = try await events.next()
            // A second record over the same database has signals of its own, as another process has.
            let other = Record(database: house.record.database, policy: .shop, now: { house.clock.now })
            let definition = FlagDefinition(variants: ["v1": "v1", "v2": "v2"], defaultVariant: "v2")
            try await other.apply(
                Subject(.flag, "storefront/favorites"), .flag(.changed(definition, reason: "test")),
                by: Actor(.person, "lin"))
            #expect(try await events.next()?.data["version"] == 2)
        }
    }

    @Test("a change reaches 200 clients, who all hold one copy of its bytes")
    func fanOut() async throws {
        try await withServer(adjust: { house in
            // Nobody is to be dropped because the machine is slow, and 200 signs of life every 200 ms would make it so.
            house.services.settings.streamPatience = .hours(1)
            house.services.settings.streamKeepAlive = .hours(1)
        }) { house, open async throws in
            try await withThrowingTaskGroup(of: JSONValue?.self) { group in
                let (connected, connect) = AsyncStream.makeStream(of: Void.self)
                for _ in 1...200 {
                    group.addTask {
                        // One that ends before it is connected would be waited for in vain.
                        defer { connect.finish() }
                        let response = try await open(Self.flags)
                        try #require(response.status == .ok)
                        let events = Events(response)
                        _ = try #require(try await events.next())
                        connect.yield()
                        return try await events.next()?.data["version"]
                    }
                }
                var count = 0
                for await _ in connected {
                    count += 1
                    if count == 200 { break }
                }
                // Throws what ended the one that is missing.
                if count < 200 { _ = try await group.next() }
                #expect(house.services.flagHub.clients == 200)
                try await change(house, to: "v2")
                var versions: [JSONValue?] = []
                for try await version in group { versions.append(version) }
                #expect(versions.count == 200 && versions.allSatisfy { $0 == 2 })
            }
        }
    }

    @Test("no more streams are opened than the limit, and a closed one makes room")
    func slots() async throws {
        try await withServer(adjust: { house in
            house.services.streams = StreamSlots(limit: 1)
        }) { house, open async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (connected, connect) = AsyncStream.makeStream(of: Void.self)
                group.addTask {
                    let events = Events(try await open(Self.flags))
                    _ = try await events.next()
                    connect.yield()
                    while try await events.next() != nil {}
                }
                for await _ in connected { break }
                let refused = try await open(Self.flags)
                #expect(refused.status == .serviceUnavailable)
                #expect(refused.headers.first(name: "Retry-After") != nil)
                group.cancelAll()
                do { try await group.waitForAll() } catch is CancellationError {} catch is HTTPClientError {}
            }
            while house.services.streams.taken > 0 { try await Task.sleep(for: .milliseconds(5)) }
            let next = Events(try await open(Self.flags))
            #expect(try await next.next() != nil)
        }
    }

    @Test("a client that takes nothing is dropped, and delays no other")
    func stalled() async throws {
        try await withServer(adjust: { house in
            house.services.settings.streamPatience = .seconds(2)
        }) { house, open async throws in
            // Its body is never read, so the connection fills up.
            let stalled = try await open(Self.flags)
            let reader = Events(try await open(Self.flags))
            _ = try await reader.nextRaw()
            // A large flag beside the one that changes: each change sends the whole set, so that a few fill the
            // connection, while what a step has to write stays small.
            let filling = JSONValue.string(String(repeating: "x", count: 1 << 18))
            let large = FlagDefinition(variants: ["on": true], defaultVariant: "on", metadata: ["filling": filling])
            try await house.record.apply(
                Subject(.flag, "storefront/large"), .flag(.declared(service: "storefront", key: "large", large)),
                by: .mainstay)
            var version = 2
            #expect(try #require(try await reader.nextRaw()).id == String(version))
            while house.services.streams.taken == 2 {
                version += 1
                let definition = FlagDefinition(
                    variants: ["v1": "v1", "v2": "v2"], defaultVariant: "v1",
                    metadata: ["number": .integer(Int64(version))])
                try await house.record.apply(
                    Subject(.flag, "storefront/favorites"), .flag(.changed(definition, reason: "test")),
                    by: Actor(.person, "ada"))
                #expect(try #require(try await reader.nextRaw()).id == String(version))
            }
            #expect(house.services.streams.taken == 1)
            withExtendedLifetime(stalled) {}
        }
    }

    @Test("the timeline streams new lines, and goes on where a client left off")
    func timeline() async throws {
        try await withServer { house, open async throws in
            let head = try await house.record.timelineHead()
            let events = Events(try await open("/api/v1/timeline/stream?service=storefront"))
            try await events.waitForComment()
            try await change(house, to: "v2")
            let line = try #require(try await events.next())
            #expect(line.name == "entry")
            #expect(line.id == String(head + 1))
            #expect(line.data["kind"] == "flag.changed")
            let again = Events(try await open("/api/v1/timeline/stream?after=\(head)"))
            #expect(try await again.next()?.id == String(head + 1))
        }
    }

    @Test("streams end when the server shuts down")
    func shutdown() async throws {
        // The server of `withServer` shuts down when its body returns, and waits for its connections: that this test
        // ends proves that the streams do.
        try await withServer { _, open async throws in
            _ = try await Events(open(Self.flags)).next()
            _ = try await open("/api/v1/timeline/stream")
        }
    }
}
