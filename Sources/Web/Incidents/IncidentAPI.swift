import Decide
import Hummingbird
import HummingbirdCore
import NIOCore
import Record

/// Incidents: what is wrong, whom it hits, what is suspected, and what people do about it.
enum IncidentAPI {
    private static let reason = Schema.text(1...1_000)

    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/api/v1/incidents", "Lists incidents, newest first.", access: .role(.viewer),
            query: Paging.parameters + [
                QueryParameter("service", "Only of this service."),
                QueryParameter(
                    "status", "Only with this status; `open` stands for all that are not over.",
                    Schema.word(StatusFilter.self)),
            ],
            answers: [.page(of: "Incident")], handle: list),
        Endpoint(
            .get, "/api/v1/incidents/{id}", "Shows an incident.", access: .role(.viewer),
            answers: [.json("Incident", "The incident.")], handle: show),
        Endpoint(
            .get, "/api/v1/incidents/{id}/pages", "Lists whom the incident called, with the proof of delivery.",
            access: .role(.viewer), query: Paging.parameters, answers: [.page(of: "Page")], handle: pages),
        Endpoint(
            .get, "/api/v1/incidents/{id}/postmortem", "Writes the incident's postmortem.", access: .role(.viewer),
            answers: [.text("text/markdown", "The postmortem.")], handle: postmortem),
        action("acknowledge", "Takes the incident: nobody else is paged.") { _ in .acknowledged },
        action("review", "Marks a resolved incident as reviewed.") { _ in .reviewed },
        action("resolve", "Ends the incident.", ["reason": reason]) { .resolved(reason: $0.text("reason", 1...1_000)) },
        action("undo", "Takes a suspected change back.", ["change": Schema.text(1...500)]) {
            .undoRequested(change: $0.text("change", 1...500))
        },
        action("notes", "Adds a note.", ["text": Schema.text(1...10_000)]) { .noted($0.text("text", 1...10_000)) },
    ]

    private enum StatusFilter: String, CaseIterable {
        case open, triggered, acknowledged, mitigated, resolved, reviewed

        var statuses: [String] {
            self == .open ? Incident.Status.allCases.filter(\.isOpen).map(\.rawValue) : [rawValue]
        }
    }

    /// What a person does to an incident. Without members, a body is neither needed nor read.
    private static func action(
        _ verb: String, _ summary: String, _ members: [String: JSONValue] = [:],
        _ event: @escaping @Sendable (inout JSONFields) -> IncidentEvent
    ) -> Endpoint {
        Endpoint(
            .post, "/api/v1/incidents/{id}/\(verb)", summary, access: .role(.responder),
            body: members.isEmpty ? nil : .json(Schema.object(members)), answers: [.json("Incident")], problems: [409]
        ) { call in
            let subject = Subject(.incident, try await incident(call).id)
            var fields = members.isEmpty ? JSONFields([:]) : try await call.fields()
            let event = event(&fields)
            try fields.done()
            try await call.services.record.apply(subject, .incident(event), by: try call.actor())
            // Read anew: what the step forwarded may have changed it further.
            return try await show(call)
        }
    }

    @Sendable private static func list(_ call: Call) async throws -> Response {
        let paging = try Paging(call.query)
        let filter = try call.query.word("status", StatusFilter.self)
        let incidents = try await call.services.record.things(
            .incident, service: try call.query.text("service"), statuses: filter?.statuses ?? [],
            after: try paging.cursor(), limit: paging.limit + 1)
        return paging.answer(incidents, cursor: { ListCursor(at: $0.createdAt, id: $0.id) }) { listed in
            listed.thing.incident?.json ?? .null
        }
    }

    @Sendable private static func show(_ call: Call) async throws -> Response {
        Response(json: try await incident(call).json)
    }

    @Sendable private static func pages(_ call: Call) async throws -> Response {
        let paging = try Paging(call.query)
        let pages = try await call.services.record.pages(ofIncident: try await incident(call).id)
        return paging.answer(whole: pages.sorted { $0.id < $1.id }, name: \.id, json: \.json)
    }

    @Sendable private static func postmortem(_ call: Call) async throws -> Response {
        let id = try await incident(call).id
        guard let text = try await call.services.postmortem(id) else { throw Problem.notFound("postmortem of \(id)") }
        return Response(
            status: .ok, headers: [.contentType: "text/markdown; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private static func incident(_ call: Call) async throws -> Incident {
        let id = try call.parameter("id")
        guard let incident = try await call.services.record.incident(id) else {
            throw Problem.notFound("incident \(id)")
        }
        return incident
    }
}
