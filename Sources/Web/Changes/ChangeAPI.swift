import Decide
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Record

/// The change ledger: what may have caused trouble, also when another system did it.
enum ChangeAPI {
    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/api/v1/changes", "Lists changes, newest first.", access: .role(.viewer),
            query: Paging.parameters + [QueryParameter("service", "Only of this service.")],
            answers: [.page(of: "Change")], handle: list),
        Endpoint(
            .post, "/api/v1/changes", "Notes a change that another system made; the same `id` is noted once.",
            access: .scope(.releases, orRole: .responder),
            body: .json(
                Schema.object(
                    [
                        "service": Schema.text(1...200), "feature": Schema.text(1...200), "title": Schema.text(1...300),
                        "reason": Schema.text(1...1_000), "id": Schema.text(1...200), "at": Schema.time,
                        "kind": Schema.word(Kind.self),
                    ], optional: ["feature", "reason", "id", "at", "kind"])),
            answers: [.json("Change", "Was noted already."), .json("Change", status: 201, "Noted.")],
            problems: [404], handle: note),
    ]

    /// What another system can have done; flags and releases are Mainstay's own.
    private enum Kind: String, CaseIterable {
        case external, configuration, migration, query, infrastructure

        var change: Change.Kind {
            switch self {
            case .external: .external
            case .configuration: .configuration
            case .migration: .migration
            case .query: .query
            case .infrastructure: .infrastructure
            }
        }
    }

    @Sendable private static func list(_ call: Call) async throws -> Response {
        let paging = try Paging(call.query)
        let changes = try await call.services.record.changes(
            service: try call.query.text("service"), after: try paging.cursor(), limit: paging.limit + 1)
        return paging.answer(changes, cursor: { ListCursor(at: $0.at, id: $0.id) }, json: \.json)
    }

    @Sendable private static func note(_ call: Call) async throws -> Response {
        let now = call.services.record.now()
        var fields = try await call.fields()
        let service = fields.text("service", 1...200)
        let feature = fields.optionalText("feature", 1...200)
        let change = Change(
            id: "external:\(service)/\(fields.optionalText("id", 1...200) ?? UUID().uuidString.lowercased())",
            kind: fields.word("kind", Kind.self)?.change ?? .external, service: service, feature: feature,
            title: fields.text("title", 1...300), actor: try call.actor(),
            reason: fields.optionalText("reason", 1...1_000), at: time(&fields, now))
        try fields.done()
        try call.requireService(service)
        if let feature, call.services.record.policy.feature(service, feature) == nil {
            throw Problem.invalid("feature", call.services.record.policy.unknown(feature: feature, of: service))
        }
        let isNew = try await call.services.record.note(change: change)
        let stored = try await call.services.record.change(change.id) ?? change
        return Response(status: isNew ? .created : .ok, json: stored.json)
    }

    /// When it happened: now unless told; never in the future.
    private static func time(_ fields: inout JSONFields, _ now: Instant) -> Instant {
        guard let text = fields.optionalText("at", 1...40) else { return now }
        guard let at = RFC3339.parse(text) else {
            fields.fail("at", "must be a time like 2026-11-22T04:51:49Z")
            return now
        }
        return min(at, now)
    }
}

extension Change {
    var json: JSONValue {
        [
            "id": .string(id), "kind": .string(kind.rawValue), "service": .string(service), "feature": .text(feature),
            "title": .string(title), "actor": ["kind": .string(actor.kind.rawValue), "name": .string(actor.name)],
            "reason": .text(reason), "at": .time(at), "release": .text(release), "forced": .bool(forced),
            "undoneAt": .time(undoneAt),
            "flagStep": flagStep.map { step in
                [
                    "flag": .string(step.flag), "oldVariant": .string(step.oldVariant),
                    "newVariant": .string(step.newVariant), "version": .integer(step.version),
                ]
            } ?? .null,
        ]
    }

    static let schemas: [String: JSONValue] = [
        "Change": Schema.object([
            "id": Schema.text,
            "kind": Schema.word(
                "release", "flag", "configuration", "migration", "query", "infrastructure", "external"),
            "service": Schema.text, "feature": Schema.nullable(Schema.text), "title": Schema.text,
            "actor": Schema.ref("Actor"), "reason": Schema.nullable(Schema.text), "at": Schema.time,
            "release": Schema.nullable(Schema.text), "forced": Schema.flag, "undoneAt": Schema.nullable(Schema.time),
            "flagStep": Schema.nullable(
                Schema.object([
                    "flag": Schema.text, "oldVariant": Schema.text, "newVariant": Schema.text,
                    "version": Schema.integer,
                ])),
        ])
    ]
}
