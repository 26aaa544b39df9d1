import EndToEndSupport
import NIOCore
import PGWire
import TestSupport
import Testing

@testable import Guard

/// Damaged conversations, by seed: nobody else notices, nothing is left behind, and the guard's idea of what PostgreSQL
/// owes stays right whatever a client sends.
@Suite("Guard: damaged conversations")
struct FuzzTests {
    private static func bytes(_ write: (inout ByteBuffer) -> Void) -> [UInt8] {
        Array(FakeAnswer.make(write).readableBytesView)
    }

    private static func frame(_ type: Unicode.Scalar, _ text: String) -> [UInt8] {
        bytes { $0.writePGFrame(type) { $0.writeString(text) } }
    }

    private static let startup = bytes {
        $0.writePGStartupMessage(
            parameters: [.init(name: "user", value: "postgres"), .init(name: "database", value: "postgres")])
    }

    private static let sync = bytes { $0.writePGSync() }

    private static let frames =
        [
            "SELECT 1", "SELECT 1; SELECT 'b'", "", "BEGIN", "COMMIT", "ROLLBACK", "SELECT 1/0", "SELEC",
            "SHOW TimeZone",
            "COPY (SELECT 1) TO STDOUT", "CREATE TEMP TABLE IF NOT EXISTS f (n int); COPY f FROM STDIN",
            "SET TimeZone = 'CET'", "RESET ALL", "DEALLOCATE ALL", "DISCARD ALL", "PREPARE p AS SELECT 1", "EXECUTE p",
            "DEALLOCATE s", "LISTEN a", "NOTIFY a", "UNLISTEN *", "SELECT generate_series(1, 1000)",
        ].map { text in bytes { $0.writePGQuery(text) } } + [
            frame("P", "\0SELECT 1\0\0\0"), frame("P", "s\0SELECT $1::int\0\0\0"), frame("P", "s\0SELEC\0\0\0"),
            frame("B", "\0\0\0\0\0\0\0\0"), frame("B", "\0s\0\0\0\0\u{1}\0\0\0\u{1}7\0\0"),
            frame("B", "p\0s\0\0\0\0\0\0\0"),
            frame("D", "P\0"), frame("D", "Ss\0"), frame("E", "\0\0\0\0\0"), frame("E", "\0\0\0\0\u{1}"),
            frame("C", "Ss\0"), frame("C", "P\0"), frame("H", ""), sync, sync, sync, frame("d", "1\n"), frame("c", ""),
            frame("f", "no\0"), frame("F", "\0\0\0\u{1}\0\0\0\0\0\0"), frame("X", ""),
        ]

    private static func mutate(_ bytes: inout [UInt8], _ chance: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let at = Int.random(in: bytes.indices, using: &chance)
        switch Int.random(in: 0..<4, using: &chance) {
        case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &chance)
        case 1: bytes[at] = UInt8.random(in: 0...255, using: &chance)
        case 2: bytes.removeSubrange(at..<min(bytes.count, at + 3))
        default: bytes.insert(UInt8.random(in: 0...255, using: &chance), at: at)
        }
    }

    private static func conversation(_ chance: inout SeededGenerator) -> [UInt8] {
        var whole = startup
        if Int.random(in: 0..<8, using: &chance) == 0 { mutate(&whole, &chance) }
        for _ in 0..<Int.random(in: 1...12, using: &chance) {
            var frame = frames.randomElement(using: &chance) ?? sync
            if Int.random(in: 0..<8, using: &chance) == 0 { mutate(&frame, &chance) }
            whole += frame
        }
        return whole
    }

    /// One client: says its part in pieces, hears what comes, and is gone.
    private func play(_ scene: GuardScene, _ seed: UInt64) async throws {
        var chance = SeededGenerator(seed: seed)
        var rest = Self.conversation(&chance)[...]
        let client = try await WireClient.connect(scene.port)
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...200, using: &chance))
            rest = rest.dropFirst(piece.count)
            await client.trySending { $0.writeBytes(piece) }
        }
        if Bool.random(using: &chance) { await client.trySending { $0.writePGSync() } }
        await client.close()
    }

    @Test(
        "clients with damaged messages harm nobody and leave nothing behind",
        .enabled(if: TestDriver.isPostgresAvailable), arguments: 0..<6 as Range<UInt64>, GuardSettings.Mode.allCases)
    func live(seed: UInt64, mode: GuardSettings.Mode) async throws {
        try await GuardScene.runBeforePostgres {
            $0.mode = mode
            $0.limits.poolSize = 5
        } _: { scene in
            try await scene.unnoticed {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<4 as Range<UInt64> {
                        group.addTask {
                            for round in 0..<25 as Range<UInt64> {
                                try await play(scene, seed << 32 | number << 16 | round)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            try await scene.comesToRest()
            #expect(try await scene.counters.violations == 0, "seed \(seed): \(scene.log.text.suffix(2_000))")
            #expect(try await scene.proxy.snapshot().clients == 0)
        }
    }

    // MARK: A server's greeting

    private static let greeting = bytes { bytes in
        bytes.writePGNegotiateProtocolVersion(.init(minorVersion: 0, unknownOptions: ["_pq_.x"]))
        bytes.writePGAuthenticationOk()
        bytes.writePGParameterStatus(name: "TimeZone", value: "UTC")
        bytes.writePGNoticeResponse(ErrorFields(severity: .notice, code: "00000", message: "hello"))
        bytes.writePGBackendKeyData(processID: 7, secret: [1, 2, 3, 4])
        bytes.writePGReadyForQuery(status: UInt8(ascii: "I"))
    }

    private static func start() -> ServerStart {
        ServerStart(startup: [.init(name: "user", value: "u")]) { isEncrypted in
            ServerAuthentication(
                user: "u", credential: .password(SecretBytes("p".utf8)), nonce: ScramNonce(1, 2, 3),
                isEncrypted: isEncrypted)
        }
    }

    @Test(
        "a server's damaged greeting is read, waited for or refused, however it is cut",
        arguments: 0..<8 as Range<UInt64>)
    func greets(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        for round in 0..<300 {
            var bytes = Self.greeting
            for _ in 0..<Int.random(in: 0...3, using: &chance) { Self.mutate(&bytes, &chance) }
            if round % 10 == 0 { bytes = (0..<100).map { _ in UInt8.random(in: 0...255, using: &chance) } }
            let whole = outcome([bytes[...]])
            let cut = Int.random(in: 0...bytes.count, using: &chance)
            #expect(outcome([bytes[..<cut], bytes[cut...]]) == whole, "seed \(seed), round \(round)")
        }
    }

    /// What came of it, in words: the same however the bytes came.
    private func outcome(_ pieces: [ArraySlice<UInt8>]) -> String {
        var (start, input) = (Self.start(), ByteBuffer())
        _ = start.begin(isEncrypted: false)
        for piece in pieces {
            input.writeBytes(piece)
            switch start.receive(&input) {
            case .wait, .send: break
            case .done(let done): return "\(done.parameters) \(done.processID) \(done.secret)"
            case .fail(let error): return "\(error.sqlState) \(error.message)"
            }
        }
        #expect(input.readableBytes <= ServerAuthentication.payloadLimit + FrameHeader.size)
        return "waits"
    }
}
