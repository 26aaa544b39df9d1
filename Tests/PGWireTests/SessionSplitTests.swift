import NIOCore
import Testing

@testable import PGWire

/// A recorded conversation, cut into pieces everywhere: the same bytes are passed on, and the state is the same.
@Suite("Session: pieces")
struct SessionSplitTests {
    private struct Step {
        var isClient: Bool
        var bytes: [UInt8]
    }

    private static func client(_ frames: [UInt8]...) -> Step { Step(isClient: true, bytes: frames.flatMap(\.self)) }
    private static func server(_ frames: [UInt8]...) -> Step { Step(isClient: false, bytes: frames.flatMap(\.self)) }

    private static let recorded = [
        client(Frame.parse("s", "select 1"), Frame.parse("", "select 2"), Frame.describe("s"), Frame.sync),
        server(Frame.parsed, Frame.parsed, Frame.notice("hello"), Frame.parameters, Frame.columns, Frame.idle),
        client(Frame.bind("s"), Frame.parse("t", "select 1"), Frame.execute(), Frame.close("s"), Frame.sync),
        server(Frame.bound, Frame.row("1"), Frame.row("2"), Frame.done("SELECT 2"), Frame.idle),
        client(Frame.query("copy t from stdin")), server(Frame.notification, Frame.copyIn),
        client(Frame.data("12345"), Frame.sync, Frame.data(""), Frame.copyDone),
        server(Frame.done("COPY 1"), Frame.status("TimeZone", "CET"), Frame.idle),
        client(Frame.bind("t"), Frame.bind("nobody's"), Frame.execute(), Frame.flush),
        server(Frame.bound, Frame.error("26000", "\"mainstay_1\" and \"mainstay_2\"")),
        client(Frame.query("skipped"), Frame.sync), server(Frame.failed),
        client(Frame.call), server(Frame.result, Frame.open),
    ]

    private struct Outcome: Equatable {
        var server: [UInt8] = []
        var client: [UInt8] = []
        var state = ""
    }

    private static func play(_ pieces: (Int, [UInt8]) -> [[UInt8]]) throws -> Outcome {
        let scene = SessionScene()
        var outcome = Outcome()
        for (index, step) in recorded.enumerated() {
            for piece in pieces(index, step.bytes) {
                if step.isClient {
                    let output = try scene.forward(piece)
                    outcome.server += output.server
                    outcome.client += output.client
                } else {
                    outcome.client += try scene.read(piece)
                }
            }
            outcome.state += scene.state + "\n"
        }
        return outcome
    }

    @Test("every cut into two gives the same")
    func two() throws {
        let whole = try Self.play { _, bytes in [bytes] }
        #expect(!whole.server.isEmpty)
        for (step, recorded) in Self.recorded.enumerated() {
            for cut in 0...recorded.bytes.count {
                let outcome = try Self.play { index, bytes in
                    index == step ? [Array(bytes[..<cut]), Array(bytes[cut...])] : [bytes]
                }
                #expect(outcome == whole, "step \(step) cut at \(cut)")
            }
        }
    }

    @Test("every cut into three gives the same")
    func three() throws {
        let whole = try Self.play { _, bytes in [bytes] }
        for second in stride(from: 0, to: 120, by: 5) {
            for first in stride(from: 0, through: second, by: 4) {
                let outcome = try Self.play { _, bytes in
                    let (from, to) = (min(first, bytes.count), min(second, bytes.count))
                    return [Array(bytes[..<from]), Array(bytes[from..<to]), Array(bytes[to...])]
                }
                guard outcome != whole else { continue }
                Issue.record("cut at \(first) and \(second)")
                return
            }
        }
    }

    @Test("byte by byte gives the same")
    func bytes() throws {
        let whole = try Self.play { _, bytes in [bytes] }
        #expect(try Self.play { _, bytes in bytes.map { [$0] } } == whole)
    }
}
