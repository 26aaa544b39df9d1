import EndToEndSupport
import Guard
import NIOCore
import PGWire
import TestSupport
import Testing

/// Clients that take their time.
@Suite("Guard: slow clients")
struct SlowClientTests {
    private static let users = "\"postgres\" \"secret\""

    private func withGuard(
        _ login: Int64, _ authentication: GuardSettings.Authentication = .trust,
        _ body: (GuardScene) async throws -> Void
    ) async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.authentication = authentication
                $0.users = (try? UsersFile.parse(Self.users)) ?? UsersFile()
                $0.timeouts.login = login
            } _: {
                try await body($0)
            }
        }
    }

    private static let startup = {
        var bytes = ByteBuffer()
        bytes.writePGStartupMessage(
            parameters: [.init(name: "user", value: "postgres"), .init(name: "database", value: "d")])
        return Array(bytes.readableBytesView)
    }()

    @Test("who does not log in in time is told and put out, wherever it stopped", arguments: [0, 3, 12, startup.count])
    func login(sent: Int) async throws {
        try await withGuard(GuardSettings.Timeouts.second / 5, .scram) { scene in
            let clients = try await withThrowingTaskGroup(of: WireClient.self) { group in
                for _ in 0..<20 { group.addTask { try await WireClient.connect(scene.port) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for client in clients { await client.trySending { $0.writeBytes(Self.startup.prefix(sent)) } }
            for client in clients {
                let answer = try await client.answer()
                #expect(answer.types.last == "E")
                #expect(answer.states == ["08006"])
                #expect(answer.errors.first?.message.contains("too long") == true)
                #expect(answer.status == nil)
            }
            #expect(try await scene.proxy.snapshot().clients == 0)
        }
    }

    @Test("who stops in the middle of TLS's handshake is put out too", .enabled(if: TestAuthority.isPossible))
    func handshake() async throws {
        try await withTemporaryDirectory("guard-slow") { directory in
            let issued = try await TestAuthority.make(in: directory).issue()
            try await FakePostgres.run { fake in
                try await GuardScene.run(before: [fake.target]) {
                    $0.tls = .files(certificate: issued.certificate, key: issued.key, isRequired: false)
                    $0.timeouts.login = GuardSettings.Timeouts.second / 5
                } _: { scene in
                    try await eventually("one gets as far as that in time") { () -> Bool? in
                        let client = try await WireClient.connect(scene.port)
                        await client.trySending { $0.writePGSSLRequest() }
                        let hasBegun = try await client.byte() == "S"
                        while try await client.next(.byte) != nil {}
                        #expect(try await scene.proxy.snapshot().clients == 0)
                        return hasBegun ? true : nil
                    }
                }
            }
        }
    }

    @Test(
        "a client may send byte by byte, and receive nothing but what is its own",
        arguments: GuardSettings.Mode.allCases)
    func bytes(_ mode: GuardSettings.Mode) async throws {
        try await FakePostgres.run { fake in
            try await GuardScene.run(before: [fake.target]) {
                $0.mode = mode
                $0.limits.poolSize = mode == .session ? 2 : 1
            } _: { scene in
                try await scene.unnoticed {
                    let client = try await WireClient.connect(scene.port)
                    var bytes = ByteBuffer(bytes: Self.startup)
                    bytes.writePGQuery("SELECT 'slow'")
                    for byte in bytes.readableBytesView { try await client.send { $0.writeInteger(byte) } }
                    #expect(try await client.answer().status == "I")
                    #expect(try await client.answer().rows == [["slow"]])
                    // In transaction mode half a statement holds no server: the pool has one only.
                    try await client.send { $0.writeBytes([0x51, 0, 0, 0, 100, 0x53]) }
                    let seen = try await scene.counters.queries
                    try await eventually("the witness goes on", every: .milliseconds(5)) {
                        try await scene.counters.queries > seen + 3 ? true : nil
                    }
                    await client.close()
                }
            }
        }
    }

    @Test("a client that does not read holds up nobody else, and gets all of it in the end")
    func unread() async throws {
        let row = String(repeating: "x", count: 1 << 20)
        var behaviour = FakePostgres.Behaviour()
        behaviour.answer = { $0 == .query("much") ? [.send(FakeAnswer.whole(Array(repeating: row, count: 64)))] : nil }
        try await FakePostgres.run(behaviour) { fake in
            try await GuardScene.run(before: [fake.target]) { scene in
                try await scene.unnoticed {
                    let client = try await scene.client()
                    try await client.channel.setOption(.autoRead, value: false).get()
                    try await client.send { $0.writePGQuery("much") }
                    try await fake.hears(.query("much"))
                    let seen = try await scene.counters.queries
                    try await eventually("the witness has asked for long enough", every: .milliseconds(5)) {
                        try await scene.counters.queries > seen + 200 ? true : nil
                    }
                    // The guard reads no more of it than sockets hold.
                    var left: [Int] = []
                    for session in fake.sessions {
                        left.append(try await session.getOption(.bufferedWritableBytes).get())
                    }
                    #expect(left.max() ?? 0 > 24 << 20, "\(left)")
                    try await client.channel.setOption(.autoRead, value: true).get()
                    let answer = try await client.answer()
                    #expect(answer.rows.count == 64 && answer.rows.allSatisfy { $0 == [row] })
                    await client.close()
                }
            }
        }
    }
}
