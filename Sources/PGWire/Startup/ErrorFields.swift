import NIOCore

/// What an ErrorResponse or a NoticeResponse says.
package struct ErrorFields: Hashable, Sendable {
    package enum Severity: String, Sendable {
        case error = "ERROR"
        case fatal = "FATAL"
        case panic = "PANIC"
        case warning = "WARNING"
        case notice = "NOTICE"
        case debug = "DEBUG"
        case info = "INFO"
        case log = "LOG"
    }

    /// Not in the server's language. Nil where a server older than 9.6 sent only the translated word, or one that does
    /// not exist.
    package var severity: Severity?
    /// SQLSTATE.
    package var code: String
    package var message: String
    package var detail: String?
    package var hint: String?
    /// In characters of the query, from 1.
    package var position: Int?
    package var internalPosition: Int?
    package var internalQuery: String?
    package var context: String?
    package var schema: String?
    package var table: String?
    package var column: String?
    package var dataType: String?
    package var constraint: String?
    package var file: String?
    package var line: String?
    package var routine: String?

    package init(severity: Severity, code: String, message: String, detail: String? = nil, hint: String? = nil) {
        self.severity = severity
        self.code = code
        self.message = message
        self.detail = detail
        self.hint = hint
    }
}

extension ErrorFields {
    /// PostgreSQL sends at most 18 kinds, each once; unknown ones are read over.
    package static let countLimit = 64

    /// Reads the payload of a frame of type `E` or `N`. Bytes that are not UTF-8 become U+FFFD: before a session's
    /// encoding is settled a server speaks as it likes.
    ///
    /// - Throws: `08P01` for a field without its end, missing terminators, too many fields, or no SQLSTATE or message.
    package init(parsing payload: ByteBuffer) throws(WireError) {
        var texts: [UInt8: String] = [:]
        var payload = payload
        var count = 0
        while true {
            guard let key = payload.readInteger(as: UInt8.self) else { throw Self.malformed }
            if key == 0 { break }
            let bytes = payload.readableBytesView
            count += 1
            guard count <= Self.countLimit, let end = bytes.firstIndex(of: 0) else { throw Self.malformed }
            texts[key] = String(decoding: bytes[..<end], as: UTF8.self)
            payload.moveReaderIndex(forwardBy: end - bytes.startIndex + 1)
        }
        guard payload.readableBytes == 0 else { throw Self.malformed }
        func field(_ key: Unicode.Scalar) -> String? { texts[UInt8(ascii: key)] }
        guard let code = field("C"), let message = field("M") else { throw Self.malformed }
        self.code = code
        self.message = message
        severity = (field("V") ?? field("S")).flatMap(Severity.init)
        (detail, hint, context) = (field("D"), field("H"), field("W"))
        (position, internalPosition) = (field("P").flatMap { Int($0) }, field("p").flatMap { Int($0) })
        internalQuery = field("q")
        (schema, table, column) = (field("s"), field("t"), field("c"))
        (dataType, constraint) = (field("d"), field("n"))
        (file, line, routine) = (field("F"), field("L"), field("R"))
    }

    /// In PostgreSQL's order. A severity that is not known is told as an error.
    var written: [(key: Unicode.Scalar, value: String)] {
        let severity = (severity ?? .error).rawValue
        let fields: [(Unicode.Scalar, String?)] = [
            ("S", severity), ("V", severity), ("C", code), ("M", message), ("D", detail), ("H", hint),
            ("P", position.map(String.init)), ("p", internalPosition.map(String.init)), ("q", internalQuery),
            ("W", context), ("s", schema), ("t", table), ("c", column), ("d", dataType), ("n", constraint),
            ("F", file), ("L", line), ("R", routine),
        ]
        return fields.compactMap { key, value in value.map { (key, $0) } }
    }

    private static let malformed = WireError.protocolViolation("malformed ErrorResponse or NoticeResponse")
}
