/// How large a result may get. Past it comes an error: a result cut short could pass for the whole.
struct ResultBudget: Sendable {
    static let byteLimit = 16 << 20

    let rowLimit: Int
    private var rows = 0
    private var bytes = 0

    init(rowLimit: Int) { self.rowLimit = rowLimit }

    mutating func spend(_ values: [SQLValue]) throws(SQLError) {
        rows += 1
        guard rows <= rowLimit else {
            throw SQLError(.statement, "the result has more than \(rowLimit) rows: add a LIMIT or a condition")
        }
        bytes += values.reduce(0) { $0 + Self.size(of: $1) }
        guard bytes <= Self.byteLimit else {
            throw SQLError(.statement, "the result is larger than \(Self.byteLimit >> 20) MiB: select less")
        }
    }

    private static func size(of value: SQLValue) -> Int {
        switch value {
        case .null, .integer, .real: 8
        case .text(let text): text.utf8.count
        case .blob(let bytes): bytes.count
        }
    }
}
