/// Takes a file of SQL apart into statements, as psql does, with the comments that belong to each.
///
/// A comment belongs to the statement that follows it, or, at the end of a line, to the one that ended on that line.
package struct StatementSplitter {
    /// Statements in one review; past it something is wrong with the file.
    package static let statementLimit = 20_000
    /// Bytes of one statement: more than any that people or programs write.
    package static let byteLimit = 1 << 20

    private let source: SourceText
    private let scanner: SQLScanner
    private let questionMarks: Bool
    private var statements: [ReviewStatement] = []

    // Of the statement being read.
    private var start: Int?
    private var end = 0
    private var comments: [Range<Int>] = []
    private var words: [String] = []
    private var parentheses = 0
    private var blocks = 0
    private var endOfLast = 0

    /// - Parameter questionMarks: whether `?` is a parameter; else it is an operator, as in jsonb.
    /// - Throws: `ReviewInputError` when the file has too many or too long statements.
    package static func split(
        _ source: SourceText, questionMarks: Bool = false
    ) throws(ReviewInputError) -> [ReviewStatement] {
        var splitter = StatementSplitter(source, questionMarks)
        try splitter.run()
        return splitter.statements
    }

    private init(_ source: SourceText, _ questionMarks: Bool) {
        self.source = source
        self.questionMarks = questionMarks
        scanner = SQLScanner(bytes: source.bytes)
    }

    private mutating func run() throws(ReviewInputError) {
        // A byte order mark is no part of the first statement.
        var position = source.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while position < source.bytes.count {
            let piece = scanner.piece(at: position)
            try take(piece.kind, position..<piece.end)
            position = piece.end
        }
        try finish()
    }

    private mutating func take(_ kind: SQLScanner.Kind, _ range: Range<Int>) throws(ReviewInputError) {
        switch kind {
        case .space: return
        case .comment:
            if start == nil, isOnLineOfLast(range) { return annotateLast(range) }
            comments.append(range)
            return
        case .semicolon where parentheses == 0 && blocks == 0:
            try finish()
            endOfLast = range.upperBound
            return
        case .openParenthesis: parentheses += 1
        case .closeParenthesis: parentheses = max(0, parentheses - 1)
        case .word: count(scanner.text(range).uppercased())
        default: break
        }
        start = start ?? range.lowerBound
        end = range.upperBound
    }

    /// The body of a SQL function between BEGIN ATOMIC and END has semicolons of its own.
    private mutating func count(_ word: String) {
        if words.count < 4 { words.append(word) }
        let isRoutine = words.first == "CREATE" && (words.contains("FUNCTION") || words.contains("PROCEDURE"))
        guard isRoutine, parentheses == 0 else { return }
        switch word {
        case "BEGIN": blocks += 1
        case "CASE" where blocks > 0: blocks += 1
        case "END": blocks = max(0, blocks - 1)
        default: break
        }
    }

    private func isOnLineOfLast(_ range: Range<Int>) -> Bool {
        guard !statements.isEmpty, comments.isEmpty,
            source.lineIndex(of: range.lowerBound) == source.lineIndex(of: max(0, endOfLast - 1))
        else { return false }
        // Nothing but comments may follow on the line.
        var position = range.upperBound
        while let byte = scanner.byte(position), byte != UInt8(ascii: "\n") {
            let piece = scanner.piece(at: position)
            guard piece.kind == .space || piece.kind == .comment else { return false }
            position = piece.end
        }
        return true
    }

    private mutating func annotateLast(_ range: Range<Int>) {
        let last = statements.removeLast()
        var notes = last.notes
        notes.read(comment: scanner.text(range))
        statements.append(ReviewStatement(id: last.id, sql: last.sql, notes: notes, origin: last.origin))
    }

    private mutating func finish() throws(ReviewInputError) {
        defer {
            (start, comments, words, parentheses, blocks) = (nil, [], [], 0, 0)
        }
        guard let start else { return }
        guard end - start <= Self.byteLimit else {
            throw ReviewInputError(source.place(atByte: start), "a statement longer than \(Self.byteLimit >> 20) MiB")
        }
        guard statements.count < Self.statementLimit else {
            throw ReviewInputError(source.place(atByte: start), "more than \(Self.statementLimit) statements")
        }
        var notes = StatementNotes()
        for comment in comments { notes.read(comment: scanner.text(comment)) }
        let rewritten = ParameterRewriter.rewrite(scanner, start..<end, questionMarks: questionMarks)
        statements.append(
            ReviewStatement(
                id: notes.name ?? "", sql: rewritten.sql, notes: notes, origin: .file(source, rewritten.stretches)))
    }
}

/// Why an input cannot be reviewed at all.
package struct ReviewInputError: Error, Hashable, Sendable, CustomStringConvertible {
    package var place: SourcePlace
    package var message: String

    package init(_ place: SourcePlace, _ message: String) {
        self.place = place
        self.message = message
    }

    package var description: String { "\(place): \(message)" }
}

/// `:name` and `?` become `$n`, the same number for the same name, after the numbers that stand there already.
enum ParameterRewriter {
    static func rewrite(
        _ scanner: SQLScanner, _ range: Range<Int>, questionMarks: Bool
    ) -> (sql: String, stretches: [ReviewStatement.Stretch]) {
        var output: [UInt8] = []
        var stretches: [ReviewStatement.Stretch] = []
        var next = highestNumber(scanner, range)
        var copied = range.lowerBound
        var position = range.lowerBound
        func copy(upTo end: Int) {
            guard copied < end else { return }
            stretches.append(.init(start: output.count, sourceStart: copied, count: end - copied))
            output += scanner.bytes[copied..<end]
        }
        var numbers: [String: Int] = [:]
        while position < range.upperBound {
            let piece = scanner.piece(at: position)
            defer { position = piece.end }
            let isQuestion = piece.kind == .question && questionMarks
            guard piece.kind == .name || isQuestion else { continue }
            copy(upTo: position)
            let name = isQuestion ? "?\(position)" : scanner.text(position..<piece.end)
            let number = numbers[name] ?? next + 1
            numbers[name] = number
            next = max(next, number)
            stretches.append(.init(start: output.count, sourceStart: position, count: 0))
            output += Array("$\(number)".utf8)
            copied = piece.end
        }
        copy(upTo: range.upperBound)
        return (String(decoding: output, as: UTF8.self), stretches)
    }

    private static func highestNumber(_ scanner: SQLScanner, _ range: Range<Int>) -> Int {
        var highest = 0
        var position = range.lowerBound
        while position < range.upperBound {
            let piece = scanner.piece(at: position)
            if case .parameter(let number) = piece.kind { highest = max(highest, number) }
            position = piece.end
        }
        return highest
    }
}
