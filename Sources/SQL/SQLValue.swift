package enum SQLValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

extension SQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .real(value) }
    package init(nilLiteral: ()) { self = .null }

    package init(_ value: String?) { self = value.map { .text($0) } ?? .null }
    package init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
    package init(_ value: Int) { self = .integer(Int64(value)) }
    package init(_ value: Bool) { self = .integer(value ? 1 : 0) }
    package init(_ value: [UInt8]?) { self = value.map { .blob($0) } ?? .null }
}

/// One row; columns are read by name. A missing column or a value of another type throws `SQLError.decoding`,
/// so that a typo cannot read as "no data".
package struct SQLRow: Sendable, Hashable {
    package let columns: SQLColumns
    package let values: [SQLValue]

    package init(columns: SQLColumns, values: [SQLValue]) {
        self.columns = columns
        self.values = values
    }

    package func value(_ name: String) throws -> SQLValue {
        guard let index = columns.index[name] else {
            throw SQLError(
                .decoding, "no column '\(name)' in the result (it has \(columns.names.joined(separator: ", ")))")
        }
        return values[index]
    }

    package func int(_ name: String) throws -> Int64 {
        guard let value = try optionalInt(name) else { throw SQLError(.decoding, "column '\(name)' is NULL") }
        return value
    }

    package func optionalInt(_ name: String) throws -> Int64? {
        switch try value(name) {
        case .null: return nil
        case .integer(let value): return value
        case let other: throw SQLError(.decoding, "column '\(name)' is not an integer: \(other)")
        }
    }

    package func real(_ name: String) throws -> Double {
        switch try value(name) {
        case .real(let value): return value
        case .integer(let value): return Double(value)
        case let other: throw SQLError(.decoding, "column '\(name)' is not a number: \(other)")
        }
    }

    package func text(_ name: String) throws -> String {
        guard let value = try optionalText(name) else { throw SQLError(.decoding, "column '\(name)' is NULL") }
        return value
    }

    package func optionalText(_ name: String) throws -> String? {
        switch try value(name) {
        case .null: return nil
        case .text(let value): return value
        case let other: throw SQLError(.decoding, "column '\(name)' is not text: \(other)")
        }
    }

    package func blob(_ name: String) throws -> [UInt8] {
        switch try value(name) {
        case .blob(let value): return value
        case let other: throw SQLError(.decoding, "column '\(name)' is not bytes: \(other)")
        }
    }
}

/// The column names of a result, shared by its rows.
package final class SQLColumns: Sendable, Hashable {
    package let names: [String]
    package let index: [String: Int]

    package init(_ names: [String]) {
        self.names = names
        index = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package static func == (lhs: SQLColumns, rhs: SQLColumns) -> Bool { lhs.names == rhs.names }
    package func hash(into hasher: inout Hasher) { hasher.combine(names) }
}
