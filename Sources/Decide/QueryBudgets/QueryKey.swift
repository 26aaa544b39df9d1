/// One shape of query: its fingerprint, with literals, parameters and letter case taken out.
///
/// The release that sent it is held apart (`ClientClass.release`): a budget belongs to the query, whoever sends it.
package struct QueryKey: Hashable, Sendable, Codable {
    package var fingerprint: UInt64

    package init(fingerprint: UInt64) {
        self.fingerprint = fingerprint
    }

    /// BEGIN, COMMIT and their kin. Every transaction has them, so they are never a culprit; a transaction that
    /// opens with one belongs to its first other statement.
    package static let transactionControl = QueryKey(fingerprint: .max)

    /// Reads what people copy: 16 hexadecimal digits, in either case.
    package init?(hex text: String) {
        guard text.utf8.count == 16, text.allSatisfy({ $0.isASCII && $0.isHexDigit }),
            let fingerprint = UInt64(text, radix: 16)
        else { return nil }
        self.init(fingerprint: fingerprint)
    }

    /// 16 lower-case hexadecimal digits: what people read, and what a rule by hand names.
    package var hex: String {
        let digits = String(fingerprint, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// What a statement may do; decides whether it may be cancelled.
package enum StatementKind: UInt8, Hashable, Sendable, Codable {
    /// Reads only. A SELECT that locks (`FOR UPDATE`) or calls a function known to write is a `write`.
    case select
    case write
    /// Counted like any other, cancelled only when `BudgetSettings.cancelsCopies` says so.
    case copy
    /// BEGIN, COMMIT, ROLLBACK, SAVEPOINT, SET TRANSACTION.
    case transactionControl
    /// DDL, VACUUM, ANALYZE, CREATE INDEX: never cancelled, not even by the hard caps.
    case maintenance
}

/// Five characters of an SQLSTATE in one integer, so that the hot path compares without a string.
package struct SQLStateCode: Hashable, Sendable, CustomStringConvertible {
    private var packed: UInt64

    /// Nil unless it is five ASCII letters and digits.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 5 else { return nil }
        packed = 0
        for byte in bytes {
            guard (48...57).contains(byte) || (65...90).contains(byte) else { return nil }
            packed = packed << 8 | UInt64(byte)
        }
    }

    package init?(_ text: String) {
        self.init(text.utf8)
    }

    package var description: String {
        String(decoding: (0..<5).map { UInt8(truncatingIfNeeded: packed >> (32 - 8 * $0)) }, as: UTF8.self)
    }

    /// 57014 (cancelled, statement timeout) or class 53 (out of connections, memory, disk): the database had no
    /// room for it. Errors of the statement itself, 23505 for one, say nothing about that.
    package var meansOverload: Bool {
        let (five, three) = (UInt64(0x35), UInt64(0x33))
        return packed >> 24 == five << 8 | three || packed == Self.queryCanceled
    }

    private static let queryCanceled: UInt64 = 0x35_37_30_31_34
}

/// How one statement ended.
package enum StatementOutcome: Hashable, Sendable {
    case succeeded
    /// The server's ErrorResponse. A statement_timeout comes as 57014.
    case failed(SQLStateCode)
    /// Cancelled because its client asked for that: says nothing about the database's room.
    case cancelledByClient
    /// Cancelled because these budgets said so: never counts against the query's breaker.
    case cancelledByGuard
    /// The client went away before the end.
    case clientGone
}

/// What is known when a statement ends.
package struct StatementResult: Hashable, Sendable {
    package var outcome: StatementOutcome
    /// Rows sent to the client, or touched.
    package var rows: Int64
    /// Bytes of the result that went through.
    package var bytes: Int64

    package init(_ outcome: StatementOutcome, rows: Int64 = 0, bytes: Int64 = 0) {
        self.outcome = outcome
        self.rows = rows
        self.bytes = bytes
    }

    package static let succeeded = StatementResult(.succeeded)
}
