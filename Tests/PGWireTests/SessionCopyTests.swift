import NIOCore
import Testing

@testable import PGWire

@Suite("Session: COPY")
struct SessionCopyTests {
    private let scene = SessionScene()
    private var server: ServerConversation { get throws { try #require(scene.server) } }
    private let copy = Frame.bind("") + Frame.execute()

    @Test("COPY from the client, simple: data as it comes, then the end")
    func simpleIn() throws {
        try scene.sends(Frame.query("copy t from stdin"))
        try scene.answers(Frame.copyIn)
        #expect(try server.isCopyingIn)
        try scene.sends(Frame.data("1\n"), Frame.data("2\n"), Frame.copyDone)
        #expect(try !server.isCopyingIn)
        try scene.answers(Frame.done("COPY 2"), Frame.idle)
        #expect(try server.isAtRest)
        guard case .ended(let statement)? = scene.events.first else { throw Unexpected() }
        #expect(statement.rows == 2)
        #expect(statement.tag == .copy)
    }

    @Test("COPY to the client, in both protocols")
    func out() throws {
        try scene.sends(Frame.query("copy t to stdout"))
        try scene.answers(Frame.copyOut, Frame.data("1\n"), Frame.copyDone, Frame.done("COPY 1"), Frame.idle)
        try scene.sends(Frame.parse("", "copy t to stdout"), copy, Frame.sync)
        try scene.answers(Frame.parsed, Frame.bound, Frame.copyOut, Frame.data("1"), Frame.copyDone)
        try scene.answers(Frame.done("COPY 1"), Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("data and end that were sent before the server asked for them")
    func pipelined() throws {
        try scene.sends(Frame.query("copy t from stdin"), Frame.data("1"), Frame.copyDone, Frame.query("select 1"))
        try scene.answers(Frame.copyIn)
        #expect(try !server.isCopyingIn)
        try scene.answers(Frame.done("COPY 1"), Frame.idle)
        #expect(try !server.isAtRest)
        try scene.answers(Frame.done("SELECT 0"), Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("an end that was sent early ends one copy; the next one of the same query waits for its own")
    func twoCopies() throws {
        try scene.sends(Frame.query("copy t from stdin; copy u from stdin"), Frame.data("1"), Frame.copyDone)
        try scene.answers(Frame.copyIn, Frame.done("COPY 1"), Frame.copyIn)
        #expect(try server.isCopyingIn)
        try scene.sends(Frame.copyFail)
        try scene.answers(Frame.error("57014"), Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("extended, with the Sync after the end")
    func extended() throws {
        try scene.sends(Frame.parse("", "copy t from stdin"), copy, Frame.flush)
        try scene.answers(Frame.parsed, Frame.bound, Frame.copyIn)
        try scene.sends(Frame.data("1"), Frame.copyDone, Frame.sync)
        try scene.answers(Frame.done("COPY 1"), Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("a Sync that the server reads over as part of the copy is owed no answer, and commits nothing")
    func syncBeforeCopy() throws {
        try scene.sends(Frame.parse("", "copy t from stdin"), copy, Frame.sync)
        try scene.answers(Frame.parsed, Frame.bound, Frame.copyIn)
        try scene.sends(Frame.data("1"), Frame.copyDone)
        try scene.answers(Frame.done("COPY 1"))
        #expect(try server.isQuiet)
        #expect(try server.hasOpenBatch)
        #expect(try !server.isAtRest)
        try scene.sends(Frame.sync)
        try scene.answers(Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("the same with everything sent at once")
    func syncAndEndBeforeCopy() throws {
        try scene.sends(
            Frame.parse("", "copy t from stdin"), copy, Frame.sync, Frame.data("1"), Frame.copyDone, Frame.sync)
        try scene.answers(Frame.parsed, Frame.bound, Frame.copyIn, Frame.done("COPY 1"))
        #expect(try !server.isAtRest)
        try scene.answers(Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("a Sync during the copy is not sent")
    func syncDuringCopy() throws {
        try scene.sends(Frame.query("copy t from stdin"))
        try scene.answers(Frame.copyIn)
        try scene.sends(Frame.sync, Frame.data("1"), server: [Frame.data("1")])
        try scene.sends(Frame.copyFail)
        try scene.answers(Frame.error("57014"), Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("an error in the middle: what the client still sends is read over")
    func error() throws {
        try scene.sends(Frame.query("copy t from stdin"))
        try scene.answers(Frame.copyIn)
        try scene.sends(Frame.data("x"))
        try scene.answers(Frame.error("22P02"), Frame.idle)
        #expect(try server.isAtRest)
        try scene.sends(Frame.data("y"), Frame.copyDone, Frame.copyFail, server: [])
        try scene.sends(Frame.query("select 1"))
        #expect(try !server.isCopyingIn)
    }

    @Test("an error in the middle, extended: all up to the Sync")
    func extendedError() throws {
        try scene.sends(Frame.parse("", "copy t from stdin"), copy, Frame.flush)
        try scene.answers(Frame.parsed, Frame.bound, Frame.copyIn, Frame.error("22P02"))
        #expect(try server.isSkippingToSync)
        try scene.sends(Frame.data("y"), Frame.copyDone, Frame.sync, server: [Frame.sync])
        try scene.answers(Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("a copy that never begins, with everything sent at once")
    func neverBegins() throws {
        try scene.sends(
            Frame.parse("", "copy nothing from stdin"), copy, Frame.data("1"), Frame.copyDone, Frame.sync)
        try scene.answers(Frame.error("42P01"), Frame.idle)
        #expect(try server.isAtRest)
        try scene.sends(Frame.query("copy nothing from stdin"), Frame.data("1"), Frame.copyDone)
        try scene.answers(Frame.error("42P01"), Frame.idle)
        #expect(try server.isAtRest)
    }

    @Test("a client that leaves during a copy: it fails, and its batch ends")
    func leaves() throws {
        try scene.sends(Frame.parse("", "copy t from stdin"), copy, Frame.sync)
        try scene.answers(Frame.parsed, Frame.bound, Frame.copyIn)
        let end = try server.endBatch().map { Array($0.readableBytesView) }
        #expect(end == Frame.make("f", Frame.text("the client left")) + Frame.sync)
        #expect(try scene.read(Frame.error("57014") + Frame.idle, hasClient: false).isEmpty)
        #expect(try server.isAtRest)
    }
}
