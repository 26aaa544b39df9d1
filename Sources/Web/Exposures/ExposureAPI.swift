import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Record

/// Who met which variant, as MainstayKit tells it.
enum ExposureAPI {
    static let itemLimit = 5_000
    static let userLimit = 60_000
    private static let times: ClosedRange<Int64> = 0...253_402_300_799_999

    static let endpoints: [Endpoint] = [
        Endpoint(
            .post, "/api/v1/exposures",
            "Takes a batch of exposures; sent twice, it counts once.",
            access: .scope(.service, orRole: .responder), body: .json(schema),
            answers: [.nothing(status: 202, "Taken.")], problems: [404], handle: add)
    ]

    private static let users = Schema.list(["type": "string", "pattern": "^[0-9a-fA-F]{16}$"])
    private static let schema: JSONValue = [
        "type": "object", "required": ["service", "batch", "exposures", "active", "from", "to"],
        "properties": [
            "service": Schema.text(1...200), "batch": Schema.text(1...100), "from": Schema.integer(times),
            "to": Schema.integer(times), "active": users,
            "exposures": Schema.list([
                "type": "object", "required": ["flag", "variant", "version", "first", "last", "count", "users"],
                "properties": [
                    "flag": Schema.text(1...200), "variant": Schema.text(0...200),
                    "version": Schema.integer(0 ... .max),
                    "first": Schema.integer(times), "last": Schema.integer(times),
                    "count": Schema.integer(0...1_000_000_000_000), "users": users,
                ],
            ]),
        ],
    ]

    @Sendable private static func add(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let service = fields.text("service", 1...200)
        var batch = ExposureBatch(
            id: fields.text("batch", 1...100), service: service, items: [], active: [],
            at: Instant(milliseconds: fields.integer("to", times)))
        _ = fields.integer("from", times)
        batch.active = read(fields.list("active", limit: userLimit), "active", &fields)
        for (index, value) in fields.list("exposures", limit: itemLimit).enumerated() {
            batch.items.append(try item(value, index, &fields))
        }
        try fields.done(ignoringOthers: true)
        try call.requireService(service)
        // A clock that is wrong elsewhere must not make users active in the future.
        batch.at = min(batch.at, call.services.record.now())
        try await call.services.record.add(batch)
        return Response(status: .accepted)
    }

    private static func item(_ value: JSONValue, _ index: Int, _ all: inout JSONFields) throws -> ExposureBatch.Item {
        guard case .object(let members) = value else {
            throw Problem.invalid("exposures[\(index)]", "must be an object")
        }
        var fields = JSONFields(members)
        let item = ExposureBatch.Item(
            flag: fields.text("flag", 1...200), variant: fields.optionalText("variant", 0...200) ?? "",
            version: fields.integer("version", 0 ... .max),
            firstAt: Instant(milliseconds: fields.integer("first", times)),
            lastAt: Instant(milliseconds: fields.integer("last", times)),
            evaluations: fields.integer("count", 0...1_000_000_000_000),
            users: read(fields.list("users", limit: userLimit), "users", &fields))
        do {
            try fields.done(ignoringOthers: true)
        } catch let problem as Problem {
            for field in problem.fields { all.fail("exposures[\(index)].\(field.name)", field.message) }
        }
        return item
    }

    private static func read(_ values: [JSONValue], _ name: String, _ fields: inout JSONFields) -> [UInt64] {
        let users = values.compactMap { $0.string.flatMap { UserHash(hex: $0)?.value } }
        if users.count != values.count { fields.fail(name, "holds something that is not 16 hexadecimal digits") }
        return users
    }
}
