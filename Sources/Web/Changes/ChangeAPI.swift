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
            .post, "/api/v1/changes",
            "Notes a change that another system made; the same `id` is noted once. Told again, a release may have "
                + "`endedAt` and `undoneAt`.",
            access: .scope(.releases, orRole: .responder),
            body: .json(
                Schema.object(
                    [
                        "service": Schema.text(1...200), "feature": Schema.text(1...200), "title": Schema.text(1...300),
                        "reason": Schema.text(1...1_000), "id": Schema.text(1...200), "at": Schema.time,
                        "kind": Schema.word(Kind.self), "author": Schema.text(1...200),
                        "link": Schema.text(9...500, pattern: "^https?://"),
                        "release": Schema.text(1...64, pattern: "^[!-?A-~]+$"), "endedAt": Schema.time,
                        "undoneAt": Schema.time,
                    ],
                    optional: [
                        "feature", "reason", "id", "at", "kind", "author", "link", "release", "endedAt", "undoneAt",
                    ])),
            answers: [.json("Change", "Was noted already."), .json("Change", status: 201, "Noted.")],
            problems: [404, 409], handle: note),
    ]

    /// What another system can have done; flags, and releases behind them, are Mainstay's own.
    private enum Kind: String, CaseIterable {
        case external, release, configuration, migration, query, infrastructure

        var change: Change.Kind {
            switch self {
            case .external: .external
            case .release: .release
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
        let record = call.services.record
        var fields = try await call.fields()
        let change = read(&fields, by: try call.actor(), now: record.now())
        try fields.done()
        try call.requireService(change.service)
        if let feature = change.feature, record.policy.feature(change.service, feature) == nil {
            throw Problem.invalid("feature", record.policy.unknown(feature: feature, of: change.service))
        }
        let isNew = try await record.note(change: change)
        let stored = try await record.change(change.id) ?? change
        guard change.kind != .release || stored.release == change.release else {
            let told = stored.release.map { "of release \($0)" } ?? "no release"
            throw Problem(.conflict, "Change \(change.id) was noted already, and is \(told): give another 'id'.")
        }
        return Response(status: isNew ? .created : .ok, json: stored.json)
    }

    private static func read(_ fields: inout JSONFields, by actor: Actor, now: Instant) -> Change {
        let service = fields.text("service", 1...200)
        let id = fields.optionalText("id", 1...200) ?? UUID().uuidString.lowercased()
        let kind = fields.word("kind", Kind.self)?.change ?? .external
        let at = time(&fields, "at", now)
        var change = Change(
            id: Change.external(service, id), kind: kind, service: service,
            feature: fields.optionalText("feature", 1...200), title: fields.text("title", 1...300), actor: actor,
            reason: fields.optionalText("reason", 1...1_000), at: at ?? now,
            release: fields.optionalText("release", 1...64), undoneAt: time(&fields, "undoneAt", now),
            author: fields.optionalText("author", 1...200), link: fields.optionalText("link", 9...500),
            endedAt: time(&fields, "endedAt", now))
        if let link = change.link, !link.hasPrefix("http://"), !link.hasPrefix("https://") {
            fields.fail("link", "must begin with http:// or https://")
        }
        checkRelease(change, startedAt: at, &fields)
        // One that is told of only afterwards did not begin after it had ended.
        if at == nil { change.at = [change.endedAt, change.undoneAt].compactMap(\.self).min() ?? now }
        return change
    }

    private static func checkRelease(_ change: Change, startedAt: Instant?, _ fields: inout JSONFields) {
        let ends = [("endedAt", change.endedAt), ("undoneAt", change.undoneAt)]
        guard change.kind == .release else {
            for (name, isThere) in [("release", change.release != nil)] + ends.map({ ($0.0, $0.1 != nil) })
            where isThere {
                fields.fail(name, "goes with 'kind': 'release' only")
            }
            return
        }
        if let release = change.release {
            if !release.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "@") }) {
                fields.fail("release", "must be a version or a commit: ASCII, without spaces and '@'")
            }
        } else {
            fields.fail("release", "is missing: the version or the commit, as clients name it after the '@'")
        }
        for case (let name, let end?) in ends where startedAt.map({ end < $0 }) ?? false {
            fields.fail(name, "is before 'at'")
        }
    }

    /// Never in the future.
    private static func time(_ fields: inout JSONFields, _ name: String, _ now: Instant) -> Instant? {
        guard let text = fields.optionalText(name, 1...40) else { return nil }
        guard let time = RFC3339.parse(text) else {
            fields.fail(name, "must be a time like 2026-11-22T04:51:49Z")
            return nil
        }
        return min(time, now)
    }
}

extension Change {
    var json: JSONValue {
        [
            "id": .string(id), "kind": .string(kind.rawValue), "service": .string(service), "feature": .text(feature),
            "title": .string(title), "actor": ["kind": .string(actor.kind.rawValue), "name": .string(actor.name)],
            "reason": .text(reason), "at": .time(at), "release": .text(release), "forced": .bool(forced),
            "undoneAt": .time(undoneAt), "author": .text(author), "link": .text(link), "endedAt": .time(endedAt),
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
            "author": Schema.nullable(Schema.text), "link": Schema.nullable(Schema.text),
            "endedAt": Schema.nullable(Schema.time),
            "flagStep": Schema.nullable(
                Schema.object([
                    "flag": Schema.text, "oldVariant": Schema.text, "newVariant": Schema.text,
                    "version": Schema.integer,
                ])),
        ])
    ]
}
