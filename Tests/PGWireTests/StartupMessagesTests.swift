import NIOCore
import Testing

@testable import PGWire

@Suite("Messages of the start-up")
struct StartupMessagesTests {
    private typealias Scene = AuthenticationScene

    struct Sample: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
        var write: @Sendable (inout ByteBuffer) -> Void

        init(_ name: String, _ bytes: [UInt8], _ write: @escaping @Sendable (inout ByteBuffer) -> Void) {
            testDescription = name
            self.bytes = bytes
            self.write = write
        }
    }

    @Test(
        "are written byte by byte as the protocol has them",
        arguments: [
            Sample("AuthenticationOk", [0x52, 0, 0, 0, 8, 0, 0, 0, 0]) { $0.writePGAuthenticationOk() },
            Sample("Cleartext", [0x52, 0, 0, 0, 8, 0, 0, 0, 3]) { $0.writePGAuthenticationCleartextPassword() },
            Sample("MD5", [0x52, 0, 0, 0, 12, 0, 0, 0, 5, 1, 2, 3, 4]) {
                $0.writePGAuthenticationMD5Password(salt: 0x0102_0304)
            },
            Sample("SASL", [0x52, 0, 0, 0, 13, 0, 0, 0, 10, 65, 0, 66, 0, 0]) {
                $0.writePGAuthenticationSASL(mechanisms: ["A", "B"])
            },
            Sample("SASLContinue", [0x52, 0, 0, 0, 10, 0, 0, 0, 11, 7, 8]) {
                $0.writePGAuthenticationSASLContinue([7, 8])
            },
            Sample("SASLFinal", [0x52, 0, 0, 0, 9, 0, 0, 0, 12, 9]) { $0.writePGAuthenticationSASLFinal([9]) },
            Sample("ParameterStatus", [0x53, 0, 0, 0, 9, 97, 0, 98, 99, 0]) {
                $0.writePGParameterStatus(name: "a", value: "bc")
            },
            Sample("BackendKeyData", [0x4B, 0, 0, 0, 12, 0, 0, 0, 1, 9, 8, 7, 6]) {
                $0.writePGBackendKeyData(processID: 1, secret: [9, 8, 7, 6])
            },
            Sample("ReadyForQuery", [0x5A, 0, 0, 0, 5, 0x49]) { $0.writePGReadyForQuery(status: 0x49) },
            Sample("Negotiate", [0x76, 0, 0, 0, 14, 0, 3, 0, 2, 0, 0, 0, 1, 97, 0]) {
                $0.writePGNegotiateProtocolVersion(.init(minorVersion: 2, unknownOptions: ["a"]))
            },
            Sample("SSLRequest", [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F]) { $0.writePGSSLRequest() },
            Sample("CancelRequest", [0, 0, 0, 16, 0x04, 0xD2, 0x16, 0x2E, 0, 0, 0, 5, 1, 2, 3, 4]) {
                $0.writePGCancelRequest(processID: 5, secret: [1, 2, 3, 4])
            },
            Sample("StartupMessage", [0, 0, 0, 13, 0, 3, 0, 0, 97, 0, 98, 0, 0]) {
                $0.writePGStartupMessage(parameters: [.init(name: "a", value: "b"), .init(name: "", value: "c")])
            },
            Sample("PasswordMessage", [0x70, 0, 0, 0, 6, 97, 0]) { $0.writePGPasswordMessage([97]) },
            Sample("SASLInitialResponse", [0x70, 0, 0, 0, 12, 77, 0, 0, 0, 0, 2, 1, 2]) {
                $0.writePGSASLInitialResponse(mechanism: "M", data: [1, 2])
            },
            Sample("SASLResponse", [0x70, 0, 0, 0, 5, 1]) { $0.writePGSASLResponse([1]) },
            Sample("Query", [0x51, 0, 0, 0, 6, 59, 0]) { $0.writePGQuery(";") },
            Sample("Query with a zero", [0x51, 0, 0, 0, 6, 59, 0]) { $0.writePGQuery(";\0x") },
            Sample("Sync", [0x53, 0, 0, 0, 4]) { $0.writePGSync() },
            Sample("Terminate", [0x58, 0, 0, 0, 4]) { $0.writePGTerminate() },
            Sample("ErrorResponse", [0x45, 0, 0, 0, 25] + Array("SERROR\0VERROR\0C1\0Mm\0\0".utf8)) {
                $0.writePGErrorResponse(ErrorFields(severity: .error, code: "1", message: "m"))
            },
            Sample(
                "NoticeResponse", [0x4E, 0, 0, 0, 33] + Array("SNOTICE\0VNOTICE\0C1\0Mm\0Dd\0Hh\0\0".utf8)
            ) {
                $0.writePGNoticeResponse(
                    ErrorFields(severity: .notice, code: "1", message: "m", detail: "d", hint: "h"))
            },
        ])
    func written(sample: Sample) {
        #expect(Scene.bytes(sample.write) == sample.bytes)
    }

    @Test("an error is read as it was written, all of its fields")
    func errorFields() throws {
        var fields = ErrorFields(severity: .fatal, code: "28P01", message: "nö", detail: "d", hint: "h")
        (fields.position, fields.internalPosition, fields.internalQuery) = (7, 8, "select")
        (fields.context, fields.schema, fields.table, fields.column) = ("w", "s", "t", "c")
        (fields.dataType, fields.constraint, fields.file, fields.line) = ("d", "n", "f.c", "12")
        fields.routine = "r"
        #expect(try ErrorFields(parsing: Scene.payload { $0.writePGErrorResponse(fields) }) == fields)
        #expect(try ErrorFields(parsing: Scene.payload { $0.writePGNoticeResponse(fields) }) == fields)
    }

    @Test(
        "the severity is the one that is not translated",
        arguments: [
            ("SFEHLER\0VERROR\0C1\0Mm\0\0", ErrorFields.Severity.error), ("SFATAL\0C1\0Mm\0\0", .fatal),
            ("SFEHLER\0C1\0Mm\0\0", nil), ("C1\0Mm\0?x\0\0", nil), ("VWAS\0C1\0Mm\0\0", nil),
        ])
    func severity(text: String, severity: ErrorFields.Severity?) throws {
        #expect(try ErrorFields(parsing: ByteBuffer(string: text)).severity == severity)
    }

    @Test(
        "a malformed error is none",
        arguments: [
            "", "\0", "C1\0Mm\0", "C1\0Mm", "C1\0\0", "Mm\0\0", "C1\0Mm\0\0x",
            String(repeating: "x\0", count: 65) + "C1\0Mm\0\0",
        ])
    func malformed(text: String) {
        #expect(throws: WireError.self) { try ErrorFields(parsing: ByteBuffer(string: text)) }
    }

    @Test("bytes that are not UTF-8 do not keep an error from being read")
    func otherEncodings() throws {
        let bytes: [UInt8] = Array("C1\0M".utf8) + [0xE4, 0, 0]
        #expect(try ErrorFields(parsing: ByteBuffer(bytes: bytes)).message == "\u{FFFD}")
    }

    struct Negotiated: Sendable, CustomTestStringConvertible {
        var asked: UInt16
        var options: [String] = []
        var supported: UInt16 = 0
        var answer: ProtocolNegotiation?

        var testDescription: String { "3.\(asked) \(options), server 3.\(supported)" }
    }

    @Test(
        "versions and options are negotiated only where something is not known",
        arguments: [
            Negotiated(asked: 0, answer: nil), Negotiated(asked: 2, supported: 2, answer: nil),
            Negotiated(asked: 0, supported: 2, answer: nil),
            Negotiated(asked: 2, answer: .init(minorVersion: 0, unknownOptions: [])),
            Negotiated(asked: 9_999, supported: 2, answer: .init(minorVersion: 2, unknownOptions: [])),
            Negotiated(
                asked: 9_999, options: ["_pq_.a", "_pq_.b"],
                answer: .init(minorVersion: 0, unknownOptions: ["_pq_.a", "_pq_.b"])),
            Negotiated(asked: 0, options: ["_pq_.a"], answer: .init(minorVersion: 0, unknownOptions: ["_pq_.a"])),
            Negotiated(asked: 0, options: ["_pq_.known"], answer: nil),
            Negotiated(asked: 0, options: ["plain"], answer: nil),
        ])
    func negotiation(case sample: Negotiated) throws {
        let startup = try StartupParameters(
            minorVersion: sample.asked,
            parameters: [.init(name: "user", value: "a")] + sample.options.map { .init(name: $0, value: "1") })
        let answer = ProtocolNegotiation(
            answering: startup, supportedMinorVersion: sample.supported, knownOptions: ["_pq_.known"])
        #expect(answer == sample.answer)
        if let answer {
            let payload = try Scene.payload { $0.writePGNegotiateProtocolVersion(answer) }
            #expect(try ProtocolNegotiation(parsing: payload) == answer)
        }
    }

    @Test(
        "a negotiation that cannot be is refused",
        arguments: [
            [], [0, 3, 0, 0], [0, 2, 0, 0, 0, 0, 0, 0], [0, 3, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF],
            [0, 3, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF], [0, 3, 0, 0, 0, 0, 0, 1, 97], [0, 3, 0, 0, 0, 0, 0, 0, 97],
        ] as [[UInt8]])
    func badNegotiation(bytes: [UInt8]) {
        #expect(throws: WireError.self) { try ProtocolNegotiation(parsing: ByteBuffer(bytes: bytes)) }
    }
}
