/// Statements of a running application, as the guard exports them: one JSON object a line.
///
///     {"query": "SELECT … WHERE id = $1", "calls_per_second": 50, "mean_ms": 0.4}
///
/// Optional: `name`, `fingerprint`, `feature`, `rows` (per call). Members that are not known are left alone.
package enum ExportedQueries {
    package static func read(_ source: SourceText) throws(ReviewInputError) -> [ReviewStatement] {
        var statements: [ReviewStatement] = []
        for (index, line) in source.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated()
        {
            guard line.contains(where: { !SQLScanner.isSpace($0) }) else { continue }
            let place = SourcePlace(file: source.file, line: index + 1, column: 1)
            guard statements.count < StatementSplitter.statementLimit else {
                throw ReviewInputError(place, "more than \(StatementSplitter.statementLimit) statements")
            }
            let object: JSONValue
            do {
                object = try JSONValue(parsing: Array(line))
            } catch {
                throw ReviewInputError(place, "not one JSON object a line: \(error)")
            }
            statements.append(try statement(object, at: place))
        }
        return statements
    }

    private static func statement(
        _ object: JSONValue, at place: SourcePlace
    ) throws(ReviewInputError) -> ReviewStatement {
        guard let text = object["query"]?.string, text.contains(where: { !$0.isWhitespace }) else {
            throw ReviewInputError(place, "\"query\" is missing: it is the statement's text")
        }
        let whole = SourceText(file: place.file, text: text)
        let parts = try StatementSplitter.split(whole)
        guard let only = parts.first, parts.count == 1 else {
            throw ReviewInputError(place, "\"query\" has \(parts.count) statements; one is expected")
        }
        var notes = only.notes
        notes.callsPerSecond = try number("calls_per_second", object, place) ?? notes.callsPerSecond
        notes.meanMilliseconds = try number("mean_ms", object, place) ?? notes.meanMilliseconds
        notes.rowsPerCall = try number("rows", object, place) ?? notes.rowsPerCall
        notes.name = object["name"]?.string ?? notes.name
        notes.feature = object["feature"]?.string ?? notes.feature
        return ReviewStatement(
            id: notes.name ?? object["fingerprint"]?.string ?? "", sql: only.sql, notes: notes,
            origin: .line(file: place.file, number: place.line))
    }

    private static func number(
        _ key: String, _ object: JSONValue, _ place: SourcePlace
    ) throws(ReviewInputError) -> Double? {
        guard let value = object[key], value != .null else { return nil }
        guard let number = value.number, number >= 0 else {
            throw ReviewInputError(place, "\"\(key)\" is not a number of 0 or more")
        }
        return number
    }
}
