/// What the server answers when it is asked for a plan.
package enum ReviewAnswer: Hashable, Sendable {
    /// The text of EXPLAIN (VERBOSE, FORMAT JSON).
    case plan(String)
    /// It prepared the statement, which has no plan.
    case prepared
    case refused(ReviewRefusal)
}

/// Why the server refuses a statement.
package struct ReviewRefusal: Error, Hashable, Sendable {
    /// SQLSTATE.
    package var state: String
    package var message: String
    /// In the statement's text, in code points from 1.
    package var character: Int?

    /// The server's answer: errors of the connection are the session's, not the statement's.
    init?(_ error: SQLError) {
        guard let state = error.state, state.count == 5, !["08001", "08006"].contains(state) else { return nil }
        self.state = state
        (message, character) = Self.split(error.message)
    }

    /// `SQLError` tells the position at the end of the server's message: `… at character 8; hint`.
    private static func split(_ text: String) -> (String, Int?) {
        let mark = " at character "
        guard let found = text.ranges(of: mark).last else { return (text, nil) }
        let rest = text[found.upperBound...]
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        let tail = rest[digits.endIndex...]
        guard let number = Int(digits), tail.isEmpty || tail.hasPrefix("; ") else { return (text, nil) }
        return (String(text[..<found.lowerBound]) + tail, number)
    }
}

/// The server that reviews.
package struct ReviewServer: Hashable, Sendable {
    /// Without the password.
    package var summary: String
    /// `15.4`.
    package var version: String
    /// 150004.
    package var versionNumber: Int
    package var role: String
    package var searchPath: String
    /// Bytes.
    package var workMemory: Double
}

/// What the catalog knows about a table.
package struct ReviewedTable: Hashable, Sendable {
    package struct Column: Hashable, Sendable {
        package var name: String
        package var type: String
        package var isNotNull: Bool
    }

    package var schema: String
    package var name: String
    /// Nil when it was never analysed.
    package var rows: Double?
    /// Without indexes.
    package var bytes: Double
    package var columns: [Column]
    /// Of CHECK constraints that hold for every row.
    package var checks: [String]
}
