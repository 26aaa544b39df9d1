import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Interop
import Record

/// Flags: what is served to whom, who changed it, and taking it back.
enum FlagAPI {
    private static let reason = Schema.text(1...1_000)

    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/api/v1/flags", "Lists flags, newest first.", access: .role(.viewer),
            query: Paging.parameters + [QueryParameter("service", "Only of this service.")],
            answers: [.page(of: "Flag")], handle: list),
        Endpoint(
            .get, "/api/v1/flags/stream",
            "Streams all flags of a service: the whole set at once, and again after each change, as server-sent events "
                + "named `flags` whose data are flagd definitions with `version` and `versions`.",
            access: .scope(.service, orRole: .viewer),
            query: [QueryParameter("service", "Name of the service.", isRequired: true)],
            answers: [.text("text/event-stream", "The stream.")], problems: [404, 503], handle: stream),
        Endpoint(
            .get, "/api/v1/flags/{service}/{key}", "Shows a flag.", access: .role(.viewer),
            answers: [.json("Flag", "The flag.")], handle: show),
        Endpoint(
            .put, "/api/v1/flags/{service}/{key}",
            "Replaces a flag's definition, or makes the flag when there is none.",
            access: .role(.responder),
            body: .json(Schema.object(["definition": Schema.ref("FlagDefinition"), "reason": reason])),
            answers: [.json("Flag", "Replaced."), .json("Flag", status: 201, "Made.")], problems: [409], handle: put),
        Endpoint(
            .post, "/api/v1/flags/{service}/{key}/default", "Serves another variant by default.",
            access: .role(.responder),
            body: .json(Schema.object(["variant": Schema.text(1...100), "reason": reason])),
            answers: [.json("Flag")], problems: [409], handle: setDefault),
        Endpoint(
            .post, "/api/v1/flags/{service}/{key}/undo", "Takes a change of the flag back.", access: .role(.responder),
            body: .json(Schema.object(["change": Schema.text(1...500), "reason": reason])),
            answers: [.json("Flag")], problems: [409], handle: undo),
    ]

    @Sendable private static func list(_ call: Call) async throws -> Response {
        let paging = try Paging(call.query)
        let flags = try await call.services.record.things(
            .flag, service: try call.query.text("service"), after: try paging.cursor(), limit: paging.limit + 1)
        return paging.answer(flags, cursor: { ListCursor(at: $0.createdAt, id: $0.id) }) { listed in
            listed.thing.flag?.json ?? .null
        }
    }

    @Sendable private static func show(_ call: Call) async throws -> Response {
        Response(json: try await flag(call).json)
    }

    @Sendable private static func put(_ call: Call) async throws -> Response {
        let (service, key) = (try call.parameter("service"), try call.parameter("key"))
        try call.requireService(service)
        var fields = try await call.fields()
        let reason = fields.text("reason", 1...1_000)
        let definition = decode(&fields, key)
        try fields.done()
        guard let definition else { throw Problem.invalid("definition", "is missing") }
        let subject = Subject(.flag, Flag.id(service, key))
        guard try await call.services.record.flag(service: service, key: key) != nil else {
            guard key.utf8.count <= 200 else { throw Problem.invalid("key", "is longer than 200 bytes") }
            let applied = try await call.services.record.apply(
                subject, .flag(.declared(service: service, key: key, definition, reason: reason)),
                by: try call.actor())
            return Response(status: .created, json: try flag(applied, subject).json)
        }
        let applied = try await call.services.record.apply(
            subject, .flag(.changed(definition, reason: reason)), by: try call.actor())
        return try await answer(applied, subject, call)
    }

    @Sendable private static func setDefault(_ call: Call) async throws -> Response {
        var flag = try await flag(call)
        var fields = try await call.fields()
        let (variant, reason) = (fields.text("variant", 1...100), fields.text("reason", 1...1_000))
        try fields.done()
        flag.definition.defaultVariant = variant
        let subject = Subject(.flag, Flag.id(flag.service, flag.key))
        let applied = try await call.services.record.apply(
            subject, .flag(.changed(flag.definition, reason: reason)), by: try call.actor())
        return try await answer(applied, subject, call)
    }

    @Sendable private static func undo(_ call: Call) async throws -> Response {
        let flag = try await flag(call)
        var fields = try await call.fields()
        let (change, reason) = (fields.text("change", 1...500), fields.text("reason", 1...1_000))
        try fields.done()
        let subject = Subject(.flag, Flag.id(flag.service, flag.key))
        let applied = try await call.services.record.apply(
            subject, .flag(.undone(change: change, reason: reason, incident: nil)), by: try call.actor())
        guard !applied.entries.isEmpty else {
            throw Problem(.conflict, "\(change) is not in force for flag \(flag.key): there is nothing to take back.")
        }
        return try await answer(applied, subject, call)
    }

    @Sendable private static func stream(_ call: Call) async throws -> Response {
        guard let service = try call.query.text("service") else {
            throw Problem(.badRequest, "'service' is missing: the flags of which service?")
        }
        try call.requireService(service)
        let slot = try call.services.streams.take()
        // A client that only asks for the head is told what it would get.
        let connection = try await call.services.flagHub.connect(service)
        let settings = call.services.settings
        return EventStream.response(to: call.request, slot: slot, patience: settings.streamPatience) { writer in
            try await connection.serve(writer, keepAlive: settings.streamKeepAlive)
        }
    }

    // MARK: Parts

    private static func decode(_ fields: inout JSONFields, _ key: String) -> FlagDefinition? {
        let members = fields.object("definition")
        do {
            return try FlagdCodec.decode(.object(members), key: key)
        } catch {
            if !members.isEmpty { fields.fail("definition", error.message) }
            return nil
        }
    }

    private static func flag(_ call: Call) async throws -> Flag {
        let (service, key) = (try call.parameter("service"), try call.parameter("key"))
        guard let flag = try await call.services.record.flag(service: service, key: key) else {
            throw Problem.notFound("flag \(key) of service \(service)")
        }
        return flag
    }

    private static func flag(_ applied: Applied, _ subject: Subject) throws -> Flag {
        guard let flag = applied.things[subject]?.flag else { throw Problem.notFound(subject.description) }
        return flag
    }

    /// The flag as it stands after the step, also when the step changed nothing.
    private static func answer(_ applied: Applied, _ subject: Subject, _ call: Call) async throws -> Response {
        if let flag = applied.things[subject]?.flag { return Response(json: flag.json) }
        return try await show(call)
    }
}

extension Call {
    /// Throws 404 unless the configuration knows the service.
    func requireService(_ name: String) throws {
        guard services.record.policy.services[name] != nil else { throw Problem.notFound("service '\(name)'") }
    }
}
