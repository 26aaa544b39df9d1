/// What the queries of some databases did in a span of time: one side of a comparison.
package struct QueryPeriod: Hashable, Sendable {
    /// How much time the figures cover; not more than there are figures for.
    package var span: Span
    /// By database and query, each once, in an order of their own.
    package private(set) var uses: [QueryUse]

    /// - Parameter uses: in any order; figures of one query of one database are added up.
    package init(span: Span, uses: [QueryUse]) {
        self.span = span
        var byKey: [QueryUse.Key: QueryUse] = [:]
        for use in uses.sorted(by: QueryUse.precedes) {
            if byKey[use.key] == nil {
                byKey[use.key] = use
            } else {
                byKey[use.key]?.add(use)
            }
        }
        self.uses = byKey.values.sorted(by: QueryUse.precedes)
    }

    package var calls: Int { uses.reduce(0) { $0 + $1.figures.calls } }
}

/// One query of one database, whichever releases sent it.
package struct QueryUse: Hashable, Sendable {
    package struct Key: Hashable, Sendable {
        package var database: String
        package var query: QueryKey

        package init(database: String, query: QueryKey) {
            self.database = database
            self.query = query
        }
    }

    package var key: Key
    /// Without constants; may be cut.
    package var text: String
    package var figures: QueryFigures
    /// Nil: not known.
    package var rhythm: QueryRhythm?
    /// Calls by those who are to be expected on the other side too (`Predecessors`); nil: all.
    package var expected: Int?

    package init(
        database: String, query: QueryKey, text: String, figures: QueryFigures, rhythm: QueryRhythm? = nil,
        expected: Int? = nil
    ) {
        self.expected = expected
        key = Key(database: database, query: query)
        self.text = text
        self.figures = figures
        self.rhythm = rhythm
    }

    package var database: String { key.database }
    package var query: QueryKey { key.query }
    var expectedCalls: Int { expected ?? figures.calls }

    /// Of two rhythms the slower one holds: it expects less.
    fileprivate mutating func add(_ other: QueryUse) {
        if expected != nil || other.expected != nil { expected = expectedCalls + other.expectedCalls }
        figures.add(other.figures)
        rhythm = [rhythm, other.rhythm].compactMap { $0 }.min { ($0.active, $1.slots) < ($1.active, $0.slots) }
    }

    /// Not by figures alone: equal keys have to come in one order too, or texts would depend on how they came.
    fileprivate static func precedes(_ one: QueryUse, _ other: QueryUse) -> Bool {
        (one.database, one.query.fingerprint, one.text, one.figures.calls)
            < (other.database, other.query.fingerprint, other.text, other.figures.calls)
    }
}

/// In how many equal slots of time a query was seen. A job that runs once an hour sends a thousand statements in one
/// minute: they are one event, not a thousand.
package struct QueryRhythm: Hashable, Sendable {
    package var slot: Span
    /// Slots in which its database was used at all.
    package var slots: Int
    /// Those of them in which the query was called.
    package var active: Int

    package init(slot: Span, slots: Int, active: Int) {
        self.slot = slot
        self.slots = slots
        self.active = active
    }

    /// How many bursts of calls are to be expected in a window, if each comes independently of the others. A slot
    /// without any has probability `1 − active/slots`, which is `exp(−bursts per slot)`.
    package func bursts(in window: Span) -> Double {
        guard slots > 0, active > 0, slot > .zero else { return 0 }
        // Seen in every slot: there may be any number in each, and the figure must stay finite.
        let share = min(Double(active) / Double(slots), 1 - 0.5 / Double(slots))
        return -UserSketch.logarithm(1 - share) * Double(window.milliseconds) / Double(slot.milliseconds)
    }
}

extension QueryKey {
    /// All queries beyond the number that is told apart.
    package static let others = QueryKey(fingerprint: 0)

    /// Whether it stands for one query that people wrote: neither BEGIN and its kin nor the sum of others.
    package var isOne: Bool { self != .transactionControl && self != .others }
}
