import HTTPTypes
import Hummingbird

/// Problem reports from programs and from the pages' script.
struct ReportAPI: Sendable {
    let shop: Shop

    var routes: [Route] { [Route(.post, "/api/reports", send)] }

    /// 202 when Mainstay has the report, 503 when it could not be told.
    @Sendable private func send(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let input = try await request.json(Input.self)
        try await shop.reports.send(feature: input.feature, text: input.text, page: input.page ?? "", context)
        return .json(Receipt(), status: .accepted)
    }

    private struct Input: Decodable {
        var feature: String
        var text: String
        var page: String?
    }

    private struct Receipt: Encodable {
        var delivered = true
    }
}
