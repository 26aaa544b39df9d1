/// One statement to be reviewed: what the server is asked, and where it came from.
package struct ReviewStatement: Sendable {
    /// The same from one review to the next: its name, or else the fingerprint of its text.
    package var id: String
    /// With `$n` for parameters, without the semicolon.
    package let sql: String
    package let notes: StatementNotes
    let origin: Origin

    enum Origin: Sendable {
        /// Cut out of a file; the stretches tell which of its bytes became which of `sql`'s.
        case file(SourceText, [Stretch])
        /// One line of an export.
        case line(file: String, number: Int)
    }

    /// Bytes that `sql` and the file share.
    struct Stretch: Hashable, Sendable {
        var start: Int
        var sourceStart: Int
        var count: Int
    }

    /// Of the first word.
    package var place: SourcePlace { place(atByte: 0) }

    /// Exported statements have run: what a normalised text cannot say (the types of its parameters) is no fault.
    package var isExported: Bool { if case .line = origin { true } else { false } }

    /// Whether it has parameters, for which there are no values.
    package var hasParameters: Bool { firstPiece { if case .parameter = $0 { true } else { false } } != nil }

    /// Whether its first word begins a statement that has a plan; for texts that libpg_query cannot parse.
    package var looksPlannable: Bool {
        guard let word = firstPiece({ $0 == .word }) else { return false }
        return ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE"].contains(word.uppercased())
    }

    /// The text with spaces for comments, so that offsets in it stay the same. libpg_query takes quadratic time for
    /// comments within comments.
    package var sqlWithoutComments: String {
        let scanner = SQLScanner(bytes: Array(sql.utf8))
        var bytes = scanner.bytes
        var position = 0
        while position < bytes.count {
            let piece = scanner.piece(at: position)
            if piece.kind == .comment {
                for index in position..<piece.end where !SQLScanner.isSpace(bytes[index]) { bytes[index] = 0x20 }
            }
            position = piece.end
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text of the first piece of that kind.
    private func firstPiece(_ matches: (SQLScanner.Kind) -> Bool) -> String? {
        let scanner = SQLScanner(bytes: Array(sql.utf8))
        var position = 0
        while position < scanner.bytes.count {
            let piece = scanner.piece(at: position)
            if matches(piece.kind) { return scanner.text(position..<piece.end) }
            position = piece.end
        }
        return nil
    }

    /// - Parameter offset: in `sql`, in bytes from 0.
    package func place(atByte offset: Int) -> SourcePlace {
        switch origin {
        case .line(let file, let number):
            return SourcePlace(file: file, line: number, column: 1)
        case .file(let source, let stretches):
            guard let stretch = stretches.last(where: { $0.start <= offset }) ?? stretches.first else {
                return source.place(atByte: 0)
            }
            return source.place(atByte: stretch.sourceStart + min(max(0, offset - stretch.start), stretch.count))
        }
    }

    /// - Parameter number: in `sql`, in code points from 1, as PostgreSQL tells it.
    package func place(atCharacter number: Int) -> SourcePlace {
        let scalars = sql.unicodeScalars
        let prefix = scalars.prefix(max(0, number - 1))
        return place(atByte: prefix.reduce(0) { $0 + UTF8.width($1) })
    }
}

/// What its author, or the guard that exported it, says about a statement.
package struct StatementNotes: Hashable, Sendable {
    package var name: String?
    package var feature: String?
    package var callsPerSecond: Double?
    package var meanMilliseconds: Double?
    /// Rows that one call gives back, on average.
    package var rowsPerCall: Double?
    package var allowances: [Allowance] = []
    /// What could not be read, in words.
    package var problems: [String] = []

    package init() {}
}

/// `-- mainstay:allow RULE REASON`: the finding is still shown, and no longer counts.
package struct Allowance: Hashable, Sendable {
    package var rule: String
    package var reason: String

    package init(rule: String, reason: String) {
        self.rule = rule
        self.reason = reason
    }
}
