import Decide
import Explain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Record

/// Queries as guards counted them: what costs most, what a release changed, and a file for `mainstay review`.
enum QueryAPI {
    private static let database = QueryParameter("database", "Only of this database.")
    private static let since = QueryParameter("since", "What was counted since then.", Schema.time)

    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/api/v1/queries",
            "Lists queries by the time they took, the most expensive first; of the last hour unless told.",
            access: .role(.viewer),
            query: [
                since, database,
                QueryParameter(
                    "release", "Only of this release, as clients name it; without a program's name, of all."),
                QueryParameter("limit", "How many, \(Paging.standard) unless told.", Schema.integer(Paging.limits)),
            ], answers: [.json("QueryTraffic", "The queries.")], handle: list),
        Endpoint(
            .get, "/api/v1/queries/diff",
            "Tells what a release, or any change in the ledger, did to queries. Give `release` or `change`.",
            access: .role(.viewer),
            query: [
                QueryParameter("release", "As clients name it, with their program's name or without, or its id."),
                QueryParameter("change", "Its id."), database,
            ], answers: [.json("QueryDiff", "What is different, and whether there was enough to say.")],
            problems: [404], handle: diff),
        Endpoint(
            .get, "/api/v1/queries/export",
            "Queries for `mainstay review`, one JSON object a line; of the last day unless told.",
            access: .role(.viewer), query: [since, database],
            answers: [.text("application/x-ndjson", "One JSON object a line.")], handle: export),
        Endpoint(
            .get, "/api/v1/queries/{fingerprint}", "Shows one query over time.", access: .role(.viewer),
            answers: [.json("QueryHistory", "The query.")], handle: show),
    ]

    /// - Parameter standard: how long ago, unless told.
    private static func since(_ call: Call, _ standard: Span) throws -> Instant {
        let now = call.services.record.now()
        guard let since = try call.query.instant("since") else { return now - standard }
        return min(now, max(since, now - SampleResolution.day.kept))
    }

    @Sendable private static func list(_ call: Call) async throws -> Response {
        let view = try await QueryTrafficView.load(
            since: try since(call, .hours(1)), database: try call.query.text("database"),
            release: try call.query.text("release"),
            limit: try call.query.integer("limit", Paging.limits).map { Int($0) } ?? Paging.standard,
            call.services.record, now: call.services.record.now())
        return Response(json: view.json)
    }

    @Sendable private static func diff(_ call: Call) async throws -> Response {
        let view = try await diff(
            release: try call.query.text("release"), change: try call.query.text("change"),
            database: try call.query.text("database"), call.services.record)
        return Response(json: view.json)
    }

    static func diff(
        release: String?, change: String?, database: String?, _ record: Record
    ) async throws -> QueryDiffView {
        switch (release, change) {
        case (let name?, nil):
            guard
                let view = try await QueryDiffView.load(
                    release: name, database: database, record, now: record.now())
            else {
                throw Problem.notFound(
                    "release '\(name)': no client has named it, and no change in the ledger is of it")
            }
            return view
        case (nil, let id?):
            guard
                let view = try await QueryDiffView.load(change: id, database: database, record, now: record.now())
            else { throw Problem.notFound("change '\(id)'") }
            return view
        default: throw Problem(.badRequest, "Give 'release' or 'change', one of them.")
        }
    }

    @Sendable private static func export(_ call: Call) async throws -> Response {
        let export = try await QueryExport.load(
            since: try since(call, .days(1)), database: try call.query.text("database"), call.services.record,
            now: call.services.record.now())
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/x-ndjson", .contentDisposition: "attachment; filename=\"queries.jsonl\"",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: export.text)))
    }

    @Sendable private static func show(_ call: Call) async throws -> Response {
        let name = try call.parameter("fingerprint")
        guard let query = QueryKey(hex: name),
            let view = try await QueryHistoryView.load(query, call.services.record, now: call.services.record.now())
        else { throw Problem.notFound("query '\(name)'") }
        return Response(json: view.json)
    }
}
