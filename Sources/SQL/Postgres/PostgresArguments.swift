import CLibPQ

/// Values in the form libpq takes them: one block of bytes, with an offset for each value.
///
/// Whole numbers, reals and bytes tell their type. Text and NULL leave it to the server, so that text fits a column of
/// any type that can be written as text.
struct PostgresArguments {
    static let boolean: Oid = 16
    static let bytes: Oid = 17
    static let int8: Oid = 20
    static let int2: Oid = 21
    static let int4: Oid = 23
    static let oid: Oid = 26
    static let float4: Oid = 700
    static let float8: Oid = 701
    static let numeric: Oid = 1700
    static let unknown: Oid = 0

    let types: [Oid]
    private var storage: [UInt8] = []
    private var offsets: [Int?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    init(_ values: [SQLValue]) {
        types = values.map(Self.type(of:))
        for value in values { append(value) }
    }

    /// The pointers are valid inside `body` only.
    func withPointers<Result>(
        _ body: (
            _ count: Int32, _ values: [UnsafePointer<CChar>?], _ lengths: [Int32], _ formats: [Int32]
        ) throws -> Result
    ) rethrows -> Result {
        try storage.withUnsafeBytes { buffer in
            let pointers = offsets.map { offset in
                offset.flatMap { buffer.baseAddress?.advanced(by: $0).assumingMemoryBound(to: CChar.self) }
            }
            return try body(Int32(types.count), pointers, lengths, formats)
        }
    }

    static func type(of value: SQLValue) -> Oid {
        switch value {
        case .null, .text: unknown
        case .integer: int8
        case .real: float8
        case .blob: bytes
        }
    }

    private mutating func append(_ value: SQLValue) {
        switch value {
        case .null: append(nil, isBinary: false)
        case .integer(let value): append(Array(String(value).utf8), isBinary: false)
        case .real(let value): append(Array(Self.text(value).utf8), isBinary: false)
        case .text(let value): append(Array(value.utf8), isBinary: false)
        case .blob(let value): append(value, isBinary: true)
        }
    }

    private mutating func append(_ bytes: [UInt8]?, isBinary: Bool) {
        offsets.append(bytes == nil ? nil : storage.count)
        lengths.append(Int32(clamping: bytes?.count ?? 0))
        formats.append(isBinary ? 1 : 0)
        guard let bytes else { return }
        storage += bytes
        storage.append(0)
    }

    private static func text(_ value: Double) -> String {
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return String(value)
    }
}
