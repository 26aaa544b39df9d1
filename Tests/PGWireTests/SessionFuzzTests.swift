import NIOCore
import Testing

@testable import PGWire

/// Nonsense from both sides: an error ends the connection, as it does in a proxy; nothing traps, and nothing grows.
@Suite("Session: nonsense")
struct SessionFuzzTests {
    private static let clientFrames: [[UInt8]] = [
        Frame.query("select 1"), Frame.query("copy t from stdin"), Frame.query("DEALLOCATE s"), Frame.parse("", "x"),
        Frame.parse("s", "select 1"), Frame.parse("t", "select 2"), Frame.parse("", "DEALLOCATE s"), Frame.bind(""),
        Frame.bind("s"), Frame.bind("u"), Frame.describe(""), Frame.describe("t"), Frame.describePortal(),
        Frame.execute(), Frame.close("s"), Frame.close(""), Frame.flush, Frame.sync, Frame.sync, Frame.data("abc"),
        Frame.copyDone, Frame.copyFail, Frame.call, Frame.query("DEALLOCATE ALL"), Frame.query("RESET ALL"),
        Frame.query("SET work_mem = 1"), Frame.parse("", "SET search_path = a"), Frame.query("BEGIN"),
        Frame.query("COMMIT"), Frame.bind("", portal: "p"), Frame.execute("p"),
    ]
    private static let serverFrames: [[UInt8]] = [
        Frame.parsed, Frame.bound, Frame.closed, Frame.noData, Frame.suspended, Frame.idle, Frame.open, Frame.failed,
        Frame.parameters, Frame.columns, Frame.copyIn, Frame.copyOut, Frame.result, Frame.row("1"), Frame.empty,
        Frame.done("SELECT 1"), Frame.done("DEALLOCATE ALL"), Frame.done(""), Frame.copyDone, Frame.data("x"),
        Frame.error("42601"), Frame.error("0A000", "cached plan must not change result type \"mainstay_1\""),
        Frame.done("COMMIT"), Frame.done("ROLLBACK"), Frame.error("57P01", severity: .fatal), Frame.make("E"),
        Frame.make("E", [0x43, 0x34]), Frame.make("C"),
        Frame.notice("x"), Frame.notification, Frame.status("TimeZone", "CET"),
    ]
    /// What answers something, so that some conversations get far.
    private static let fitting: [[UInt8]] = [
        Frame.done("SELECT 1") + Frame.idle, Frame.error("42601") + Frame.idle, Frame.copyIn, Frame.parsed,
        Frame.parsed,
        Frame.bound, Frame.noData, Frame.done("SELECT 1"), Frame.closed, Frame.idle, Frame.done("COPY 1"),
    ]

    private static func mutated(_ frame: [UInt8], _ chance: inout QueriesChance) -> [UInt8] {
        var frame = frame
        switch chance.below(24) {
        case 0: frame[chance.below(frame.count)] = UInt8(truncatingIfNeeded: chance.next())
        case 1: frame.removeLast()
        case 2: frame.append(UInt8(truncatingIfNeeded: chance.next()))
        case 3 where frame.count > 5:
            // A payload cut short in a frame that is whole.
            frame = Frame.make(Unicode.Scalar(frame[0]), Array(frame[5..<(5 + chance.below(frame.count - 5))]))
        default: break
        }
        return frame
    }

    private static func play(_ seed: Int, mutates: Bool) throws -> Int {
        var chance = QueriesChance(seed: UInt64(seed))
        let pool = SessionPool()
        var (scene, errors) = (SessionScene(pool, sharesStatements: chance.below(4) > 0), 0)
        for _ in 0..<400 {
            do throws(WireError) {
                if chance.below(40) == 0 { _ = scene.server?.ask("SELECT 1") }
                if chance.below(60) == 0 { _ = scene.server?.endBatch() }
                if chance.below(60) == 0, scene.client.isBetweenMessages, scene.unread.client == 0 {
                    _ = scene.refuse(mutates ? mutated(chance.pick(clientFrames), &chance) : Frame.sync)
                }
                if chance.below(2) == 0 {
                    var frame = chance.pick(clientFrames)
                    if mutates { frame = mutated(frame, &chance) }
                    let output = try scene.forward(frame)
                    guard output.server.count <= scene.unread.client + 4096 else { throw .protocolViolation("grown") }
                } else {
                    var frame = chance.pick(serverFrames)
                    if chance.below(3) > 0 {
                        frame = chance.pick(fitting)
                    }
                    if mutates { frame = mutated(frame, &chance) }
                    _ = try scene.read(frame, hasClient: chance.below(20) > 0)
                }
            } catch {
                errors += 1
                #expect(error.code == .protocolViolation || error.code == .tooLarge, "seed \(seed): \(error)")
                scene = SessionScene(pool, sharesStatements: chance.below(4) > 0)
            }
            check(scene, seed)
        }
        return errors
    }

    private static func check(_ scene: SessionScene, _ seed: Int) {
        guard let server = scene.server else { return }
        let isBounded =
            server.prepared.count <= 8 && server.parameters.count <= 400 && scene.client.changes.count <= 400
        let isConsistent = !server.isAtRest || (server.isQuiet && !server.owes && server.status == .idle)
        if !isBounded || !isConsistent { Issue.record("seed \(seed): \(scene.state)") }
        scene.events.removeAll()
    }

    @Test("whole messages in any order", arguments: 0..<8)
    func orders(_ block: Int) throws {
        var errors = 0
        for seed in (block * 40)..<(block * 40 + 40) { errors += try Self.play(seed, mutates: false) }
        #expect(errors > 0)
    }

    @Test("damaged messages in any order", arguments: 0..<8)
    func damages(_ block: Int) throws {
        var errors = 0
        for seed in (block * 40)..<(block * 40 + 40) { errors += try Self.play(seed + 10_000, mutates: true) }
        #expect(errors > 0)
    }

    @Test("bytes without any sense", arguments: 0..<4)
    func bytes(_ block: Int) {
        for seed in (block * 200)..<(block * 200 + 200) {
            var chance = QueriesChance(seed: UInt64(seed))
            let scene = SessionScene()
            do throws(WireError) {
                for _ in 0..<20 {
                    let bytes = (0..<chance.below(40)).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
                    if chance.below(2) == 0 { _ = try scene.forward(bytes) } else { _ = try scene.read(bytes) }
                }
            } catch {
                #expect(error.sqlState == "08P01" || error.sqlState == "54000", "seed \(seed): \(error)")
            }
        }
    }
}
