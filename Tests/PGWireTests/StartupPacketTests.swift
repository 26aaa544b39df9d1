import NIOCore
import Testing

@testable import PGWire

@Suite("Start-up packets")
struct StartupPacketTests {
    private typealias Scene = AuthenticationScene

    private static func startup(_ pairs: KeyValuePairs<String, String>, minor: UInt16 = 0) -> [UInt8] {
        Scene.bytes {
            $0.writePGStartupMessage(minorVersion: minor, parameters: pairs.map { .init(name: $0, value: $1) })
        }
    }

    private static func parse(_ bytes: [UInt8]) throws -> StartupPacket? {
        var buffer = ByteBuffer(bytes: bytes)
        return try StartupPacket.parse(&buffer)
    }

    /// A packet of this code and body, its length right.
    private static func packet(code: UInt32, _ body: [UInt8]) -> [UInt8] {
        Scene.bytes { buffer in
            buffer.writePGLength {
                $0.writeInteger(code)
                $0.writeBytes(body)
            }
        }
    }

    @Test("requests are told apart by their codes")
    func requests() throws {
        #expect(try Self.parse([0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F]) == .sslRequest)
        #expect(try Self.parse([0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x30]) == .gssEncRequest)
        #expect(
            try Self.parse([0, 0, 0, 16, 0x04, 0xD2, 0x16, 0x2E, 0, 0, 1, 2, 9, 8, 7, 6])
                == .cancel(processID: 258, secret: [9, 8, 7, 6]))
        #expect(try Self.parse(Scene.bytes { $0.writePGSSLRequest() }) == .sslRequest)
    }

    @Test("cancel keys have 4 to 256 bytes", arguments: [0, 3, 4, 32, 256, 257])
    func cancelKeys(count: Int) throws {
        let secret = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let bytes = Scene.bytes { $0.writePGCancelRequest(processID: -7, secret: secret) }
        if StartupPacket.cancelSecretLengths.contains(count) {
            #expect(try Self.parse(bytes) == .cancel(processID: -7, secret: secret))
        } else {
            #expect(throws: WireError.self) { try Self.parse(bytes) }
        }
    }

    @Test("a session's parameters keep their order, and the last of a name counts")
    func parameters() throws {
        let bytes = Self.startup(
            [
                "user": "first", "client_encoding": "UTF8", "database": "shop", "user": "alice",
                "application_name": "cart", "options": "-c search_path=a,b", "_pq_.test": "1",
            ], minor: 2)
        guard case .startup(let startup) = try Self.parse(bytes) else {
            Issue.record("no start-up")
            return
        }
        #expect(startup.user == "alice")
        #expect(startup.database == "shop")
        #expect(startup.minorVersion == 2)
        #expect(startup.applicationName == "cart")
        #expect(startup.protocolOptions == ["_pq_.test"])
        #expect(startup.replication == .none)
        #expect(startup.parameters.map(\.name).prefix(4) == ["user", "client_encoding", "database", "user"])
        #expect(
            startup.sessionSettings == [
                .init(name: "search_path", value: "a,b"), .init(name: "client_encoding", value: "UTF8"),
                .init(name: "application_name", value: "cart"),
            ])
    }

    @Test(
        "the database is named as the user where none is given",
        arguments: [["user", "ü"], ["user", "ü", "database", ""]])
    func defaultDatabase(texts: [String]) throws {
        let body = texts.flatMap { (text: String) -> [UInt8] in Array(text.utf8) + [0] } + [0]
        guard case .startup(let startup) = try Self.parse(Self.packet(code: 196_608, body)) else {
            Issue.record("no start-up")
            return
        }
        #expect(startup.database == "ü")
        #expect(startup.applicationName == nil)
    }

    @Test("nothing is taken before the packet is whole, whatever follows it stays")
    func partial() throws {
        let whole = Self.startup(["user": "alice", "database": "shop"])
        for count in 0..<whole.count {
            var buffer = ByteBuffer(bytes: whole[..<count])
            #expect(try StartupPacket.parse(&buffer) == nil, "\(count) bytes")
            #expect(buffer.readableBytes == count)
        }
        var buffer = ByteBuffer(bytes: whole + [1, 2, 3])
        #expect(try StartupPacket.parse(&buffer) != nil)
        #expect(Array(buffer.readableBytesView) == [1, 2, 3])
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
        var sqlState: String
    }

    @Test(
        "what cannot be is refused",
        arguments: [
            Bad(testDescription: "length 0", bytes: [0, 0, 0, 0], sqlState: "08P01"),
            Bad(testDescription: "length 7", bytes: [0, 0, 0, 7], sqlState: "08P01"),
            Bad(testDescription: "negative length", bytes: [0xFF, 0xFF, 0xFF, 0xFF], sqlState: "08P01"),
            Bad(testDescription: "a TLS hello", bytes: [0x16, 3, 1, 2], sqlState: "08P01"),
            Bad(testDescription: "an HTTP request", bytes: Array("GET / HTTP/1.1\r\n".utf8), sqlState: "08P01"),
            Bad(testDescription: "one byte too many", bytes: [0, 0, 0x27, 0x15], sqlState: "08P01"),
            Bad(testDescription: "SSLRequest with more", bytes: packet(code: 80_877_103, [1]), sqlState: "08P01"),
            Bad(testDescription: "protocol 2.0", bytes: packet(code: 2 << 16, [0]), sqlState: "0A000"),
            Bad(testDescription: "protocol 4.0", bytes: packet(code: 4 << 16, [0]), sqlState: "0A000"),
            Bad(testDescription: "no parameters", bytes: packet(code: 3 << 16, [0]), sqlState: "28000"),
            Bad(testDescription: "no bytes", bytes: packet(code: 3 << 16, []), sqlState: "08P01"),
            Bad(testDescription: "an empty user", bytes: startup(["user": ""]), sqlState: "28000"),
            Bad(
                testDescription: "no terminator", bytes: packet(code: 3 << 16, Array("user\0alice\0".utf8)),
                sqlState: "08P01"),
            Bad(
                testDescription: "a name without a value", bytes: packet(code: 3 << 16, Array("user\0".utf8)),
                sqlState: "08P01"),
            Bad(
                testDescription: "bytes after the terminator",
                bytes: packet(code: 3 << 16, Array("user\0alice\0\0x".utf8)), sqlState: "08P01"),
            Bad(
                testDescription: "a name that is not UTF-8",
                bytes: packet(code: 3 << 16, Array("user\0al".utf8) + [0xFC, 0, 0]), sqlState: "22021"),
            Bad(
                testDescription: "replication of what", bytes: startup(["user": "a", "replication": "maybe"]),
                sqlState: "22023"),
            Bad(
                testDescription: "options that are none", bytes: startup(["user": "a", "options": "x"]),
                sqlState: "42601"),
        ])
    func refused(bad: Bad) throws {
        let error = #expect(throws: WireError.self) { try Self.parse(bad.bytes) }
        #expect(error?.sqlState == bad.sqlState)
    }

    @Test("10,000 bytes after the length are the most")
    func limit() throws {
        let room = StartupPacket.lengthLimit - 4 - "user\0\0\0".utf8.count
        #expect(try Self.parse(Self.startup(["user": String(repeating: "a", count: room)])) != nil)
        #expect(throws: WireError.self) {
            try Self.parse(Self.startup(["user": String(repeating: "a", count: room + 1)]))
        }
    }

    @Test(
        "replication is read as PostgreSQL reads booleans",
        arguments: [
            ("true", StartupParameters.Replication.physical), ("T", .physical), ("yes", .physical), ("on", .physical),
            ("1", .physical), ("database", .logical), ("false", .none), ("f", .none), ("no", .none), ("off", .none),
            ("of", .none), ("0", .none),
        ])
    func replication(text: String, expected: StartupParameters.Replication) throws {
        let startup = try StartupParameters(parameters: [
            .init(name: "user", value: "a"), .init(name: "replication", value: text),
        ])
        #expect(startup.replication == expected)
    }

    @Test("neither o nor an empty word is a boolean", arguments: ["o", "", "tru e", "databas"])
    func noBoolean(text: String) {
        #expect(throws: WireError.self) {
            try StartupParameters(parameters: [
                .init(name: "user", value: "a"), .init(name: "replication", value: text),
            ])
        }
    }
}
