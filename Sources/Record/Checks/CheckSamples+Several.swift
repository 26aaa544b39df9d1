import Decide
import SQL

extension Record {
    /// How many checks one read may ask for.
    package static let sampledChecks = 200

    /// Samples of several checks in one read, oldest first; checks without any are left out.
    /// - Parameter checks: ids; those past `sampledChecks` are left out.
    package func samples(
        ofChecks checks: [String], _ resolution: SampleResolution, since: Instant
    ) async throws -> [String: [CheckSample]] {
        let wanted = Array(checks.prefix(Record.sampledChecks))
        guard !wanted.isEmpty else { return [:] }
        let marks = wanted.map { _ in "?" }.joined(separator: ", ")
        let sql = """
            SELECT * FROM check_samples WHERE check_id IN (\(marks)) AND resolution = ? AND at >= ?
            ORDER BY check_id, at LIMIT 50000
            """
        let arguments =
            wanted.map { SQLValue.text($0) } + [.integer(resolution.rawValue), .integer(since.milliseconds)]
        return try await database.read { connection in
            var found: [String: [CheckSample]] = [:]
            for row in try connection.query(sql, arguments) {
                let runs = try row.int("runs")
                found[try row.text("check_id"), default: []].append(
                    CheckSample(
                        at: Instant(milliseconds: try row.int("at")), runs: Int(runs),
                        failures: Int(try row.int("failures")),
                        tookAverage: Span(milliseconds: try row.int("took_total") / max(1, runs)),
                        tookMax: Span(milliseconds: try row.int("took_max")),
                        lastFailure: try row.optionalText("last_failure")))
            }
            return found
        }
    }
}
