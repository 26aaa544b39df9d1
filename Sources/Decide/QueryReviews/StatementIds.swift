/// Gives every statement an id that stays the same from one review to the next.
package enum StatementIds {
    /// A name, or what an export says, is kept; else it is the fingerprint, or, where the parser gives none, a hash of
    /// the text without its spaces. Of two that are alike the second becomes `…#2`.
    ///
    /// - Parameter fingerprint: libpg_query's, in hexadecimal; nil when it cannot parse the text.
    package static func assign(
        _ statements: [ReviewStatement], fingerprint: (String) -> String?
    ) -> [ReviewStatement] {
        var counts: [String: Int] = [:]
        return statements.map { statement in
            var statement = statement
            if statement.id.isEmpty { statement.id = fingerprint(statement.sql) ?? hash(statement.sql) }
            counts[statement.id, default: 0] += 1
            if let count = counts[statement.id], count > 1 { statement.id += "#\(count)" }
            return statement
        }
    }

    /// FNV-1a over the text, runs of spaces taken for one.
    static func hash(_ sql: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var wasSpace = false
        for byte in sql.utf8 {
            let isSpace = SQLScanner.isSpace(byte)
            defer { wasSpace = isSpace }
            if isSpace, wasSpace { continue }
            hash = (hash ^ UInt64(isSpace ? 0x20 : byte)) &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
