import Decide
import SQL

/// Results of one check in one span of time, rolled up.
package struct CheckSample: Hashable, Sendable, Codable {
    package var at: Instant
    package var runs: Int
    package var failures: Int
    package var tookAverage: Span
    package var tookMax: Span
    package var lastFailure: String?
}

/// Samples are kept by minute for two days, by hour for 35 days and by day for 400 days, then dropped.
package enum SampleResolution: Int64, Sendable, CaseIterable {
    case minute = 60_000
    case hour = 3_600_000
    case day = 86_400_000

    package var kept: Span {
        switch self {
        case .minute: .days(2)
        case .hour: .days(35)
        case .day: .days(400)
        }
    }

    func start(of instant: Instant) -> Int64 { instant.milliseconds / rawValue * rawValue }
}

extension Record {
    /// Adds results to the rolled-up samples, all in one transaction.
    package func sample(_ results: [CheckResult]) async throws {
        guard !results.isEmpty else { return }
        try await database.write { connection in
            for result in results {
                for resolution in SampleResolution.allCases {
                    try connection.execute(
                        """
                        INSERT INTO check_samples
                            (check_id, resolution, at, runs, failures, took_total, took_max, last_failure)
                        VALUES (?, ?, ?, 1, ?, ?, ?, ?)
                        ON CONFLICT (check_id, resolution, at) DO UPDATE SET
                            runs = check_samples.runs + 1, failures = check_samples.failures + excluded.failures,
                            took_total = check_samples.took_total + excluded.took_total,
                            took_max = CASE WHEN excluded.took_max > check_samples.took_max
                                THEN excluded.took_max ELSE check_samples.took_max END,
                            last_failure = COALESCE(excluded.last_failure, check_samples.last_failure)
                        """,
                        [
                            .text(result.check), .integer(resolution.rawValue),
                            .integer(resolution.start(of: result.startedAt)), SQLValue(!result.passed),
                            .integer(result.took.milliseconds), .integer(result.took.milliseconds),
                            SQLValue(result.failure?.sentence),
                        ])
                }
            }
        }
        signals.send(.samples)
    }

    /// Samples of a check, oldest first.
    package func samples(
        _ check: String, _ resolution: SampleResolution, since: Instant, limit: Int = 500
    ) async throws -> [CheckSample] {
        try await database.read { connection in
            try connection.query(
                """
                SELECT * FROM check_samples WHERE check_id = ? AND resolution = ? AND at >= ? ORDER BY at LIMIT ?
                """,
                [
                    .text(check), .integer(resolution.rawValue), .integer(since.milliseconds),
                    .integer(Int64(min(limit, 2_000))),
                ]
            ).map { row in
                let runs = try row.int("runs")
                return CheckSample(
                    at: Instant(milliseconds: try row.int("at")), runs: Int(runs),
                    failures: Int(try row.int("failures")),
                    tookAverage: Span(milliseconds: try row.int("took_total") / max(1, runs)),
                    tookMax: Span(milliseconds: try row.int("took_max")),
                    lastFailure: try row.optionalText("last_failure"))
            }
        }
    }

    /// Drops what is past its keeping time; called once an hour. Timeline, ledger and reports are kept.
    package func prune() async throws {
        let now = self.now()
        try await database.write { connection in
            for resolution in SampleResolution.allCases {
                try connection.execute(
                    "DELETE FROM check_samples WHERE resolution = ? AND at < ?",
                    [.integer(resolution.rawValue), .integer((now - resolution.kept).milliseconds)])
            }
            try QueryStore.prune(now, connection)
            let dayAgo = SQLValue.integer((now - .days(1)).milliseconds)
            try connection.execute("DELETE FROM exposure_batches WHERE at < ?", [dayAgo])
            try connection.execute(
                "DELETE FROM active_users WHERE at < ?", [.integer((now - .days(35)).milliseconds)])
            try connection.execute(
                "DELETE FROM exposures WHERE last_at < ?", [.integer((now - .days(90)).milliseconds)])
            try connection.execute("DELETE FROM sessions WHERE expires_at < ?", [.integer(now.milliseconds)])
            try connection.execute(
                "DELETE FROM outbox WHERE done_at IS NOT NULL AND done_at < ?",
                [.integer((now - .days(30)).milliseconds)])
        }
    }
}
