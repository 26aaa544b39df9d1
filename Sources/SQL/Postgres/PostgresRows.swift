import CLibPQ

/// Turns libpq's text results into values.
enum PostgresRows {
    static func decode(_ result: OpaquePointer?, columns known: SQLColumns? = nil) throws -> [SQLRow] {
        let fields = PQnfields(result)
        let columns = known ?? Self.columns(of: result)
        let types = (0..<fields).map { PQftype(result, $0) }
        return try (0..<PQntuples(result)).map { row in
            let values = try (0..<fields).map { field in
                try value(result, row, field, type: types[Int(field)], name: columns.names[Int(field)])
            }
            return SQLRow(columns: columns, values: values)
        }
    }

    static func columns(of result: OpaquePointer?) -> SQLColumns {
        SQLColumns((0..<PQnfields(result)).map { index in PQfname(result, index).map { String(cString: $0) } ?? "" })
    }

    /// Rows changed; a SELECT's count of rows read is none.
    static func changes(of result: OpaquePointer?) -> Int {
        let tag = String(cString: PQcmdStatus(result))
        guard !tag.hasPrefix("SELECT") else { return 0 }
        return Int(String(cString: PQcmdTuples(result))) ?? 0
    }

    private static func value(
        _ result: OpaquePointer?, _ row: Int32, _ field: Int32, type: Oid, name: String
    ) throws -> SQLValue {
        if PQgetisnull(result, row, field) == 1 { return .null }
        let count = Int(PQgetlength(result, row, field))
        let start = UnsafeRawPointer(PQgetvalue(result, row, field))
        let bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
        guard let value = value(bytes, type: type) else {
            throw SQLError(.decoding, "column '\(name)' has a value that cannot be read")
        }
        return value
    }

    static func value(_ bytes: UnsafeRawBufferPointer, type: Oid) -> SQLValue? {
        let text = { String(decoding: bytes, as: UTF8.self) }
        switch type {
        case PostgresArguments.boolean:
            return .integer(bytes.first == UInt8(ascii: "t") ? 1 : 0)
        case PostgresArguments.int8, PostgresArguments.int4, PostgresArguments.int2, PostgresArguments.oid:
            return Int64(text()).map { .integer($0) }
        case PostgresArguments.float8, PostgresArguments.float4:
            return real(text())
        case PostgresArguments.numeric:
            // Sums of whole numbers are NUMERIC. A fraction, or a number too large, is a real.
            let digits = text()
            return Int64(digits).map { .integer($0) } ?? real(digits)
        case PostgresArguments.bytes:
            return hexadecimal(bytes).map { .blob($0) }
        default:
            return .text(text())
        }
    }

    private static func real(_ text: String) -> SQLValue? {
        switch text {
        case "NaN": .real(.nan)
        case "Infinity": .real(.infinity)
        case "-Infinity": .real(-.infinity)
        default: Double(text).map { .real($0) }
        }
    }

    /// `\x` and two digits a byte.
    private static func hexadecimal(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        guard text.count >= 2, text.count.isMultiple(of: 2), text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x")
        else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2 - 1)
        for index in stride(from: 2, to: text.count, by: 2) {
            guard let high = digit(text[index]), let low = digit(text[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
