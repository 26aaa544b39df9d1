/// One thing that is wrong with a statement.
package struct Finding: Hashable, Sendable {
    /// How much it weighs. `block` stops a release.
    package enum Severity: String, Hashable, Sendable, CaseIterable, Comparable {
        case note, warn, block

        package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rank < rhs.rank }

        private var rank: Int {
            switch self {
            case .note: 0
            case .warn: 1
            case .block: 2
            }
        }
    }

    /// `list_posts/sequential-scan/posts`: the same from one review to the next.
    package var id: String
    package var rule: ReviewRule
    package var severity: Severity
    package var place: SourcePlace
    package var what: String
    /// Why it matters here, with numbers.
    package var why: String
    package var remedy: String
    /// The reason that a comment in the source gives for letting it pass; it then no longer counts.
    package var allowed: String?

    /// Whether it counts towards the verdict.
    package var counts: Bool { allowed == nil }
}

/// A finding before it is bound to its statement.
struct Objection: Hashable, Sendable {
    enum Position: Hashable, Sendable {
        case start
        /// In the statement's text, in bytes from 0, as libpg_query tells it.
        case byte(Int)
        /// In the statement's text, in code points from 1, as the server tells it.
        case character(Int)
    }

    var rule: ReviewRule
    var severity: Finding.Severity
    /// What tells two findings of one rule apart: a table, a column.
    var subject: String?
    var position = Position.start
    var what: String
    var why: String
    var remedy: String
}

/// A table or another relation; without a schema it is looked for on the search path.
package struct RelationName: Hashable, Sendable, CustomStringConvertible {
    package var schema: String?
    package var name: String

    package init(schema: String? = nil, name: String) {
        self.schema = schema
        self.name = name
    }

    package var description: String { schema.map { $0 == "public" ? name : "\($0).\(name)" } ?? name }
}

/// What the database knows about a relation.
package struct RelationFacts: Hashable, Sendable {
    package struct Column: Hashable, Sendable {
        /// As `format_type` writes it: `character varying(20)`.
        package var type: String
        package var isNotNull: Bool

        package init(type: String, isNotNull: Bool) {
            self.type = type
            self.isNotNull = isNotNull
        }
    }

    /// Nil when it was never analysed.
    package var rows: Double?
    package var bytes: Double
    package var isAnalyzed: Bool
    package var columns: [String: Column]
    /// Definitions of the CHECK constraints that hold for every row.
    package var checks: [String]

    package init(
        rows: Double?, bytes: Double, isAnalyzed: Bool = true, columns: [String: Column] = [:], checks: [String] = []
    ) {
        self.rows = rows
        self.bytes = bytes
        self.isAnalyzed = isAnalyzed
        self.columns = columns
        self.checks = checks
    }

    var size: String { rows.map { Figures.rows($0) } ?? Figures.bytes(bytes) }
}
