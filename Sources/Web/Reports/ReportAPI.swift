import Crypto
import Decide
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Record

/// What customers say is wrong. Needs no account: from a browser on a service's own pages, or passed on by the service.
enum ReportAPI {
    static let path = "/api/v1/reports"
    /// The desk of reports that name no feature.
    static let general = "service"

    static let endpoints: [Endpoint] = [
        Endpoint(
            .post, path,
            "Takes a customer's report. `user` counts only with a service's token; without one, people are told apart "
                + "by address.",
            access: .open,
            body: .json(
                Schema.object(
                    [
                        "service": Schema.text(1...200), "feature": Schema.text(0...200),
                        "text": Schema.text(1...Report.textLimit),
                        "user": Schema.text(0...200),
                        "page": Schema.text(0...500),
                    ], optional: ["feature", "user", "page"])),
            answers: [.json("ReportReceipt", status: 202, "Taken.")], problems: [404, 429], handle: take),
        Endpoint(
            .options, path, "Tells browsers which pages may send reports.", access: .open,
            answers: [.nothing("See the header Access-Control-Allow-Origin.")]
        ) { _ in Response(status: .noContent) },
        Endpoint(
            .get, path, "Lists reports, newest first.", access: .role(.viewer),
            query: Paging.parameters + [
                QueryParameter("service", "Of which service.", isRequired: true),
                QueryParameter("feature", "Only about this feature."),
            ],
            answers: [.page(of: "Report")], handle: list),
    ]

    @Sendable private static func take(_ call: Call) async throws -> Response {
        var fields = try await call.fields(upTo: call.services.settings.maxReport)
        let service = fields.text("service", 1...200)
        let feature = fields.optionalText("feature", 0...200).flatMap { $0.isEmpty ? nil : $0 }
        let text = fields.text("text", 1...Report.textLimit)
        let user = fields.optionalText("user", 0...200)
        let page = fields.optionalText("page", 0...500)
        try fields.done()
        let reporter = try admit(service, user, call)
        let policy = call.services.record.policy
        try call.requireService(service)
        if let feature, policy.feature(service, feature) == nil {
            throw Problem.invalid("feature", policy.unknown(feature: feature, of: service))
        }
        let report = Report(
            id: UUID().uuidString.lowercased(), service: service, feature: feature ?? general, text: text,
            reporter: reporter, page: page.flatMap { $0.isEmpty ? nil : $0 }, at: call.services.record.now())
        try await call.services.record.apply(
            Subject(.reports, "\(service)/\(report.feature)"), .reports(.received(report)),
            by: Actor(.customer, "a customer"))
        return Response(status: .accepted, json: ["id": .string(report.id)])
    }

    /// Counts the report against the limits, and names the reporter by a hash.
    private static func admit(_ service: String, _ user: String?, _ call: Call) throws -> String {
        let (limits, now) = (call.services.limits, call.services.record.now())
        let isPassedOn =
            call.context.identity.map { AccessRule.scope(.service, orRole: .responder).allows($0) } ?? false
        if isPassedOn {
            try limit(limits.reportsByService, service, "reports", at: now)
        } else {
            try limit(limits.reportsByAddress, call.context.address, "reports from this address", at: now)
        }
        let reporter: String
        if isPassedOn, let user, !user.isEmpty {
            // MainstayKit sends the hash already; the same person must not count twice.
            reporter = UserHash(hex: user)?.hex ?? UserHash(key: user).hex
        } else {
            reporter = hash(address: call.context.address, call.services.settings)
        }
        try limit(limits.reportsByReporter, "\(service)/\(reporter)", "reports", at: now)
        return reporter
    }

    /// Keyed, so that nobody who reads the record can find the address by trying all.
    private static func hash(address: String, _ settings: WebSettings) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(address.utf8), using: SymmetricKey(data: Data(settings.addressSecret.utf8)))
        return code.prefix(8).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    @Sendable private static func list(_ call: Call) async throws -> Response {
        let paging = try Paging(call.query)
        guard let service = try call.query.text("service") else {
            throw Problem(.badRequest, "'service' is missing: the reports of which service?")
        }
        try call.requireService(service)
        let reports = try await call.services.record.reports(
            service: service, feature: try call.query.text("feature"), after: try paging.cursor(),
            limit: paging.limit + 1)
        return paging.answer(reports, cursor: { ListCursor(at: $0.at, id: $0.id) }, json: \.json)
    }

    static let schemas: [String: JSONValue] = [
        "ReportReceipt": Schema.object(["id": Schema.text]),
        "Report": Schema.object([
            "id": Schema.text, "service": Schema.text, "feature": Schema.text, "text": Schema.text,
            "reporter": Schema.text, "page": Schema.nullable(Schema.text), "at": Schema.time,
        ]),
    ]
}

extension Report {
    var json: JSONValue {
        [
            "id": .string(id), "service": .string(service), "feature": .string(feature), "text": .string(text),
            "reporter": .string(reporter), "page": .text(page), "at": .time(at),
        ]
    }
}
