import Decide
import SQL

enum ReportStore {
    static func write(_ report: Report, _ connection: any SQLConnection) throws {
        try connection.execute(
            """
            INSERT INTO reports (id, service, feature, text, reporter, page, at) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO NOTHING
            """,
            [
                .text(report.id), .text(report.service), .text(report.feature), .text(report.text),
                .text(report.reporter), SQLValue(report.page), .integer(report.at.milliseconds),
            ])
    }
}

extension Record {
    /// Customer reports, newest first.
    package func reports(
        service: String, feature: String?, since: Instant = .epoch, limit: Int = 100
    ) async throws -> [Report] {
        var arguments: [SQLValue] = [.text(service), .integer(since.milliseconds)]
        if let feature { arguments.append(.text(feature)) }
        arguments.append(.integer(Int64(min(limit, 500))))
        let sql = """
            SELECT * FROM reports WHERE service = ? AND at >= ? \(feature == nil ? "" : "AND feature = ?")
            ORDER BY at DESC, id DESC LIMIT ?
            """
        return try await database.read { [arguments] connection in
            try connection.query(sql, arguments).map { row in
                Report(
                    id: try row.text("id"), service: try row.text("service"), feature: try row.text("feature"),
                    text: try row.text("text"), reporter: try row.text("reporter"),
                    page: try row.optionalText("page"), at: Instant(milliseconds: try row.int("at")))
            }
        }
    }

    package func reportCount() async throws -> Int {
        try await database.read { connection in
            Int(try connection.query("SELECT COUNT(*) AS n FROM reports").first?.int("n") ?? 0)
        }
    }
}
