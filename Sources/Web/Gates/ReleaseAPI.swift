import Crypto
import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Interop
import NIOCore
import Record

/// Releases: evidence, approvals, the gate's verdict, and starting the rollout.
enum ReleaseAPI {
    private static let commit = Schema.text(7...64)

    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/api/v1/releases", "Lists releases, newest first.", access: .role(.viewer),
            query: Paging.parameters + [
                QueryParameter("service", "Only of this service."),
                QueryParameter("status", "Only with this status.", Schema.word(ReleaseStatus.self)),
            ],
            answers: [.page(of: "Release")], handle: list),
        Endpoint(
            .post, "/api/v1/releases", "Creates a release; creating it twice is creating it once.",
            access: .scope(.releases, orRole: .responder),
            body: .json(
                Schema.object(
                    [
                        "service": Schema.text(1...200), "feature": Schema.text(1...200), "commit": commit,
                        "author": Schema.text(1...100), "variant": Schema.text(1...100),
                    ], optional: ["author"])),
            answers: [.json("Release", "Was there already."), .json("Release", status: 201, "Created.")],
            problems: [404], handle: create),
        Endpoint(
            .get, "/api/v1/releases/{id}", "Shows a release with the gate's verdict.", access: .role(.viewer),
            answers: [.json("Release", "The release.")], handle: show),
        Endpoint(
            .post, "/api/v1/releases/{id}/evidence", "Attaches a JUnit report.",
            access: .scope(.releases, orRole: .responder),
            query: [
                QueryParameter("source", "File name of the report.", Schema.text(1...300)),
                QueryParameter("commit", "Which commit was tested; the release's own unless told.", commit),
            ],
            body: RequestSchema(mediaTypes: ["application/xml", "text/xml"], schema: Schema.text, isRequired: true),
            answers: [.json("Release")], problems: [409], handle: addEvidence),
        Endpoint(
            .post, "/api/v1/releases/{id}/approve", "Approves a release; its author cannot.", access: .role(.responder),
            body: .json(Schema.object(["commit": commit])), answers: [.json("Release")], problems: [409],
            handle: approve),
        Endpoint(
            .post, "/api/v1/releases/{id}/start",
            "Starts the rollout when the gate allows it. When it does not: 409 with every reason in `reasons`; `force` "
                + "goes past it and needs a `reason`, which is kept.",
            access: .role(.responder),
            body: .json(
                Schema.object(["force": Schema.flag, "reason": Schema.text(1...1_000)], optional: ["force", "reason"])),
            answers: [.json("Release", "The rollout has started.")], problems: [409], handle: start),
    ]

    private enum ReleaseStatus: String, CaseIterable {
        case waiting, rollingOut, live, undone
    }

    @Sendable private static func list(_ call: Call) async throws -> Response {
        let paging = try Paging(call.query)
        let policy = call.services.record.policy
        let status = try call.query.word("status", ReleaseStatus.self)
        let releases = try await call.services.record.things(
            .release, service: try call.query.text("service"), statuses: status.map { [$0.rawValue] } ?? [],
            after: try paging.cursor(), limit: paging.limit + 1)
        return paging.answer(releases, cursor: { ListCursor(at: $0.createdAt, id: $0.id) }) { listed in
            listed.thing.release?.json(policy) ?? .null
        }
    }

    @Sendable private static func create(_ call: Call) async throws -> Response {
        let actor = try call.actor()
        var fields = try await call.fields()
        let new = NewRelease(
            service: fields.text("service", 1...200), feature: fields.text("feature", 1...200),
            commit: fields.text("commit", 1...64), author: fields.optionalText("author", 1...100) ?? actor.name,
            variant: fields.text("variant", 1...100))
        try fields.done()
        let subject = Subject(.release, new.id)
        let applied = try await call.services.record.apply(subject, .release(.created(new)), by: actor)
        return try await answer(applied, subject, call, status: applied.entries.isEmpty ? .ok : .created)
    }

    @Sendable private static func show(_ call: Call) async throws -> Response {
        Response(json: try await release(call).json(call.services.record.policy))
    }

    @Sendable private static func addEvidence(_ call: Call) async throws -> Response {
        let release = try await release(call)
        guard let type = call.request.mediaType, type == "application/xml" || type == "text/xml" else {
            throw Problem(.unsupportedMediaType, "Send a JUnit report as application/xml.")
        }
        let bytes = Array(try await call.request.bytes(upTo: call.services.settings.maxEvidence).readableBytesView)
        let report: JUnitReport
        do {
            report = try JUnit.parse(bytes)
        } catch {
            throw Problem(.unprocessableContent, "This is not a JUnit report: \(error).")
        }
        guard let policy = call.services.record.policy.feature(release.service, release.feature) else {
            throw Problem.notFound("feature \(release.feature) of \(release.service) in the configuration any more")
        }
        let digest = SHA256.hash(data: bytes).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        let evidence = report.evidence(
            commit: try call.query.text("commit", upTo: 64)?.lowercased() ?? release.commit,
            source: try call.query.text("source", upTo: 300) ?? "junit.xml", digest: digest, tests: policy.tests)
        return try await apply(.evidenceAdded(evidence), call)
    }

    @Sendable private static func approve(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let commit = fields.text("commit", 1...64).lowercased()
        try fields.done()
        return try await apply(.approved(commit: commit), call)
    }

    @Sendable private static func start(_ call: Call) async throws -> Response {
        let release = try await release(call)
        var fields = try await call.fields()
        let (force, reason) = (fields.flag("force"), fields.optionalText("reason", 1...1_000))
        if force, reason == nil { fields.fail("reason", "is missing: going past the gate needs one") }
        try fields.done()
        if force { return try await apply(.forced(reason: reason ?? ""), call) }
        if release.status == .waiting,
            let policy = call.services.record.policy.feature(release.service, release.feature)
        {
            let verdict = Gate.judge(release, policy)
            guard verdict.allowed else {
                throw Problem(
                    .conflict, "The gate blocks this release: \(verdict.objections.joined(separator: " "))",
                    members: ["reasons": .array(verdict.reasons.map(\.json))])
            }
        }
        return try await apply(.started, call)
    }

    // MARK: Parts

    private static func release(_ call: Call) async throws -> Release {
        let id = try call.parameter("id")
        guard let release = try await call.services.record.release(id) else { throw Problem.notFound("release \(id)") }
        return release
    }

    private static func apply(_ event: ReleaseEvent, _ call: Call) async throws -> Response {
        let subject = Subject(.release, try call.parameter("id"))
        let applied = try await call.services.record.apply(subject, .release(event), by: try call.actor())
        return try await answer(applied, subject, call)
    }

    private static func answer(
        _ applied: Applied, _ subject: Subject, _ call: Call, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let stored =
            if let release = applied.things[subject]?.release { release } else {
                try await call.services.record.release(subject.id)
            }
        guard let stored else { throw Problem.notFound("release \(subject.id)") }
        return Response(status: status, json: stored.json(call.services.record.policy))
    }
}
