import Decide
import Record

/// The queries of a running application for `mainstay review`: one JSON object a line, as `ExportedQueries` reads it.
package struct QueryExport: Sendable {
    package static let limit = 1_000

    /// Empty, or lines with an end each.
    package var text: String
    package var count: Int
    /// Queries that cannot be reviewed: cut, of several statements, or too many.
    package var leftOut: Int

    /// Those that cost most.
    package static func load(
        since: Instant, database: String?, _ record: Record, now: Instant
    ) async throws -> QueryExport {
        let window = try await record.queries(from: since, to: now, QueryFilter(database: database))
        var export = QueryExport(text: "", count: 0, leftOut: 0)
        // Rates are of the time in which somebody counted, at least one minute: a guard that has just started must not
        // make every query look frequent.
        let seconds = Double(max(60_000, window.covered.milliseconds)) / 1_000
        for line in QueryTrafficView.lines(window.samples) where line.query.isOne {
            let object = object(line, seconds: seconds).compactText
            if export.count < limit, isReadable(object) {
                export.text += object + "\n"
                export.count += 1
            } else {
                export.leftOut += 1
            }
        }
        return export
    }

    private static func object(_ line: QueryTrafficView.Line, seconds: Double) -> JSONValue {
        let calls = Double(max(1, line.figures.calls))
        return [
            "query": .string(line.text), "fingerprint": .string(line.query.hex),
            "calls_per_second": .double(rounded(Double(line.figures.calls) / seconds)),
            "mean_ms": .double(rounded(Double(line.figures.nanoseconds) / 1e6 / calls)),
            "rows": .double(rounded(Double(line.figures.rows) / calls)),
        ]
    }

    private static func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }

    /// One line that the review would refuse makes it refuse the whole file.
    private static func isReadable(_ line: String) -> Bool {
        do {
            return try ExportedQueries.read(SourceText(file: "export", text: line)).count == 1
        } catch {
            return false
        }
    }
}
