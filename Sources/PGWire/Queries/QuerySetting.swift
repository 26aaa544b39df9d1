/// A plain `SET name = value`, `SET name TO DEFAULT`, `RESET name` or `RESET ALL`, which a proxy can repeat in another
/// session.
package struct QuerySetting: Hashable, Sendable {
    /// `RESET ALL`.
    static let all = QuerySetting(name: "", values: [])

    /// In lower case, since PostgreSQL ignores the case of settings' names; with a dot in it for an extension's.
    package var name: String
    /// One value or a list; none for the default.
    package var values: [String]

    package init(name: String, values: [String]) {
        self.name = name
        self.values = values
    }

    var isAll: Bool { name.isEmpty }
    package var isDefault: Bool { values.isEmpty }

    /// The command that brings it about, with all in quotes that can be.
    package var statement: String {
        guard !isAll else { return "RESET ALL" }
        let name = name.split(separator: ".", omittingEmptySubsequences: false)
            .map { Self.quoted($0, by: "\"") }.joined(separator: ".")
        guard !isDefault else { return "SET \(name) TO DEFAULT" }
        return "SET \(name) TO \(values.map { Self.quoted($0[...], by: "'") }.joined(separator: ", "))"
    }

    private static func quoted(_ text: Substring, by quote: String) -> String {
        quote + text.split(separator: quote, omittingEmptySubsequences: false).joined(separator: quote + quote) + quote
    }
}

// MARK: Carrying

extension QuerySetting {
    /// Whether `statement`, said to any other server of the same user and database, does there what the client's own
    /// text did: nothing that depends on the encoding, on how strings are read, or on what the session did before.
    var canBeCarried: Bool {
        guard !isAll else { return true }
        // Functions are compiled once in a session, by the settings of then.
        guard !Self.uncarried.contains(name), !Self.compiling.contains(where: { name.hasPrefix($0) }),
            name.split(separator: ".", omittingEmptySubsequences: false)
                .allSatisfy({ Self.isPlainName($0) }), values.allSatisfy(Self.isPlain)
        else { return false }
        return Self.timers.contains(name) ? values.allSatisfy(Self.isPatient) : true
    }

    private static let uncarried: Set<String> = [
        // Of one transaction.
        "transaction_isolation", "transaction_read_only", "transaction_deferrable",
        // Not of the session's settings alone: `SessionTaint` has them.
        "role", "session_authorization", "seed",
        // Can be refused for what others did in the session: used temporary tables, set another of these.
        "temp_buffers", "log_parser_stats", "log_planner_stats", "log_executor_stats", "log_statement_stats",
        // Ends a session that lies idle in the pool, in whoever's hands it then is.
        "idle_session_timeout", "exit_on_error",
        // Other names of settings.
        "sort_mem", "vacuum_mem", "ssl_ecdh_curve",
        // Decide what a text means when it is first looked at. Functions keep that in the session: only `DISCARD` has
        // them look anew.
        "transform_null_equals", "array_nulls", "xmloption", "xmlbinary", "lc_monetary", "timezone_abbreviations",
        "extra_float_digits", "quote_all_identifiers", "backslash_quote",
    ]

    private static let compiling = ["plpgsql.", "plperl.", "pltcl.", "plpython.", "plpython3."]

    /// They also limit the statements that take them back. A very short one could end those, to another client's harm.
    private static let timers: Set<String> = ["statement_timeout", "transaction_timeout"]

    private static func isPlainName(_ name: Substring) -> Bool {
        !name.isEmpty && name.utf8.count <= 63
            && name.utf8.allSatisfy { ByteClass.isDigit($0) || (0x61...0x7A).contains($0) || $0 == 0x5F }
    }

    private static func isPlain(_ value: String) -> Bool {
        value.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != ByteClass.backslash }
    }

    /// None, or at least 100 ms.
    private static func isPatient(_ value: String) -> Bool {
        let digits = value.prefix { $0.isASCII && $0.isNumber }
        // After a zero PostgreSQL reads an octal number.
        guard digits.count <= 9, let number = Int(digits), digits == "0" || digits.first != "0" else { return false }
        switch value.dropFirst(digits.count).drop(while: { $0 == " " }) {
        case "", "ms": return number == 0 || number >= 100
        case "s", "min", "h", "d": return true
        default: return false
        }
    }
}
