import Decide
import Hummingbird
import HummingbirdCore
import Record

/// Services as configured, each feature with how it is now.
enum ServiceAPI {
    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/api/v1/services", "Lists services by name.", access: .role(.viewer), query: Paging.parameters,
            answers: [.page(of: "Service")], handle: list)
    ]

    @Sendable private static func list(_ call: Call) async throws -> Response {
        let paging = try Paging(call.query)
        let record = call.services.record
        let listed = try await record.things(.feature, limit: 2_000).compactMap(\.thing.feature)
        let states = Dictionary(listed.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        let services = record.policy.services.values.sorted { $0.name < $1.name }
        return paging.answer(whole: services, name: \.name) { json($0, states) }
    }

    private static func json(_ service: ServicePolicy, _ states: [String: FeatureState]) -> JSONValue {
        let isIll = states.values.contains { $0.service == service.name && $0.openIncident != nil }
        return [
            "name": .string(service.name), "team": .string(service.team), "state": .string(isIll ? "ill" : "well"),
            "features": .array(
                service.features.values.sorted { $0.name < $1.name }.map { feature in
                    json(feature, states["\(service.name)/\(feature.name)"])
                }),
        ]
    }

    private static func json(_ feature: FeaturePolicy, _ state: FeatureState?) -> JSONValue {
        [
            "name": .string(feature.name), "team": .string(feature.team), "flag": .text(feature.flag),
            "proof": .array(feature.proof.map(JSONValue.string)), "undo": .string(feature.undo.rawValue),
            "severity": .string(feature.severity.rawValue),
            "state": .string(state?.openIncident == nil ? "well" : "ill"), "openIncident": .text(state?.openIncident),
            "rollout": .text(state?.rollout),
        ]
    }

    static let schemas: [String: JSONValue] = [
        "Service": Schema.object([
            "name": Schema.text, "team": Schema.text, "state": Schema.word("well", "ill"),
            "features": Schema.list(Schema.ref("Feature")),
        ]),
        "Feature": Schema.object([
            "name": Schema.text, "team": Schema.text, "flag": Schema.nullable(Schema.text),
            "proof": Schema.list(Schema.text), "undo": Schema.word(FeaturePolicy.Undo.self),
            "severity": Schema.word(Severity.self), "state": Schema.word("well", "ill"),
            "openIncident": Schema.nullable(Schema.text), "rollout": Schema.nullable(Schema.text),
        ]),
    ]
}
