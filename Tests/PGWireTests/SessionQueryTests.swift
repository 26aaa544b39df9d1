import NIOCore
import Testing

@testable import PGWire

@Suite("Session: queries")
struct SessionQueryTests {
    private let scene = SessionScene()
    private var server: ServerConversation { get throws { try #require(scene.server) } }

    @Test("a simple query is passed on, and its answer")
    func simple() throws {
        try scene.sends(Frame.query("select 1"))
        #expect(try !server.isAtRest)
        try scene.answers(Frame.columns, Frame.row("1"), Frame.done("SELECT 1"))
        #expect(try !server.isAtRest)
        try scene.answers(Frame.idle)
        #expect(try server.isAtRest)
        #expect(scene.events.count == 2)
        guard case .ended(let statement)? = scene.events.first else { throw Unexpected() }
        #expect(statement.rows == 1)
        #expect(statement.tag == .select)
        #expect(statement.sqlState == nil)
    }

    @Test("a simple query of several statements adds up their rows; its error is told once")
    func several() throws {
        try scene.sends(Frame.query("select 1; select 2; select 1/0"))
        try scene.answers(Frame.columns, Frame.row("1"), Frame.done("SELECT 3"), Frame.empty)
        try scene.answers(Frame.done("INSERT 0 2"), Frame.error("22012"), Frame.idle)
        guard case .ended(let statement)? = scene.events.first else { throw Unexpected() }
        #expect(statement.rows == 5)
        #expect(statement.sqlState == SQLState("22012"))
        #expect(try server.isAtRest)
    }

    @Test("the extended protocol is passed on: with Sync, with Flush, and all in one or in turns")
    func extended() throws {
        try scene.sends(
            Frame.parse("", "select 1"), Frame.bind(""), Frame.describePortal(), Frame.execute(), Frame.sync)
        try scene.answers(Frame.parsed, Frame.bound, Frame.noData, Frame.done("SELECT 0"), Frame.idle)
        #expect(try server.isAtRest)
        try scene.sends(Frame.parse("", "select 1"), Frame.describe(""), Frame.flush)
        try scene.answers(Frame.parsed, Frame.parameters, Frame.columns)
        #expect(try server.isQuiet)
        #expect(try server.hasOpenBatch)
        #expect(try !server.isAtRest)
        try scene.sends(Frame.bind(""), Frame.execute(), Frame.flush)
        try scene.answers(Frame.bound, Frame.row("1"), Frame.suspended)
        try scene.sends(Frame.execute(), Frame.sync)
        #expect(try !server.hasOpenBatch)
        try scene.answers(Frame.done("SELECT 1"), Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("what the server keeps back until a Sync does not end the batch")
    func unanswered() throws {
        try scene.sends(Frame.parse("", "select 1"))
        #expect(try server.hasOpenBatch)
        try scene.answers(Frame.parsed)
        #expect(try !server.isAtRest)
        try scene.sends(Frame.sync)
        try scene.answers(Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("a pipeline has one ReadyForQuery for each Sync, and is at rest after the last")
    func pipeline() throws {
        let batch = [Frame.parse("", "select 1"), Frame.bind(""), Frame.execute(), Frame.sync].flatMap(\.self)
        try scene.sends(batch, batch, Frame.query("select 2"), Frame.sync)
        for _ in 0..<2 {
            try scene.answers(Frame.parsed, Frame.bound, Frame.done("SELECT 0"), Frame.idle)
            #expect(try !server.isAtRest)
        }
        try scene.answers(Frame.done("SELECT 0"), Frame.idle)
        #expect(try !server.isAtRest)
        try scene.answers(Frame.idle)
        #expect(try server.isAtRest)
        #expect(throws: WireError.self) { try scene.read(Frame.idle) }
    }

    @Test("after an error the server skips to the Sync that was sent, and no further")
    func errorBeforeSync() throws {
        try scene.sends(
            Frame.parse("", "select 1"), Frame.bind(""), Frame.execute(), Frame.execute(), Frame.sync,
            Frame.query("select 2"))
        try scene.answers(Frame.parsed, Frame.error("22P02"))
        #expect(try !server.isSkippingToSync)
        let ends = scene.events.map { event in
            switch event {
            case .ended(let statement): "ended \(statement.sqlState?.description ?? "")"
            case .skipped(let statement): "skipped \(statement.sqlState?.description ?? "")"
            default: "other"
            }
        }
        #expect(ends == ["ended 22P02", "skipped 22P02"])
        try scene.answers(Frame.idle)
        #expect(try !server.isAtRest)
        try scene.answers(Frame.done("SELECT 1"), Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("after an error nothing is sent but the Sync, not even a query, in pieces or not")
    func errorThenSync() throws {
        try scene.sends(Frame.parse("", "selec"), Frame.flush)
        try scene.answers(Frame.error("42601"))
        #expect(try server.isSkippingToSync)
        #expect(try !server.isAtRest)
        try scene.sends(Frame.bind(""), Frame.query("select 1"), Frame.flush, Frame.data("x"), server: [])
        for byte in Frame.query("select 2") { try scene.sends([byte], server: []) }
        try scene.sends(Frame.sync)
        #expect(try !server.isSkippingToSync)
        try scene.answers(Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("an error at the Sync itself is followed by its ReadyForQuery")
    func errorAtSync() throws {
        try scene.sends(Frame.parse("", "select 1"), Frame.bind(""), Frame.execute(), Frame.sync)
        try scene.answers(Frame.parsed, Frame.bound, Frame.done("INSERT 0 1"), Frame.error("23505"), Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("a function call has its answer; its error is no other statement's")
    func functionCall() throws {
        try scene.sends(Frame.call, Frame.query("select 1"))
        try scene.answers(Frame.error("42883"), Frame.idle, Frame.done("SELECT 1"), Frame.idle)
        let states = scene.events.compactMap { event -> String? in
            if case .ended(let statement) = event { statement.sqlState?.description ?? "well" } else { nil }
        }
        #expect(states == ["well"])
        #expect(try server.isAtRest)
    }

    @Test("a function called by its number may do anything: the client keeps its server")
    func functionTaint() throws {
        try scene.sends(Frame.call)
        try scene.answers(Frame.result, Frame.idle)
        #expect(scene.client.taint == .unreadable)
    }

    @Test("without a server Sync, Flush and stray COPY messages are answered or read over")
    func alone() throws {
        let scene = SessionScene(server: nil)
        try scene.sends(Frame.sync, server: [], client: [Frame.idle])
        try scene.sends(Frame.flush, Frame.data("x"), Frame.copyDone, Frame.copyFail, server: [])
        try scene.sends(Frame.query("select 1"), server: [], .needsServer)
        try scene.sends([], server: [], .needsServer)
        scene.server = .started()
        try scene.sends([], server: [Frame.query("select 1")])
        try scene.answers(Frame.empty, Frame.idle)
        scene.server = nil
        try scene.sends(Frame.terminate, server: [], .terminated)
    }

    // MARK: The golden rule

    private static let strays: [[UInt8]] = [
        Frame.parsed, Frame.bound, Frame.closed, Frame.noData, Frame.suspended, Frame.idle, Frame.parameters,
        Frame.columns, Frame.copyIn, Frame.copyOut, Frame.result, Frame.row("1"), Frame.done("SELECT 1"), Frame.empty,
        Frame.copyDone, Frame.data("x"), Frame.error("XX000"), Frame.make("R", [0, 0, 0, 0]), Frame.make("K"),
        Frame.make("W", [0, 0, 0]), Frame.make("v"), Frame.make("q"),
    ]

    @Test("whatever a server says without being asked ends the connection", arguments: strays)
    func stray(_ frame: [UInt8]) throws {
        #expect(throws: WireError.self) { try scene.read(frame) }
    }

    /// What may answer each message, next to errors; all else throws.
    private static let fitting: [(sent: [UInt8], types: String)] = [
        (Frame.query("select 1"), "TCIHcGWE"), (Frame.parse("", "select 1"), "1E"), (Frame.describe(""), "3E"),
        (Frame.describePortal(), "TnE"), (Frame.execute(), "CIsHDcGWE"), (Frame.close(""), "3E"), (Frame.call, "VZE"),
        (Frame.sync, "ZE"),
    ]

    @Test("whatever does not fit the oldest question ends the connection", arguments: fitting)
    func unfitting(_ sent: [UInt8], _ types: String) throws {
        for frame in Self.strays {
            let scene = SessionScene()
            _ = try scene.forward(sent)
            let type = Unicode.Scalar(frame[0])
            if types.unicodeScalars.contains(type) {
                #expect(throws: Never.self, "\(type)") { try scene.read(frame) }
            } else {
                #expect(throws: WireError.self, "\(type)") { try scene.read(frame) }
            }
        }
    }

    /// What is left of an earlier answer, and comes before the beginning of the next.
    private static let late: [[UInt8]] = [
        Frame.row("1"), Frame.idle, Frame.data("x"), Frame.columns + Frame.idle, Frame.columns + Frame.data("x"),
        Frame.columns + Frame.done("SELECT 1") + Frame.row("1"), Frame.done("SELECT 1") + Frame.idle + Frame.row("1"),
        Frame.copyOut + Frame.row("1"),
        Frame.copyOut + Frame.copyDone + Frame.done("COPY 0") + Frame.data("x"),
    ]

    @Test("an answer that does not begin at its beginning is another's, and ends the connection", arguments: late)
    func unbegun(_ bytes: [UInt8]) throws {
        let scene = SessionScene()
        _ = try scene.forward(Frame.query("select 1") + Frame.query("select 2"))
        #expect(throws: WireError.self) { try scene.read(bytes) }
    }

    @Test("a malformed ReadyForQuery, ParameterStatus or length ends the connection")
    func malformed() throws {
        for frame in [Frame.make("Z"), Frame.make("Z", [0x58]), Frame.make("Z", [0x49, 0]), [0x5A, 0, 0, 0, 3]] {
            let scene = SessionScene()
            _ = try scene.forward(Frame.sync)
            #expect(throws: WireError.self) { try scene.read(frame) }
        }
        #expect(throws: WireError.self) { try scene.read(Frame.make("S", Array("name".utf8) + [0])) }
    }

    @Test("messages that have to be seen whole have a limit, and the server none for rows")
    func limits() throws {
        _ = try scene.forward(Frame.query("select 1"))
        _ = try scene.read(Frame.columns + [0x44, 0x20, 0, 0, 0])
        #expect(try !server.isQuiet)
        let other = SessionScene()
        _ = try other.forward(Frame.query("select 1"))
        #expect(throws: WireError.self) { try other.read([0x45, 0x20, 0, 0, 0]) }
        for header: [UInt8] in [[0x44, 0x7F, 0xFF, 0xFF, 0xFF], [0x44, 0, 0, 0, 3], [0x44, 0xFF, 0xFF, 0xFF, 0xFF]] {
            let other = SessionScene()
            _ = try other.forward(Frame.query("select 1"))
            _ = try other.read(Frame.columns)
            #expect(throws: WireError.self) { try other.read(header) }
        }
    }

    @Test("a client's oversized, unknown and malformed messages are refused")
    func clientLimits() throws {
        let broken: [[UInt8]] = [
            [0x51, 0x7F, 0xFF, 0xFF, 0xFF], [0x51, 0, 0, 0, 3], [0x21, 0, 0, 0, 4], [0x51, 0x05, 0, 0, 0],
            Frame.make("p", [0]), Frame.make("P"), Frame.make("P", Frame.text("a")), Frame.make("B", [0]),
            Frame.make("B"), Frame.make("D"), Frame.make("D", [0x53]), Frame.make("C"), Frame.make("C", [0x53, 0x61]),
        ]
        for bytes in broken {
            let scene = SessionScene()
            #expect(throws: WireError.self, "\(Frame.shown(bytes))") { try scene.forward(bytes) }
        }
        // COPY data is passed on as it comes.
        let scene = SessionScene()
        try scene.sends(Frame.query("copy t from stdin"))
        try scene.answers(Frame.copyIn)
        try scene.sends([0x64, 0x3F, 0, 0, 0], [1, 2, 3])
        #expect(!scene.client.isBetweenMessages)
    }
}

struct Unexpected: Error {}
