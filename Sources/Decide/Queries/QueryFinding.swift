/// What a change did to one query.
package struct QueryFinding: Hashable, Sendable {
    /// In the order of what they cost users.
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// It used to change rows, and now changes none: what users save is lost.
        case zeroRowWrites
        case failing
        /// It used to be called, and no longer is.
        case vanished
        case slower
        /// It was not called before.
        case new
    }

    package var kind: Kind
    package var severity: Severity
    package var database: String
    package var query: QueryKey
    /// Without constants; may be cut.
    package var text: String
    /// Nil: it was not called.
    package var before: QueryFigures?
    package var after: QueryFigures?
    /// One sentence for people.
    package var sentence: String

    package init(
        kind: Kind, severity: Severity, database: String, query: QueryKey, text: String, before: QueryFigures?,
        after: QueryFigures?, sentence: String
    ) {
        self.kind = kind
        self.severity = severity
        self.database = database
        self.query = query
        self.text = text
        self.before = before
        self.after = after
        self.sentence = sentence
    }

    /// The worst first; of equals, the one that costs or was called most; then by name, so that the order is always
    /// the same.
    static func precedes(_ one: QueryFinding, _ other: QueryFinding) -> Bool {
        one.rank < other.rank
    }

    private var rank: (Int, Int, Int64, Int, String, UInt64) {
        (
            Severity.allCases.firstIndex(of: severity) ?? 0, Kind.allCases.firstIndex(of: kind) ?? 0,
            -(after?.nanoseconds ?? 0), -(before?.calls ?? 0), database, query.fingerprint
        )
    }
}
