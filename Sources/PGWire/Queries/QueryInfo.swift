/// What a proxy knows about a query: one object for every distinct one, for as long as a catalog keeps it.
///
/// The same object means the same query; two objects may still mean the same one (the first had been dropped from the
/// catalog, or several catalogs met it), which their fingerprints then tell.
package final class QueryInfo: Sendable {
    /// Equal for queries that differ only in constants, parameters, letter case, comments and the like. Stable from one
    /// process to another.
    package let fingerprint: UInt64
    /// The fingerprint is the lexer's and not libpg_query's, because the text is too large or too deep for a parser,
    /// not of PostgreSQL 15's grammar, or a NOTIFY, whose payload libpg_query takes for a part of the query.
    package let isLexical: Bool
    /// The text with `$n` for constants, without comments, on one line, of at most 4 KB. No constant is in it, and so
    /// no secret. It can be prepared unless the grammar insists on a constant (`interval '1' day`).
    package let normalizedText: String
    package let kind: QueryKind
    /// Every statement is a SELECT without row locks, INTO, data-modifying CTEs, known writing functions and taints.
    /// The database's own functions may write all the same.
    package let isReadOnly: Bool
    package let statementCount: Int
    /// Names after FROM, JOIN, INTO, UPDATE and TABLE as they stand there, at most 8: for display, not for decisions.
    package let tables: [String]
    package let taints: SessionTaint
    package let clears: SessionTaint
    package let notes: QueryNotes
    /// The plain settings among its statements, in order; none if any of its statements changes settings otherwise.
    package let settings: [QuerySetting]
    /// Nothing in it begins or ends a transaction or a part of one, or changes settings but by `settings`: it is done
    /// as a whole or not at all.
    let isWhole: Bool
    /// The setting, if this is all that the text does.
    package var setting: QuerySetting? { statementCount == 1 ? settings.first : nil }

    init(fingerprint: UInt64, isLexical: Bool, normalizedText: String, facts: QueryFacts) {
        self.fingerprint = fingerprint
        self.isLexical = isLexical
        self.normalizedText = normalizedText
        kind = facts.kind
        isReadOnly = facts.isReadOnly
        statementCount = facts.statementCount
        tables = facts.tables
        taints = facts.taints
        clears = facts.clears
        notes = facts.notes
        settings = facts.settings
        isWhole = facts.isWhole
    }

    /// The fingerprint in 16 hexadecimal digits.
    package var fingerprintText: String {
        let digits = String(fingerprint, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// An estimate of its size in memory, in bytes.
    var footprint: Int {
        160 + normalizedText.utf8.count + tables.reduce(0) { $0 + 16 + $1.utf8.count }
            + settings.reduce(0) { sum, setting in
                sum + 48 + setting.name.utf8.count + setting.values.reduce(0) { $0 + 16 + $1.utf8.count }
            }
    }
}

/// What the analyzer found in a text.
struct QueryFacts {
    var kind = QueryKind.empty
    var isReadOnly = false
    var statementCount = 0
    var tables: [String] = []
    var taints: SessionTaint = []
    var clears: SessionTaint = []
    var notes: QueryNotes = []
    var settings: [QuerySetting] = []
    var isWhole = true
    /// Another text of the same canonical form may have other facts.
    var dependsOnConstants = false
    /// A payload makes each text another query to libpg_query.
    var hasPayload = false
    /// The deepest parentheses and brackets.
    var nesting = 0
    /// The largest n of `$n`.
    var parameters = 0
}
