import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Record

/// The timeline: everything that happened, in order; as a list and live.
enum TimelineAPI {
    private static let filters = [
        QueryParameter("incident", "Only of this incident."), QueryParameter("change", "Only of this change."),
        QueryParameter("service", "Only of this service."),
    ]

    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/api/v1/timeline",
            "Lists lines oldest first after an id; with `before`, newest first before an id. `next` goes into the same "
                + "parameter.",
            access: .role(.viewer),
            query: filters + [
                QueryParameter("after", "Lines after this id; 0 unless told.", Schema.integer(0 ... .max)),
                QueryParameter("before", "Lines before this id, newest first.", Schema.integer(0 ... .max)),
                QueryParameter("limit", "How many lines, 50 unless told.", Schema.integer(Paging.limits)),
            ],
            answers: [.page(of: "TimelineEntry")], handle: list),
        Endpoint(
            .get, "/api/v1/timeline/stream",
            "Streams new lines as server-sent events named `entry` whose ids are the lines'. Goes on after the header "
                + "Last-Event-ID or the parameter `after`.",
            access: .role(.viewer),
            query: filters + [
                QueryParameter("after", "Lines after this id; only new ones unless told.", Schema.integer(0 ... .max))
            ],
            answers: [.text("text/event-stream", "The stream.")], problems: [503], handle: stream),
    ]

    private static func filter(_ query: Query) throws -> Timeline.Filter {
        Timeline.Filter(
            incident: try query.text("incident"), change: try query.text("change"), service: try query.text("service"))
    }

    @Sendable private static func list(_ call: Call) async throws -> Response {
        let filter = try filter(call.query)
        let limit = try call.query.integer("limit", Paging.limits).map { Int($0) } ?? Paging.standard
        let record = call.services.record
        let lines: [TimelineEntry]
        if let before = try call.query.integer("before", 0 ... .max) {
            guard try call.query.integer("after", 0 ... .max) == nil else {
                throw Problem(.badRequest, "Give 'after' or 'before', not both.")
            }
            lines = try await record.timeline(before: before, filter, limit: limit + 1)
        } else {
            lines = try await record.timeline(
                after: try call.query.integer("after", 0 ... .max) ?? 0, filter, limit: limit + 1)
        }
        let shown = lines.prefix(limit)
        return Paging.response(shown.map(\.json), next: lines.count > limit ? shown.last.map { String($0.id) } : nil)
    }

    @Sendable private static func stream(_ call: Call) async throws -> Response {
        let filter = try filter(call.query)
        let (record, settings) = (call.services.record, call.services.settings)
        let resume = call.request.headers[HTTPField.Name("Last-Event-ID")!].flatMap { Int64($0) }
        let start: Int64
        if let known = try resume ?? call.query.integer("after", 0 ... .max) {
            start = max(0, known)
        } else {
            start = try await record.timelineHead()
        }
        let slot = try call.services.streams.take()
        return EventStream.response(to: call.request, slot: slot, patience: settings.streamPatience) { writer in
            try await TimelineStream(record: record, settings: settings, filter: filter).write(after: start, to: writer)
        }
    }
}

/// Follows the timeline for one client.
struct TimelineStream: Sendable {
    static let batch = 100

    let record: Record
    let settings: WebSettings
    let filter: Timeline.Filter

    /// Until cancelled. Ids are in order of commit, so nothing can appear behind the last one sent.
    func write(after start: Int64, to writer: EventWriter) async throws {
        var (sent, head, quietSince) = (start, start, ContinuousClock.now)
        try await writer.write(EventStream.keepAlive)
        while !Task.isCancelled {
            let signals = record.signals.stream(limit: 1)
            let latest = try await record.timelineHead()
            if latest > head || sent == start {
                let lines = try await record.timeline(after: sent, filter, limit: Self.batch)
                for line in lines {
                    let data = line.json.compactText.utf8
                    try await writer.write(EventStream.frame(event: "entry", id: String(line.id), data: data))
                    sent = line.id
                    quietSince = .now
                }
                if lines.count == Self.batch { continue }
                head = latest
            }
            if ContinuousClock.now - quietSince >= settings.streamKeepAlive.duration {
                try await writer.write(EventStream.keepAlive)
                quietSince = .now
            }
            await Signals.wait(on: signals, for: [.timeline], atMost: settings.pollEvery.duration * 4)
        }
    }
}

extension TimelineEntry {
    var json: JSONValue {
        [
            "id": .integer(id), "at": .time(at), "kind": .string(entry.kind), "text": .string(entry.text),
            "actor": ["kind": .string(actor.kind.rawValue), "name": .string(actor.name)],
            "subject": ["kind": .string(subject.kind.rawValue), "id": .string(subject.id)],
            "service": .text(entry.service), "feature": .text(entry.feature), "incident": .text(entry.incident),
            "change": .text(entry.change), "data": .object(entry.data),
        ]
    }

    static let schemas: [String: JSONValue] = [
        "TimelineEntry": Schema.object([
            "id": Schema.integer, "at": Schema.time, "kind": Schema.text, "text": Schema.text,
            "actor": Schema.ref("Actor"), "subject": Schema.object(["kind": Schema.text, "id": Schema.text]),
            "service": Schema.nullable(Schema.text), "feature": Schema.nullable(Schema.text),
            "incident": Schema.nullable(Schema.text), "change": Schema.nullable(Schema.text), "data": Schema.anything,
        ]),
        "Actor": Schema.object([
            "kind": Schema.word("person", "service", "mainstay", "customer"), "name": Schema.text,
        ]),
    ]
}
